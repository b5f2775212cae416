/* <gold-review>: the page on which a reviewer decides about one text after the other. Its markup, with the differences
   as a table of choices, is templates/labeling/review_document.html; its data the JSON in the script that `config`
   names. What is decided goes to the server before the next text comes, which is fetched ahead. */

import { ApiError, call } from "goldset/api.js";
import { ask } from "goldset/annotate/dialogs.js";
import { Editor } from "goldset/annotate/editor.js";
import { Grid } from "goldset/annotate/grid.js";
import { hotkeysOf, isElsewhere as isOutsideText, keymap, meaning as editing } from "goldset/annotate/keys.js";
import { Palette } from "goldset/annotate/palette.js";
import { Screen } from "goldset/annotate/screen.js";
import { Decision, settledAtFirst } from "goldset/review/decision.js";
import { isElsewhere, meaning } from "goldset/review/keys.js";
import { gettext } from "goldset/texts.js";

const before = []; // addresses of the texts decided in this page, to go back to

class GoldReview extends HTMLElement {
  #config;
  #screen = new Screen(this);
  #keys;
  #hotkeys;
  #grid;
  #decision;
  #editor;
  #rows;
  #at = 0; // the difference at hand
  #correcting = false;
  #busy = false;
  #ahead; // the next page, on its way
  #leaving = new AbortController();

  connectedCallback() {
    const { signal } = this.#leaving;
    this.#config = JSON.parse(document.getElementById(this.getAttribute("config")).textContent);
    const { document: text, labels, keys, differences, agreed, people, accepted } = this.#config;
    this.#grid = new Grid(text.text, text.tokens);
    this.#decision = new Decision(text.tokens.length, { agreed, differences, settled: settledAtFirst(differences, { people, accepted }) });
    this.#decision.addEventListener("change", () => this.#show(), { signal });
    const usable = labels.filter(({ retired }) => !retired);
    this.#keys = keymap(keys);
    this.#hotkeys = hotkeysOf(usable, this.#keys);
    this.#screen.showKeys(this.#keys);
    const palette = new Palette(this.#screen.part("palette"), usable, this.#hotkeys, (name) => {
      this.#correct(true);
      if (name) this.#editor.label(name);
      this.#editor.focus();
    });
    this.#editor = new Editor({ grid: this.#grid, work: this.#decision, labels, suggested: false, screen: this.#screen, palette, signal });
    this.#rows = [...this.querySelectorAll("[data-difference]")];
    this.#markDifferences();
    document.addEventListener("keydown", (event) => this.#key(event), { signal });
    this.addEventListener("click", (event) => this.#click(event), { signal });
    this.addEventListener("change", ({ target }) => this.#choose(target), { signal });
    this.#screen.part("text").addEventListener("pointerdown", () => this.#correct(true, { focus: false }), { signal });
    this.#show();
    this.#begin();
    this.#ahead = fetchPage(this.#config.urls.next).catch(() => null);
  }

  disconnectedCallback() {
    this.#leaving.abort();
  }

  #begin() {
    const first = this.#decision.undecided();
    if (this.#rows.length) this.#goTo(Math.max(first, 0));
    else this.#screen.part("home").focus();
    this.#screen.announce(gettext("A text to review."));
  }

  // Keys, buttons, choices -------------------------------------------------------------------------------

  #key(event) {
    if (event.defaultPrevented || (this.#correcting ? isOutsideText(event) && !this.#isChoice(event) : isElsewhere(event))) return;
    const found = this.#correcting ? editing(event, this.#keys, this.#hotkeys) : meaning(event);
    if (!found || (this.#correcting && found.command === "unsure")) return;
    event.preventDefault();
    if (this.#busy) return;
    if (this.#correcting) this.#edit(found);
    else if (found.take !== undefined) this.#take(found.take);
    else if (found.takeAll !== undefined) this.#takeAll(found.takeAll);
    else this.#do(found.command);
  }

  #isChoice({ target }) {
    return target.matches("input[type=radio]");
  }

  #edit({ label, command, extend }) {
    if (label) this.#editor.label(label);
    else if (command === "submit") this.#accept();
    else if (command === "collapse") this.#correct(false);
    else if (command === "help") ask(this.#screen.part("help"));
    else this.#editor.do(command === "back" ? "remove" : command, { extend });
  }

  #click({ target }) {
    const { command, version, go } = target.closest("[data-command], [data-version], [data-go]")?.dataset ?? {};
    if (version !== undefined) this.#takeAll(Number(version));
    else if (go !== undefined) this.#goTo(Number(go));
    else if (command) this.#do(command);
  }

  #choose(input) {
    if (input.type !== "radio" || !this.contains(input)) return;
    const row = input.closest("[data-difference]");
    if (!row) return;
    this.#at = Number(row.dataset.difference);
    if (Number(input.value) < 0) this.#refuse();
    else this.#decision.take(this.#at, Number(input.value));
  }

  #do(command) {
    if (command === "decide") this.#accept();
    else if (command === "next") this.#goOn();
    else if (command === "before") this.#goBack();
    else if (command === "nextDifference") this.#goTo(this.#at + 1);
    else if (command === "previousDifference") this.#goTo(this.#at - 1);
    else if (command === "correct") this.#correct(!this.#correcting);
    else if (command === "majority") this.#majority();
    else if (command === "return") this.#giveBack();
    else if (command === "takeBack") this.#takeBack();
    else if (command === "help") ask(this.#screen.part("help"));
    else this.#editor.do(command); // undo, redo, remove
    if (["undo", "redo"].includes(command) && !this.#correcting) this.#goTo(this.#at);
  }

  // Deciding ---------------------------------------------------------------------------------------------

  /* Takes a version's reading of the difference at hand, and goes to the next that is not decided. */
  #take(version) {
    if (!this.#rows.length) return;
    if (version < 0) return void this.#refuse();
    if (version >= this.#config.versions.length) return;
    this.#decision.take(this.#at, version);
    this.#screen.announce(this.#stateOf(this.#at));
    this.#onward();
  }

  #refuse() {
    this.#decision.refuse(this.#at);
    this.#correct(true);
  }

  #takeAll(version) {
    if (version >= this.#config.versions.length) return;
    if (version < 0) this.#decision.refuseAll();
    else this.#decision.takeAll(version);
    this.#screen.announce(gettext("All is decided. Enter accepts."));
    if (version < 0) this.#correct(true);
    else this.#goTo(this.#at);
  }

  #majority() {
    this.#decision.takeMajority(this.#config.people);
    this.#onward();
  }

  #onward() {
    const next = this.#decision.undecided(this.#at);
    if (next >= 0) this.#goTo(next);
    else this.#screen.announce(gettext("All is decided. Enter accepts."));
  }

  #goTo(at) {
    if (!this.#rows.length) return;
    this.#correct(false, { focus: false });
    this.#at = Math.max(0, Math.min(at, this.#rows.length - 1));
    this.#show();
    const row = this.#rows[this.#at];
    (row.querySelector("input:checked") ?? row.querySelector("input")).focus({ preventScroll: true });
    row.scrollIntoView({ block: "nearest" });
    this.#tokens(this.#at)[0]?.scrollIntoView({ block: "nearest" });
  }

  /* Into the text, at the difference at hand, to label by hand; or back to comparing. */
  #correct(on, { focus = true } = {}) {
    const was = this.#correcting;
    this.#correcting = on;
    this.dataset.mode = on ? "correct" : "compare";
    this.#screen.press("correct", on);
    if (on === was || !focus) return;
    this.#screen.announce(on ? gettext("Correcting: the annotate page's keys hold. Escape goes back to comparing.") : gettext("Comparing."));
    if (!on) return void (this.#rows.length ? this.#goTo(this.#at) : this.#screen.part("home").focus());
    this.#editor.goTo(this.#config.differences[this.#at]?.start ?? 0);
  }

  // What is shown ----------------------------------------------------------------------------------------

  #markDifferences() {
    this.#config.differences.forEach((_, at) => {
      const tokens = this.#tokens(at);
      tokens.forEach((token) => token.classList.add("differs"));
      tokens[0].dataset.number = at + 1;
    });
  }

  #tokens(at) {
    const { start, end } = this.#config.differences[at] ?? { start: 0, end: 0 };
    return Array.from({ length: end - start }, (_, offset) => this.querySelector(`[data-token="${start + offset}"]`));
  }

  #show() {
    this.#rows.forEach((row, at) => {
      const chosen = this.#decision.chosen(at);
      row.classList.toggle("current", at === this.#at);
      row.classList.toggle("undecided", chosen === null);
      for (const input of row.querySelectorAll("input")) {
        const version = Number(input.value);
        input.checked = chosen !== null && (chosen.length ? version === this.#preferred(row, chosen) : version < 0);
        input.closest("td").classList.toggle("chosen", chosen !== null && (chosen.includes(version) || (!chosen.length && version < 0)));
      }
      row.querySelector("[data-part=state]").textContent = this.#stateOf(at);
      for (const token of this.#tokens(at)) {
        token.classList.toggle("undecided", chosen === null);
        token.classList.toggle("current", at === this.#at);
      }
    });
    const open = this.#rows.filter((row) => row.classList.contains("undecided")).length;
    this.#screen.part("open").textContent = open ? gettext("Differences not decided: {count}", { count: open }) : gettext("All is decided. Enter accepts.");
    this.#screen.part("open").dataset.open = open;
  }

  /* Where several versions say the same, the one that the person pressed. */
  #preferred(row, chosen) {
    const pressed = Number(row.querySelector("input:checked")?.value ?? -1);
    return chosen.includes(pressed) ? pressed : chosen[0];
  }

  #stateOf(at) {
    const chosen = this.#decision.chosen(at);
    const { versions } = this.#config;
    if (chosen === null) return gettext("not decided");
    if (!chosen.length) return gettext("as nobody has it");
    return gettext("as {names}", { names: chosen.map((version) => versions[version]).join(", ") });
  }

  // To the server, and on --------------------------------------------------------------------------------

  async #accept() {
    const open = this.#decision.undecided(this.#at);
    if (open >= 0) {
      this.#goTo(open);
      return this.#screen.notice(gettext("Decide about this difference first; 0 says that none is right."));
    }
    const { annotations, urls, seen } = this.#config;
    const whole = annotations[this.#decision.whole];
    const decided = whole ? { annotation: whole.id } : { tags: this.#decision.tags };
    if (!whole && !this.#decision.canUndo && !annotations.length) return this.#screen.notice(gettext("Nobody has submitted a version of this text; correct it first."));
    return this.#guarded(async () => {
      await call("POST", urls.acceptance, { ...decided, seen });
      before.push(location.pathname);
      await this.#open(this.#ahead, urls.next);
    });
  }

  async #giveBack() {
    const dialog = this.#screen.part("return");
    if (!dialog) return;
    const answer = await ask(dialog);
    const fields = new FormData(dialog.querySelector("form"));
    const whose = fields.getAll("annotation").map(Number);
    if (answer !== "return") return this.#goTo(this.#at);
    if (!whose.length) return this.#screen.notice(gettext("Choose whose version is returned."));
    return this.#guarded(async () => {
      for (const annotation of whose) await call("POST", this.#config.urls.return, { annotation, note: fields.get("note").trim() });
      before.push(location.pathname);
      await this.#open(this.#ahead, this.#config.urls.next);
    });
  }

  async #takeBack() {
    if (this.#config.seen.status !== "accepted") return;
    await this.#guarded(async () => {
      await call("DELETE", this.#config.urls.acceptance);
      await this.#open(fetchPage(location.href), location.href);
    });
  }

  #goOn() {
    return this.#guarded(async () => {
      before.push(location.pathname);
      await this.#open(this.#ahead, this.#config.urls.next);
    });
  }

  #goBack() {
    const last = before.pop();
    if (!last) return this.#screen.announce(gettext("This is the first text that you reviewed on this page."));
    return this.#guarded(() => this.#open(fetchPage(last), last));
  }

  /* Puts a page in the place of this one; a page of another kind is loaded as a whole. */
  async #open(coming, address) {
    const page = (await coming) ?? (await fetchPage(address));
    const main = page.document.querySelector("main:has(gold-review)");
    if (!main) return location.assign(page.url);
    history.replaceState(null, "", page.url);
    document.title = page.document.title;
    document.querySelector("main").replaceWith(document.adoptNode(main));
    scrollTo(0, 0);
    return undefined;
  }

  async #guarded(step) {
    if (this.#busy) return;
    this.#busy = true;
    this.setAttribute("aria-busy", "true");
    try {
      await step();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error; // a fault of ours: let it be seen
      this.#screen.notice(error.message);
      this.#screen.part("reload").hidden = error.code !== "changed_meanwhile";
    } finally {
      this.#busy = false;
      this.removeAttribute("aria-busy");
    }
  }
}

async function fetchPage(address) {
  const response = await fetch(address, { headers: { Accept: "text/html" } }).catch(() => null);
  if (!response?.ok) throw new ApiError(response?.status ?? 0, { code: "offline", message: gettext("The server cannot be reached.") });
  return { url: response.url, document: new DOMParser().parseFromString(await response.text(), "text/html") };
}

customElements.define("gold-review", GoldReview);
