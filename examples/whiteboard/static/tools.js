// The toolbar: colour, width and eraser, by pointer and by keys.

const COLOURS = ["ink", "grey", "red", "orange", "green", "teal", "blue", "violet"];
const WIDTHS = [["Fine", 2], ["Middle", 4], ["Broad", 10]];
const ERASER = 6; // the eraser is that much broader than the pen

export class Tools {
  constructor(byId) {
    this.byId = byId;
    this.colour = "ink";
    this.width = 4;
    this.erase = false;
    for (const [i, c] of COLOURS.entries()) {
      this.add("colours", c[0].toUpperCase() + c.slice(1), `${i + 1}`, (mark) => {
        mark.className = "dot";
        mark.style.setProperty("--tone", `var(--${c})`);
      }, () => this.set({ colour: c, erase: false })).dataset.colour = c;
    }
    for (const [name, w] of WIDTHS) {
      this.add("widths", name, "[ ]", (mark) => {
        mark.className = "bar";
        mark.style.cssText = `width:18px;height:${Math.max(2, w * 0.8)}px`;
      }, () => this.set({ width: w })).dataset.width = w;
    }
    byId("eraser").addEventListener("click", () => this.set({ erase: !this.erase }));
    for (const group of ["colours", "widths"]) byId(group).addEventListener("keydown", (e) => this.arrow(group, e));
    this.set({});
  }

  // look is that of a new stroke.
  get look() { return { colour: this.colour, width: this.erase ? this.width * ERASER : this.width, erase: this.erase }; }

  add(group, name, key, paint, choose) {
    const button = document.createElement("button");
    const mark = document.createElement("span");
    paint(mark);
    button.type = "button";
    button.className = "tool";
    button.setAttribute("role", "radio");
    button.setAttribute("aria-label", name);
    button.title = `${name} (${key})`;
    button.append(mark);
    button.addEventListener("click", choose);
    this.byId(group).append(button);
    return button;
  }

  set(change) {
    Object.assign(this, change);
    const check = (b, on) => {
      b.setAttribute("aria-checked", on);
      b.tabIndex = on ? 0 : -1;
    };
    for (const b of this.byId("colours").children) check(b, b.dataset.colour === this.colour);
    for (const b of this.byId("widths").children) check(b, Number(b.dataset.width) === this.width);
    this.byId("eraser").setAttribute("aria-pressed", this.erase);
  }

  // arrow moves within a group of choices, as the keys do in native ones.
  arrow(group, e) {
    const step = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 }[e.key];
    if (!step) return;
    e.preventDefault();
    const all = [...this.byId(group).children];
    const next = all[(all.indexOf(document.activeElement) + step + all.length) % all.length];
    next.click();
    next.focus();
  }

  // key takes a key that was pressed anywhere, and says whether it was one of the tools'.
  key(e) {
    const digit = Number(e.key);
    if (digit >= 1 && digit <= COLOURS.length) this.set({ colour: COLOURS[digit - 1], erase: false });
    else if (e.key === "e") this.set({ erase: !this.erase });
    else if (e.key === "p") this.set({ erase: false });
    else if (e.key === "[" || e.key === "]") this.wider(e.key === "]" ? 1 : -1);
    else return false;
    return true;
  }

  wider(step) {
    const i = WIDTHS.findIndex(([, w]) => w === this.width) + step;
    if (WIDTHS[i]) this.set({ width: WIDTHS[i][1] });
  }
}
