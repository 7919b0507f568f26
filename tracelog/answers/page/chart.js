// The timeline: a row a user, a mark an utterance, and a band across all of them where the loop was
// held. It can be looked at in part, and gone through with the keyboard.

const LANE = 26;
const AXIS = 26;
const LEAST_MS = 1; // that can be zoomed to
const NEAR = 8; // pixels
const SPLIT = 24; // pixels

class Timeline {
  constructor(root, say, open) {
    this.root = root;
    this.say = say;
    this.open = open;
    this.inner = root.firstElementChild;
    this.canvas = root.querySelector("canvas");
    this.pen = this.canvas.getContext("2d");
    this.focus = -1;
    this.chosen = -1;
    this.drag = null;
    this.lanes = new Lanes();
    this.#fit();
    root.addEventListener("scroll", () => this.redraw(), { passive: true });
    root.addEventListener("keydown", (event) => this.#key(event));
    root.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    this.canvas.addEventListener("pointerdown", (event) => this.#down(event));
    this.canvas.addEventListener("pointermove", (event) => this.#move(event));
    this.canvas.addEventListener("pointerup", (event) => this.#up(event));
    this.canvas.addEventListener("pointercancel", () => this.#cancel());
    this.canvas.addEventListener("pointerleave", () => this.#cancel());
    new ResizeObserver(() => this.redraw()).observe(root);
  }

  #fit() {
    let first = Infinity;
    let last = -Infinity;
    for (const i of this.lanes.order) {
      first = Math.min(first, at[i]);
      last = Math.max(last, at[i] + total[i]);
    }
    if (first > last) [first, last] = [0, 1000];
    const margin = Math.max((last - first) * 0.01, LEAST_MS);
    this.whole = [first - margin, last + margin];
    [this.from, this.to] = this.whole;
  }

  get gutter() {
    return this.width < 640 ? 84 : 132;
  }

  x(ms) {
    return this.gutter + ((ms - this.from) / (this.to - this.from)) * (this.width - this.gutter - 8);
  }

  ms(x) {
    return this.from + ((x - this.gutter) / (this.width - this.gutter - 8)) * (this.to - this.from);
  }

  // Once a frame, however much has changed.
  redraw() {
    this.pending ??= requestAnimationFrame(() => this.draw());
  }

  draw() {
    this.pending = undefined;
    this.inner.style.height = `${AXIS + this.lanes.names.length * LANE + 4}px`;
    const scale = Math.max(devicePixelRatio || 1, this.printing ? 2 : 1);
    this.width = this.root.clientWidth;
    this.height = Math.min(this.root.clientHeight, AXIS + this.lanes.names.length * LANE + 4);
    const size = [Math.round(this.width * scale), Math.round(this.height * scale)];
    if (this.canvas.width !== size[0] || this.canvas.height !== size[1]) {
      [this.canvas.width, this.canvas.height] = size;
      Object.assign(this.canvas.style, { width: `${this.width}px`, height: `${this.height}px` });
    }
    this.colours = colours();
    this.pen.setTransform(scale, 0, 0, scale, 0, 0);
    this.pen.clearRect(0, 0, this.width, this.height);
    this.pen.font = `12px ${getComputedStyle(this.root).fontFamily}`;
    this.#drawHolds();
    this.#drawAxis();
    this.#drawLanes();
    this.#drawDrag();
  }

  #drawHolds() {
    const bands = new Path2D(); // one, so that those of several processes don't add up to black
    data.holds.at.forEach((start, k) => {
      const [x, end] = [this.x(start), this.x(start + data.holds.ms[k])];
      if (start === null || end < this.gutter || x > this.width) return;
      const left = Math.max(x, this.gutter);
      bands.rect(left, AXIS, Math.max(end - left, 1.5), this.height - AXIS);
    });
    this.#paint(bands, this.colours.band);
  }

  #drawLanes() {
    const top = this.root.scrollTop;
    const first = Math.max(0, Math.floor(top / LANE));
    const end = Math.min(this.lanes.names.length, Math.ceil((top + this.height) / LANE));
    const paths = BOXES.map(() => new Path2D());
    const [calm, unknown] = [new Path2D(), new Path2D()];
    this.pen.save();
    this.pen.beginPath();
    this.pen.rect(0, AXIS, this.width, this.height - AXIS);
    this.pen.clip();
    for (let lane = first; lane < end; lane += 1) {
      const y = AXIS + lane * LANE - top;
      this.#drawLabel(lane, y);
      this.#drawMarks(lane, y, paths, calm, unknown);
    }
    this.#paint(calm, this.colours.calm);
    this.#paint(unknown, this.colours.muted);
    paths.forEach((path, k) => this.#paint(path, this.colours[BOXES[k]]));
    if (this.chosen >= 0) this.#ring(this.chosen, this.colours.ink, 2);
    if (this.focus >= 0 && document.activeElement === this.root) this.#ring(this.focus, this.colours.focus, 2);
    this.pen.restore();
  }

  #paint(path, colour) {
    this.pen.fillStyle = colour;
    this.pen.fill(path);
  }

  #drawLabel(lane, y) {
    const { pen } = this;
    const room = this.gutter - 16;
    pen.fillStyle = this.colours.line;
    pen.fillRect(0, y + LANE - 1, this.width, 1);
    pen.fillStyle = this.colours.ink;
    pen.textBaseline = "middle";
    pen.textAlign = "left";
    let label = this.lanes.labels[lane].slice(0, 60);
    if (pen.measureText(label).width > room) {
      while (label && pen.measureText(`${label}…`).width > room) label = label.slice(0, -1);
      label += "…";
    }
    pen.fillText(label, 4, y + LANE / 2);
  }

  #drawMarks(lane, y, paths, calm, unknown) {
    let drawn = -1; // up to this pixel those on time are there already
    const floor = y + LANE - 4;
    for (const i of this.lanes.long.get(lane) ?? []) {
      if (at[i] >= this.from - this.lanes.reach || at[i] + total[i] < this.from) continue;
      const [, width, height] = this.#mark(i);
      const end = this.x(at[i]) + width;
      (late[i] ? paths[main[i]] ?? unknown : calm).rect(this.gutter, floor - height, end - this.gutter, height);
    }
    for (let k = this.lanes.firstIn(lane, this.from - this.lanes.reach); k < this.lanes.starts[lane + 1]; k += 1) {
      const i = this.lanes.order[k];
      if (at[i] > this.to) break;
      const [x, width, height] = this.#mark(i);
      if (x + width < this.gutter) continue;
      const left = Math.max(x, this.gutter);
      if (late[i]) this.#drawLate(i, [left, floor - height, Math.max(x + width - left, 2), height], paths, unknown);
      else if (x + width >= drawn + 1) {
        calm.rect(left, floor - height, Math.max(x + width - left, 1), height);
        drawn = x + width;
      }
    }
  }

  // In the colour of its longest box; where there is room, in those of all.
  #drawLate(i, [left, top, width, height], paths, unknown) {
    if (width < SPLIT || main[i] < 0) {
      (paths[main[i]] ?? unknown).rect(left, top, width, height);
      return;
    }
    let start = at[i];
    BOXES.forEach((box, k) => {
      const from = Math.max(this.x(start), left);
      if (boxes[box][i] > 0) start += boxes[box][i];
      const to = Math.min(this.x(start), left + width);
      if (to > from) paths[k].rect(from, top, to - from, height);
    });
  }

  #mark(i) {
    const x = Math.round(this.x(at[i])); // sharp edges
    const width = Math.max(Math.round(this.x(at[i] + total[i])) - x, late[i] ? 3 : 2);
    const height = late[i] ? 7 + (LANE - 13) * Math.sqrt(total[i] / this.lanes.longest) : 3;
    return [x, width, height];
  }

  #ring(i, colour, line) {
    const y = AXIS + this.lanes.of[i] * LANE - this.root.scrollTop;
    const [x, width, height] = this.#mark(i);
    if (x + width < this.gutter) return;
    this.pen.strokeStyle = colour;
    this.pen.lineWidth = line;
    this.pen.strokeRect(x - 2, y + LANE - 6 - height, width + 4, height + 4);
  }

  #drawAxis() {
    const { pen } = this;
    const room = this.width - this.gutter;
    const step = niceStep((this.to - this.from) / Math.max(2, room / 130));
    const digits = step >= 1000 ? 0 : 3;
    pen.textBaseline = "middle";
    pen.textAlign = "center";
    const start = Math.ceil((data.base + this.from) / step) * step - data.base;
    for (let tick = start; tick <= this.to; tick += step) {
      const x = Math.round(this.x(tick));
      pen.fillStyle = this.colours.line;
      pen.fillRect(x, AXIS - 4, 1, this.height);
      pen.fillStyle = this.colours.muted;
      const label = clock(tick, digits);
      const half = pen.measureText(label).width / 2;
      if (x - half > this.gutter - 40 && x + half < this.width) pen.fillText(label, x, AXIS / 2);
    }
    pen.textAlign = "left";
    pen.fillText("UTC", 4, AXIS / 2);
  }

  #drawDrag() {
    if (!this.drag || Math.abs(this.drag.x - this.drag.start) < 4) return;
    this.pen.fillStyle = this.colours.drag;
    this.pen.fillRect(this.drag.start, AXIS, this.drag.x - this.drag.start, this.height);
  }

  #at(event) {
    const box = this.canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  // What is under the pointer: a late one before others, and then the nearest.
  #hit(x, y) {
    const lane = Math.floor((y - AXIS + this.root.scrollTop) / LANE);
    if (y < AXIS || x < this.gutter || lane >= this.lanes.names.length) return -1;
    let [best, least] = [-1, Infinity];
    for (let k = this.lanes.firstIn(lane, this.from - this.lanes.reach); k < this.lanes.starts[lane + 1]; k += 1) {
      const i = this.lanes.order[k];
      const [start, width] = this.#mark(i);
      if (start > x + NEAR) break;
      const far = Math.max(start - x, x - start - width, 0);
      const cost = far + (late[i] ? 0 : NEAR / 2);
      if (far <= NEAR && cost <= least) [best, least] = [i, cost];
    }
    return best;
  }

  #down(event) {
    if (event.button) return;
    const [x] = this.#at(event);
    this.drag = { start: Math.max(x, this.gutter), x };
    this.canvas.setPointerCapture(event.pointerId);
  }

  #move(event) {
    const [x, y] = this.#at(event);
    if (this.drag) this.drag.x = Math.max(x, this.gutter);
    else {
      const i = this.#hit(x, y);
      this.canvas.style.cursor = i < 0 ? "crosshair" : "pointer";
      if (i >= 0) this.say(sentenceOf(i));
      else this.#sayHold(x, y);
    }
    if (this.drag) this.redraw();
  }

  #sayHold(x, y) {
    if (y < AXIS || x < this.gutter) return;
    const ms = this.ms(x);
    const slack = this.ms(x + 2) - ms;
    const k = data.holds.at.findIndex(
      (start, n) => start !== null && ms >= start - slack && ms <= start + data.holds.ms[n] + slack,
    );
    if (k >= 0) this.say(holdSentence(k));
  }

  #up(event) {
    const [x, y] = this.#at(event);
    const { drag } = this;
    this.#cancel();
    if (drag && Math.abs(x - drag.start) >= 4) {
      const ends = [this.ms(drag.start), this.ms(Math.max(x, this.gutter))].sort((a, b) => a - b);
      this.#look(...ends);
      return;
    }
    const i = this.#hit(x, y);
    if (i < 0) return;
    this.focus = i;
    this.open(i, false);
  }

  #cancel() {
    if (!this.drag) return;
    this.drag = null;
    this.redraw();
  }

  #wheel(event) {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    this.#zoom(event.deltaY > 0 ? 1.25 : 0.8, this.ms(this.#at(event)[0]));
  }

  #look(from, to) {
    const length = Math.min(Math.max(to - from, LEAST_MS), this.whole[1] - this.whole[0]);
    this.from = Math.min(Math.max(from, this.whole[0]), this.whole[1] - length);
    this.to = this.from + length;
    this.redraw();
  }

  #zoom(factor, around = (this.from + this.to) / 2) {
    this.#look(around - (around - this.from) * factor, around + (this.to - around) * factor);
  }

  view(name) {
    const length = this.to - this.from;
    if (name === "all") this.#look(...this.whole);
    if (name === "in") this.#zoom(0.5);
    if (name === "out") this.#zoom(2);
    if (name === "earlier") this.#look(this.from - length / 2, this.to - length / 2);
    if (name === "later") this.#look(this.from + length / 2, this.to + length / 2);
  }

  // Makes sure that it is in sight.
  choose(i) {
    this.chosen = i;
    this.focus = i;
    this.#reveal(i);
  }

  #reveal(i) {
    const length = this.to - this.from;
    if (at[i] < this.from || at[i] > this.to) this.#look(at[i] - length / 2, at[i] + length / 2);
    const top = this.lanes.of[i] * LANE;
    const room = this.root.clientHeight - AXIS - LANE;
    if (top < this.root.scrollTop) this.root.scrollTop = top;
    if (top > this.root.scrollTop + room) this.root.scrollTop = top - room;
    this.redraw();
  }

  #key(event) {
    const views = { "+": "in", "=": "in", "-": "out", "−": "out", 0: "all" };
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (views[event.key]) this.view(views[event.key]);
    else if (event.key === "Enter" || event.key === " ") {
      if (this.focus >= 0) this.open(this.focus, true);
    } else if (!this.#step(event.key)) return;
    event.preventDefault();
  }

  #step(key) {
    const sideways = { ArrowRight: 1, ArrowLeft: -1, Home: 1, End: -1 }[key];
    const down = { ArrowDown: 1, ArrowUp: -1 }[key];
    if (!sideways && !down) return false;
    const to = this.focus < 0 ? this.lanes.worst() : sideways ? this.lanes.beside(this.focus, key, sideways) : this.lanes.below(this.focus, down);
    if (to < 0) return true;
    this.focus = to;
    this.#reveal(to);
    this.say(sentenceOf(to));
    return true;
  }

}
