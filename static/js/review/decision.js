/* What a reviewer has decided about one text whose versions differ: the spans as they would be accepted, and which
   differences are decided. Stands in for `Work` (annotate/work.js) where a text is edited. Knows nothing of the page. */

import { SpanHistory } from "goldset/annotate/span-history.js";
import { keyOf, overlap, sameSpans, sorted } from "goldset/annotate/spans.js";

const UNDECIDED = null;

export class Decision extends SpanHistory {
  suggestions = []; // what a model suggested is a version beside the others here
  #agreed;
  #differences;

  /* `settled` holds, for each difference, the version whose reading is taken at the beginning, or null. */
  constructor(length, { agreed, differences, settled }) {
    const known = differences.flatMap(({ readings }, at) => (settled[at] === UNDECIDED ? [] : readings[settled[at]]));
    const decided = new Set([...differences.keys()].filter((at) => settled[at] !== UNDECIDED));
    super(length, { spans: [...agreed, ...known], decided });
    this.#agreed = agreed;
    this.#differences = differences;
  }

  suggestionAt() {
    return null;
  }

  /* The first difference from `from` on, around the end, that is not decided; -1 where all are. */
  undecided(from = 0) {
    const { length } = this.#differences;
    const order = Array.from({ length }, (_, at) => (from + at) % length);
    return order.find((at) => !this.state.decided.has(at)) ?? -1;
  }

  /* The versions whose reading of a difference stands; none where it is decided as nobody has it; null if undecided. */
  chosen(at) {
    if (!this.state.decided.has(at)) return UNDECIDED;
    const here = this.spans.filter((span) => overlap(span, this.#differences[at]));
    return this.#differences[at].readings.flatMap((reading, version) => (sameSpans(reading, here) ? [version] : []));
  }

  /* The version that says just what is decided, or -1. */
  get whole() {
    const versions = this.#differences[0]?.readings ?? [this.#agreed];
    return versions.findIndex((_, version) => sameSpans(this.#version(version), this.spans));
  }

  /* One version's reading of one difference. */
  take(at, version) {
    this.#settle(at, this.#differences[at].readings[version]);
  }

  /* No version is right here: what they have is taken away. */
  refuse(at) {
    this.#settle(at, []);
  }

  /* One whole version. */
  takeAll(version) {
    this.#change(this.#version(version), this.#differences.keys());
  }

  /* No version is right anywhere they differ; what all agree on stays. */
  refuseAll() {
    this.#change(this.#agreed, this.#differences.keys());
  }

  /* Wherever nothing is decided yet, the reading that more than half of the first `people` versions have. */
  takeMajority(people) {
    const found = this.#differences.flatMap(({ readings }, at) => {
      const theirs = readings.slice(0, people);
      const most = theirs.find((one) => 2 * theirs.filter((other) => sameSpans(one, other)).length > people);
      return most && !this.state.decided.has(at) ? [{ at, most }] : [];
    });
    this.#change([...this.spans, ...found.flatMap(({ most }) => most)], found.map(({ at }) => at));
    return found.length;
  }

  // As `Work` --------------------------------------------------------------------------------------------

  label(start, end, label) {
    const span = { start, end, label };
    this.#change([...this.spans.filter((other) => !overlap(span, other)), span]);
  }

  add(spans) {
    const added = spans.filter((span) => !this.spans.some((other) => overlap(span, other)));
    if (added.length) this.#change([...this.spans, ...added]);
    return added.length;
  }

  resize(span, start, end) {
    const resized = { start, end, label: span.label };
    const apart = (other) => keyOf(other) !== keyOf(span) && !overlap(resized, other);
    this.#change([...this.spans.filter(apart), resized]);
  }

  remove(start, end) {
    this.#change(this.spans.filter((other) => !overlap({ start, end }, other)));
  }

  accept() {} // there are no suggestions to accept or reject
  reject() {}

  #version(version) {
    return sorted([...this.#agreed, ...this.#differences.flatMap(({ readings }) => readings[version])]);
  }

  #settle(at, reading) {
    const others = this.spans.filter((span) => !overlap(span, this.#differences[at]));
    this.#change([...others, ...reading], [at]);
  }

  /* What is edited by hand is decided with it. */
  #change(spans, settled = []) {
    const before = new Set(this.spans.map(keyOf));
    const after = new Set(spans.map(keyOf));
    const touched = [...this.spans.filter((span) => !after.has(keyOf(span))), ...spans.filter((span) => !before.has(keyOf(span)))];
    const edited = this.#differences.flatMap((each, at) => (touched.some((span) => overlap(span, each)) ? [at] : []));
    const decided = new Set([...this.state.decided, ...settled, ...edited]);
    if (!touched.length && decided.size === this.state.decided.size) return;
    this.become({ spans: sorted(spans), decided });
  }
}

/* What stands at the beginning: the accepted version where there is one; else what all people agree on, whatever a
   model says beside them. `people` of the versions are people's, the rest a model's; `accepted` is one of them or -1. */
export function settledAtFirst(differences, { people, accepted }) {
  return differences.map(({ readings }) => {
    if (accepted >= 0) return accepted;
    const theirs = readings.slice(0, people);
    return people && theirs.every((reading) => sameSpans(reading, theirs[0])) ? 0 : UNDECIDED;
  });
}
