// The board: its strokes, the part of it that is in view, and how both are painted. Positions are in
// units of the board; a view's scale is pixels for a unit. The wire has tenths of a unit.

const TENTHS = 10;
export const toWire = (point) => [Math.round(point.x * TENTHS), Math.round(point.y * TENTHS)];
export const fromWire = ([x, y]) => ({ x: x / TENTHS, y: y / TENTHS });

export class Board {
  constructor(canvas, paper) {
    this.canvas = canvas;
    this.paper = paper; // the element that shows the dots
    this.brush = canvas.getContext("2d");
    this.strokes = new Map(); // id → stroke, in the order of the board
    this.view = { x: 0, y: 0, scale: 1 }; // the board's position in the window's corner
    this.moved = () => {};
    new ResizeObserver(() => this.resize()).observe(canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { this.tones = null; this.repaint(); });
    this.resize();
  }

  // resize keeps the middle of the view in the middle.
  resize() {
    const { clientWidth: w, clientHeight: h } = this.canvas;
    const old = this.size ?? { w, h };
    this.view.x += (old.w - w) / 2 / this.view.scale;
    this.view.y += (old.h - h) / 2 / this.view.scale;
    this.size = { w, h };
    this.ratio = Math.min(devicePixelRatio || 1, 3);
    this.canvas.width = Math.round(w * this.ratio);
    this.canvas.height = Math.round(h * this.ratio);
    this.paint();
  }

  // --- strokes

  load(strokes) {
    this.strokes = new Map(strokes.map((s) => [s.id, s]));
    this.repaint();
  }

  // begin adds a stroke, or brings one's own that is drawn already to its place in the order.
  begin(stroke) {
    const known = this.strokes.get(stroke.id);
    if (known) {
      const last = [...this.strokes.keys()].at(-1) === stroke.id;
      this.strokes.delete(stroke.id);
      this.strokes.set(stroke.id, known);
      if (!last) this.repaint();
      return;
    }
    this.strokes.set(stroke.id, stroke);
    this.line(stroke, 0);
  }

  extend(id, points) {
    const stroke = this.strokes.get(id);
    if (!stroke) return;
    const from = stroke.points.length;
    stroke.points.push(...points);
    this.line(stroke, from);
    clearTimeout(this.settling); // the end that was left out is painted when the pen rests
    this.settling = setTimeout(() => this.repaint(), 120);
  }

  remove(id) { if (this.strokes.delete(id)) this.repaint(); }
  clear() { this.strokes.clear(); this.repaint(); }

  // --- the view

  toBoard(x, y) { return { x: x / this.view.scale + this.view.x, y: y / this.view.scale + this.view.y }; }
  toWindow(p) { return { x: (p.x - this.view.x) * this.view.scale, y: (p.y - this.view.y) * this.view.scale }; }

  pan(dx, dy) {
    this.view.x -= dx / this.view.scale;
    this.view.y -= dy / this.view.scale;
    this.repaint();
  }

  // zoom keeps the point of the board that is at (x, y) of the window where it is.
  zoom(factor, x, y) {
    const still = this.toBoard(x, y);
    this.view.scale = Math.min(8, Math.max(0.1, this.view.scale * factor));
    this.view.x = still.x - x / this.view.scale;
    this.view.y = still.y - y / this.view.scale;
    this.repaint();
  }

  // fit shows all that is drawn, at most at its natural size.
  fit() {
    let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
    for (const { points, erase } of this.strokes.values()) {
      if (erase) continue;
      for (let i = 0; i < points.length; i += 2) {
        left = Math.min(left, points[i]); right = Math.max(right, points[i]);
        top = Math.min(top, points[i + 1]); bottom = Math.max(bottom, points[i + 1]);
      }
    }
    const { clientWidth: w, clientHeight: h } = this.canvas;
    if (left > right) [left, top, right, bottom] = [-w / 2, -h / 2, w / 2, h / 2].map((v) => v * TENTHS);
    [left, top, right, bottom] = [left, top, right, bottom].map((v) => v / TENTHS);
    const scale = Math.max(0.1, Math.min(1, (w - 80) / (right - left || 1), (h - 240) / (bottom - top || 1)));
    this.view = { scale, x: (left + right) / 2 - w / 2 / scale, y: (top + bottom) / 2 - h / 2 / scale };
    this.repaint();
  }

  // --- painting

  repaint() {
    this.due ??= requestAnimationFrame(() => { this.due = null; this.paint(); });
  }

  paint() {
    const { brush, view } = this;
    brush.setTransform(1, 0, 0, 1, 0, 0);
    brush.clearRect(0, 0, this.canvas.width, this.canvas.height);
    for (const stroke of this.strokes.values()) this.line(stroke, 0);
    let step = 32 * view.scale;
    while (step < 16) step *= 2;
    while (step > 64) step /= 2;
    this.paper.style.backgroundSize = `${step}px ${step}px`;
    this.paper.style.backgroundPosition = `${-view.x * view.scale - step / 2}px ${-view.y * view.scale - step / 2}px`;
    this.moved();
  }

  tone(colour) {
    this.tones ??= getComputedStyle(document.documentElement);
    return this.tones.getPropertyValue(`--${colour}`);
  }

  // line paints a stroke from the given place in its points on. Between the middles of its segments
  // it is curved, so a piece that is painted as it comes looks as in the whole, but for the last half
  // segment: whether that is straight shows only with the next point.
  line(stroke, from) {
    const { brush, view, ratio } = this;
    const p = stroke.points;
    const scale = (view.scale * ratio) / TENTHS;
    brush.setTransform(scale, 0, 0, scale, -view.x * view.scale * ratio, -view.y * view.scale * ratio);
    brush.globalCompositeOperation = stroke.erase ? "destination-out" : "source-over";
    brush.strokeStyle = this.tone(stroke.colour);
    brush.lineWidth = stroke.width * TENTHS;
    brush.lineCap = brush.lineJoin = "round";
    brush.beginPath();
    let i = Math.max(0, from - 4);
    if (i === 0) brush.moveTo(p[0], p[1]);
    else brush.moveTo((p[i] + p[i + 2]) / 2, (p[i + 1] + p[i + 3]) / 2);
    for (i += 2; i + 3 < p.length; i += 2) {
      brush.quadraticCurveTo(p[i], p[i + 1], (p[i] + p[i + 2]) / 2, (p[i + 1] + p[i + 3]) / 2);
    }
    if (from === 0) brush.lineTo(p.at(-2), p.at(-1));
    brush.stroke();
  }
}
