/* Selecting with mouse, pen or finger. A drag extends the selection; a finger that moves up or down scrolls instead
   (`touch-action: pan-y`), and then the selection goes back to what it was. */

export function selectByPointer(root, view, cursor, { released, extending, signal }) {
  let before = null;

  root.addEventListener("pointerdown", (event) => {
    const index = view.indexAt(event.clientX, event.clientY);
    if (index === null || event.button !== 0) return;
    before = cursor.range;
    if (event.pointerType === "mouse") event.preventDefault(); // or the browser would select text of its own
    cursor.to(index, { extend: event.shiftKey || extending() });
  }, { signal });

  root.addEventListener("pointermove", (event) => {
    if (!before) return;
    const index = view.indexAt(event.clientX, event.clientY);
    if (index !== null && index !== cursor.index) cursor.to(index, { extend: true });
  }, { signal });

  // On the document: a drag may well end outside the text.
  document.addEventListener("pointerup", () => {
    if (!before) return;
    before = null;
    released();
  }, { signal });

  document.addEventListener("pointercancel", () => {
    if (!before) return;
    cursor.select(before.start, before.end, { focus: false });
    before = null;
  }, { signal });
}
