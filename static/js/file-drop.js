/* <file-drop>: a place to drop a file on, around a plain file field; it names the file chosen, and what is in it where
   `data-survey` says whom to ask. The format stays to be chosen: what was found is the one that "recognized" means. */

import { ApiError } from "goldset/api.js";
import { survey } from "goldset/survey.js";
import { gettext } from "goldset/texts.js";

class FileDrop extends HTMLElement {
  #field;

  connectedCallback() {
    this.#field = this.querySelector("input[type=file]");
    this.#field.addEventListener("change", () => this.#chosen());
    for (const name of ["dragenter", "dragover"]) this.addEventListener(name, (event) => this.#over(event, true));
    for (const name of ["dragleave", "drop"]) this.addEventListener(name, (event) => this.#over(event, false));
    this.addEventListener("drop", (event) => {
      if (!event.dataTransfer.files.length) return;
      this.#field.files = event.dataTransfer.files;
      this.#field.dispatchEvent(new Event("change", { bubbles: true }));
    });
  }

  #over(event, on) {
    event.preventDefault();
    this.classList.toggle("over", on);
  }

  #chosen() {
    const [file] = this.#field.files;
    if (!file) return;
    this.querySelector("[data-part=name]").textContent = `${file.name}, ${size(file.size)}`;
    if (this.dataset.survey) this.#look(file);
  }

  async #look(file) {
    const told = this.querySelector("[data-part=found]");
    const tell = (text) => file === this.#field.files[0] && (told.textContent = text); // another may be chosen meanwhile
    tell(gettext("Looking through the file…"));
    try {
      const { format, title, texts, more, labels, errors } = await survey(this.dataset.survey, file);
      const number = (count) => count.toLocaleString(document.documentElement.lang);
      const names = labels.slice(0, 8).map((label) => `${label.name} ${number(label.spans)}`);
      if (labels.length > names.length) names.push("…");
      const named = this.closest("form").querySelector(`[name=format] option[value="${format}"]`); // in the page's language
      const parts = [gettext("Recognized: {format}").replace("{format}", named?.textContent ?? title)];
      parts.push((more ? gettext("more than {count} texts") : gettext("{count} texts")).replace("{count}", number(texts)));
      parts.push(names.length ? gettext("spans: {names}").replace("{names}", names.join(", ")) : gettext("no labels"));
      if (errors) parts.push(gettext("bad records: {count}").replace("{count}", number(errors)));
      tell(parts.join(" · "));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      tell(error.message);
    }
  }
}

function size(bytes) {
  const units = [gettext("bytes"), "kB", "MB", "GB"];
  let step = 0;
  for (; bytes >= 1000 && step < units.length - 1; step += 1) bytes /= 1000;
  return `${step ? bytes.toFixed(1) : bytes} ${units[step]}`;
}

customElements.define("file-drop", FileDrop);
