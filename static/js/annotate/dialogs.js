/* Questions to the person, as modal dialogs that stand in the page; each gives the value of the button pressed,
   and "" when it was closed with Escape. */

import { same } from "goldset/annotate/spans.js";
import { gettext } from "goldset/texts.js";

export function ask(dialog) {
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue), { once: true });
  });
}

/* The reason for skipping, or null. */
export async function askReason(dialog) {
  const field = dialog.querySelector("[name=reason]");
  field.value = "";
  for (const quick of dialog.querySelectorAll("[data-reason]")) {
    quick.onclick = () => {
      field.value = quick.dataset.reason;
      field.focus();
    };
  }
  return (await ask(dialog)) === "skip" ? field.value.trim() : null;
}

/* A text to keep, or null where it shall stay as it is. */
export async function askText(dialog, text) {
  const field = dialog.querySelector("textarea");
  field.value = text;
  return (await ask(dialog)) === "keep" ? field.value.trim() : null;
}

/* Both versions side by side, as what only one of them has; gives "mine", "theirs" or "". One question at a time. */
export function askConflict(dialog, { grid, mine, theirs, key }) {
  asking = asking.then(() => {
    dialog.querySelector("[data-part=conflict-key]").textContent = key;
    show(dialog.querySelector("[data-part=mine]"), grid, mine, theirs);
    show(dialog.querySelector("[data-part=theirs]"), grid, theirs, mine);
    return ask(dialog);
  });
  return asking;
}

let asking = Promise.resolve();

function show(list, grid, spans, others) {
  const rows = spans.map((span) => {
    const row = document.createElement("li");
    const only = !others.some((other) => same(span, other));
    const text = `${span.label}: ${grid.range(span.start, span.end)}`;
    row.textContent = only ? gettext("{text} (only here)", { text }) : text;
    if (only) row.className = "only";
    return row;
  });
  if (!rows.length) {
    const none = document.createElement("li");
    none.textContent = gettext("No spans.");
    rows.push(none);
  }
  list.replaceChildren(...rows);
}
