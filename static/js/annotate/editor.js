/* One open text: wires its decisions (work), tokens (view), cursor and list together and does what the person asks.
   Emits `change` when a decision changed. Where texts come from and go to is gold-annotator.js's business. */

import { Cursor } from "goldset/annotate/cursor.js";
import { selectByPointer } from "goldset/annotate/pointer.js";
import { SpanList } from "goldset/annotate/span-list.js";
import { TextView } from "goldset/annotate/text-view.js";
import { gettext, ngettext } from "goldset/texts.js";

export class Editor extends EventTarget {
  #grid;
  #work;
  #screen;
  #palette;
  #view;
  #cursor;
  #list;
  #suggested;
  #extending = false;
  #commands = {
    left: (options) => this.#cursor.left(options),
    right: (options) => this.#cursor.right(options),
    up: (options) => this.#cursor.line(-1, options),
    down: (options) => this.#cursor.line(1, options),
    first: (options) => this.#cursor.to(0, options),
    last: (options) => this.#cursor.to(this.#view.length - 1, options),
    collapse: () => this.#cursor.collapse(),
    nextSpan: () => this.#jump(1),
    previousSpan: () => this.#jump(-1),
    unsure: () => this.#toLeastSure(),
    growStart: () => this.#resize(-1, 0),
    shrinkStart: () => this.#resize(1, 0),
    growEnd: () => this.#resize(0, 1),
    shrinkEnd: () => this.#resize(0, -1),
    sticky: () => this.#palette.stick(this.#palette.last),
    remove: () => this.#remove(),
    accept: () => this.#decide("accept"),
    reject: () => this.#decide("reject"),
    acceptAll: () => this.#decideAll("accept"),
    rejectAll: () => this.#decideAll("reject"),
    undo: () => this.#travel("undo"),
    redo: () => this.#travel("redo"),
    extend: () => this.#setExtending(!this.#extending),
  };

  /* Shows the text until `signal` ends it. */
  constructor({ grid, work, labels, suggested, screen, palette, signal }) {
    super();
    this.#grid = grid;
    this.#work = work;
    this.#screen = screen;
    this.#palette = palette;
    this.#suggested = suggested;
    this.#view = new TextView(screen.part("text"), grid, labels);
    this.#cursor = new Cursor(this.#view);
    this.#list = new SpanList(screen.part("spans"), grid, labels);
    this.#listen(signal);
    this.#sync();
  }

  /* To the first suggestion, or to the first token. */
  begin() {
    this.#cursor.to(this.#work.suggestions[0]?.start ?? 0);
    this.#screen.announce(`${ngettext("New text, {count} token.", "New text, {count} tokens.", this.#grid.length)} ${this.#openCount()}`);
  }

  focus() {
    this.#cursor.focus();
  }

  do(command, options = {}) {
    this.#commands[command]?.(options);
  }

  label(name) {
    if (!this.#grid.length) return;
    const { start, end } = this.#target;
    this.#work.label(start, end, name);
    this.#palette.used(name);
    this.#cursor.to(end - 1);
    this.#screen.announce(`${name}: ${this.#grid.range(start, end)}`);
  }

  /* The cursor to a token, which is focused. */
  goTo(index) {
    this.#cursor.to(index);
  }

  /* Whether there is something at the cursor that can be removed. */
  get removable() {
    const { index } = this.#cursor;
    return Boolean(this.#work.spanAt(index) ?? this.#work.suggestionAt(index));
  }

  /* The label of the span or suggestion at the cursor, or undefined. */
  get labelHere() {
    const { index } = this.#cursor;
    return (this.#work.spanAt(index) ?? this.#work.suggestionAt(index))?.label;
  }

  get undecided() {
    return this.#work.suggestions.length;
  }

  /* Marks the span's tokens wherever else they stand in this text. Where nothing is left to mark, gives the span and
     its tokens, to look further than this text; else null. */
  everywhere() {
    const span = this.#work.spanAt(this.#cursor.index);
    if (!span) return void this.#screen.tell(gettext("There is no span here."));
    const { start, end, label } = span;
    const places = this.#grid.elsewhere(start, end).map((at) => ({ start: at, end: at + end - start, label }));
    const added = this.#work.add(places);
    this.#cursor.focus();
    if (added) {
      this.#screen.tell(gettext("{label}: {count} more marked in this text. Once more: in the whole project.", { label, count: added }));
      return null;
    }
    return { label, tokens: Array.from({ length: end - start }, (_, at) => this.#grid.token(start + at)) };
  }

  /* The text of the selection, or null where there is none. */
  get selected() {
    const { start, end } = this.#cursor.range;
    return this.#cursor.extended ? this.#grid.range(start, end) : null;
  }

  #listen(signal) {
    this.#work.addEventListener("change", () => {
      this.#sync();
      this.dispatchEvent(new Event("change"));
    }, { signal });
    this.#cursor.addEventListener("move", () => this.#moved(), { signal });
    this.#list.addEventListener("act", ({ detail }) => this.#act(detail), { signal });
    selectByPointer(this.#screen.part("text"), this.#view, this.#cursor, {
      signal,
      extending: () => this.#extending,
      released: () => this.#released(),
      edgeAt: (index, side) => this.#edgeAt(index, side),
      resize: (span, { start, end }) => this.#resizeTo(span, start, end),
      label: () => this.label(this.#palette.last),
    });
  }

  /* The selection; without one, the span or suggestion at the cursor; without one, the token. */
  get #target() {
    if (this.#cursor.extended) return this.#cursor.range;
    const { index } = this.#cursor;
    return this.#work.spanAt(index) ?? this.#work.suggestionAt(index) ?? this.#cursor.range;
  }

  /* A sticky label goes on what was selected. */
  #released() {
    this.#setExtending(false);
    if (this.#palette.sticky && this.#cursor.extended) this.label(this.#palette.sticky);
  }

  /* The span whose edge stands at this side of a token, with the token that moves and the one that stays. */
  #edgeAt(index, side) {
    const span = this.#work.spanAt(index);
    if (side === "start" && span?.start === index) return { span, moves: index, stays: span.end - 1 };
    if (side === "end" && span?.end === index + 1) return { span, moves: index, stays: span.start };
    return null;
  }

  #resize(start, end) {
    const span = this.#work.spanAt(this.#cursor.index);
    if (span) this.#resizeTo(span, span.start + start, span.end + end);
  }

  #resizeTo(span, start, end) {
    if (start < 0 || end > this.#grid.length || start >= end) return;
    if (start === span.start && end === span.end) return void this.#cursor.collapse();
    this.#work.resize(span, start, end);
    this.#cursor.to(Math.max(start, Math.min(this.#cursor.index, end - 1)));
    this.#screen.announce(`${span.label}: ${this.#grid.range(start, end)}`);
  }

  /* To the suggestion that needs a look most: the least certain first, then the others in that order. */
  #toLeastSure() {
    const byDoubt = [...this.#work.suggestions].sort((one, other) => (one.confidence ?? 0) - (other.confidence ?? 0));
    if (!byDoubt.length) return;
    const here = byDoubt.indexOf(this.#work.suggestionAt(this.#cursor.index));
    this.#cursor.to(byDoubt[(here + 1) % byDoubt.length].start);
  }

  #remove() {
    if (!this.#grid.length) return;
    const { start, end } = this.#target;
    this.#work.remove(start, end);
    this.#cursor.focus();
    this.#screen.announce(gettext("Removed: {text}", { text: this.#grid.range(start, end) }));
  }

  /* Accept or reject the suggestion at the cursor and go to the next one; with none here, only go. */
  #decide(verb) {
    const offer = this.#work.suggestionAt(this.#cursor.index);
    if (offer) this.#work[verb](offer);
    const next = this.#work.suggestions.find(({ start }) => start >= this.#cursor.index) ?? this.#work.suggestions[0];
    if (next) this.#cursor.to(next.start);
    else this.#cursor.focus();
    this.#screen.announce(offer ? `${told(verb, offer)} ${this.#openCount()}` : this.#openCount());
  }

  #decideAll(verb) {
    const offers = this.#work.suggestions;
    this.#work[verb](...offers);
    this.#cursor.focus();
    this.#screen.announce(verb === "accept"
      ? ngettext("Accepted {count} suggestion.", "Accepted {count} suggestions.", offers.length)
      : ngettext("Rejected {count} suggestion.", "Rejected {count} suggestions.", offers.length));
  }

  #travel(direction) {
    this.#work[direction]();
    this.#cursor.focus();
    this.#screen.announce(direction === "undo" ? gettext("Undone.") : gettext("Redone."));
  }

  #jump(direction) {
    const starts = [...this.#work.spans, ...this.#work.suggestions].map(({ start }) => start).sort((a, b) => a - b);
    const here = this.#cursor.index;
    const found = direction > 0 ? starts.find((start) => start > here) : starts.findLast((start) => start < here);
    if (found !== undefined) this.#cursor.to(found);
  }

  #act({ action, span }) {
    if (action === "show") return this.#cursor.select(span.start, span.end);
    if (action === "remove") this.#work.remove(span.start, span.end);
    else this.#work[action](span);
    this.#cursor.focus();
    return this.#screen.announce(told(action, span));
  }

  #setExtending(on) {
    this.#extending = on;
    this.#screen.press("extend", on);
  }

  #sync() {
    const { spans, suggestions } = this.#work;
    this.#view.sync(spans, suggestions);
    this.#list.sync(spans, suggestions);
    this.#screen.offer(this.#work, { suggested: this.#suggested });
    this.#moved({ quiet: true });
  }

  #moved({ quiet = false } = {}) {
    if (!this.#grid.length) return;
    const span = this.#work.spanAt(this.#cursor.index);
    const offer = this.#work.suggestionAt(this.#cursor.index);
    const { start, end } = this.#target;
    const text = shorten(this.#grid.range(start, end));
    this.#palette.mark(span?.label);
    this.#screen.target(text, { span, offer });
    if (quiet) return;
    if (this.#cursor.extended) this.#screen.announce(`${ngettext("{count} token", "{count} tokens", end - start)}: ${text}`);
    else if (span) this.#screen.announce(`${span.label}: ${text}`);
    else if (offer) this.#screen.announce(gettext("Suggested {label}: {text}", { label: offer.label, text }));
  }

  #openCount() {
    const { length } = this.#work.suggestions;
    return length ? ngettext("{count} suggestion is open.", "{count} suggestions are open.", length) : gettext("No suggestions are open.");
  }
}

/* What was done with a span or suggestion. */
function told(action, { label }) {
  if (action === "accept") return gettext("Accepted {label}.", { label });
  return action === "reject" ? gettext("Rejected {label}.", { label }) : gettext("Removed {label}.", { label });
}

function shorten(text) {
  const points = Array.from(text);
  return points.length > 80 ? `${points.slice(0, 77).join("")}…` : text;
}
