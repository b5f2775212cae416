/* <gold-annotator>: the page on which a person labels one text after the other. It wires the parts together and
   leaves to them what they own: the decisions (work), the text (text-view), the cursor, the draft, the palette.
   Its markup is templates/labeling/_annotator.html; its data the JSON in the script that `config` names:
   {mode, labels, user, item, urls: {next, annotation, skip, acceptance, done}}. */

import { call } from "goldset/api.js";
import { Activity } from "goldset/annotate/activity.js";
import { Cursor } from "goldset/annotate/cursor.js";
import { ask, askConflict, askReason } from "goldset/annotate/dialogs.js";
import { Draft, forget, remembered } from "goldset/annotate/draft.js";
import { Grid } from "goldset/annotate/grid.js";
import { hotkeysOf, isElsewhere, meaning } from "goldset/annotate/keys.js";
import { Palette } from "goldset/annotate/palette.js";
import { selectByPointer } from "goldset/annotate/pointer.js";
import { SpanList } from "goldset/annotate/span-list.js";
import { same, spansOf, suggestionsOf } from "goldset/annotate/spans.js";
import { TextView } from "goldset/annotate/text-view.js";
import { Work } from "goldset/annotate/work.js";

const STATES = {
  clean: "",
  dirty: "Not saved yet",
  saving: "Saving…",
  saved: "Draft saved",
  offline: "Offline: kept in this browser",
  conflict: "Changed elsewhere",
  failed: "Not saved",
};

class GoldAnnotator extends HTMLElement {
  #config;
  #hotkeys;
  #palette;
  #leaving = new AbortController(); // ends with the element
  #closing; // ends with the present text
  #activity;
  #item;
  #grid;
  #work;
  #view;
  #cursor;
  #list;
  #draft;
  #busy = false;
  #extending = false;

  connectedCallback() {
    const { signal } = this.#leaving;
    this.#config = JSON.parse(document.getElementById(this.getAttribute("config")).textContent);
    this.#hotkeys = hotkeysOf(this.#config.labels);
    this.#palette = new Palette(this.#part("palette"), this.#config.labels, this.#hotkeys, (name) => {
      if (name) this.#label(name);
      this.#cursor?.focus();
    });
    this.#activity = new Activity(signal);
    document.addEventListener("keydown", (event) => this.#key(event), { signal });
    document.addEventListener("copy", (event) => this.#copy(event), { signal });
    this.addEventListener("click", (event) => {
      const command = event.target.closest("[data-command]")?.dataset.command;
      if (command) this.#do(command);
    }, { signal });
    window.addEventListener("online", () => this.#draft?.flush(), { signal });
    window.addEventListener("pagehide", () => this.#draft?.flush({ keepalive: true }), { signal });
    if (this.#config.item) this.#open(this.#config.item);
    else this.#next();
  }

  disconnectedCallback() {
    this.#leaving.abort();
    this.#closing?.abort();
  }

  // One text after the other ---------------------------------------------------------------------------

  async #next() {
    await this.#guarded(async () => {
      this.#show("loading");
      const item = await call("POST", this.#config.urls.next, {});
      if (item) this.#open(item);
      else this.#show("done");
    });
  }

  #open(item) {
    const { document: text, suggestion, annotation } = item;
    this.#closing?.abort();
    this.#closing = new AbortController();
    this.#item = item;
    this.#grid = new Grid(text.text, text.tokens);
    this.#view = new TextView(this.#part("text"), this.#grid, this.#config.labels);
    this.#cursor = new Cursor(this.#view);
    this.#list = new SpanList(this.#part("spans"), this.#grid, this.#config.labels);
    const offers = suggestion ? suggestionsOf(suggestion.tags, suggestion.confidences) : [];
    this.#begin(annotation ? spansOf(annotation.tags) : [], offers, annotation);
    this.#describe(text, suggestion, annotation);
    this.#listen();
    this.#activity.restart();
    this.#show("work");
    this.#sync();
    this.#cursor.to(this.#work.suggestions[0]?.start ?? 0);
    this.#announce(`New text, ${this.#grid.length} tokens. ${this.#openCount()}`);
  }

  /* The copy in this browser wins over the server's draft that it grew from; if both went on, the person decides. */
  #begin(spans, offers, annotation) {
    const revision = annotation?.revision ?? 0;
    const kept = this.#config.mode === "label" ? this.#kept() : null;
    const current = kept?.revision === revision;
    this.#work = new Work(this.#grid.length, current ? kept.spans : spans, current ? kept.suggestions : offers);
    this.#draft = new Draft({
      save: (body, options) => call("PUT", this.#url("annotation"), body, options),
      work: this.#work,
      activity: this.#activity,
      key: this.#copyKey,
      revision,
      autosave: this.#config.mode === "label" && annotation?.state !== "submitted",
    });
    if (current && kept.dirty) this.#draft.changed();
    if (kept?.dirty && !current) this.#resolve({ revision, tags: this.#work.tags }, kept.spans);
    else if (kept && !current) forget(this.#copyKey);
  }

  #kept() {
    const kept = remembered(this.#copyKey);
    const names = new Set(this.#config.labels.map(({ name }) => name));
    const fits = ({ start, end, label }) => start >= 0 && start < end && end <= this.#grid.length && names.has(label);
    return kept?.spans?.every(fits) && kept.suggestions?.every(fits) ? kept : null;
  }

  get #copyKey() {
    return `goldset:draft:${this.#config.user}:${this.#item.document.id}`;
  }

  #describe(text, suggestion, annotation) {
    const note = annotation?.state === "returned" ? annotation.note || "No note was left." : "";
    this.#part("note").hidden = annotation?.state !== "returned";
    this.#part("note-text").textContent = note;
    this.#part("key").textContent = text.key;
    this.#part("model").textContent = suggestion ? `Suggestions by ${suggestion.model}` : "No suggestions for this text";
    const again = this.#config.mode === "label" && annotation?.state === "submitted";
    delete this.#part("save-state").dataset.state;
    this.#part("save-state").textContent = again ? "Submitted; submit again to change it" : "";
    this.#notice("");
  }

  #listen() {
    const { signal } = this.#closing;
    this.#work.addEventListener("change", () => {
      this.#sync();
      this.#draft.changed();
    }, { signal });
    this.#draft.addEventListener("state", ({ detail }) => this.#saveState(detail), { signal });
    this.#cursor.addEventListener("move", () => this.#moved(), { signal });
    this.#list.addEventListener("act", ({ detail }) => this.#act(detail), { signal });
    selectByPointer(this.#part("text"), this.#view, this.#cursor, {
      signal,
      extending: () => this.#extending,
      released: () => this.#setExtending(false),
    });
  }

  // Keys and buttons ---------------------------------------------------------------------------------

  #key(event) {
    if (event.defaultPrevented || isElsewhere(event) || this.#part("work").hidden) return;
    const found = meaning(event, this.#hotkeys);
    if (!found || (found.command === "copy" && !this.#cursor.extended)) return;
    if (found.command === "copy") return; // the browser sends `copy` next
    event.preventDefault();
    if (found.label) this.#label(found.label);
    else this.#do(found.command, { extend: found.extend });
  }

  #do(command, options = {}) {
    const commands = {
      left: () => this.#cursor.left(options),
      right: () => this.#cursor.right(options),
      up: () => this.#cursor.line(-1, options),
      down: () => this.#cursor.line(1, options),
      first: () => this.#cursor.to(0, options),
      last: () => this.#cursor.to(this.#view.length - 1, options),
      collapse: () => this.#cursor.collapse(),
      nextSpan: () => this.#jump(1),
      previousSpan: () => this.#jump(-1),
      remove: () => this.#remove(),
      accept: () => this.#decide("accept"),
      reject: () => this.#decide("reject"),
      acceptAll: () => this.#decideAll("accept"),
      rejectAll: () => this.#decideAll("reject"),
      undo: () => this.#travel("undo"),
      redo: () => this.#travel("redo"),
      extend: () => this.#setExtending(!this.#extending),
      find: () => this.#palette.find(),
      help: () => ask(this.#part("help")),
      submit: () => this.#submit(),
      skip: () => this.#skip(),
      next: () => this.#next(),
    };
    commands[command]?.();
  }

  // Spans ----------------------------------------------------------------------------------------------

  /* The selection; without one, the span or suggestion at the cursor; without one, the token. */
  get #target() {
    if (this.#cursor.extended) return this.#cursor.range;
    const { index } = this.#cursor;
    return this.#work.spanAt(index) ?? this.#work.suggestionAt(index) ?? this.#cursor.range;
  }

  #label(name) {
    if (!this.#grid?.length) return;
    const { start, end } = this.#target;
    this.#work.label(start, end, name);
    this.#cursor.to(end - 1);
    this.#announce(`${name}: ${this.#grid.range(start, end)}`);
  }

  #remove() {
    if (!this.#grid.length) return;
    const { start, end } = this.#target;
    const text = this.#grid.range(start, end);
    this.#work.remove(start, end);
    this.#cursor.focus();
    this.#announce(`Removed: ${text}`);
  }

  /* Accept or reject the suggestion at the cursor and go to the next one; with none here, only go. */
  #decide(verb) {
    const offer = this.#work.suggestionAt(this.#cursor.index);
    if (offer) this.#work[verb](offer);
    const next = this.#work.suggestions.find(({ start }) => start >= this.#cursor.index) ?? this.#work.suggestions[0];
    if (next) this.#cursor.to(next.start);
    else this.#cursor.focus();
    const done = verb === "accept" ? "Accepted" : "Rejected";
    this.#announce(offer ? `${done} ${offer.label}. ${this.#openCount()}` : this.#openCount());
  }

  #decideAll(verb) {
    const offers = this.#work.suggestions;
    this.#work[verb](...offers);
    this.#cursor.focus();
    this.#announce(`${verb === "accept" ? "Accepted" : "Rejected"} ${offers.length} suggestions.`);
  }

  #travel(direction) {
    this.#work[direction]();
    this.#cursor.focus();
    this.#announce(direction === "undo" ? "Undone." : "Redone.");
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
    return this.#announce(`${span.label}: ${action === "remove" ? "removed" : `${action}ed`}.`);
  }

  #setExtending(on) {
    this.#extending = on;
    this.querySelector("[data-command=extend]")?.setAttribute("aria-pressed", String(on));
  }

  // Handing in -----------------------------------------------------------------------------------------

  async #submit() {
    if (this.#busy || !this.#grid) return;
    if (this.#work.suggestions.length) {
      this.#part("open-count").textContent = this.#work.suggestions.length;
      const answer = await ask(this.#part("open-suggestions"));
      if (!answer) return this.#cursor.focus();
      this.#decideAll(answer);
    }
    await this.#guarded(() => (this.#config.mode === "correct" ? this.#correct() : this.#handIn()));
  }

  async #handIn() {
    await this.#draft.submit();
    this.#countOne();
    history.replaceState(null, "", this.#config.urls.page); // a reload gives the next text, not this one
    const previous = this.querySelector("[data-part=previous]");
    previous.href = `${this.#config.urls.page}?document=${this.#item.document.id}`;
    previous.hidden = false;
    this.#later(() => this.#next());
  }

  async #correct() {
    await call("POST", this.#url("acceptance"), { tags: this.#work.tags });
    forget(this.#copyKey);
    location.assign(this.#config.urls.done);
  }

  async #skip() {
    if (this.#busy || this.#config.mode !== "label") return;
    const reason = await askReason(this.#part("skip"));
    if (reason === null) return this.#cursor.focus();
    await this.#guarded(async () => {
      await this.#draft.flush();
      await call("POST", this.#url("skip"), { reason });
      this.#draft.close();
      history.replaceState(null, "", this.#config.urls.page);
      this.#later(() => this.#next());
    });
  }

  /* After the present guarded step, so that `busy` is free again. */
  #later(step) {
    queueMicrotask(() => setTimeout(step));
  }

  #countOne() {
    const left = this.#part("left");
    left.textContent = Math.max(0, Number(left.textContent) - 1);
    this.#part("session").textContent = Number(this.#part("session").textContent) + 1;
  }

  /* One step at a time; what goes wrong is told, and a conflict is put to the person. */
  async #guarded(step) {
    if (this.#busy) return;
    this.#busy = true;
    this.setAttribute("aria-busy", "true");
    try {
      await step();
    } catch (error) {
      if (error.status === undefined) throw error; // a fault of ours: let it be seen
      this.#failed(error);
    } finally {
      this.#busy = false;
      this.removeAttribute("aria-busy");
    }
  }

  #failed(error) {
    if (this.#grid) this.#show("work");
    else this.#show("failed");
    if (error.code === "stale_revision") return; // `saveState` has asked already
    const away = error.offline || error.code === "signed_out";
    const kept = away && this.#grid ? " Your work is kept in this browser; then submit again." : "";
    this.#notice(`${error.message}${kept}`);
  }

  async #resolve(current, mine = this.#work.spans) {
    const theirs = spansOf(current.tags);
    if (mine.length === theirs.length && mine.every((span) => theirs.some((other) => same(span, other)))) {
      return this.#draft.rebase(current.revision);
    }
    let choice = "";
    while (!choice) choice = await askConflict(this.#part("conflict"), this.#grid, mine, theirs, same);
    this.#work.replace(choice === "mine" ? mine : theirs);
    return this.#draft.rebase(current.revision);
  }

  // What is shown --------------------------------------------------------------------------------------

  #saveState({ state, error }) {
    this.#part("save-state").textContent = this.#config.mode === "label" ? STATES[state] : "";
    this.#part("save-state").dataset.state = state;
    if (error?.code === "stale_revision" && error.details.current) this.#resolve(error.details.current);
    else if (error && !error.offline) this.#notice(error.message);
  }

  #sync() {
    const { spans, suggestions } = this.#work;
    this.#view.sync(spans, suggestions);
    this.#list.sync(spans, suggestions);
    this.#part("span-count").textContent = spans.length;
    for (const command of ["accept", "reject", "acceptAll", "rejectAll"]) this.#enable(command, suggestions.length > 0);
    this.#enable("undo", this.#work.canUndo);
    this.#enable("redo", this.#work.canRedo);
    this.#part("suggestion-tools").hidden = !suggestions.length && !this.#item.suggestion;
    this.#moved({ quiet: true });
  }

  #moved({ quiet = false } = {}) {
    if (!this.#grid.length) return;
    const { index } = this.#cursor;
    const span = this.#work.spanAt(index);
    const offer = this.#work.suggestionAt(index);
    const { start, end } = this.#target;
    this.#palette.mark(span?.label);
    this.#part("selection").textContent = shorten(this.#grid.range(start, end));
    this.#part("selection-label").textContent = span ? span.label : offer ? `${offer.label}? (suggested)` : "";
    this.#enable("remove", Boolean(span ?? offer));
    if (quiet) return;
    if (this.#cursor.extended) this.#announce(`${end - start} tokens: ${shorten(this.#grid.range(start, end))}`);
    else if (span) this.#announce(`${span.label}: ${this.#grid.range(span.start, span.end)}`);
    else if (offer) this.#announce(`Suggested ${offer.label}: ${this.#grid.range(offer.start, offer.end)}`);
  }

  #openCount() {
    const { length } = this.#work.suggestions;
    return length ? `${length} suggestions are open.` : "No suggestions are open.";
  }

  #copy(event) {
    if (!this.#cursor?.extended || isElsewhere(event) || !document.getSelection().isCollapsed) return;
    const { start, end } = this.#cursor.range;
    event.clipboardData.setData("text/plain", this.#grid.range(start, end));
    event.preventDefault();
  }

  #show(name) {
    for (const each of ["loading", "work", "done", "failed"]) this.#part(each).hidden = each !== name;
  }

  #notice(text) {
    this.#part("notice").hidden = !text;
    this.#part("notice-text").textContent = text;
  }

  #announce(text) {
    this.#part("live").textContent = text;
  }

  #enable(command, on) {
    for (const button of this.querySelectorAll(`[data-command=${command}]`)) button.disabled = !on;
  }

  #url(name) {
    return this.#config.urls[name].replace("/documents/0/", `/documents/${this.#item.document.id}/`);
  }

  #part(name) {
    return this.querySelector(`[data-part="${name}"]`);
  }
}

function shorten(text) {
  const points = Array.from(text);
  return points.length > 80 ? `${points.slice(0, 77).join("")}…` : text;
}

customElements.define("gold-annotator", GoldAnnotator);
