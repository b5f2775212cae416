/* Forms that speak to the REST door: `<form data-api="POST" action="/api/v1/…">`. Fields become JSON, or multipart where
   the form says so; `data-then` says where to go: an address in which {id} stands for the job's or row's id, or
   nothing to load the page anew. What went wrong is shown at the form's head. */

import { ApiError, call } from "goldset/api.js";
import { gettext } from "goldset/texts.js";
import { send, sendInParts } from "goldset/upload-parts.js";

document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!form.dataset.api || event.defaultPrevented) return;
  event.preventDefault();
  const body = new FormData(form, event.submitter?.name ? event.submitter : null); // before the button is disabled
  const buttons = form.querySelectorAll("button");
  buttons.forEach((button) => (button.disabled = true));
  try {
    complain(form, "");
    const answer = form.enctype === "multipart/form-data" ? await upload(form, body) : await call(form.dataset.api, form.action, fields(form));
    go(form.dataset.then, answer);
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    complain(form, error.message);
    buttons.forEach((button) => (button.disabled = false));
  }
});

/* Names and values; a name with a dot makes an object, numbers are numbers, what is marked `data-json` is JSON,
   and what is left empty is left out. */
function fields(form) {
  const body = {};
  for (const [name, text] of new FormData(form)) {
    if (text === "") continue;
    const number = form.elements[name]?.type === "number";
    const value = number ? Number(text) : "json" in (form.elements[name]?.dataset ?? {}) ? JSON.parse(text) : text;
    const [outer, inner] = name.split(".");
    if (inner) (body[outer] ??= {})[inner] = value;
    else body[outer] = value;
  }
  return body;
}

/* One request, or a large file in parts where the form says to which address those go (`data-uploads`). */
async function upload(form, body) {
  const bar = form.querySelector("progress");
  const progress = (value, max) => bar && Object.assign(bar, { hidden: false, max, value });
  for (const [name, value] of [...body]) if (value === "") body.delete(name);
  const file = body.get("file");
  try {
    if (!(file?.size > Number(form.dataset.partsFrom))) return await send(form.dataset.api, form.action, body, progress);
    const sent = await sendInParts(form.dataset.uploads, file, progress, (lost) => complain(form, lost ? gettext("The connection is lost. The upload goes on where it was cut off as soon as the server answers.") : ""));
    body.delete("file");
    body.set("upload", sent.upload);
    const answer = await send(form.dataset.api, form.action, body);
    sent.forget();
    return answer;
  } finally {
    if (bar) bar.hidden = true;
  }
}

function go(address, answer) {
  const id = answer?.job?.id ?? answer?.job ?? answer?.id;
  if (address) location.assign(address.replace("{id}", id));
  else location.reload();
}

function complain(form, text) {
  let notice = form.querySelector(":scope > .notice.error");
  if (!notice) {
    notice = document.createElement("div");
    notice.className = "notice error";
    notice.setAttribute("role", "alert");
    notice.append(document.createElement("div"));
    form.prepend(notice);
  }
  notice.hidden = !text;
  notice.firstChild.textContent = text;
  if (text) notice.scrollIntoView({ block: "nearest" });
}
