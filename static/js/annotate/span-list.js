/* The list of spans and open suggestions beside the text, each with what can be done about it.
   Emits `act` with {action: show | remove | accept | reject, span}. */

import { keyOf } from "goldset/annotate/spans.js";
import { gettext } from "goldset/texts.js";

const MOST = 300; // more rows help nobody; the text itself shows them all

export class SpanList extends EventTarget {
  #root;
  #grid;
  #colors;
  #rows = new Map(); // key -> element

  constructor(root, grid, labels) {
    super();
    this.#root = root;
    this.#grid = grid;
    this.#colors = new Map(labels.map(({ name, color }) => [name, color]));
  }

  /* Makes and takes away only the rows that change. */
  sync(spans, suggestions) {
    const rows = [
      ...spans.map((span) => ({ key: keyOf(span), span, suggested: false })),
      ...suggestions.map((span) => ({ key: `?${keyOf(span)}`, span, suggested: true })),
    ].sort((one, other) => one.span.start - other.span.start);
    const shown = new Map(rows.slice(0, MOST).map((row) => [row.key, this.#rows.get(row.key) ?? this.#row(row)]));
    this.#rows = shown;
    if (rows.length > MOST) this.#place([...shown.values(), made("li", "soft small", gettext("and {count} more in the text", { count: rows.length - MOST }))]);
    else if (!rows.length) this.#place([made("li", "soft small", gettext("Nothing is marked yet."))]);
    else this.#place([...shown.values()]);
  }

  #place(rows) {
    const wanted = new Set(rows);
    for (const row of [...this.#root.children]) if (!wanted.has(row)) row.remove();
    let at = this.#root.firstElementChild;
    for (const row of rows) {
      if (row === at) at = at.nextElementSibling;
      else this.#root.insertBefore(row, at);
    }
  }

  #row({ span, suggested }) {
    const row = made("li", suggested ? "span-row suggested" : "span-row");
    row.style.setProperty("--label", this.#colors.get(span.label) ?? "#888888");
    const text = this.#grid.range(span.start, span.end);
    const show = this.#button("show", span, "", gettext("Go to {text}", { text }), "plain span-text");
    show.append(made("bdi", "", text), made("span", "tag", `${span.label}${suggested ? "?" : ""}`));
    row.append(show);
    if (suggested) {
      row.append(this.#button("accept", span, "✓", gettext("Accept {label}: {text}", { label: span.label, text })));
      row.append(this.#button("reject", span, "✕", gettext("Reject {label}: {text}", { label: span.label, text })));
    } else row.append(this.#button("remove", span, "✕", gettext("Remove {label}: {text}", { label: span.label, text })));
    return row;
  }

  #button(action, span, text, name, className = "quiet small") {
    const button = made("button", className, text);
    button.type = "button";
    if (text) {
      button.setAttribute("aria-label", name);
      button.title = name;
    }
    button.addEventListener("click", () => {
      this.dispatchEvent(new CustomEvent("act", { detail: { action, span } }));
    });
    return button;
  }
}

function made(name, className, text = "") {
  const element = document.createElement(name);
  element.className = className;
  element.textContent = text;
  return element;
}
