/* Spans and BIO tags, the two faces of labeled tokens; pure. A span is {start, end, label}, end not included. */

export function spansOf(tags) {
  const spans = [];
  tags.forEach((tag, index) => {
    if (tag.startsWith("B-")) spans.push({ start: index, end: index + 1, label: tag.slice(2) });
    else if (tag.startsWith("I-")) spans.at(-1).end = index + 1;
  });
  return spans;
}

export function tagsOf(spans, length) {
  const tags = new Array(length).fill("O");
  for (const { start, end, label } of spans) {
    tags.fill(`I-${label}`, start, end);
    tags[start] = `B-${label}`;
  }
  return tags;
}

/* Suggested spans; a span is as sure as its least sure token. */
export function suggestionsOf(tags, confidences) {
  return spansOf(tags).map((span) => {
    const values = confidences?.slice(span.start, span.end) ?? [];
    return { ...span, confidence: values.length ? Math.min(...values) : null };
  });
}

export const keyOf = ({ start, end, label }) => `${start}-${end}-${label}`;

export const overlap = (one, other) => one.start < other.end && other.start < one.end;

export const same = (one, other) => keyOf(one) === keyOf(other);

export const sorted = (spans) => [...spans].sort((one, other) => one.start - other.start);

/* The span that holds token `index`; `spans` are in order. */
export function spanAt(spans, index) {
  let low = 0;
  let high = spans.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    if (spans[middle].end <= index) low = middle + 1;
    else if (spans[middle].start > index) high = middle - 1;
    else return spans[middle];
  }
  return null;
}

/* Whether two lists hold the same spans; both in order. */
export const sameSpans = (ones, others) => ones.length === others.length && ones.every((one, at) => same(one, others[at]));
