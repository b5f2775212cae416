/* The labels as buttons with their keys, and a filter for projects that have many. Calls `choose(name)`.
   A double click makes a label sticky: it is put on whatever is selected next, until it is no longer sticky. */

import { shown } from "goldset/annotate/keys.js";
import { gettext } from "goldset/texts.js";

const FILTER_FROM = 12;

export class Palette {
  #root;
  #filter;
  #few; // then the filter shows only while it is asked for
  #buttons;
  #last = null;
  #marked;
  sticky = null;

  constructor(root, labels, hotkeys, choose) {
    const keys = new Map([...hotkeys].map(([key, name]) => [name, key]));
    this.#root = root;
    const chosen = (name) => {
      this.#last = name ?? this.#last;
      choose(name);
    };
    this.#last = labels[0]?.name ?? null;
    this.#buttons = labels.map((label) => button(label, keys.get(label.name), chosen));
    for (const each of this.#buttons) each.addEventListener("dblclick", () => this.stick(each.dataset.label));
    this.#filter = root.querySelector("[data-part=filter]");
    this.#few = labels.length < FILTER_FROM;
    this.#filter.hidden = this.#few;
    root.querySelector("[data-part=labels]").replaceChildren(...this.#buttons);
    this.#filter.addEventListener("input", () => this.#narrow());
    this.#filter.addEventListener("keydown", (event) => this.#key(event, chosen));
  }

  /* The label that was used last; the first one at the beginning. */
  get last() {
    return this.sticky ?? this.#last;
  }

  used(name) {
    this.#last = name;
  }

  /* Makes a label sticky; the one that is, no longer. */
  stick(name) {
    this.sticky = this.sticky === name ? null : name;
    for (const each of this.#buttons) each.classList.toggle("sticky", each.dataset.label === this.sticky);
    this.#root.querySelector("[data-part=sticky]").textContent = this.sticky ? gettext("{label} is put on every selection", { label: this.sticky }) : "";
  }

  /* Into the filter field, to find a label by its name. */
  find() {
    this.#filter.hidden = false;
    this.#filter.focus();
  }

  /* Mark the label of the span at the cursor. */
  mark(name) {
    if (name === this.#marked) return;
    this.#marked = name;
    for (const each of this.#buttons) each.setAttribute("aria-pressed", String(each.dataset.label === name));
  }

  #narrow() {
    const wanted = this.#filter.value.trim().toLowerCase();
    for (const each of this.#buttons) each.hidden = !each.dataset.label.toLowerCase().includes(wanted);
    this.#root.querySelector("[data-part=unfound]").hidden = this.#buttons.some(({ hidden }) => !hidden);
  }

  #key(event, choose) {
    if (event.key !== "Enter" && event.key !== "Escape") return;
    event.preventDefault();
    event.stopPropagation();
    const first = this.#buttons.find((each) => !each.hidden);
    const wanted = event.key === "Enter" && this.#filter.value.trim();
    if (wanted && !first) return; // the page says so
    this.#filter.value = "";
    this.#narrow();
    choose(wanted ? first.dataset.label : null); // the text has the focus again
    this.#filter.hidden = this.#few;
  }
}

function button({ name, color, description }, key, choose) {
  const element = document.createElement("button");
  element.type = "button";
  element.className = "palette-label";
  element.dataset.label = name;
  element.title = description || name;
  element.style.setProperty("--label", color);
  element.setAttribute("aria-pressed", "false");
  const text = document.createElement("span");
  text.className = "name";
  text.textContent = name;
  element.append(text);
  if (key) {
    const hint = document.createElement("kbd");
    hint.textContent = shown(key);
    element.append(hint);
    element.setAttribute("aria-keyshortcuts", key.replace("Digit", ""));
  }
  element.addEventListener("click", () => choose(name));
  return element;
}
