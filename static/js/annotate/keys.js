/* Which key does what on the annotate page, as a table, with what a person has changed in their profile;
   and the keys of the labels. Keys are named as in `KeyboardEvent.key`, after `Ctrl+` where that is held down. */

export const COMMANDS = {
  ArrowLeft: "left",
  ArrowRight: "right",
  ArrowUp: "up",
  ArrowDown: "down",
  Home: "first",
  End: "last",
  "Ctrl+ArrowLeft": "previousSpan",
  "Ctrl+ArrowRight": "nextSpan",
  Tab: "unsure",
  Delete: "remove",
  Backspace: "back",
  "[": "growStart",
  "{": "shrinkStart",
  "]": "growEnd",
  "}": "shrinkEnd",
  a: "accept",
  x: "reject",
  A: "acceptAll",
  X: "rejectAll",
  g: "everywhere",
  s: "sticky",
  f: "flag",
  c: "comment",
  i: "about",
  h: "guidelines",
  "/": "find",
  " ": "skip",
  Enter: "submit",
  "Ctrl+z": "undo",
  "Ctrl+y": "redo",
  Escape: "collapse",
  "?": "help",
};
const ALSO = { "Ctrl+Z": "redo", "Ctrl+Enter": "submit" }; // second keys, which stay whatever a person changes
const MAY_EXTEND = new Set(["left", "right", "up", "down", "first", "last"]);
const SHOWN = { ArrowLeft: "←", ArrowRight: "→", ArrowUp: "↑", ArrowDown: "↓", " ": "Space", Delete: "Del", Escape: "Esc" };

/* key -> command: the table above, but for the commands that `changed` ({command: key}) gives another key. */
export function keymap(changed = {}) {
  const kept = Object.entries(COMMANDS).filter(([, command]) => !changed[command]);
  const given = Object.entries(changed).map(([command, key]) => [key, command]);
  return new Map([...Object.entries(ALSO), ...kept, ...given]);
}

/* {command, extend} for a key event, {label} for a label's key, or null. */
export function meaning(event, keys, hotkeys) {
  if (event.altKey || event.isComposing) return null;
  const key = keyOf(event);
  if (event.ctrlKey || event.metaKey) {
    const command = keys.get(`Ctrl+${event.shiftKey && key.length === 1 ? key.toUpperCase() : key}`);
    return command ? { command } : null;
  }
  const command = event.key === "Tab" && event.shiftKey ? null : keys.get(key);
  if (command) return { command, extend: event.shiftKey && MAY_EXTEND.has(command) };
  const label = hotkeys.get(key) ?? hotkeys.get(secondPage(event));
  return label ? { label } : null;
}

/* How a key event is named in the table. An input method, as for Chinese, hides the key; then its place on the
   keyboard tells. */
export function keyOf({ key, code, shiftKey }) {
  if (key !== "Process") return key;
  const name = /^(?:Digit|Key)(.)$/.exec(code)?.[1] ?? key;
  return shiftKey ? name : name.toLowerCase();
}

/* Shift with a digit, whatever sign the keyboard has there. */
function secondPage({ shiftKey, code }) {
  const digit = /^Digit(.)$/.exec(code)?.[1];
  return shiftKey && digit ? `Shift+${digit}` : null;
}

export const shown = (key) =>
  key.replace(/^Ctrl\+/, "Ctrl ").replace(/^Shift\+/, "⇧").replace(/\S+$| $/, (name) => SHOWN[name] ?? name);

/* key -> label. A label's own key first; the others get digits, then digits with Shift, then letters. Keys of
   commands are never given. */
export function hotkeysOf(labels, keys) {
  const found = new Map();
  for (const { name, hotkey } of labels) if (hotkey && !keys.has(hotkey)) found.set(hotkey, name);
  const served = new Set(found.values());
  const free = freeKeys().filter((key) => !found.has(key) && !keys.has(key));
  for (const { name } of labels) if (!served.has(name) && free.length) found.set(free.shift(), name);
  return found;
}

function freeKeys() {
  const digits = [..."1234567890"];
  const letters = [..."qwertyuopdjklzvbnm"];
  return [...digits, ...digits.map((digit) => `Shift+${digit}`), ...letters, ...letters.map((each) => each.toUpperCase())];
}

/* Whether the key belongs to what has the focus (a field, a button, something to read, an open dialog) and not to the
   text. Where nothing in particular has the focus, keys belong to the text; but Tab goes its way. */
export function isElsewhere({ target, key }) {
  if (document.querySelector("dialog[open]")) return true;
  if (key === "Tab") return !target.closest("[data-part=text]");
  return Boolean(target.closest("input, textarea, select, button, a, summary, [contenteditable], [data-part=guidelines]"));
}
