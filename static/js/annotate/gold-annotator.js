/* <gold-annotator>: the page on which a person labels one text after the other.
   It gives each text to an Editor and what is decided to the Desk, which sends it behind. Its markup is
   templates/labeling/_annotator.html; its data the JSON in the script that `config` names:
   {labels, user, project, lease_seconds, item, urls}. */

import { call } from "goldset/api.js";
import { Activity } from "goldset/annotate/activity.js";
import { showCard } from "goldset/annotate/card.js";
import { Desk } from "goldset/annotate/desk.js";
import { ask, askConflict, askReason, askText } from "goldset/annotate/dialogs.js";
import { Editor } from "goldset/annotate/editor.js";
import { Grid } from "goldset/annotate/grid.js";
import { hotkeysOf, isElsewhere, keymap, meaning } from "goldset/annotate/keys.js";
import { suggestEverywhere, undoStep } from "goldset/annotate/occurrences.js";
import { Palette } from "goldset/annotate/palette.js";
import { Recent } from "goldset/annotate/recent.js";
import { Screen } from "goldset/annotate/screen.js";
import { sameSpans, spansOf, suggestionsOf } from "goldset/annotate/spans.js";
import { Work } from "goldset/annotate/work.js";
import { gettext } from "goldset/texts.js";

class GoldAnnotator extends HTMLElement {
  #config;
  #keys;
  #hotkeys;
  #recent;
  #palette;
  #screen = new Screen(this);
  #activity;
  #desk;
  #leaving = new AbortController(); // ends with the element
  #closing; // ends with the present text
  #item;
  #grid;
  #work;
  #editor;
  #draft;
  #busy = false;
  #typedAhead = [];
  #step; // the last time that every occurrence was suggested

  async connectedCallback() {
    const { signal } = this.#leaving;
    this.#config = JSON.parse(document.getElementById(this.getAttribute("config")).textContent);
    const usable = this.#config.labels.filter(({ retired }) => !retired);
    this.#keys = keymap(this.#config.keys);
    this.#hotkeys = hotkeysOf(usable, this.#keys);
    this.#screen.showKeys(this.#keys);
    this.#palette = new Palette(this.#screen.part("palette"), usable, this.#hotkeys, (name) => {
      if (name) this.#editor?.label(name);
      this.#editor?.focus();
    });
    this.#activity = new Activity(signal);
    document.addEventListener("keydown", (event) => this.#key(event), { signal });
    document.addEventListener("copy", (event) => this.#copy(event), { signal });
    this.addEventListener("click", (event) => this.#click(event), { signal });
    navigator.serviceWorker?.register(this.#config.urls.offline).catch(() => {}); // without, the browser speaks
    await this.#startDesk(signal);
    if (!this.#config.item) return this.#next();
    this.#open(this.#config.item); // before the flush, or else what waits here would overtake the item's revision
    await this.#desk.sender.flush();
  }

  disconnectedCallback() {
    this.#leaving.abort();
    this.#closing?.abort();
    this.#desk?.close();
  }

  async #startDesk(signal) {
    this.#desk = new Desk(this.#config);
    const { sender } = this.#desk;
    sender.addEventListener("state", ({ detail }) => this.#screen.saveState(detail, { durable: sender.durable }), { signal });
    sender.addEventListener("confirmed", ({ detail }) => this.#confirmed(detail), { signal });
    sender.addEventListener("conflict", ({ detail }) => this.#conflict(detail), { signal });
    sender.addEventListener("refused", () => this.#tellRefused(), { signal });
    window.addEventListener("online", () => this.#online(), { signal });
    window.addEventListener("pagehide", () => sender.flush({ keepalive: true }), { signal });
    this.#recent = new Recent(this.#screen.part("recent"), this.#config.recent, (document) => this.#reopen(document));
    await this.#desk.start();
  }

  // Keys and buttons -----------------------------------------------------------------------------------

  #key(event) {
    if (event.defaultPrevented || !this.#screen.working) return;
    if (isElsewhere(event)) return void this.#escape(event);
    const found = meaning(event, this.#keys, this.#hotkeys);
    if (!found || (found.command === "unsure" && !this.#editor?.undecided)) return; // then Tab leaves the text
    event.preventDefault();
    if (this.#busy) this.#typedAhead.push(found); // for the text that comes in a moment, not for the one that goes
    else this.#act(found);
  }

  /* From whatever else has the focus back to the text. */
  #escape({ key, target }) {
    if (key === "Escape" && this.contains(target) && !target.closest("dialog")) this.#editor?.focus();
  }

  /* The text has the focus again before the command begins, and so after each dialog. */
  #click({ target }) {
    const { command, label } = target.closest("[data-command]")?.dataset ?? {};
    if (command || !target.closest("dialog, input, select, button, a, summary, [data-part=guidelines]")) this.#editor?.focus();
    if (command) this.#do(command, { label });
  }

  #act({ label, command, extend }) {
    if (label) this.#editor.label(label);
    else this.#do(command, { extend });
  }

  #do(command, options) {
    if (command === "submit") this.#submit();
    else if (command === "skip") this.#skip();
    else if (command === "next") this.#next();
    else if (command === "back") this.#back();
    else if (command === "everywhere") this.#everywhere();
    else if (command === "undoEverywhere") this.#undoEverywhere();
    else if (command === "keepEverywhere") this.#screen.suggested(null);
    else if (command === "flag") this.#flag();
    else if (command === "comment") this.#comment();
    else if (command === "retry") this.#retry();
    else if (command === "discard") this.#discard();
    else if (command === "help") ask(this.#screen.part("help"));
    else if (command === "about") this.#about(options?.label);
    else if (command === "guidelines") this.#screen.guidelines();
    else if (command === "find") this.#palette.find();
    else this.#editor?.do(command, options);
  }

  /* The card of a label: of the one at the cursor, or else of the last one, where none is named. */
  #about(name = this.#editor?.labelHere ?? this.#palette.last) {
    const { labels, urls } = this.#config;
    showCard(this.#screen.part("about"), { labels, name, url: urls.examples }); // closed, it gives the focus back itself
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
      const waits = setTimeout(() => this.#screen.show("loading"), 80); // one that is at hand comes without a flicker
      const item = await this.#desk.next().finally(() => clearTimeout(waits));
      if (item) this.#open(item);
      else this.#screen.show("done");
    }, { otherwise: "failed" });
  }

  /* Removes what is at the cursor; where nothing is, back to the text before. */
  #back() {
    if (this.#editor?.removable) return this.#editor.do("remove");
    const before = this.#recent.before(this.#item.document.id);
    return before === null ? this.#screen.tell(gettext("No earlier text is listed.")) : this.#reopen(before);
  }

  /* Here, where it was open in this page; else as a page of its own. */
  #reopen(document) {
    if (this.#busy || document === this.#item?.document.id) return;
    const item = this.#desk.again(document);
    if (item) this.#open(item);
    else location.assign(`${this.#config.urls.page}?document=${document}`);
  }

  #open(item) {
    const { document: text, suggestion, annotation } = item;
    this.#closing?.abort();
    this.#closing = new AbortController();
    this.#item = item;
    this.#grid = new Grid(text.text, text.tokens);
    this.#screen.describe(item);
    this.#screen.show("work");
    this.#tellRefused();
    this.#activity.restart();
    const offers = suggestion ? suggestionsOf(suggestion.tags, suggestion.confidences) : [];
    this.#begin(annotation ? spansOf(annotation.tags) : [], offers, annotation);
    this.#editor.begin();
  }

  /* What waits in this browser wins over what the server gave: its revision tells the sender if both went on. */
  #begin(spans, offers, annotation) {
    const kept = this.#kept();
    const begun = { spans, suggestions: offers, rejected: annotation?.provenance?.rejected };
    this.#work = new Work(this.#grid.length, kept ?? begun);
    const { signal } = this.#closing;
    const { labels } = this.#config;
    const suggested = Boolean(this.#item.suggestion);
    const [work, screen, palette, grid, activity] = [this.#work, this.#screen, this.#palette, this.#grid, this.#activity];
    this.#editor = new Editor({ grid, work, labels, suggested, screen, palette, signal });
    this.#draft = this.#desk.open(this.#item, { work, activity, entry: kept });
    this.#editor.addEventListener("change", () => this.#changed(), { signal });
    this.#screen.remarks(this.#draft);
    const { id, text } = this.#item.document;
    this.#recent.note(id, { text: text.slice(0, 80), state: annotation?.state ?? "draft" });
    this.#recent.mark(id);
    if (annotation?.state === "submitted") this.#screen.notSaved(gettext("Submitted; submit again to change"));
    if (kept?.conflict) this.#conflict({ entry: kept, current: kept.conflict });
  }

  /* The outbox's entry for this text, unless the project has changed so that it fits no more. */
  #kept() {
    const kept = this.#desk.sender.entryOf(this.#item.document.id);
    if (!kept?.spans) return null;
    const names = new Set(this.#config.labels.map(({ name }) => name));
    const fits = ({ start, end, label }) => start >= 0 && start < end && end <= this.#grid.length && names.has(label);
    return [kept.spans, kept.suggestions, kept.rejected].every((each) => each.every(fits)) ? kept : null;
  }

  #changed() {
    this.#draft?.changed();
    if (this.#item.annotation?.state === "submitted") this.#recent?.note(this.#item.document.id, { state: "held" });
  }

  // A text goes ----------------------------------------------------------------------------------------

  async #submit() {
    if (this.#busy || !this.#work) return;
    if (this.#work.suggestions.length) {
      this.#screen.part("open-count").textContent = this.#work.suggestions.length;
      const policy = this.#config.open_suggestions;
      const answer = policy === "ask" ? await ask(this.#screen.part("open-suggestions")) : policy;
      if (!answer) return this.#editor.focus();
      this.#work[answer](...this.#work.suggestions);
    }
    await this.#guarded(() => this.#draft.submit());
    this.#screen.countOne();
    this.#recent.note(this.#item.document.id, { state: "sending" });
    return this.#goOn();
  }

  async #skip() {
    if (this.#busy || !this.#work) return;
    const reason = await askReason(this.#screen.part("skip"));
    if (reason === null) return this.#editor.focus();
    await this.#guarded(() => this.#draft.skip(reason));
    this.#recent.note(this.#item.document.id, { state: "sending" });
    return this.#goOn();
  }

  /* In this text; once nothing is left to mark here, in the project. */
  async #everywhere() {
    const sought = this.#editor?.everywhere();
    if (!sought) return;
    const { id } = this.#item.document;
    const { color } = this.#config.labels.find(({ name }) => name === sought.label);
    await this.#guarded(async () => {
      const dialog = this.#screen.part("everywhere");
      this.#step = await suggestEverywhere(dialog, { ...sought, color, url: this.#config.urls.occurrences, document: id });
      if (this.#step) this.#screen.suggested(this.#step);
      if (this.#step) this.#desk.refresh();
    });
    this.#editor.focus();
  }

  async #undoEverywhere() {
    await this.#guarded(async () => {
      await undoStep(this.#config.urls.occurrences, this.#step);
      this.#screen.suggested(null);
      this.#screen.announce(gettext("Undone."));
      this.#desk.refresh();
    });
    this.#editor?.focus();
  }

  async #flag() {
    if (!this.#draft) return;
    await this.#draft.remark({ flagged: !this.#draft.flagged });
    this.#screen.remarks(this.#draft);
    this.#screen.announce(this.#draft.flagged ? gettext("Flagged.") : gettext("Not flagged."));
  }

  async #comment() {
    const draft = this.#draft;
    if (!draft) return;
    const comment = await askText(this.#screen.part("comment"), draft.comment);
    if (comment !== null && draft === this.#draft) await draft.remark({ comment });
    this.#screen.remarks(draft);
    this.#editor.focus();
  }

  /* To the next text; a reload then gives the next text as well. */
  #goOn() {
    this.#draft = null;
    history.replaceState(null, "", this.#config.urls.page);
    return this.#next();
  }

  // What the server says -------------------------------------------------------------------------------

  #confirmed({ entry, row }) {
    this.#desk.note(entry.document, row);
    if (!row || row.state !== "draft") this.#recent.note(entry.document, { state: row?.state ?? "skipped" });
    this.#screen.settled({ submitted: row?.state !== "draft" });
  }

  /* Both went on from the same version: the person chooses, whether or not the text is still open. */
  async #conflict({ entry, current }) {
    const open = this.#draft?.owns(entry);
    const grid = open ? this.#grid : await this.#gridOf(entry);
    const mine = entry.spans;
    const theirs = spansOf(current.tags);
    let choice = sameSpans(mine, theirs) ? "theirs" : "";
    while (!choice) choice = await askConflict(this.#screen.part("conflict"), { grid, mine, theirs, key: entry.key });
    if (!open || !this.#draft?.owns(entry)) {
      await this.#desk.sender.resolve(entry, { revision: current.revision, mine: choice === "mine" });
    } else {
      this.#work.replace(choice === "mine" ? mine : theirs);
      await (choice === "mine" ? this.#draft.rebase(current) : this.#draft.yield(current));
    }
    this.#editor?.focus();
  }

  async #gridOf({ document: id }) {
    const { text, tokens } = await call("GET", this.#url("document", id));
    return new Grid(text, tokens);
  }

  #tellRefused() {
    const [entry, ...more] = this.#desk?.sender.refused ?? [];
    if (!entry) return;
    const others = more.length ? ` ${gettext("{count} more wait.", { count: more.length })}` : "";
    const text = gettext("“{key}” is not saved: {refused} It stays in this browser.", entry);
    this.#screen.notice(`${text}${others}`, { refused: true });
  }

  /* Gives up what the server does not take. */
  async #discard() {
    const [entry] = this.#desk.sender.refused;
    if ((await ask(this.#screen.part("discard"))) === "discard") await this.#desk.sender.forget(entry);
    this.#screen.notice("");
    this.#tellRefused();
    this.#editor?.focus();
  }

  async #retry() {
    this.#screen.notice("");
    await this.#desk.sender.retry();
    this.#tellRefused();
    this.#editor?.focus();
  }

  #online() {
    this.#desk.sender.flush();
    if (this.#screen.failed) this.#next();
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
      this.#screen.show(otherwise);
      if (error.offline && otherwise === "failed") return void setTimeout(() => this.#online(), 3_000); // the section says it
      this.#screen.notice(this.#desk?.sender.waiting ? `${error.message} ${gettext("Your work is kept in this browser.")}` : error.message);
    } finally {
      this.#busy = false;
      this.removeAttribute("aria-busy");
    }
    for (const each of this.#typedAhead.splice(0)) if (this.#screen.working) this.#act(each);
  }

  #url(name, id = this.#item.document.id) {
    return this.#config.urls[name].replace("/documents/0/", `/documents/${id}/`).replace(/\/documents\/0$/, `/documents/${id}`);
  }
}

customElements.define("gold-annotator", GoldAnnotator);
