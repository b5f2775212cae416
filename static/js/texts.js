/* Words for people in the page's language: from the catalogue that stands in the page, or else as they are given.
   `{name}` in them stands for a value. */

const catalogue = JSON.parse(document.getElementById("texts")?.textContent ?? "{}");
const rules = new Intl.PluralRules(document.documentElement.lang || "en");
const forms = ["zero", "one", "two", "few", "many", "other"].filter((form) => rules.resolvedOptions().pluralCategories.includes(form));

export function gettext(text, values) {
  return fill(catalogue[text] ?? text, values);
}

/* The form that fits `count`, which stands for `{count}`. */
export function ngettext(one, many, count) {
  const found = catalogue[one] ?? [one, many];
  return fill(found[forms.indexOf(rules.select(count))] ?? found.at(-1), { count });
}

function fill(text, values) {
  return values ? text.replace(/\{(\w+)\}/g, (_, name) => values[name]) : text;
}
