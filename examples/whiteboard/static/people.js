// Who is at the board, and where their pointers are.

const TONES = ["blue", "red", "green", "violet", "orange", "teal"];
const tone = (number) => `var(--${TONES[number % TONES.length]})`;
const ARROW = "M2 2l12 5-5 2-2 5z";

export class People {
  constructor(board, list, layer) {
    Object.assign(this, { board, list, layer, you: 0, all: new Map() }); // number → {name, at, cursor}
  }

  reset(you, others) {
    this.layer.querySelectorAll(".cursor:not(.own)").forEach((c) => c.remove());
    this.all.clear();
    this.you = you;
    for (const p of others) this.all.set(p.number, { name: p.name });
    this.show();
  }

  join(person) {
    if (person.number === this.you) return;
    const known = this.all.get(person.number);
    if (known) {
      known.name = person.name;
      if (known.cursor) known.cursor.lastElementChild.textContent = person.name;
    } else {
      this.all.set(person.number, { name: person.name });
    }
    this.show();
  }

  leave(number) {
    this.all.get(number)?.cursor?.remove();
    this.all.delete(number);
    this.show();
  }

  // point moves somebody's pointer to a place of the board; without one it goes away.
  point(number, at) {
    const person = this.all.get(number);
    if (!person) return;
    person.at = at;
    if (!at) {
      person.cursor?.remove();
      person.cursor = null;
      return;
    }
    person.cursor ??= this.cursor(tone(number), person.name);
    this.put(person.cursor, at);
  }

  // own shows one's own pen while it is moved by keys.
  own(at) {
    this.pen ??= this.cursor("none", "");
    this.pen.className = "cursor own";
    this.pen.lastElementChild.hidden = true;
    this.pen.style.display = at ? "" : "none";
    this.penAt = at;
    if (at) this.put(this.pen, at);
  }

  cursor(colour, name) {
    const cursor = document.createElement("div");
    cursor.className = "cursor";
    cursor.style.setProperty("--tone", colour);
    cursor.innerHTML = `<svg viewBox="0 0 18 18"><path d="${ARROW}"/></svg><span></span>`;
    cursor.lastElementChild.textContent = name;
    this.layer.append(cursor);
    return cursor;
  }

  put(cursor, at) {
    const { x, y } = this.board.toWindow(at);
    cursor.style.transform = `translate(${x - 3}px, ${y - 3}px)`;
  }

  // replace puts all pointers where they belong after the view has moved.
  replace() {
    for (const { cursor, at } of this.all.values()) if (cursor) this.put(cursor, at);
    if (this.penAt) this.put(this.pen, this.penAt);
  }

  show() {
    const shown = [...this.all].slice(0, 5);
    this.list.replaceChildren(...shown.map(([number, { name }]) => {
      const item = document.createElement("li");
      item.style.setProperty("--tone", tone(number));
      item.title = name;
      item.setAttribute("aria-label", name);
      item.textContent = [...name][0].toUpperCase();
      return item;
    }));
    if (this.all.size > shown.length) {
      const more = document.createElement("li");
      more.style.setProperty("--tone", "var(--soft)");
      more.textContent = `+${this.all.size - shown.length}`;
      this.list.append(more);
    }
  }
}
