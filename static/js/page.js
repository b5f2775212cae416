/* Small behaviors of any page, found by data attributes: questions before a step that is hard to undo,
   menus that close, htmx requests that carry the CSRF token, dates in the reader's own time zone. */

import { csrfToken } from "goldset/api.js";
import { gettext } from "goldset/texts.js";

document.addEventListener("submit", (event) => {
  const question = event.submitter?.dataset.confirm ?? event.target.dataset.confirm;
  if (question && !window.confirm(question)) event.preventDefault();
});

document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of document.querySelectorAll("details.menu[open]")) menu.open = false;
});

document.addEventListener("htmx:configRequest", (event) => {
  event.detail.headers["X-CSRFToken"] = csrfToken();
});

function localTimes(root) {
  for (const time of root.querySelectorAll("time[datetime]")) {
    const date = new Date(time.dateTime);
    if (Number.isNaN(date.valueOf())) continue;
    time.textContent = date.toLocaleString(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" });
    time.title = date.toISOString();
  }
}
localTimes(document);
document.addEventListener("htmx:load", (event) => localTimes(event.detail.elt));

for (const button of document.querySelectorAll("[data-copy]")) {
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(button.dataset.copy);
    button.textContent = gettext("Copied");
  });
}

document.querySelector(".tabs a[aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });

/* `data-all="name"`: one box that ticks all boxes of that name; ticking one of them unticks it. */
document.addEventListener("change", ({ target }) => {
  const boxes = (name) => target.form?.querySelectorAll(`input[type=checkbox][name="${name}"]`) ?? [];
  if (target.dataset.all) for (const box of boxes(target.dataset.all)) box.checked = target.checked;
  const all = target.form?.querySelector(`[data-all="${target.name}"]`);
  if (all && target.name) all.checked = [...boxes(target.name)].every((box) => box.checked);
});

/* `data-when="id=value|other"`: shown, and if it is an option to be chosen, while that field has one of these values. */
function showWhen() {
  for (const part of document.querySelectorAll("[data-when]")) {
    const [id, values] = part.dataset.when.split("=");
    part.hidden = !values.split("|").includes(document.getElementById(id)?.value);
    if (part.localName === "option") part.disabled = part.hidden;
  }
  for (const chosen of document.querySelectorAll("option[data-when]:checked:disabled")) {
    chosen.parentElement.value = chosen.parentElement.querySelector("option:enabled")?.value ?? "";
  }
}
showWhen();
document.addEventListener("change", showWhen);
