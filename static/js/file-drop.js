/* <file-drop>: a place to drop a file on, around a plain file field; it names the file chosen. */

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
  }
}

function size(bytes) {
  const units = [gettext("bytes"), "kB", "MB", "GB"];
  let step = 0;
  for (; bytes >= 1000 && step < units.length - 1; step += 1) bytes /= 1000;
  return `${step ? bytes.toFixed(1) : bytes} ${units[step]}`;
}

customElements.define("file-drop", FileDrop);
