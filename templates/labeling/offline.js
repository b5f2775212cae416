/* The annotate page's service worker: where the server does not answer, it says so, and what is kept in this browser.
   It caches nothing, so nothing can be out of date. */

const PAGE = "{{ page|escapejs }}";

addEventListener("install", () => skipWaiting());

addEventListener("fetch", (event) => {
  if (event.request.mode === "navigate" && event.request.method === "GET") event.respondWith(answer(event.request));
});

async function answer(request) {
  try {
    const given = await fetch(request);
    if (given.status < 502) return given; // above, it is a proxy that speaks
  } catch {
    // no connection
  }
  return new Response(PAGE, { status: 503, headers: { "Content-Type": "text/html; charset=utf-8" } });
}
