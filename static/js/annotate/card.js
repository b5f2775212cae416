/* A label's card: what the label is for, and spans with it that people have accepted, fetched when it is asked for.
   The definition stands in the page and is there without the server. */

import { call } from "goldset/api.js";
import { ask } from "goldset/annotate/dialogs.js";
import { gettext } from "goldset/texts.js";

/* Resolves when it is closed. `labels` as in the page's data; it begins with `name`. */
export function showCard(dialog, { labels, name, url }) {
  const part = (each) => dialog.querySelector(`[data-part=${each}]`);
  const choice = dialog.querySelector("select");
  choice.replaceChildren(...labels.map((label) => new Option(label.name, label.name, false, label.name === name)));
  choice.onchange = async () => {
    const { value } = choice;
    const { description, color } = labels.find((label) => label.name === value);
    dialog.style.setProperty("--label", color);
    part("definition").textContent = description || gettext("No definition was written for it.");
    say(gettext("Fetching examples…"));
    const said = await examplesOf(url, value);
    if (choice.value === value) say(...said); // or else another one has been chosen meanwhile
  };
  const say = (text, rows = []) => {
    part("examples-said").textContent = text;
    part("examples").replaceChildren(...rows.map(inContext));
  };
  choice.onchange();
  return ask(dialog);
}

async function examplesOf(url, label) {
  try {
    const { examples } = await call("GET", `${url}?label=${encodeURIComponent(label)}`);
    return [examples.length ? gettext("Accepted by reviewers, the newest first:") : gettext("Nothing was accepted with this label yet."), examples];
  } catch (error) {
    if (error.status === undefined) throw error; // a fault of ours: let it be seen
    return [error.message];
  }
}

/* A row of a list: a span with what stands around it. */
export function inContext({ before, text, after }) {
  const item = document.createElement("li");
  item.dir = "auto";
  const mark = document.createElement("mark");
  mark.className = "entity";
  mark.textContent = text;
  item.append(before, mark, after);
  return item;
}
