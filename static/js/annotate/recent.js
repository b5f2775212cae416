/* The last texts that the person had in hand, each with its state; one can be opened again. Calls `open(document)`. */

import { gettext } from "goldset/texts.js";

const MOST = 10;
const STATES = {
  draft: gettext("draft"),
  held: gettext("changed, not submitted"),
  sending: gettext("saving"),
  submitted: gettext("submitted"),
  skipped: gettext("skipped"),
  returned: gettext("returned"),
};

export class Recent {
  #root;
  #open;
  #rows;
  #present;

  /* `rows` are {document, text, state}, the newest first. */
  constructor(root, rows, open) {
    this.#root = root;
    this.#rows = rows;
    this.#open = open;
    this.#show();
  }

  /* The text before `document`, or the last one; null where there is none. */
  before(document) {
    const at = this.#rows.findIndex((row) => row.document === document);
    return this.#rows[at + 1]?.document ?? null;
  }

  /* Which of them is open. */
  mark(document) {
    this.#present = document;
    this.#show();
  }

  note(document, { text, state }) {
    const at = this.#rows.findIndex((row) => row.document === document);
    if (at >= 0) this.#rows[at] = { ...this.#rows[at], state };
    else if (text !== undefined) this.#rows = [{ document, text, state }, ...this.#rows].slice(0, MOST);
    this.#show();
  }

  #show() {
    this.#root.closest("details").hidden = !this.#rows.length;
    this.#root.replaceChildren(...this.#rows.map((row) => this.#row(row)));
  }

  #row({ document: id, text, state }) {
    const item = document.createElement("li");
    const button = document.createElement("button");
    button.type = "button";
    button.className = "plain recent-row";
    if (id === this.#present) button.setAttribute("aria-current", "true");
    const words = document.createElement("bdi");
    words.textContent = text;
    const tag = document.createElement("span");
    tag.className = "tag";
    tag.textContent = STATES[state] ?? state;
    button.append(words, tag);
    button.addEventListener("click", () => this.#open(id));
    item.append(button);
    return item;
  }
}
