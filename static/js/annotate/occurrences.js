/* Every occurrence in the project: asks the server what would be suggested, shows it, does it, and undoes it. */

import { call } from "goldset/api.js";
import { inContext } from "goldset/annotate/card.js";
import { ask } from "goldset/annotate/dialogs.js";
import { gettext, ngettext } from "goldset/texts.js";

/* The step that was made, or null where the person went back. Raises ApiError. */
export async function suggestEverywhere(dialog, { url, tokens, label, color, document: here }) {
  const found = await call("POST", `${url}/preview`, { tokens, label, document: here });
  const part = (name) => dialog.querySelector(`[data-part=${name}]`);
  dialog.style.setProperty("--label", color);
  part("occurrences-what").textContent = `${label}: ${tokens.join(" ")}`;
  part("occurrences-count").textContent = describe(found);
  part("contexts").replaceChildren(...found.contexts.map(row));
  part("replace").closest("label").hidden = !found.conflicts;
  part("replace").checked = false;
  dialog.querySelector("[value=suggest]").disabled = !found.occurrences;
  if ((await ask(dialog)) !== "suggest") return null;
  return call("POST", url, { tokens, label, document: here, replace: part("replace").checked });
}

export function undoStep(url, { id }) {
  return call("DELETE", `${url}/${id}`);
}

/* How many places in how many texts, in words. */
export function placesIn({ occurrences, documents }) {
  const places = ngettext("{count} place", "{count} places", occurrences);
  return gettext("{places} in {texts}", { places, texts: ngettext("{count} open text", "{count} open texts", documents) });
}

function describe({ documents, occurrences, conflicts, more }) {
  if (!occurrences) return gettext("It stands in no other open text without being suggested already.");
  const clash = conflicts ? ` ${gettext("At {conflicts} of them another suggestion stands.", { conflicts })}` : "";
  return `${placesIn({ occurrences, documents })}.${clash}${more ? ` ${gettext("There are more; do it again afterwards.")}` : ""}`;
}

function row({ conflicts, ...place }) {
  const item = inContext(place);
  if (conflicts.length) {
    const note = document.createElement("span");
    note.className = "badge warn";
    note.textContent = `≠ ${conflicts.map(({ label, model }) => `${label} (${model})`).join(", ")}`;
    item.append(" ", note);
  }
  return item;
}
