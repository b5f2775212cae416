/* The parts of the annotate page around the text, by their `data-part`: what is shown, said and enabled. */

import { shown } from "goldset/annotate/keys.js";
import { placesIn } from "goldset/annotate/occurrences.js";
import { gettext, ngettext } from "goldset/texts.js";

const SECTIONS = ["loading", "work", "done", "failed"];
const SUGGESTION_COMMANDS = ["accept", "reject", "acceptAll", "rejectAll"];

export class Screen {
  #root;
  #parts = new Map();
  #buttons = new Map();
  #settled = true; // whether the server has everything
  #last = "";
  #told = false; // whether the notice is about the sending

  constructor(root) {
    this.#root = root;
  }

  /* Remembered, as the buttons are: to look for one again costs a walk through all tokens of the text. */
  part(name) {
    if (!this.#parts.has(name)) this.#parts.set(name, this.#root.querySelector(`[data-part="${name}"]`));
    return this.#parts.get(name);
  }

  get working() {
    return !this.part("work").hidden;
  }

  show(section) {
    for (const each of SECTIONS) this.part(each).hidden = each !== section;
    this.part(section).querySelector("[data-slot=save-state]").append(this.part("save-state")); // seen everywhere
  }

  get failed() {
    return !this.part("failed").hidden;
  }

  notice(text, { refused = false } = {}) {
    this.part("notice").hidden = !text;
    this.part("notice-text").textContent = text;
    this.part("refused-tools").hidden = !refused;
  }

  /* For a screen reader. */
  announce(text) {
    this.part("live").textContent = text;
  }

  /* For everybody, until the cursor moves: where nothing on the page shows what a key has done. */
  tell(text) {
    this.announce(text);
    this.#write("selection-label", text);
  }

  /* What is known about a text when it is opened. */
  describe({ document: { key }, suggestion, annotation }) {
    const returned = annotation?.state === "returned";
    this.part("note").hidden = !returned;
    this.part("note-text").textContent = returned ? annotation.note || gettext("No note was left.") : "";
    this.part("key").textContent = key;
    this.part("model").textContent = suggestion ? gettext("Suggestions by {model}", suggestion) : gettext("No suggestions for this text");
    const begun = annotation?.state === "draft";
    if (this.#settled) this.#state("saved", begun ? gettext("Draft saved") : this.#last);
    this.notice("");
  }

  /* How the sending goes: everything saved, on its way, or kept here until the server can be reached. */
  saveState({ state, waiting, message }, { durable }) {
    this.#settled = state === "saved";
    if (state === "offline") this.#state(state, ngettext("Offline: {count} text is kept in this browser", "Offline: {count} texts are kept in this browser", waiting));
    else if (state === "failed") this.#state(state, ngettext("Not saved yet: {count} text is kept in this browser", "Not saved yet: {count} texts are kept in this browser", waiting));
    else if (state === "held") this.notSaved(gettext("Changed; submit again to save"));
    else if (state === "saving") this.#state(state, durable ? gettext("Saving…") : gettext("Saving… Keep this page open"));
    else this.#state(state, this.#last);
    if (message) this.notice(`${message} ${gettext("Your work is kept in this browser.")}`);
    else if (this.#told && state === "saved") this.notice("");
    this.#told = Boolean(message);
  }

  /* What the server confirmed last. */
  settled({ submitted }) {
    this.#last = submitted ? gettext("All saved") : gettext("Draft saved");
  }

  /* What a step has suggested in the project, with the way back; null takes the message away. */
  suggested(step) {
    this.part("suggested").hidden = !step;
    if (step) this.part("suggested-text").textContent = gettext("{label}: suggested at {places}.", { label: step.label, places: placesIn(step) });
  }

  /* Open, in sight and with the focus: to be read with the arrow keys; Escape leads back. */
  guidelines() {
    const guidelines = this.part("guidelines");
    guidelines.closest("details").open = true;
    guidelines.focus();
    guidelines.addEventListener("blur", () => (guidelines.closest(".annotator-side").scrollTop = 0), { once: true });
  }

  remarks({ flagged, comment }) {
    this.press("flag", flagged);
    this.press("comment", Boolean(comment));
    this.part("comment-text").textContent = comment;
    this.part("comment-text").hidden = !comment;
  }

  notSaved(text) {
    this.#state("clean", text);
  }

  #state(state, text) {
    this.#write("save-state", text);
    this.part("save-state").dataset.state = text ? state : "clean";
  }

  /* What can be done with the work as it is. */
  offer(work, { suggested }) {
    this.#write("span-count", String(work.spans.length));
    this.part("suggestion-tools").hidden = !suggested && !work.suggestions.length;
    for (const command of SUGGESTION_COMMANDS) this.enable(command, work.suggestions.length > 0);
    this.enable("undo", work.canUndo);
    this.enable("redo", work.canRedo);
  }

  /* What the cursor is on. */
  target(text, { span, offer }) {
    this.#write("selection", text);
    this.#write("selection-label", span?.label ?? (offer ? gettext("{label}? (suggested)", offer) : ""));
    this.enable("remove", Boolean(span ?? offer));
  }

  enable(command, on) {
    for (const button of this.#commands(command)) button.disabled = !on;
  }

  press(command, on) {
    for (const button of this.#commands(command)) button.setAttribute("aria-pressed", String(on));
  }

  /* The keys as this person has them, wherever the page names one. */
  showKeys(keys) {
    const keyFor = new Map([...keys].map(([key, command]) => [command, key]));
    for (const hint of this.#root.querySelectorAll("[data-key]")) hint.textContent = shown(keyFor.get(hint.dataset.key));
  }

  /* One more text is done. */
  countOne() {
    this.part("left").textContent = Math.max(0, Number(this.part("left").textContent) - 1);
    this.part("session").textContent = Number(this.part("session").textContent) + 1;
  }

  /* What is the same already is left alone: each change of a text makes the browser lay it out. */
  #write(part, text) {
    if (this.part(part).textContent !== text) this.part(part).textContent = text;
  }

  #commands(command) {
    if (!this.#buttons.has(command)) this.#buttons.set(command, this.#root.querySelectorAll(`[data-command=${command}]`));
    return this.#buttons.get(command);
  }
}
