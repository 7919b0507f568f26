// A table of any length: only the rows in sight are there. The grid itself has the focus and names
// its active row, so that scrolling can't lose it.

const ROW = 30;
const ON_PAPER = 60; // rows
let tables = 0;

class Table {
  constructor(root, label, columns, open) {
    this.id = `table-${(tables += 1)}`;
    this.columns = columns;
    this.open = open;
    this.rows = [];
    this.active = -1;
    this.sorted = null;
    this.shown = new Map();
    this.headers = columns.map((column) => this.#header(column));
    const head = element("div", { className: "row header", role: "row" }, ...this.headers);
    this.space = element("div", { className: "space", role: "rowgroup" });
    this.scroller = element("div", { className: "scroller", tabIndex: -1 }, this.space);
    this.note = element("p", { className: "hint paper" });
    this.grid = element("div", { className: "grid", role: "grid", tabIndex: 0, ariaLabel: label },
      element("div", { className: "heads", role: "rowgroup" }, head), this.scroller);
    this.grid.setAttribute("aria-colcount", columns.length);
    root.append(this.grid, this.note);
    this.scroller.addEventListener("scroll", () => this.#draw(), { passive: true });
    this.grid.addEventListener("keydown", (event) => this.#key(event));
    this.space.addEventListener("click", (event) => this.#click(event));
    new ResizeObserver(() => this.#draw()).observe(this.scroller);
  }

  show(rows) {
    this.rows = rows;
    this.active = -1;
    this.grid.setAttribute("aria-rowcount", rows.length + 1);
    this.#sort();
    this.scroller.scrollTop = 0;
    this.redraw();
  }

  redraw() {
    this.space.replaceChildren();
    this.shown.clear();
    this.space.style.height = `${Math.max(this.rows.length, 1) * ROW}px`;
    if (!this.rows.length) this.space.append(element("p", { className: "hint none", textContent: "None." }));
    this.#draw();
  }

  // On paper there is no scrolling: the first rows, and a word about the others.
  print(on) {
    this.printing = on;
    const rest = this.rows.length - ON_PAPER;
    this.note.textContent = on && rest > 0 ? `and ${quantity(rest, "more row")} on the screen` : "";
    this.redraw();
  }

  #header(column) {
    const button = element("button", { type: "button", textContent: column.name });
    const header = element("div", { className: column.className ?? "", role: "columnheader" }, button);
    header.ariaSort = "none";
    button.addEventListener("click", () => this.#sortBy(column, header));
    return header;
  }

  #sortBy(column, header) {
    const [known, up] = this.sorted ?? [];
    this.sorted = [column, known === column ? !up : typeof column.value(this.rows[0] ?? 0) === "string"];
    for (const each of this.headers) each.ariaSort = "none";
    header.ariaSort = this.sorted[1] ? "ascending" : "descending";
    this.#sort();
    this.redraw();
  }

  #sort() {
    if (!this.sorted) return;
    const [column, up] = this.sorted;
    const keyed = Array.from(this.rows, (row) => [column.value(row), row]);
    const sign = up ? 1 : -1;
    const rank = (key) => (key === null || Number.isNaN(key) ? 1 : 0);
    keyed.sort(([a], [b]) => rank(a) - rank(b) || sign * (a < b ? -1 : a > b ? 1 : 0));
    this.rows = keyed.map(([, row]) => row);
  }

  #draw() {
    const top = this.printing ? 0 : Math.max(0, Math.floor(this.scroller.scrollTop / ROW) - 4);
    const sight = this.printing ? ON_PAPER : Math.ceil(this.scroller.clientHeight / ROW) + 8;
    const end = Math.min(this.rows.length, top + sight);
    for (const [place, node] of this.shown) {
      if (place < top || place >= end) {
        node.remove();
        this.shown.delete(place);
      }
    }
    for (let place = top; place < end; place += 1) {
      if (!this.shown.has(place)) this.#add(place);
    }
    this.#mark();
  }

  #add(place) {
    const row = this.rows[place];
    const cells = this.columns.map((column) => {
      const cell = element("div", { className: column.className ?? "", role: "gridcell" });
      if (column.draw) column.draw(cell, row);
      else cell.textContent = cell.title = column.text(row);
      return cell;
    });
    const node = element("div", { className: "row", role: "row", id: `${this.id}-${place}` }, ...cells);
    node.setAttribute("aria-rowindex", place + 2);
    node.style.top = `${place * ROW}px`;
    // In the order of reading, wherever it was scrolled from.
    const next = this.shown.get(place + 1) ?? null;
    this.space.insertBefore(node, next);
    this.shown.set(place, node);
  }

  #mark() {
    for (const [place, node] of this.shown) node.ariaSelected = String(place === this.active);
    if (this.shown.has(this.active)) this.grid.setAttribute("aria-activedescendant", `${this.id}-${this.active}`);
    else this.grid.removeAttribute("aria-activedescendant");
  }

  #click(event) {
    const node = event.target.closest(".row");
    if (!node) return;
    this.active = Number(node.getAttribute("aria-rowindex")) - 2;
    this.#mark();
    this.open(this.rows[this.active], false);
  }

  #key(event) {
    if (event.target !== this.grid && event.target !== this.scroller) return;
    const page = Math.max(1, Math.floor(this.scroller.clientHeight / ROW) - 1);
    const last = this.rows.length - 1;
    const to = { ArrowDown: this.active + 1, ArrowUp: this.active - 1, PageDown: this.active + page,
      PageUp: this.active - page, Home: 0, End: last }[event.key];
    if (to !== undefined && last >= 0) this.#go(Math.min(last, Math.max(0, to)));
    else if (event.key === "Enter" && this.active >= 0) this.open(this.rows[this.active], true);
    else return;
    event.preventDefault();
  }

  #go(place) {
    this.active = place;
    const top = place * ROW;
    const { scrollTop, clientHeight } = this.scroller;
    if (top < scrollTop) this.scroller.scrollTop = top;
    if (top + ROW > scrollTop + clientHeight) this.scroller.scrollTop = top + ROW - clientHeight;
    this.#draw();
  }
}
