/* The parts of the annotate page around the text, by their `data-part`: what is shown, said and enabled. */

const SECTIONS = ["loading", "work", "done", "failed"];
const SUGGESTION_COMMANDS = ["accept", "reject", "acceptAll", "rejectAll"];
const STATES = {
  clean: "",
  dirty: "Not saved yet",
  saving: "Saving…",
  saved: "Draft saved",
  offline: "Offline: kept in this browser",
  conflict: "Changed elsewhere",
  failed: "Not saved",
};

export class Screen {
  #root;

  constructor(root) {
    this.#root = root;
  }

  part(name) {
    return this.#root.querySelector(`[data-part="${name}"]`);
  }

  get working() {
    return !this.part("work").hidden;
  }

  show(section) {
    for (const each of SECTIONS) this.part(each).hidden = each !== section;
  }

  notice(text) {
    this.part("notice").hidden = !text;
    this.part("notice-text").textContent = text;
  }

  /* For a screen reader. */
  announce(text) {
    this.part("live").textContent = text;
  }

  /* What is known about a text when it is opened. */
  describe({ document: { key }, suggestion, annotation }) {
    const returned = annotation?.state === "returned";
    this.part("note").hidden = !returned;
    this.part("note-text").textContent = returned ? annotation.note || "No note was left." : "";
    this.part("key").textContent = key;
    this.part("model").textContent = suggestion ? `Suggestions by ${suggestion.model}` : "No suggestions for this text";
    this.saveState("clean");
    this.notice("");
  }

  saveState(state, text = STATES[state]) {
    this.part("save-state").textContent = text;
    this.part("save-state").dataset.state = state;
  }

  /* What can be done with the work as it is. */
  offer(work, { suggested }) {
    this.part("span-count").textContent = work.spans.length;
    this.part("suggestion-tools").hidden = !suggested && !work.suggestions.length;
    for (const command of SUGGESTION_COMMANDS) this.enable(command, work.suggestions.length > 0);
    this.enable("undo", work.canUndo);
    this.enable("redo", work.canRedo);
  }

  /* What the cursor is on. */
  target(text, { span, offer }) {
    this.part("selection").textContent = text;
    this.part("selection-label").textContent = span?.label ?? (offer ? `${offer.label}? (suggested)` : "");
    this.enable("remove", Boolean(span ?? offer));
  }

  enable(command, on) {
    for (const button of this.#commands(command)) button.disabled = !on;
  }

  press(command, on) {
    for (const button of this.#commands(command)) button.setAttribute("aria-pressed", String(on));
  }

  /* One more text is done; it can be opened again at `address`. */
  countOne(address) {
    this.part("left").textContent = Math.max(0, Number(this.part("left").textContent) - 1);
    this.part("session").textContent = Number(this.part("session").textContent) + 1;
    this.part("previous").href = address;
    this.part("previous").hidden = false;
  }

  #commands(command) {
    return this.#root.querySelectorAll(`[data-command=${command}]`);
  }
}
