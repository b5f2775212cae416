/* Which key does what on the annotate page, as a table, and the keys of the labels. */

const COMMANDS = {
  ArrowLeft: "left",
  ArrowRight: "right",
  ArrowUp: "up",
  ArrowDown: "down",
  Home: "first",
  End: "last",
  Delete: "remove",
  Backspace: "remove",
  Enter: "submit",
  " ": "skip",
  Escape: "collapse",
  "?": "help",
  "/": "find",
  "]": "nextSpan",
  "[": "previousSpan",
  a: "accept",
  x: "reject",
  A: "acceptAll",
  X: "rejectAll",
  f: "flag",
  c: "comment",
};
const WITH_CONTROL = { z: "undo", y: "redo", Z: "redo", Enter: "submit" };
const MAY_EXTEND = new Set(["left", "right", "up", "down", "first", "last"]);

/* {command, extend} for a key event, {label} for a label's key, or null. */
export function meaning(event, hotkeys) {
  if (event.altKey) return null;
  if (event.ctrlKey || event.metaKey) {
    const key = event.shiftKey && event.key === "z" ? "Z" : event.key;
    return WITH_CONTROL[key] ? { command: WITH_CONTROL[key] } : null;
  }
  const key = keyOf(event);
  const command = COMMANDS[key];
  if (command) return { command, extend: event.shiftKey && MAY_EXTEND.has(command) };
  const label = hotkeys.get(key);
  return label ? { label } : null;
}

/* An input method, as for Chinese, hides the key; then its place on the keyboard tells. */
function keyOf({ key, code, shiftKey }) {
  if (key !== "Process") return key;
  const name = /^(?:Digit|Key)(.)$/.exec(code)?.[1] ?? key;
  return shiftKey ? name : name.toLowerCase();
}

const FREE_KEYS = [..."1234567890qwertyuiopsdhjklzvbnmQWERTYUIOPSDFGHJKLZCVBNM"];

/* key -> label. A label's own key first; the others get digits, then letters. Keys of commands are never given. */
export function hotkeysOf(labels) {
  const keys = new Map();
  for (const { name, hotkey } of labels) if (hotkey && !(hotkey in COMMANDS)) keys.set(hotkey, name);
  const free = FREE_KEYS.filter((key) => !keys.has(key));
  const served = new Set(keys.values());
  for (const { name } of labels) if (!served.has(name) && free.length) keys.set(free.shift(), name);
  return keys;
}

/* Whether the key belongs to what has the focus (a field, a button, an open dialog) and not to the text. */
export function isElsewhere(event) {
  if (document.querySelector("dialog[open]")) return true;
  if (event.target.closest("input, textarea, select, [contenteditable]")) return true;
  const pressable = event.target.closest("button, a, summary");
  return Boolean(pressable) && ["Enter", " "].includes(event.key);
}
