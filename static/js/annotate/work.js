/* What a person has decided about one text: the spans, the suggestions still open, and the way back.
   Every change keeps the state before it, so undo is exact. Emits `change`. Knows nothing of the page. */

import { keyOf, overlap, sorted, spanAt, tagsOf } from "goldset/annotate/spans.js";

const MAX_UNDO = 1000;

export class Work extends EventTarget {
  #length;
  #state;
  #past = [];
  #future = [];

  constructor(length, spans, suggestions) {
    super();
    this.#length = length;
    const open = suggestions.filter((offer) => !spans.some((span) => overlap(span, offer)));
    this.#state = { spans: sorted(spans), suggestions: sorted(open) };
  }

  get spans() {
    return this.#state.spans;
  }

  get suggestions() {
    return this.#state.suggestions;
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

  suggestionAt(index) {
    return spanAt(this.suggestions, index);
  }

  /* A new span takes the place of every span and suggestion that it touches. */
  label(start, end, label) {
    const span = { start, end, label };
    const apart = (other) => !overlap(span, other);
    this.#change([...this.spans.filter(apart), span], this.suggestions.filter(apart));
  }

  /* Removes the spans that touch [start, end); where there is none, rejects the suggestions there. */
  remove(start, end) {
    const apart = (other) => !overlap({ start, end }, other);
    const spans = this.spans.filter(apart);
    if (spans.length < this.spans.length) this.#change(spans, this.suggestions);
    else this.#change(spans, this.suggestions.filter(apart));
  }

  accept(...offers) {
    const taken = offers.map(({ start, end, label }) => ({ start, end, label }));
    this.#change([...this.spans, ...taken], this.#without(offers));
  }

  reject(...offers) {
    this.#change(this.spans, this.#without(offers));
  }

  /* Start anew from other spans, as one step that can be undone. */
  replace(spans) {
    this.#change(spans, this.suggestions.filter((offer) => !spans.some((span) => overlap(span, offer))));
  }

  undo() {
    this.#step(this.#past, this.#future);
  }

  redo() {
    this.#step(this.#future, this.#past);
  }

  #without(offers) {
    const gone = new Set(offers.map(keyOf));
    return this.suggestions.filter((offer) => !gone.has(keyOf(offer)));
  }

  #change(spans, suggestions) {
    const next = { spans: sorted(spans), suggestions };
    if (describe(next) === describe(this.#state)) return;
    this.#past.push(this.#state);
    if (this.#past.length > MAX_UNDO) this.#past.shift();
    this.#future = [];
    this.#state = next;
    this.dispatchEvent(new Event("change"));
  }

  #step(from, to) {
    if (!from.length) return;
    to.push(this.#state);
    this.#state = from.pop();
    this.dispatchEvent(new Event("change"));
  }
}

function describe({ spans, suggestions }) {
  return `${spans.map(keyOf)}|${suggestions.map(keyOf)}`;
}
