/* What the server has not confirmed yet, kept in this browser's IndexedDB until it has. An entry is one person's work
   on one text: {id, user, tab, project, document, version, …}; `tab` is the open page that looks after it.
   Where the browser forbids storage, entries live as long as the page; `durable` tells. */

const STORE = "outbox";

export class Outbox {
  durable = true;
  #database = openDatabase().catch(() => {
    this.durable = false;
    return null;
  });

  put(entry) {
    return this.#write((store) => store.put(entry));
  }

  /* Only what was confirmed goes: a later version of the entry, perhaps from another tab, stays. */
  remove(id, version) {
    return this.#write((store) => {
      store.get(id).onsuccess = ({ target }) => {
        if (target.result && target.result.version <= version) store.delete(id);
      };
    });
  }

  /* Whether anything is kept here at all: mostly not. */
  async isEmpty() {
    let count = 0;
    await this.#write((store) => {
      store.count().onsuccess = ({ target }) => (count = target.result);
    });
    return count === 0;
  }

  /* The person's entries here whose page is gone; from now on `tab` looks after them. In one transaction, so that
     two pages that open at the same time do not both take one. */
  async adopt({ user, project, tab, alive }) {
    const taken = [];
    await this.#write((store) => {
      store.openCursor().onsuccess = ({ target: { result: cursor } }) => {
        if (!cursor) return;
        const entry = cursor.value;
        if (entry.user === user && entry.project === project && !alive.has(entry.tab)) {
          const mine = { ...entry, tab };
          cursor.update(mine);
          taken.push(mine);
        }
        cursor.continue();
      };
    });
    return taken.sort((one, other) => one.at - other.at);
  }

  async #write(work) {
    const database = await this.#database;
    if (!database) return;
    try {
      await new Promise((resolve, reject) => {
        const transaction = database.transaction(STORE, "readwrite");
        transaction.oncomplete = resolve;
        transaction.onerror = transaction.onabort = () => reject(transaction.error);
        work(transaction.objectStore(STORE));
      });
    } catch {
      this.durable = false; // full or withdrawn: sending goes on from memory
    }
  }
}

function openDatabase() {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open("goldset", 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore(STORE, { keyPath: "id" });
    opening.onsuccess = () => resolve(opening.result);
    opening.onerror = () => reject(opening.error);
  });
}

/* A name that no other page or entry has. Works without HTTPS, where `crypto.randomUUID` is missing. */
export function newId() {
  return Array.from(crypto.getRandomValues(new Uint32Array(4)), (part) => part.toString(36)).join("-");
}
