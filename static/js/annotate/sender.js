/* Brings the outbox to the server: one request at a time, oldest entry first, again and again until each is confirmed.
   An entry's `state` says what shall become of it: draft, submitted, skipped, or held (changed after it was submitted:
   kept here until the person submits again). Emits `state` {state, waiting, message}, `confirmed` {entry, row},
   `conflict` {entry, current} and `refused` {entry}. */

import { sameSpans, spansOf, tagsOf } from "goldset/annotate/spans.js";

const PAUSE = 900; // ms of rest before a draft is sent
const RETRY = 3_000;

export class Sender extends EventTarget {
  #outbox;
  #call;
  #urls;
  #entries = new Map(); // not confirmed
  #timer = null;
  #running = null;
  #trouble = null; // {state, message}: why the last attempt failed, until one succeeds

  constructor({ outbox, call, urls }) {
    super();
    this.#outbox = outbox;
    this.#call = call;
    this.#urls = urls;
  }

  get waiting() {
    return this.#entries.size;
  }

  get durable() {
    return this.#outbox.durable;
  }

  /* Documents with work that the server has not confirmed. */
  get documents() {
    return [...this.#entries.values()].map(({ document }) => document);
  }

  /* What the server will not take as it is, with its reason in `refused`. */
  get refused() {
    return [...this.#entries.values()].filter(({ refused }) => refused);
  }

  entryOf(document) {
    return [...this.#entries.values()].findLast((entry) => entry.document === document) ?? null;
  }

  /* Entries that are in the outbox already, from a page that is gone. They go with the next flush. */
  take(entries) {
    for (const entry of entries) this.#entries.set(entry.id, { ...entry, conflict: null, refused: null });
  }

  /* A change: first into the outbox, then to the server. Resolves when it is in the outbox. */
  async keep(entry) {
    entry.version += 1;
    entry.refused = null;
    this.#entries.set(entry.id, entry);
    await this.#outbox.put(entry);
    this.#tell(); // not before it is true
    if (entry.state !== "held") this.#later(entry.state === "draft" ? PAUSE : 0);
  }

  /* Send what waits, now. Resolves when all is confirmed or nothing more can be done at this moment. */
  flush(options) {
    clearTimeout(this.#timer);
    this.#timer = null;
    this.#running ??= this.#drain(options).finally(() => {
      this.#running = null;
      this.#tell();
    });
    return this.#running;
  }

  /* The person has chosen: their own version on top of the server's, or the server's. */
  async resolve(entry, { revision, mine }) {
    entry.conflict = null;
    entry.revision = revision;
    entry.attempts = [];
    if (mine) await this.keep(entry);
    else await this.forget(entry);
  }

  /* Give an entry up: the server's version stands. */
  async forget(entry) {
    this.#entries.delete(entry.id);
    await this.#outbox.remove(entry.id, entry.version);
    this.#tell();
  }

  retry() {
    for (const entry of this.refused) entry.refused = null;
    return this.flush();
  }

  close() {
    clearTimeout(this.#timer);
  }

  async #drain(options) {
    let next;
    while ((next = this.#ready())) {
      if (!(await this.#send(next, options))) return;
    }
  }

  #ready() {
    return [...this.#entries.values()].find(({ state, conflict, refused }) => state !== "held" && !conflict && !refused);
  }

  /* Whether to go on with the next entry. */
  async #send(entry, options) {
    const { version } = entry;
    this.#tell("saving");
    try {
      const row = await (entry.state === "skipped" ? this.#skip(entry) : this.#save(entry, options));
      this.#trouble = null;
      await this.#confirmed(entry, row, version);
      return true;
    } catch (error) {
      if (error.status === undefined) throw error; // a fault of ours: let it be seen
      return this.#failed(entry, error);
    }
  }

  #skip({ document, reason }) {
    return this.#call("POST", this.#url("skip", document), { reason });
  }

  async #save(entry, options) {
    const { document, length, spans, revision, seconds, counted, state, rejected, flagged, comment } = entry;
    // Remembered, since the answer to any of them may be lost on its way.
    entry.attempts = [...entry.attempts.filter((each) => !sameSpans(each.spans, spans)), { spans, seconds }];
    await this.#outbox.put(entry);
    const body = {
      tags: tagsOf(spans, length), revision, state, seconds: Math.max(0, seconds - counted),
      rejected, suggested_by: entry.suggestedBy, flagged, comment,
    };
    return this.#call("PUT", this.#url("annotation", document), body, options);
  }

  async #confirmed(entry, row, version) {
    if (row) this.#advance(entry, row.revision, entry.attempts.at(-1)?.seconds);
    if (entry.version === version) {
      this.#entries.delete(entry.id);
      await this.#outbox.remove(entry.id, version);
    } else await this.#outbox.put(entry);
    this.dispatchEvent(new CustomEvent("confirmed", { detail: { entry, row } }));
  }

  #advance(entry, revision, seconds = entry.counted) {
    Object.assign(entry, { revision, counted: seconds, attempts: [] });
  }

  async #failed(entry, error) {
    const temporary = error.offline || error.status === 429 || error.status >= 500;
    if (temporary || error.code === "signed_out") {
      this.#trouble = { state: error.offline ? "offline" : "failed", message: error.offline ? "" : error.message };
      this.#later(RETRY);
      return false;
    }
    this.#trouble = null;
    const current = error.details?.current;
    if (error.code === "stale_revision" && this.#isOurs(entry, current)) return this.#rebased(entry, current);
    const kind = error.code === "stale_revision" && current ? "conflict" : "refused";
    entry[kind] = kind === "conflict" ? current : error.message;
    this.dispatchEvent(new CustomEvent(kind, { detail: { entry, current } }));
    return true;
  }

  /* What the server holds is what we sent before, though its answer never came; or it is what we want to send. */
  #isOurs(entry, current) {
    if (!current) return false;
    const theirs = spansOf(current.tags);
    const next = current.revision === entry.revision + 1;
    const arrived = next ? entry.attempts.findLast(({ spans }) => sameSpans(theirs, spans)) : null;
    if (!arrived && !sameSpans(theirs, entry.spans)) return false;
    this.#advance(entry, current.revision, arrived?.seconds);
    return true;
  }

  /* A draft never takes back what was submitted from another page with the same spans. */
  async #rebased(entry, current) {
    const done = entry.state === "draft" && current.state === "submitted" && sameSpans(spansOf(current.tags), entry.spans);
    if (done) await this.#confirmed(entry, current, entry.version);
    return true;
  }

  #later(pause) {
    if (this.#timer !== null && pause === PAUSE) clearTimeout(this.#timer);
    else if (this.#timer !== null && pause !== 0) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.flush(), pause);
  }

  /* Nothing is on its way while all that waits is held for the person. */
  get #resting() {
    if (!this.waiting) return "saved";
    return [...this.#entries.values()].every(({ state }) => state === "held") ? "held" : "saving";
  }

  #tell(state = this.#resting) {
    const shown = this.#trouble && this.waiting ? this.#trouble : { state, message: "" };
    this.dispatchEvent(new CustomEvent("state", { detail: { ...shown, waiting: this.waiting } }));
  }

  #url(name, document) {
    return this.#urls[name].replace("/documents/0/", `/documents/${document}/`);
  }
}
