/* The text on the page: one element per token, blanks and line ends exactly as they are, a frame around each span.
   `sync` touches only the spans that changed, so that a text of twenty thousand tokens stays quick. */

import { keyOf } from "goldset/annotate/spans.js";

const LONG = 24;
const SENTENCE_END = /^[.!?。！？؟]+$/u;

export class TextView {
  #root;
  #grid;
  #colors;
  #tokens = [];
  #frames = new Map(); // key -> the elements that frame a span, one per line that it crosses

  constructor(root, grid, labels) {
    this.#root = root;
    this.#grid = grid;
    this.#colors = new Map(labels.map(({ name, color }) => [name, color]));
    this.#render();
  }

  get length() {
    return this.#tokens.length;
  }

  token(index) {
    return this.#tokens[index];
  }

  /* The token under a point of the window, or null. */
  indexAt(x, y) {
    const token = document.elementFromPoint(x, y)?.closest("[data-token]");
    return token && this.#root.contains(token) ? Number(token.dataset.token) : null;
  }

  /* Which edge of a token a point is at: "start", "end" or "". */
  sideAt(index, x) {
    const rects = this.#tokens[index].getClientRects();
    const reach = (rect) => Math.min(7, rect.width / 3);
    const [first, last] = [rects[0], rects[rects.length - 1]];
    const mirrored = getComputedStyle(this.#tokens[index].closest(".line")).direction === "rtl";
    if (x - first.left <= reach(first)) return mirrored ? "end" : "start";
    if (last.right - x <= reach(last)) return mirrored ? "start" : "end";
    return "";
  }

  sync(spans, suggestions) {
    const wanted = new Map();
    for (const span of spans) wanted.set(keyOf(span), span);
    for (const offer of suggestions) wanted.set(`?${keyOf(offer)}`, offer);
    for (const [key, frames] of this.#frames) {
      if (wanted.has(key)) continue;
      frames.forEach(unwrap);
      this.#frames.delete(key);
    }
    for (const [key, span] of wanted) {
      if (!this.#frames.has(key)) this.#frames.set(key, this.#frame(span, key.startsWith("?")));
    }
  }

  #render() {
    const lines = [newLine()];
    for (let index = 0; index <= this.#grid.length; index += 1) {
      const [rest, ...more] = this.#grid.gap(index).split("\n");
      lines.at(-1).append(rest);
      for (const begin of more) {
        lines.push(newLine());
        lines.at(-1).append(begin);
      }
      if (index === this.#grid.length) break;
      if (isFull(lines.at(-1), index ? this.#grid.token(index - 1) : "")) lines.push(newLine());
      lines.at(-1).append(this.#newToken(index));
    }
    lines.forEach((line) => line.normalize());
    this.#root.replaceChildren(...lines);
  }

  #newToken(index) {
    const token = document.createElement("span");
    token.className = "token";
    token.dataset.token = index;
    token.tabIndex = -1;
    token.textContent = this.#grid.token(index);
    this.#tokens.push(token);
    return token;
  }

  #frame(span, suggested) {
    const frames = this.#byLine(span).map(([first, last]) => {
      const frame = document.createElement("mark");
      frame.className = suggested ? "entity suggested" : "entity";
      frame.style.setProperty("--label", this.#colors.get(span.label) ?? "#888888");
      wrap(frame, first, last);
      return frame;
    });
    const tag = tagOf(span, suggested);
    // Behind a word that is longer than a line, which breaks anywhere, the label would break anywhere as well.
    if (this.#grid.token(span.end - 1).length > LONG) tag.prepend(document.createElement("wbr"));
    frames.at(-1).append(tag);
    return frames;
  }

  /* The first and last token of the span on each line that it crosses. */
  #byLine({ start, end }) {
    const pieces = [];
    for (const token of this.#tokens.slice(start, end)) {
      const piece = pieces.at(-1);
      if (piece && piece[1].parentNode === token.parentNode) piece[1] = token;
      else pieces.push([token, token]);
    }
    return pieces;
  }
}

/* A line of thousands of tokens is cut where a sentence ends, or else anywhere: the browser lays out each piece by
   itself, and only those in sight. It looks like any other wrapped line. */
function isFull(line, before) {
  const { childElementCount } = line;
  return childElementCount >= 600 || (childElementCount >= 300 && SENTENCE_END.test(before));
}

function newLine() {
  const line = document.createElement("div");
  line.className = "line";
  return line;
}

/* The label's name stands beside the span: color alone never tells. */
function tagOf({ label, confidence }, suggested) {
  const tag = document.createElement("span");
  tag.className = "tag";
  const sure = suggested && confidence != null ? `\u00a0${Math.round(confidence * 100)}%` : "";
  tag.textContent = `${label}${suggested ? "?" : ""}${sure}`;
  return tag;
}

/* By hand, since a Range looks for its place among all siblings, of which a long text has thousands. Where the browser
   can, a token keeps the focus as it moves: to take it away and give it back costs a layout. */
const MOVE = "moveBefore" in Element.prototype ? "moveBefore" : "insertBefore";

function wrap(frame, first, last) {
  const after = last.nextSibling;
  first.before(frame);
  while (frame.nextSibling !== after) frame[MOVE](frame.nextSibling, null);
}

function unwrap(frame) {
  frame.querySelector(":scope > .tag")?.remove();
  while (frame.firstChild) frame.parentNode[MOVE](frame.firstChild, frame);
  frame.remove();
}
