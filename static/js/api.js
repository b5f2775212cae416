/* The REST door, from the browser: JSON in and out, the session's CSRF token, one error shape.
   Raises ApiError; `status` 0 means that the server could not be reached. */

import { gettext } from "goldset/texts.js";

export class ApiError extends Error {
  constructor(status, { code = "error", message = gettext("The server answered in an unknown way."), details = {} } = {}) {
    super(message);
    Object.assign(this, { status, code, details });
  }

  get offline() {
    return this.status === 0 || this.status >= 502;
  }
}

const SIGNED_OUT = {
  code: "signed_out",
  message: gettext("You are signed out. Sign in again in another tab, then go on here."),
};

export async function call(method, url, body, { keepalive = false } = {}) {
  let response;
  try {
    response = await fetch(url, { method, keepalive, ...payload(body) });
  } catch {
    throw new ApiError(0, { code: "offline", message: gettext("The server cannot be reached.") });
  }
  if (response.status === 204) return null;
  const answer = await response.json().catch(() => null);
  if (response.status === 401) throw new ApiError(401, SIGNED_OUT);
  if (!response.ok) throw new ApiError(response.status, answer?.error);
  return answer;
}

function payload(body) {
  const headers = { Accept: "application/json", "X-CSRFToken": csrfToken() };
  if (body === undefined) return { headers };
  if (body instanceof FormData) return { headers, body };
  return { headers: { ...headers, "Content-Type": "application/json" }, body: JSON.stringify(body) };
}

/* From the cookie, since a new sign-in in another tab changes it; the page's own is the one it came with. */
export function csrfToken() {
  const meta = document.querySelector('meta[name="csrf-token"]');
  const start = `${meta.dataset.cookie}=`;
  const cookie = document.cookie.split("; ").find((each) => each.startsWith(start));
  return cookie ? cookie.slice(start.length) : meta.content;
}
