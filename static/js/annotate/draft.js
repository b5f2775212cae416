/* The open text's entry in the outbox: follows each change of the work, and says at the end what shall become of it. */

import { newId } from "goldset/annotate/outbox.js";

export class Draft {
  #sender;
  #work;
  #activity;
  #entry;
  #before; // seconds that were spent on the text before it was opened here

  /* `entry` is what the outbox holds of an earlier page, or null. */
  constructor({ sender, work, activity, entry, about }) {
    this.#sender = sender;
    this.#work = work;
    this.#activity = activity;
    this.#entry = entry ?? { id: newId(), version: 0, counted: 0, seconds: 0, attempts: [], ...about };
    this.#before = this.#entry.seconds;
  }

  get document() {
    return this.#entry.document;
  }

  owns(entry) {
    return entry.id === this.#entry.id;
  }

  /* What was submitted already changes on the server only when it is submitted again. */
  changed() {
    return this.#keep(["submitted", "held"].includes(this.#entry.state) ? "held" : "draft");
  }

  get flagged() {
    return this.#entry.flagged;
  }

  get comment() {
    return this.#entry.comment;
  }

  /* What the person wants others to know about the text. */
  remark({ flagged = this.flagged, comment = this.comment }) {
    Object.assign(this.#entry, { flagged, comment });
    return this.changed();
  }

  /* Resolves when the browser has it; the server gets it behind. */
  submit() {
    return this.#keep("submitted");
  }

  skip(reason) {
    this.#entry.reason = reason;
    return this.#keep("skipped");
  }

  /* Go on from what the server has, with what the work says now. */
  rebase(current) {
    this.#begin(current);
    return this.changed();
  }

  /* What the server has is what the work says now. */
  yield(current) {
    this.#begin(current);
    return this.#sender.forget(this.#entry);
  }

  #begin({ revision, state }) {
    Object.assign(this.#entry, { conflict: null, attempts: [], revision, state });
  }

  #keep(state) {
    const { spans, suggestions, rejected } = this.#work;
    const seconds = Math.round((this.#before + this.#activity.seconds) * 10) / 10;
    Object.assign(this.#entry, { state, spans, suggestions, rejected, seconds, at: Date.now() });
    return this.#sender.keep(this.#entry);
  }
}
