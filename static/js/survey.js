/* What a file holds, before it is imported: its format, how many texts and which labels. Nothing of it is kept. */

import { call } from "goldset/api.js";

const WHOLE = 19_000_000; // bytes; of a larger file the beginning is looked at
const HEAD = 4_000_000;

export function survey(url, file) {
  const body = new FormData();
  body.set("file", file.size > WHOLE ? file.slice(0, HEAD) : file, file.name);
  return call("POST", url, body);
}
