/* The page of a new project: the labels found in a file that is dropped there, and a text cut by each tokenizer.
   <label-finder> holds the file field; `fills` names the field that takes the labels. <token-preview> holds a text. */

import { ApiError, call } from "goldset/api.js";
import { survey } from "goldset/survey.js";

class LabelFinder extends HTMLElement {
  connectedCallback() {
    this.addEventListener("change", ({ target }) => target.files?.[0] && this.#look(target.files[0]));
  }

  async #look(file) {
    const told = this.querySelector("[data-part=told]");
    told.textContent = this.dataset.looking;
    try {
      const found = await survey(this.dataset.url, file);
      const added = this.#add(found.labels.map(({ name }) => name));
      const words = found.labels.length ? this.dataset.found : this.dataset.none;
      told.textContent = words.replace("{format}", found.title).replace("{texts}", found.texts).replace("{labels}", found.labels.length).replace("{added}", added);
      this.dispatchEvent(new CustomEvent("sample", { bubbles: true, detail: found.sample[0] ?? "" }));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      told.textContent = error.message;
    }
  }

  /* Adds those that the list does not name yet; gives their number. */
  #add(names) {
    const field = document.getElementById(this.dataset.fills);
    const there = new Set(field.value.split(/[\s,;]+/));
    const missing = names.filter((name) => !there.has(name));
    if (missing.length) field.value = [field.value.trimEnd(), ...missing].filter(Boolean).join("\n");
    return missing.length;
  }
}

class TokenPreview extends HTMLElement {
  #waiting;
  #asked = 0;

  connectedCallback() {
    this.#field.addEventListener("input", () => {
      clearTimeout(this.#waiting);
      this.#waiting = setTimeout(() => this.#show(), 250);
    });
    document.addEventListener("sample", ({ detail }) => {
      if (this.#field.value) return;
      this.#field.value = detail;
      this.#show();
    });
    if (this.#field.value) this.#show();
  }

  get #field() {
    return this.querySelector("textarea");
  }

  async #show() {
    const number = (this.#asked += 1);
    const found = await call("POST", this.dataset.url, { text: this.#field.value }).catch((error) => ({ error }));
    if (number !== this.#asked) return; // more was typed meanwhile
    for (const row of this.querySelectorAll("[data-tokenizer]")) {
      const tokens = found[row.dataset.tokenizer] ?? [];
      row.hidden = !this.#field.value;
      row.querySelector("[data-part=count]").textContent = found.error ? found.error.message : tokens.length;
      row.querySelector("[data-part=tokens]").replaceChildren(...tokens.slice(0, 400).map(({ text }) => chip(text)));
    }
  }
}

function chip(text) {
  const token = document.createElement("bdi");
  token.className = "token-chip";
  token.textContent = text;
  return token;
}

customElements.define("label-finder", LabelFinder);
customElements.define("token-preview", TokenPreview);
