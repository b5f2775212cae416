/* Selecting with mouse, pen or finger. A drag extends the selection; one that begins at a span's edge moves that edge;
   a double click labels the token. A finger that moves up or down scrolls instead (`touch-action: pan-y`), and then the
   selection goes back to what it was. */

export function selectByPointer(root, view, cursor, { released, extending, edgeAt, resize, label, signal }) {
  let before = null;
  let edge = null; // the span whose edge is dragged, and its end that stays

  root.addEventListener("pointerdown", (event) => {
    const index = view.indexAt(event.clientX, event.clientY);
    if (index === null || event.button !== 0) return;
    before = cursor.range;
    if (event.pointerType === "mouse") event.preventDefault(); // or the browser would select text of its own
    edge = event.pointerType === "mouse" && !event.shiftKey ? edgeAt(index, view.sideAt(index, event.clientX)) : null;
    if (edge) cursor.anchorAt(edge.stays, edge.moves);
    else cursor.to(index, { extend: event.shiftKey || extending() });
  }, { signal });

  root.addEventListener("pointermove", (event) => {
    if (!before) return;
    const index = view.indexAt(event.clientX, event.clientY);
    if (index !== null && index !== cursor.index) cursor.to(index, { extend: true });
  }, { signal });

  root.addEventListener("dblclick", (event) => {
    if (view.indexAt(event.clientX, event.clientY) !== null) label();
  }, { signal });

  // On the document: a drag may well end outside the text.
  document.addEventListener("pointerup", () => {
    if (!before) return;
    before = null;
    if (edge) resize(edge.span, cursor.range);
    else released();
    edge = null;
  }, { signal });

  document.addEventListener("pointercancel", () => {
    if (!before) return;
    cursor.select(before.start, before.end, { focus: false });
    before = edge = null;
  }, { signal });
}
