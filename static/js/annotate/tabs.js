/* Which pages of this browser are open: each has an id and answers when another asks. */

const ANSWER_WITHIN = 120; // ms; a page that is late loses nothing: its entries are then sent twice, harmlessly

export class Tabs {
  id;
  #channel = new BroadcastChannel("goldset-tabs");
  #heard = new Set();

  constructor(id) {
    this.id = id;
    this.#channel.onmessage = ({ data }) => {
      if (data.ask) this.#channel.postMessage({ here: this.id });
      else this.#heard.add(data.here);
    };
  }

  /* The ids of all open pages, this one included. */
  async alive() {
    this.#heard = new Set([this.id]);
    this.#channel.postMessage({ ask: true });
    await new Promise((resolve) => setTimeout(resolve, ANSWER_WITHIN));
    return this.#heard;
  }

  close() {
    this.#channel.close();
  }
}
