/* The next texts, leased and fetched while the person works on the present one. */

const MANY = 2;

export class Ahead {
  #lease;
  #busy;
  #lasts;
  #items = [];
  #age = 0;
  #filling = Promise.resolve();

  /* `lease(exclude)` gives an item or null; `busy()` the documents that are in hand or not confirmed yet;
     a lease lasts `seconds`. */
  constructor({ lease, busy, seconds }) {
    this.#lease = lease;
    this.#busy = busy;
    this.#lasts = seconds * 1000;
  }

  /* The next text, or null where none is at hand. One whose lease ran out goes last: somebody else may have it. */
  take() {
    const fresh = this.#items.findIndex(({ until }) => Date.now() < until);
    const [found] = this.#items.splice(Math.max(0, fresh), 1);
    return found?.item ?? null;
  }

  /* One that was taken and not finished comes next again. */
  putBack(item) {
    this.#items.unshift({ item, until: Date.now() + this.#lasts });
  }

  /* They are fetched anew, for what has changed about them; what is on its way as well. */
  forget() {
    this.#items = [];
    this.#age += 1;
  }

  /* After what is on its way, see that enough is at hand. Raises ApiError. */
  fill(count = MANY) {
    this.#filling = this.#filling.catch(() => {}).then(() => this.#fetch(count));
    return this.#filling;
  }

  async #fetch(count) {
    while (this.#items.length < count) {
      const until = Date.now() + this.#lasts;
      const age = this.#age;
      const item = await this.#lease([...this.#items.map(({ item: { document } }) => document.id), ...this.#busy()]);
      if (age !== this.#age) continue;
      if (!item) return;
      this.#items.push({ item, until });
    }
  }
}
