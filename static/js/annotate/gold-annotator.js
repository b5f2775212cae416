/* <gold-annotator>: the page on which a person labels one text after the other, or a reviewer corrects one.
   It fetches a text, gives it to an Editor, keeps its draft and hands it in. Its markup is
   templates/labeling/_annotator.html; its data the JSON in the script that `config` names:
   {mode: "label" | "correct", labels, user, item, urls: {page, next, annotation, skip, acceptance, done}}. */

import { call } from "goldset/api.js";
import { Activity } from "goldset/annotate/activity.js";
import { ask, askConflict, askReason } from "goldset/annotate/dialogs.js";
import { Draft, forget, remembered } from "goldset/annotate/draft.js";
import { Editor } from "goldset/annotate/editor.js";
import { Grid } from "goldset/annotate/grid.js";
import { hotkeysOf, isElsewhere, meaning } from "goldset/annotate/keys.js";
import { Palette } from "goldset/annotate/palette.js";
import { Screen } from "goldset/annotate/screen.js";
import { same, spansOf, suggestionsOf } from "goldset/annotate/spans.js";
import { Work } from "goldset/annotate/work.js";

class GoldAnnotator extends HTMLElement {
  #config;
  #hotkeys;
  #palette;
  #screen = new Screen(this);
  #activity;
  #leaving = new AbortController(); // ends with the element
  #closing; // ends with the present text
  #item;
  #grid;
  #work;
  #editor;
  #draft;
  #busy = false;

  connectedCallback() {
    const { signal } = this.#leaving;
    this.#config = JSON.parse(document.getElementById(this.getAttribute("config")).textContent);
    this.#hotkeys = hotkeysOf(this.#config.labels);
    this.#palette = new Palette(this.#screen.part("palette"), this.#config.labels, this.#hotkeys, (name) => {
      if (name) this.#editor?.label(name);
      this.#editor?.focus();
    });
    this.#activity = new Activity(signal);
    document.addEventListener("keydown", (event) => this.#key(event), { signal });
    document.addEventListener("copy", (event) => this.#copy(event), { signal });
    this.addEventListener("click", ({ target }) => this.#do(target.closest("[data-command]")?.dataset.command), { signal });
    window.addEventListener("online", () => this.#draft?.flush(), { signal });
    window.addEventListener("pagehide", () => this.#draft?.flush({ keepalive: true }), { signal });
    if (this.#config.item) this.#open(this.#config.item);
    else this.#next();
  }

  disconnectedCallback() {
    this.#leaving.abort();
    this.#closing?.abort();
  }

  // Keys and buttons -----------------------------------------------------------------------------------

  #key(event) {
    if (event.defaultPrevented || isElsewhere(event) || !this.#screen.working) return;
    const found = meaning(event, this.#hotkeys);
    if (!found) return;
    event.preventDefault();
    if (found.label) this.#editor.label(found.label);
    else this.#do(found.command, { extend: found.extend });
  }

  #do(command, options) {
    if (command === "submit") this.#submit();
    else if (command === "skip") this.#skip();
    else if (command === "next") this.#next();
    else if (command === "help") ask(this.#screen.part("help"));
    else if (command === "find") this.#palette.find();
    else this.#editor?.do(command, options);
  }

  #copy(event) {
    const text = this.#editor?.selected;
    if (!text || isElsewhere(event) || !document.getSelection().isCollapsed) return;
    event.clipboardData.setData("text/plain", text);
    event.preventDefault();
  }

  // A text comes ---------------------------------------------------------------------------------------

  async #next() {
    await this.#guarded(async () => {
      this.#screen.show("loading");
      const item = await call("POST", this.#config.urls.next, {});
      if (item) this.#open(item);
      else this.#screen.show("done");
    }, { otherwise: "failed" });
  }

  #open(item) {
    const { document: text, suggestion, annotation } = item;
    this.#closing?.abort();
    this.#closing = new AbortController();
    this.#item = item;
    this.#grid = new Grid(text.text, text.tokens);
    this.#screen.describe(item);
    this.#screen.show("work");
    const offers = suggestion ? suggestionsOf(suggestion.tags, suggestion.confidences) : [];
    this.#begin(annotation ? spansOf(annotation.tags) : [], offers, annotation);
    if (this.#isOwn && annotation?.state === "submitted") this.#screen.saveState("clean", "Submitted; submit again to change");
    this.#activity.restart();
    this.#editor.begin();
  }

  /* The copy in this browser wins over the server's draft that it grew from; if both went on, the person decides. */
  #begin(spans, offers, annotation) {
    const revision = annotation?.revision ?? 0;
    const kept = this.#isOwn ? this.#kept() : null;
    const current = kept?.revision === revision;
    this.#work = new Work(this.#grid.length, current ? kept.spans : spans, current ? kept.suggestions : offers);
    this.#edit({ revision, autosave: this.#isOwn && annotation?.state !== "submitted" });
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

  #edit({ revision, autosave }) {
    const { signal } = this.#closing;
    const { labels } = this.#config;
    const suggested = Boolean(this.#item.suggestion);
    const [work, screen, palette, grid] = [this.#work, this.#screen, this.#palette, this.#grid];
    this.#editor = new Editor({ grid, work, labels, suggested, screen, palette, signal });
    const save = (body, options) => call("PUT", this.#url("annotation"), body, options);
    this.#draft = new Draft({ save, work, activity: this.#activity, key: this.#copyKey, revision, autosave });
    this.#editor.addEventListener("change", () => this.#draft.changed(), { signal });
    this.#draft.addEventListener("state", ({ detail }) => this.#saveState(detail), { signal });
  }

  /* A person's own work, and not a reviewer's correction of somebody's. */
  get #isOwn() {
    return this.#config.mode === "label";
  }

  get #copyKey() {
    return `goldset:draft:${this.#config.user}:${this.#item.document.id}`;
  }

  // A text goes ----------------------------------------------------------------------------------------

  async #submit() {
    if (this.#busy || !this.#work) return;
    if (this.#work.suggestions.length) {
      this.#screen.part("open-count").textContent = this.#work.suggestions.length;
      const answer = await ask(this.#screen.part("open-suggestions"));
      if (!answer) return this.#editor.focus();
      this.#work[answer](...this.#work.suggestions);
    }
    await this.#guarded(() => (this.#isOwn ? this.#handIn() : this.#correct()));
  }

  async #handIn() {
    await this.#draft.submit();
    this.#screen.countOne(`${this.#config.urls.page}?document=${this.#item.document.id}`);
    this.#goOn();
  }

  async #correct() {
    await call("POST", this.#url("acceptance"), { tags: this.#work.tags });
    forget(this.#copyKey);
    location.assign(this.#config.urls.done);
  }

  async #skip() {
    if (this.#busy || !this.#isOwn) return;
    const reason = await askReason(this.#screen.part("skip"));
    if (reason === null) return this.#editor.focus();
    await this.#guarded(async () => {
      await this.#draft.flush();
      await call("POST", this.#url("skip"), { reason });
      this.#draft.close();
      this.#goOn();
    });
  }

  /* To the next text, once the present guarded step is over; a reload then gives the next text as well. */
  #goOn() {
    history.replaceState(null, "", this.#config.urls.page);
    setTimeout(() => this.#next());
  }

  // What goes wrong ------------------------------------------------------------------------------------

  /* One step at a time; what goes wrong is told, over the section `otherwise`. */
  async #guarded(step, { otherwise = "work" } = {}) {
    if (this.#busy) return;
    this.#busy = true;
    this.setAttribute("aria-busy", "true");
    try {
      await step();
    } catch (error) {
      if (error.status === undefined) throw error; // a fault of ours: let it be seen
      this.#failed(error, otherwise);
    } finally {
      this.#busy = false;
      this.removeAttribute("aria-busy");
    }
  }

  #failed(error, section) {
    this.#screen.show(section);
    if (error.code === "stale_revision") return; // `saveState` has asked already
    const keeps = section === "work" && (error.offline || error.code === "signed_out");
    this.#screen.notice(keeps ? `${error.message} Your work is kept in this browser; then submit again.` : error.message);
  }

  #saveState({ state, error }) {
    if (this.#isOwn) this.#screen.saveState(state);
    if (error?.code === "stale_revision" && error.details.current) this.#resolve(error.details.current);
    else if (error && !error.offline) this.#screen.notice(error.message);
  }

  /* The server has another version: go on from it, with the spans that the person chooses. */
  async #resolve(current, mine = this.#work.spans) {
    const theirs = spansOf(current.tags);
    const equal = mine.length === theirs.length && mine.every((span) => theirs.some((other) => same(span, other)));
    let choice = equal ? "theirs" : "";
    while (!choice) choice = await askConflict(this.#screen.part("conflict"), this.#grid, mine, theirs, same);
    this.#work.replace(choice === "mine" ? mine : theirs);
    this.#draft.rebase(current.revision);
  }

  #url(name) {
    return this.#config.urls[name].replace("/documents/0/", `/documents/${this.#item.document.id}/`);
  }
}

customElements.define("gold-annotator", GoldAnnotator);
