/* A person's own work in a project: the texts that come (leased ahead) and the decisions that go (the outbox and its
   sender). Knows nothing of the page. `sender` tells how the sending goes. */

import { call } from "goldset/api.js";
import { Ahead } from "goldset/annotate/ahead.js";
import { Draft } from "goldset/annotate/draft.js";
import { newId, Outbox } from "goldset/annotate/outbox.js";
import { Sender } from "goldset/annotate/sender.js";
import { Tabs } from "goldset/annotate/tabs.js";

const KEEP = 12; // items, so that the last ones can be opened again without the server

export class Desk {
  sender;
  #config;
  #outbox = new Outbox();
  #tabs = new Tabs(newId());
  #ahead;
  #inHand = null; // the document that is open
  #items = new Map(); // document -> what was opened in this page, with the annotation as the server has it now

  constructor(config) {
    this.#config = config;
    this.sender = new Sender({ outbox: this.#outbox, call, urls: config.urls });
    this.#ahead = new Ahead({
      lease: (exclude) => call("POST", config.urls.next, { exclude: exclude.slice(-50) }),
      busy: () => [...this.sender.documents, ...(this.#inHand === null ? [] : [this.#inHand])],
      seconds: config.lease_seconds,
    });
  }

  /* Look after what pages that are gone have left in the outbox. */
  async start() {
    if (await this.#outbox.isEmpty()) return; // and no other page need be asked
    const { user, project } = this.#config;
    this.sender.take(await this.#outbox.adopt({ user, project, tab: this.#tabs.id, alive: await this.#tabs.alive() }));
  }

  /* A text that was open in this page before, as it is now; null for others. The one in hand comes next again. */
  again(document) {
    const item = this.#items.get(document);
    const present = this.#items.get(this.#inHand);
    if (item && present && this.#inHand !== document) this.#ahead.putBack(present);
    return item ?? null;
  }

  /* What the server confirmed. */
  note(document, row) {
    const item = this.#items.get(document);
    if (item && row) item.annotation = row;
  }

  /* The next text: at once where one was fetched ahead. Null where none is left; raises ApiError. */
  async next() {
    this.#inHand = null;
    const ready = this.#ahead.take();
    if (ready) return ready;
    await this.sender.flush(); // what is not handed in yet may be what is served next
    await this.#ahead.fill(1);
    return this.#ahead.take();
  }

  /* A text is on the page: fetch others ahead, and give its draft. `work` begins where `entry` left off. */
  open(item, { work, activity, entry }) {
    const { user, project } = this.#config;
    const { document: { id, key, tokens }, annotation, suggestion } = item;
    this.#items.delete(id);
    this.#items.set(id, item);
    if (this.#items.size > KEEP) this.#items.delete(this.#items.keys().next().value);
    this.#inHand = id;
    this.#ahead.fill().catch(() => {}); // `next` asks again, and tells
    const state = annotation?.state === "submitted" ? "held" : "draft";
    const about = {
      user, project, tab: this.#tabs.id, document: id, key, length: tokens.length, revision: annotation?.revision ?? 0, state,
      suggestedBy: suggestion?.model ?? "", flagged: annotation?.flagged ?? false, comment: annotation?.comment ?? "",
    };
    return new Draft({ sender: this.sender, work, activity, entry, about });
  }

  /* Suggestions have changed: what was fetched ahead is fetched anew. */
  refresh() {
    this.#ahead.forget();
    this.#ahead.fill().catch(() => {});
  }

  close() {
    this.sender.close();
    this.#tabs.close();
  }
}
