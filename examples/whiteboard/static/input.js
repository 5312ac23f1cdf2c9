// What fingers, pens, mice and keys do on the canvas, told as: start(point), go(points), stop(),
// cancel() of a stroke, and hover(point or null) of the pointer. Two fingers, the wheel, the middle
// button, or the space bar with a drag move the view.

export function listen(board, canvas, on) {
  const fingers = new Map(); // pointer id → last place in the window
  let drawing = null; // pointer id
  let panning = null;
  let space = false;

  const place = (e) => board.toBoard(e.clientX, e.clientY);

  canvas.addEventListener("pointerdown", (e) => {
    canvas.setPointerCapture(e.pointerId);
    if (e.pointerType === "touch") fingers.set(e.pointerId, { x: e.clientX, y: e.clientY });
    if (fingers.size === 2) {
      if (drawing !== null) on.cancel();
      drawing = null;
    } else if (fingers.size < 2 && (e.button === 1 || (e.button === 0 && space))) {
      panning = e.pointerId;
      canvas.classList.add("panning");
    } else if (fingers.size < 2 && e.button === 0 && drawing === null && on.start(place(e))) {
      drawing = e.pointerId;
    }
    if (e.pointerType !== "touch") e.preventDefault();
    canvas.focus({ preventScroll: true });
  });

  canvas.addEventListener("pointermove", (e) => {
    if (panning === e.pointerId) return board.pan(e.movementX, e.movementY);
    if (fingers.size >= 2 && fingers.has(e.pointerId)) return pinch(e);
    if (fingers.has(e.pointerId)) fingers.set(e.pointerId, { x: e.clientX, y: e.clientY });
    if (drawing === e.pointerId) {
      // All places between two frames, so that quick curves stay round.
      const all = e.getCoalescedEvents?.() ?? [];
      on.go((all.length ? all : [e]).map(place));
    }
    on.hover(place(e));
  });

  function pinch(e) {
    const [a, b] = [...fingers.keys()];
    const before = [fingers.get(a), fingers.get(b)];
    fingers.set(e.pointerId, { x: e.clientX, y: e.clientY });
    const after = [fingers.get(a), fingers.get(b)];
    const middle = ([p, q]) => ({ x: (p.x + q.x) / 2, y: (p.y + q.y) / 2 });
    const apart = ([p, q]) => Math.hypot(p.x - q.x, p.y - q.y) || 1;
    const [m, n] = [middle(before), middle(after)];
    board.pan(n.x - m.x, n.y - m.y);
    board.zoom(apart(after) / apart(before), n.x, n.y);
  }

  const up = (e) => {
    fingers.delete(e.pointerId);
    if (drawing === e.pointerId) {
      drawing = null;
      if (e.type === "pointercancel") on.cancel();
      else on.stop();
    }
    if (panning === e.pointerId) {
      panning = null;
      canvas.classList.remove("panning");
    }
  };
  canvas.addEventListener("pointerup", up);
  canvas.addEventListener("pointercancel", up);
  canvas.addEventListener("pointerleave", () => { if (drawing === null) on.hover(null); });

  canvas.addEventListener("wheel", (e) => {
    e.preventDefault();
    const line = e.deltaMode === 1 ? 20 : 1;
    if (e.ctrlKey || e.metaKey) board.zoom(Math.exp(-e.deltaY * line * 0.005), e.clientX, e.clientY);
    else board.pan(-e.deltaX * line, -e.deltaY * line);
  }, { passive: false });

  pen(board, canvas, on, (down) => { space = down; });
}

// pen draws by keys: arrows move it (Shift: far, Alt: a little), the space bar puts it down and
// lifts it. Held with the mouse the space bar moves the view instead.
function pen(board, canvas, on, held) {
  let at = null;
  let down = false;
  let used = false; // arrow keys were used since the canvas got the focus
  const steps = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

  canvas.addEventListener("keydown", (e) => {
    if (e.key === " ") {
      e.preventDefault();
      if (!used) return held(true);
      if (e.repeat) return;
      if (down) on.stop();
      down = !down && on.start(at);
      return;
    }
    const step = steps[e.key];
    if (!step) return;
    e.preventDefault();
    used = true;
    at ??= board.toBoard(canvas.clientWidth / 2, canvas.clientHeight / 2);
    const far = (e.shiftKey ? 40 : e.altKey ? 2 : 10) / board.view.scale;
    at = { x: at.x + step[0] * far, y: at.y + step[1] * far };
    if (down) on.go([at]);
    on.hover(at, true);
  });
  canvas.addEventListener("keyup", (e) => { if (e.key === " ") held(false); });
  const end = () => {
    if (down) on.stop();
    down = used = false;
    at = null;
    held(false);
  };
  canvas.addEventListener("blur", () => { end(); on.hover(null); });
  canvas.addEventListener("pointerdown", end);
}
