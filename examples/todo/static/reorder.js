// Reordering a list by dragging a row's handle (mouse, pen, finger), or by the arrow keys: on the
// handle, or with Alt anywhere in the row. `moved(id, before, said)` is told the new place: the id
// of the row that follows, or 0 at the end. `settled()` is called after a drag that changed nothing. While a
// row is dragged it has the class "dragged", and nobody else may move it.

const visible = (row) => row.style.display !== "none";

function following(row) {
  const next = row.nextElementSibling;
  return next ? Number(next.dataset.id) : 0;
}

// place brings the dragged row before `after` (null: to the end) by moving the others around it: an
// element that is itself moved in the document loses its pointer.
function place(list, row, after) {
  const down = after === null || row.compareDocumentPosition(after) & Node.DOCUMENT_POSITION_FOLLOWING;
  while (row.nextElementSibling !== after) {
    if (down) row.before(row.nextElementSibling);
    else row.after(row.previousElementSibling);
  }
}

export function reorder(list, moved, settled) {
  list.addEventListener("keydown", (e) => {
    const row = e.target.closest("li");
    const up = e.key === "ArrowUp";
    if (!row || (!up && e.key !== "ArrowDown")) return;
    if (!e.altKey && !e.target.closest(".handle")) return;
    e.preventDefault();
    const rows = [...list.children].filter(visible);
    const to = rows.indexOf(row) + (up ? -1 : 1);
    if (to < 0 || to >= rows.length) return;
    const focused = document.activeElement;
    if (up) rows[to].before(row);
    else rows[to].after(row);
    focused.focus();
    moved(Number(row.dataset.id), following(row), `Moved to place ${to + 1} of ${rows.length}`);
  });

  list.addEventListener("pointerdown", (e) => {
    const handle = e.target.closest(".handle");
    if (!handle || e.button !== 0) return;
    e.preventDefault();
    handle.focus();
    drag(list, handle.closest("li"), handle, e, moved, settled);
  });
}

function drag(list, row, handle, down, moved, settled) {
  const before = row.nextElementSibling;
  const offset = down.clientY - row.getBoundingClientRect().top;
  handle.setPointerCapture(down.pointerId);
  row.classList.add("dragged");

  const move = (e) => {
    const rows = [...list.children].filter((r) => r !== row && visible(r));
    const after = rows.find((r) => {
      const box = r.getBoundingClientRect();
      return e.clientY < box.top + box.height / 2;
    });
    place(list, row, after ?? null);
    row.style.transform = "";
    row.style.transform = `translateY(${e.clientY - offset - row.getBoundingClientRect().top}px)`;
  };
  const end = (e) => {
    handle.removeEventListener("pointermove", move);
    handle.removeEventListener("pointerup", end);
    handle.removeEventListener("pointercancel", end);
    row.classList.remove("dragged");
    row.style.transform = "";
    if (e.type === "pointercancel") place(list, row, before);
    if (row.nextElementSibling === before) settled();
    else moved(Number(row.dataset.id), following(row), "Moved");
  };
  handle.addEventListener("pointermove", move);
  handle.addEventListener("pointerup", end);
  handle.addEventListener("pointercancel", end);
}
