/* <gold-shortcuts>: the keys of the annotate page, as a person wants them. A field takes the key that is pressed in it;
   what differs from the defaults goes to the server. `config` names the script with {command: key}. */

import { call } from "goldset/api.js";
import { COMMANDS, keyOf, shown } from "goldset/annotate/keys.js";
import { gettext } from "goldset/texts.js";

const DEFAULTS = Object.fromEntries(Object.entries(COMMANDS).map(([key, command]) => [command, key]));
const ALONE = new Set(["Control", "Shift", "Alt", "Meta", "CapsLock", "Dead", "Unidentified"]);

class GoldShortcuts extends HTMLElement {
  #keys;

  connectedCallback() {
    const changed = JSON.parse(document.getElementById(this.getAttribute("config")).textContent);
    this.#keys = { ...DEFAULTS, ...changed };
    this.addEventListener("keydown", (event) => this.#key(event));
    this.addEventListener("click", ({ target }) => this.#act(target.closest("[data-action]")?.dataset.action));
    this.#show();
  }

  #key(event) {
    const { command } = event.target.dataset;
    if (!command || ALONE.has(event.key)) return;
    if (event.key === "Tab" && (event.shiftKey || command !== "unsure")) return; // through the fields
    event.preventDefault();
    const key = keyOf(event);
    this.#keys[command] = event.ctrlKey || event.metaKey ? `Ctrl+${key}` : key;
    this.#show();
  }

  async #act(action) {
    if (action === "reset") {
      this.#keys = { ...DEFAULTS };
      this.#show();
    }
    if (!action) return;
    const double = this.#twice();
    if (double) return this.#say(gettext("{key} is given twice.", { key: shown(double) }));
    const keys = Object.fromEntries(Object.entries(this.#keys).filter(([command, key]) => DEFAULTS[command] !== key));
    try {
      await call("PUT", this.getAttribute("url"), { keys });
      this.#say(action === "reset" ? gettext("The defaults are back.") : gettext("Saved."));
    } catch (error) {
      this.#say(error.message);
    }
  }

  #twice() {
    const keys = Object.values(this.#keys);
    return keys.find((key, at) => keys.indexOf(key) !== at);
  }

  #show() {
    for (const field of this.querySelectorAll("input")) {
      const { command } = field.dataset;
      field.value = shown(this.#keys[command]);
      field.classList.toggle("changed", this.#keys[command] !== DEFAULTS[command]);
    }
    this.#say("");
  }

  #say(text) {
    this.querySelector("[data-part=said]").textContent = text;
  }
}

customElements.define("gold-shortcuts", GoldShortcuts);
