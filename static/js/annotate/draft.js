/* Keeps what a person decides: at once in this browser, and after a short pause on the server as a draft.
   One request at a time. Emits `state`; `state` is one of clean, dirty, saving, saved, offline, conflict, failed. */

const PAUSE = 900;
const RETRY = 5_000;

export class Draft extends EventTarget {
  state = "clean";
  #save;
  #work;
  #activity;
  #key;
  #revision;
  #autosave;
  #timer = null;
  #running = Promise.resolve();
  #sentSeconds = 0;

  /* `save({tags, revision, state, seconds}, options)` puts it on the server and gives the saved row. */
  constructor({ save, work, activity, key, revision, autosave }) {
    super();
    this.#save = save;
    this.#work = work;
    this.#activity = activity;
    this.#key = key;
    this.#revision = revision;
    this.#autosave = autosave;
  }

  changed() {
    this.#keep({ dirty: true });
    this.#set("dirty");
    if (this.#autosave) this.#later(PAUSE);
  }

  /* Save what is not saved yet, now. */
  async flush(options) {
    if (!this.#autosave || !["dirty", "offline"].includes(this.state)) return;
    await this.#put("draft", options).catch(() => {}); // `state` tells
  }

  /* Submit; raises ApiError. After this the copy in the browser is gone. */
  async submit() {
    const row = await this.#put("submitted");
    this.close();
    forget(this.#key);
    return row;
  }

  /* Go on from another revision: what the server holds has been seen. */
  rebase(revision) {
    this.#revision = revision;
    this.changed();
  }

  close() {
    clearTimeout(this.#timer);
    this.#autosave = false;
  }

  #put(state, options) {
    clearTimeout(this.#timer);
    const put = this.#running.then(() => this.#putNow(state, options));
    this.#running = put.catch(() => {});
    return put;
  }

  async #putNow(state, options) {
    const seconds = this.#activity.seconds;
    const tags = this.#work.tags;
    const body = { tags, revision: this.#revision, state, seconds: Math.max(0, seconds - this.#sentSeconds) };
    this.#set("saving");
    try {
      const row = await this.#save(body, options);
      this.#revision = row.revision;
      this.#sentSeconds = seconds;
      const unchanged = tags.join() === this.#work.tags.join();
      this.#keep({ dirty: !unchanged });
      this.#set(unchanged ? "saved" : "dirty");
      return row;
    } catch (error) {
      this.#failed(error);
      throw error;
    }
  }

  #failed(error) {
    this.#set(error.offline ? "offline" : error.status === 409 ? "conflict" : "failed", error);
    if (error.offline && this.#autosave) this.#later(RETRY);
  }

  #later(pause) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.flush(), pause);
  }

  #keep({ dirty }) {
    const { spans, suggestions } = this.#work;
    remember(this.#key, { spans, suggestions, revision: this.#revision, dirty });
  }

  #set(state, error) {
    this.state = state;
    this.dispatchEvent(new CustomEvent("state", { detail: { state, error } }));
  }
}

/* The copy in this browser, or null. */
export function remembered(key) {
  try {
    return JSON.parse(localStorage.getItem(key));
  } catch {
    return null; // storage is forbidden or the copy is broken
  }
}

export function forget(key) {
  try {
    localStorage.removeItem(key);
  } catch {
    /* nothing was kept */
  }
}

function remember(key, value) {
  try {
    localStorage.setItem(key, JSON.stringify(value));
  } catch {
    /* full or forbidden: the server's draft remains */
  }
}
