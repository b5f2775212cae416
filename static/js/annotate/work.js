/* What a person has decided about one text: the spans, the suggestions still open, those rejected, and the way back.
   Knows nothing of the page. */

import { SpanHistory } from "goldset/annotate/span-history.js";
import { keyOf, overlap, sorted, spanAt } from "goldset/annotate/spans.js";

export class Work extends SpanHistory {
  constructor(length, { spans, suggestions, rejected = [] }) {
    const gone = new Set(rejected.map(keyOf));
    const open = apartFrom(spans, suggestions).filter((offer) => !gone.has(keyOf(offer)));
    super(length, { spans, suggestions: sorted(open), rejected });
  }

  get suggestions() {
    return this.state.suggestions;
  }

  /* Suggestions that the person turned down. */
  get rejected() {
    return this.state.rejected;
  }

  suggestionAt(index) {
    return spanAt(this.suggestions, index);
  }

  /* A new span takes the place of every span and suggestion that it touches. */
  label(start, end, label) {
    const span = { start, end, label };
    const apart = (other) => !overlap(span, other);
    this.#change({ spans: [...this.spans.filter(apart), span], suggestions: this.suggestions.filter(apart) });
  }

  /* More spans, as one step; those that touch a span are left out. Gives how many were added. */
  add(spans) {
    const added = apartFrom(this.spans, spans);
    if (added.length) this.#change({ spans: [...this.spans, ...added], suggestions: apartFrom(added, this.suggestions) });
    return added.length;
  }

  /* Another extent for a span, as one step. */
  resize(span, start, end) {
    const resized = { start, end, label: span.label };
    const apart = (other) => keyOf(other) !== keyOf(span) && !overlap(resized, other);
    this.#change({ spans: [...this.spans.filter(apart), resized], suggestions: this.suggestions.filter((o) => !overlap(resized, o)) });
  }

  /* Removes the spans that touch [start, end); where there is none, rejects the suggestions there. */
  remove(start, end) {
    const apart = (other) => !overlap({ start, end }, other);
    const spans = this.spans.filter(apart);
    if (spans.length < this.spans.length) this.#change({ spans });
    else this.reject(...this.suggestions.filter((offer) => !apart(offer)));
  }

  accept(...offers) {
    const taken = offers.map(({ start, end, label }) => ({ start, end, label }));
    this.#change({ spans: [...this.spans, ...taken], suggestions: this.#without(offers) });
  }

  reject(...offers) {
    const turnedDown = offers.map(({ start, end, label }) => ({ start, end, label }));
    this.#change({ suggestions: this.#without(offers), rejected: [...this.rejected, ...turnedDown] });
  }

  /* Start anew from other spans, as one step that can be undone. */
  replace(spans) {
    this.#change({ spans, suggestions: apartFrom(spans, this.suggestions) });
  }

  #without(offers) {
    const gone = new Set(offers.map(keyOf));
    return this.suggestions.filter((offer) => !gone.has(keyOf(offer)));
  }

  #change(parts) {
    const next = { ...this.state, ...parts };
    next.spans = sorted(next.spans);
    if (describe(next) !== describe(this.state)) this.become(next);
  }
}

/* Suggestions that touch none of the spans; both in order. */
function apartFrom(spans, suggestions) {
  const inOrder = sorted(spans);
  return suggestions.filter((offer) => {
    for (let index = offer.start; index < offer.end; index += 1) if (spanAt(inOrder, index)) return false;
    return true;
  });
}

function describe({ spans, suggestions }) {
  return `${spans.map(keyOf)}|${suggestions.map(keyOf)}`;
}
