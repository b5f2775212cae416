/* Uploads: one request whose progress shows, and a large file in parts, which goes on where it was cut off: after a lost
   connection by itself, after a closed page when the same file is sent again. */

import { ApiError, call, csrfToken } from "goldset/api.js";
import { gettext } from "goldset/texts.js";

const PART = 8 << 20;
const TRIES = 10;
const LONGEST_WAIT = 30_000; // ms

/* With XMLHttpRequest, because fetch does not tell how far an upload is. */
export function send(method, url, body, progress) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open(method, url);
    request.setRequestHeader("X-CSRFToken", csrfToken());
    if (body instanceof Blob) request.setRequestHeader("Content-Type", "application/octet-stream");
    request.responseType = "json";
    request.upload.onprogress = ({ loaded, total }) => progress?.(loaded, total);
    request.onload = () => {
      if (request.status < 300) resolve(request.response);
      else reject(new ApiError(request.status, request.response?.error));
    };
    request.onerror = () => reject(new ApiError(0, { code: "offline", message: gettext("The server cannot be reached.") }));
    request.send(body);
  });
}

/* Send a file; gives its id. `waiting(true)` says that the connection is lost and will be tried again. */
export async function sendInParts(uploads, file, progress, waiting) {
  const name = `upload ${uploads} ${file.name} ${file.size} ${file.lastModified}`;
  const begun = (await resumed(localStorage.getItem(name))) ?? (await call("POST", uploads, { name: file.name, size: file.size }));
  const url = `${uploads}/${begun.upload}`;
  localStorage.setItem(name, url);
  let offset = begun.offset;
  let failures = 0;
  while (offset < file.size) {
    progress(offset, file.size);
    try {
      const part = file.slice(offset, offset + PART);
      ({ offset } = await send("PUT", `${url}?offset=${offset}`, part, (loaded) => progress(offset + loaded, file.size)));
      failures = 0;
    } catch (error) {
      const elsewhere = error.details?.offset;
      if (!(error.offline || elsewhere !== undefined) || ++failures > TRIES) throw error;
      waiting(error.offline);
      await pause(Math.min(LONGEST_WAIT, 500 * 2 ** failures));
      offset = elsewhere ?? (await resumed(url))?.offset ?? offset;
    }
    waiting(false);
  }
  progress(file.size, file.size);
  return { upload: begun.upload, forget: () => localStorage.removeItem(name) };
}

async function resumed(url) {
  if (!url) return null;
  try {
    return await call("GET", url);
  } catch {
    return null; // it is gone, or the server is away: then the next part says so
  }
}

function pause(milliseconds) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
