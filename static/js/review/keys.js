/* Which key does what while a reviewer compares versions. While a text is corrected, the annotate page's keys hold. */

const COMMANDS = {
  ArrowDown: "nextDifference",
  ArrowUp: "previousDifference",
  j: "nextDifference",
  k: "previousDifference",
  e: "correct",
  m: "majority",
  r: "return",
  t: "takeBack",
  Enter: "decide",
  " ": "next",
  Backspace: "before",
  "?": "help",
  "Ctrl+z": "undo",
  "Ctrl+y": "redo",
  "Ctrl+Z": "redo",
};

/* {command}, {take: version} for a difference, {takeAll: version} for all of them; version -1 for "none is right". */
export function meaning(event) {
  if (event.altKey || event.isComposing) return null;
  const digit = /^(?:Digit|Numpad)(\d)$/.exec(event.code)?.[1];
  if (digit && !event.ctrlKey && !event.metaKey) {
    const version = Number(digit) - 1;
    return event.shiftKey ? { takeAll: version } : { take: version };
  }
  const held = event.ctrlKey || event.metaKey ? "Ctrl+" : "";
  const key = held && event.shiftKey ? event.key.toUpperCase() : event.key;
  const command = COMMANDS[`${held}${key}`];
  return command ? { command } : null;
}

/* Whether the key belongs to what has the focus, or to an open dialog. Choices of a version give theirs away, all but
   those that choose. */
export function isElsewhere({ target, key }) {
  if (document.querySelector("dialog[open]")) return true;
  if (target.closest("textarea, select, input:not([type=radio])")) return true;
  if (target.closest("input")) return key === " ";
  return Boolean(target.closest("button, a, summary")) && ["Enter", " "].includes(key);
}
