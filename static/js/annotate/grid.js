/* A text and its tokens. The server counts in code points, the browser in UTF-16 units: the text is turned into
   code points once, here, and everything after this works on token indices and strings. */

export class Grid {
  #points;
  #tokens;

  constructor(text, tokens) {
    this.#points = Array.from(text);
    this.#tokens = tokens;
  }

  get length() {
    return this.#tokens.length;
  }

  token(index) {
    return this.#slice(this.#tokens[index].start, this.#tokens[index].end);
  }

  /* The text of tokens [start, end), with what stands between them. */
  range(start, end) {
    return this.#slice(this.#tokens[start].start, this.#tokens[end - 1].end);
  }

  /* What stands before token `index`; for `length`, what stands after the last one. */
  gap(index) {
    const from = index ? this.#tokens[index - 1].end : 0;
    return this.#slice(from, index < this.length ? this.#tokens[index].start : this.#points.length);
  }

  /* The first tokens of other places where the tokens of [start, end) stand in the same order, without overlaps. */
  elsewhere(start, end) {
    const wanted = Array.from({ length: end - start }, (_, at) => this.token(start + at));
    const found = [];
    for (let index = 0; index + wanted.length <= this.length; index += 1) {
      if (index < end && index + wanted.length > start) continue;
      if (!wanted.every((token, at) => this.token(index + at) === token)) continue;
      found.push(index);
      index += wanted.length - 1;
    }
    return found;
  }

  #slice(start, end) {
    return this.#points.slice(start, end).join("");
  }
}
