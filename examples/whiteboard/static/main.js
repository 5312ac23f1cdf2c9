// The page: what one draws is painted at once and sent; what others do is painted as it comes.
import { Board, fromWire, toWire } from "/board.js";
import { listen } from "/input.js";
import { Link } from "/link.js";
import { People } from "/people.js";
import { Tools } from "/tools.js";

const $ = (id) => document.getElementById(id);
const canvas = $("canvas");
const board = new Board(canvas, document.querySelector("main"));
const people = new People(board, $("people"), $("cursors"));
const tools = new Tools($);
board.moved = () => people.replace();

// The key makes one's strokes one's own, also after a reconnection or a reload of the page.
const random = () => [...crypto.getRandomValues(new Uint8Array(12))].map((b) => b.toString(16).padStart(2, "0")).join("");
const key = sessionStorage.getItem("key") ?? random();
sessionStorage.setItem("key", key);
$("name").value = localStorage.getItem("name") ?? "";

let arrived = false; // the first board is there
let stroke = null; // the stroke one draws
let waiting = []; // its points that are not sent yet
let pointer; // one's pointer as it is to be sent: a point, null (it left), undefined (as before)
let frame = null;
let count = 0;
const run = random();

const link = new Link({
  hello: () => ({ kind: "hello", name: $("name").value, key }),
  heard,
  state: (open) => {
    $("state").textContent = open ? "" : arrived ? "Reconnecting…" : "Connecting…";
    if (!open) stroke = null;
  },
});

function heard(m) {
  switch (m.kind) {
    case "welcome": people.reset(m.person.number, m.people ?? []); break;
    case "board":
      stroke = null;
      board.load(m.strokes ?? []);
      if (!arrived) board.fit();
      arrived = true;
      break;
    case "begin": board.begin(m.stroke); break;
    case "move": board.extend(m.id, m.points); break;
    case "remove": board.remove(m.id); if (stroke?.id === m.id) stroke = null; break;
    case "clear": board.clear(); stroke = null; break;
    case "cursor": people.point(m.by, m.points ? fromWire(m.points) : null); break;
    case "join": people.join(m.person); break;
    case "leave": people.leave(m.by); break;
  }
  $("welcome").classList.toggle("gone", board.strokes.size > 0);
}

// flush sends what came together since the last frame. A message holds a few hundred points at most.
function flush() {
  frame = null;
  while (stroke && waiting.length) link.say({ kind: "move", id: stroke.id, points: waiting.splice(0, 400) });
  if (pointer !== undefined) link.say({ kind: "cursor", points: pointer ? toWire(pointer) : [] });
  pointer = undefined;
}
const send = () => { frame ??= requestAnimationFrame(flush); };

listen(board, canvas, {
  start(point) {
    if (!link.open || !arrived) return false;
    stroke = { id: `${run}-${++count}`, ...tools.look, points: toWire(point) };
    waiting = [];
    board.begin(stroke);
    link.say({ kind: "begin", stroke });
    $("welcome").classList.add("gone");
    return true;
  },
  go(points) {
    if (!stroke) return;
    // A place that is hardly another one adds nothing but weight.
    const near = 0.7 / board.view.scale;
    const fresh = [];
    let last = fromWire(stroke.points.slice(-2));
    for (const p of points) {
      if (Math.hypot(p.x - last.x, p.y - last.y) < near) continue;
      fresh.push(...toWire(p));
      last = p;
    }
    if (!fresh.length) return;
    board.extend(stroke.id, fresh);
    waiting.push(...fresh);
    send();
  },
  stop() { flush(); stroke = null; },
  cancel() { flush(); if (stroke) link.say({ kind: "undo" }); stroke = null; },
  hover(point, byKeys) {
    people.own(byKeys ? point : null);
    pointer = point;
    send();
  },
});

$("name").addEventListener("change", () => {
  localStorage.setItem("name", $("name").value);
  link.say({ kind: "hello", name: $("name").value, key });
});
$("name").addEventListener("keydown", (e) => { if (e.key === "Enter") canvas.focus(); });

const undo = () => link.say({ kind: "undo" });
$("undo").addEventListener("click", undo);
$("fit").addEventListener("click", () => board.fit());

const dialog = $("confirm");
$("clear").addEventListener("click", () => {
  if (board.strokes.size === 0) return;
  $("confirm-text").textContent = people.all.size === 0 ? "The whole drawing will be gone."
    : "The whole drawing will be gone, for everybody at the board.";
  dialog.returnValue = "";
  dialog.showModal();
});
dialog.addEventListener("close", () => { if (dialog.returnValue === "clear") link.say({ kind: "clear" }); });

addEventListener("keydown", (e) => {
  if (e.target.matches("input") || dialog.open) return;
  if ((e.ctrlKey || e.metaKey) && e.key === "z") undo();
  else if (e.ctrlKey || e.metaKey || e.altKey) return;
  else if (e.key === "f") board.fit();
  else if (e.key === "+" || e.key === "=") board.zoom(1.25, canvas.clientWidth / 2, canvas.clientHeight / 2);
  else if (e.key === "-") board.zoom(0.8, canvas.clientWidth / 2, canvas.clientHeight / 2);
  else if (!tools.key(e)) return;
  e.preventDefault();
});
