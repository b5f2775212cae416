/* The spans of one text as they stand, and the way back. Every change keeps the state before it, so undo is exact. Emits
   `change`. What a person labels (`Work`) and what a reviewer decides (`Decision`) are each one. */

import { sorted, spanAt, tagsOf } from "goldset/annotate/spans.js";

const MAX_UNDO = 1000;

export class SpanHistory extends EventTarget {
  #length;
  #state;
  #past = [];
  #future = [];

  /* `state` holds the spans and what else is to be undone with them. */
  constructor(length, state) {
    super();
    this.#length = length;
    this.#state = { ...state, spans: sorted(state.spans) };
  }

  get state() {
    return this.#state;
  }

  get spans() {
    return this.#state.spans;
  }

  get tags() {
    return tagsOf(this.spans, this.#length);
  }

  get canUndo() {
    return this.#past.length > 0;
  }

  get canRedo() {
    return this.#future.length > 0;
  }

  spanAt(index) {
    return spanAt(this.spans, index);
  }

  undo() {
    this.#step(this.#past, this.#future);
  }

  redo() {
    this.#step(this.#future, this.#past);
  }

  /* For those that know what a change is: the next state. */
  become(state) {
    this.#past.push(this.#state);
    if (this.#past.length > MAX_UNDO) this.#past.shift();
    this.#future = [];
    this.#state = state;
    this.dispatchEvent(new Event("change"));
  }

  #step(from, to) {
    if (!from.length) return;
    to.push(this.#state);
    this.#state = from.pop();
    this.dispatchEvent(new Event("change"));
  }
}
