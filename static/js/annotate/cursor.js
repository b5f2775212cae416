/* The token cursor and the selection that grows from it: `anchor` stays, `focus` moves.
   Roving focus: exactly one token can be tabbed to. Emits `move`. */

// `dir="auto"` and :dir() would tell, but with them each change of a long text costs a walk through all of it.
const LETTER = /\p{L}/u;
const RIGHT_TO_LEFT = /[\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}]/u;
const directions = new WeakMap(); // line -> whether its first letter runs from right to left

export class Cursor extends EventTarget {
  #view;
  #anchor = 0;
  #focus = 0;
  #selected = new Set(); // tokens, as they are shown
  #caret; // the token at the cursor; undefined where there are none
  #tabbed; // the one token that can be tabbed to

  constructor(view) {
    super();
    this.#view = view;
    this.#show();
    this.#rove();
  }

  get index() {
    return this.#focus;
  }

  /* The selected tokens [start, end): at least the one at the cursor. */
  get range() {
    const [start, last] = [this.#anchor, this.#focus].sort((one, other) => one - other);
    return { start, end: last + 1 };
  }

  get extended() {
    return this.#anchor !== this.#focus;
  }

  to(index, { extend = false, focus = true } = {}) {
    if (!this.#view.length) return;
    this.#focus = Math.max(0, Math.min(index, this.#view.length - 1));
    if (!extend) this.#anchor = this.#focus;
    this.#show();
    this.dispatchEvent(new Event("move"));
    if (focus) this.focus(); // last: it makes the browser lay out what has been changed so far
    this.#rove();
  }

  select(start, end, options) {
    this.#anchor = start;
    this.to(end - 1, { ...options, extend: true });
  }

  /* A selection from the token that stays to the one that moves, whichever comes first. */
  anchorAt(stays, moves) {
    this.#anchor = stays;
    this.to(moves, { extend: true });
  }

  collapse() {
    this.to(this.#focus);
  }

  focus() {
    const token = this.#view.token(this.#focus);
    token?.focus({ preventScroll: true });
    token?.scrollIntoView({ block: "nearest", inline: "nearest" });
  }

  left(options) {
    if (!this.#view.length) return;
    this.to(this.#focus + (this.#rightToLeft ? 1 : -1), options);
  }

  right(options) {
    if (!this.#view.length) return;
    this.to(this.#focus + (this.#rightToLeft ? -1 : 1), options);
  }

  /* To the nearest token of the line above (-1) or below (1), as the lines are broken on the screen. */
  line(direction, options) {
    if (!this.#view.length) return;
    const here = box(this.#view.token(this.#focus));
    let best = this.#focus;
    let distance = Infinity;
    let target = null;
    for (let index = this.#focus + direction; index >= 0 && index < this.#view.length; index += direction) {
      const there = box(this.#view.token(index));
      if (Math.abs(there.y - here.y) < 4) continue;
      target ??= there.y;
      if (Math.abs(there.y - target) >= 4) break;
      if (Math.abs(there.x - here.x) < distance) [best, distance] = [index, Math.abs(there.x - here.x)];
    }
    this.to(best, options);
  }

  get #rightToLeft() {
    const line = this.#view.token(this.#focus).closest(".line");
    if (!directions.has(line)) directions.set(line, RIGHT_TO_LEFT.test(LETTER.exec(line.textContent)?.[0] ?? ""));
    return directions.get(line);
  }

  /* Touches only the tokens that change. */
  #show() {
    const { start, end } = this.range;
    const caret = this.#view.token(this.#focus);
    const chosen = new Set(this.extended ? Array.from({ length: end - start }, (_, at) => this.#view.token(start + at)) : []);
    for (const token of this.#selected) if (!chosen.has(token)) token.classList.remove("selected");
    for (const token of chosen) if (!this.#selected.has(token)) token.classList.add("selected");
    this.#selected = chosen;
    if (this.#caret === caret) return;
    this.#caret?.classList.remove("caret");
    caret.classList.add("caret");
    this.#caret = caret;
  }

  /* After the focus has moved: to take away where it is costs the browser a look at all styles. */
  #rove() {
    if (this.#tabbed === this.#caret) return;
    if (this.#tabbed) this.#tabbed.tabIndex = -1;
    this.#caret.tabIndex = 0;
    this.#tabbed = this.#caret;
  }
}

function box(token) {
  const [first] = token.getClientRects();
  return first ? { x: first.x + first.width / 2, y: first.y + first.height / 2 } : { x: 0, y: 0 };
}
