// The page shows what the server last said (render) and sends what somebody does (send). A change
// is shown once it comes back, which takes a few milliseconds and is the same for everybody.
import { reorder } from "/static/reorder.js";

const $ = (id) => document.getElementById(id);
const list = $("items");
const rows = new Map(); // item id → <li>
let items = [];
let filter = "all";
let editing = null; // id of the item whose text is being edited

function shown(item) {
  return filter === "all" || (filter === "done") === item.done;
}

function render() {
  const seen = new Set();
  let place = list.firstElementChild;
  for (const item of items) {
    seen.add(item.id);
    const row = rows.get(item.id) ?? create(item.id);
    update(row, item);
    // Only rows out of place are moved: moving an element in the document takes its focus away.
    if (row === place) place = place.nextElementSibling;
    else list.insertBefore(row, place);
  }
  for (const [id, row] of rows) {
    if (seen.has(id)) continue;
    const next = row.nextElementSibling ?? row.previousElementSibling;
    const focused = row.contains(document.activeElement);
    row.remove();
    rows.delete(id);
    if (editing === id) editing = null;
    if (focused) (next?.querySelector(".text") ?? $("text")).focus();
  }
  summary();
}

function summary() {
  const done = items.filter((i) => i.done).length;
  const open = items.length - done;
  const plural = items.length === 1 ? "item" : "items";
  $("count").textContent = items.length === 0 ? "Nothing on the list yet"
    : open === 0 ? `All ${items.length} ${plural} done` : `${open} of ${items.length} ${plural} open`;
  $("bar").style.width = `${items.length ? (100 * done) / items.length : 0}%`;
  $("clear").disabled = done === 0;
  const empty = $("empty");
  empty.hidden = items.some(shown);
  empty.textContent = items.length === 0 ? "Write the first item above. Everybody with this page open sees it at once."
    : filter === "done" ? "Nothing is done yet." : "Nothing is open.";
}

function create(id) {
  const row = $("item").content.firstElementChild.cloneNode(true);
  row.dataset.id = id;
  rows.set(id, row);
  row.querySelector(".check").addEventListener("change", (e) => patch(id, { done: e.target.checked }));
  row.querySelector(".delete").addEventListener("click", () => send("DELETE", `/api/items/${id}`));
  row.querySelector(".edit").addEventListener("click", () => edit(id));
  const text = row.querySelector(".text");
  text.addEventListener("dblclick", () => edit(id));
  text.addEventListener("keydown", (e) => {
    if (e.target === text && (e.key === "Enter" || e.key === "F2")) { e.preventDefault(); edit(id); }
    if (e.target === text && e.key === " ") { e.preventDefault(); row.querySelector(".check").click(); }
  });
  text.addEventListener("click", () => { if (matchMedia("(hover: none)").matches) edit(id); });
  return row;
}

function update(row, item) {
  const check = row.querySelector(".check");
  check.checked = item.done;
  row.classList.toggle("done", item.done);
  row.hidden = !shown(item);
  row.style.display = row.hidden ? "none" : "";
  const text = row.querySelector(".text");
  if (text.textContent !== item.text) {
    text.textContent = item.text;
    check.setAttribute("aria-label", `Done: ${item.text}`);
    text.setAttribute("aria-label", `Edit: ${item.text}`);
    row.querySelector(".edit").setAttribute("aria-label", `Edit: ${item.text}`);
    row.querySelector(".delete").setAttribute("aria-label", `Delete: ${item.text}`);
    row.querySelector(".handle").setAttribute("aria-label", `Move: ${item.text}. Use the arrow keys.`);
  }
}

function edit(id) {
  if (editing !== null) return;
  const row = rows.get(id);
  const text = row.querySelector(".text");
  const area = document.createElement("textarea");
  area.rows = 1;
  area.maxLength = $("text").maxLength;
  area.value = text.textContent;
  area.setAttribute("aria-label", "Text of the item");
  editing = id;
  text.hidden = true;
  text.style.display = "none";
  text.after(area);
  area.focus();
  area.select();
  let open = true;
  const close = (save, refocus) => {
    if (!open) return;
    open = false;
    editing = null;
    const value = area.value.trim();
    area.remove();
    text.hidden = false;
    text.style.display = "";
    if (refocus) text.focus();
    if (save && value && value !== text.textContent) patch(id, { text: value });
  };
  area.addEventListener("keydown", (e) => {
    if (e.key === "Enter" && !e.isComposing) { e.preventDefault(); close(true, true); }
    if (e.key === "Escape") close(false, true);
  });
  area.addEventListener("blur", () => close(true, false));
}

const patch = (id, body) => send("PATCH", `/api/items/${id}`, body);

async function send(method, path, body) {
  try {
    const answer = await fetch(path, {
      method,
      headers: body ? { "Content-Type": "application/json" } : {},
      body: body && JSON.stringify(body),
    });
    problem(answer.ok ? "" : ((await answer.json().catch(() => ({}))).error ?? `The server answered ${answer.status}.`));
    if (!answer.ok) render();
    return answer.ok;
  } catch {
    problem("The server cannot be reached. Nothing was changed; try again in a moment.");
    render();
    return false;
  }
}

function problem(message) {
  const text = message && message[0].toUpperCase() + message.slice(1);
  $("problem").textContent = text;
  $("problem").hidden = !message;
}

$("add").addEventListener("submit", async (e) => {
  e.preventDefault();
  const input = $("text");
  const text = input.value;
  if (!text.trim()) return input.focus();
  input.value = "";
  if (!(await send("POST", "/api/items", { text })) && !input.value) input.value = text;
});

for (const radio of document.querySelectorAll("[name=filter]")) {
  radio.addEventListener("change", () => { filter = radio.value; render(); });
}
$("clear").addEventListener("click", () => send("DELETE", "/api/done"));

reorder(list, (id, before, said) => {
  patch(id, { before });
  $("announce").textContent = said;
}, render);

const events = new EventSource("/api/events");
events.onopen = () => { $("state").textContent = ""; };
events.onerror = () => { $("state").textContent = "Reconnecting…"; };
events.onmessage = (e) => {
  items = JSON.parse(e.data).items;
  if (!list.querySelector(".dragged")) render();
};
