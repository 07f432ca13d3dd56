/**
 * The swim-lane strip: a lane for each thread, a mark for each step.
 *
 * The rule kept here: a process is told by the shape of its marks as well as by
 * their colour, and all marks of a process are one path, so that thousands of
 * steps cost a page no more than a few.
 */

import { draw, make } from "./dom.js";

const MARGIN = 10; // beside the first and the last mark, in px

/** How each shape is drawn around (x, y) with radius r. */
const SHAPES = {
  circle: (x, y, r) => `M${x - r} ${y}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0z`,
  square: (x, y, r) => `M${x - r} ${y - r}h${2 * r}v${2 * r}h${-2 * r}z`,
  diamond: (x, y, r) => `M${x} ${y - 1.3 * r}l${1.3 * r} ${1.3 * r}l${-1.3 * r} ${1.3 * r}l${-1.3 * r} ${-1.3 * r}z`,
  triangle: (x, y, r) => `M${x} ${y - 1.2 * r}l${1.2 * r} ${2.2 * r}h${-2.4 * r}z`,
};

export class Lanes {
  /** `onChoose(position)` is called when a reader points at a step. */
  constructor(journey, onChoose) {
    this.journey = journey;
    this.byClock = false;
    this.shown = [];
    this.found = new Set();
    this.at = 0;
    this.labels = make("div", { class: "lab-lane-labels" });
    this.svg = draw("svg", { class: "lab-lane-marks" });
    this.tip = make("div", { class: "lab-tip", hidden: true });
    this.axis = make("div", { class: "lab-axis", hidden: true });
    this.field = make("div", { class: "lab-lane-field" }, this.svg, this.axis, this.tip);
    this.root = make("div", { class: "lab-lanes", "aria-hidden": "true" }, this.labels, this.field);
    let dragging = false;
    this.svg.addEventListener("pointerdown", (event) => {
      dragging = true;
      this.svg.setPointerCapture(event.pointerId);
      onChoose(this.nearest(event));
    });
    this.svg.addEventListener("pointermove", (event) => {
      const position = this.nearest(event);
      if (dragging) onChoose(position);
      this.point(position);
    });
    for (const type of ["pointerup", "pointercancel"]) {
      this.svg.addEventListener(type, () => {
        dragging = false;
      });
    }
    this.svg.addEventListener("pointerleave", () => {
      this.tip.hidden = true;
    });
    this.observer = new ResizeObserver(() => this.layout());
    this.observer.observe(this.field);
  }

  close() {
    this.observer.disconnect();
  }

  /** Shows the steps numbered in `shown`, on a clock's axis or in their order. */
  setSteps(shown, byClock) {
    this.shown = shown;
    this.byClock = byClock;
    const steps = shown.map((index) => this.journey.steps[index]);
    const used = new Set(steps.map((step) => step.lane));
    this.rows = new Map();
    for (const lane of this.journey.lanes.keys()) {
      if (used.has(lane)) this.rows.set(lane, this.rows.size);
    }
    let process = null;
    this.names = [...this.rows.keys()].map((number) => {
      const lane = this.journey.lanes[number];
      const opens = lane.process !== process;
      process = lane.process;
      return make(
        "div",
        { class: opens ? "lab-lane lab-opens" : "lab-lane", title: `${lane.process} ${lane.thread}`.trim() },
        make("span", { class: "lab-process", "data-ink": lane.ink }, opens ? `${lane.glyph} ${lane.process}` : ""),
        make("span", { class: "lab-thread" }, lane.thread),
      );
    });
    this.labels.replaceChildren(...this.names);
    this.layout();
  }

  /** Marks the steps at `positions` as found by a search. */
  setFound(positions) {
    this.found = new Set(positions);
    this.paint();
  }

  /** Moves the cursor to the step at `position`. */
  moveTo(position) {
    this.at = position;
    if (!this.cursor) return;
    const x = this.xs[position];
    const y = this.ys[position];
    this.cursor.setAttribute("d", `M${x} 0V${this.height}`);
    this.ring.setAttribute("d", SHAPES.circle(x, y, this.radius + 3.5));
    const row = this.rows.get(this.journey.steps[this.shown[position]].lane);
    this.names.forEach((name, index) => name.classList.toggle("lab-here", index === row));
    this.band.setAttribute("y", row * this.rowHeight);
    const box = this.root;
    if (y < box.scrollTop || y > box.scrollTop + box.clientHeight) {
      box.scrollTop = y - box.clientHeight / 2;
    }
  }

  layout() {
    const width = this.field.clientWidth;
    if (!width || !this.shown.length) return;
    const em = parseFloat(getComputedStyle(this.root).fontSize);
    this.rowHeight = Math.round(Math.min(1.5 * em, Math.max(1.12 * em, (13 * em) / this.rows.size)));
    this.height = this.rowHeight * this.rows.size;
    this.root.style.setProperty("--lab-lane-height", `${this.rowHeight}px`);
    this.svg.setAttribute("width", width);
    this.svg.setAttribute("height", this.height);
    const inner = width - 2 * MARGIN;
    const steps = this.shown.map((index) => this.journey.steps[index]);
    const times = steps.map((step) => step.since_ns);
    const first = times.reduce((a, b) => Math.min(a, b), Infinity);
    const range = times.reduce((a, b) => Math.max(a, b), -Infinity) - first || 1;
    const last = Math.max(1, steps.length - 1);
    this.xs = steps.map((step, position) =>
      round(MARGIN + inner * (this.byClock ? (step.since_ns - first) / range : position / last)),
    );
    this.ys = steps.map((step) => round((this.rows.get(step.lane) + 0.5) * this.rowHeight));
    this.places = new Map(this.shown.map((index, position) => [index, position]));
    this.ticks = this.byClock ? ticks(first, range, inner) : [];
    this.axis.replaceChildren(
      ...this.ticks.map(([x, word]) => make("span", { style: `left:${x}px` }, word)),
    );
    this.axis.hidden = !this.ticks.length;
    this.radius = round(Math.max(1.6, Math.min(0.26 * this.rowHeight, (0.42 * inner) / last)));
    this.paint();
  }

  paint() {
    if (!this.xs) return;
    const marks = new Map();
    const rings = [];
    this.shown.forEach((index, position) => {
      const lane = this.journey.steps[index].lane;
      const { shape, ink } = this.journey.lanes[lane];
      const key = `${shape} ${ink}`;
      const x = this.xs[position];
      const y = this.ys[position];
      if (!marks.has(key)) marks.set(key, []);
      marks.get(key).push(SHAPES[shape](x, y, this.radius));
      if (this.found.has(position)) rings.push(SHAPES.circle(x, y, this.radius + 2));
    });
    const opens = this.names.map((name) => name.classList.contains("lab-opens"));
    const lines = opens.map((open, row) => (open && row ? `M0 ${row * this.rowHeight}H9999` : "")).join("");
    this.band = draw("rect", { class: "lab-band", x: 0, width: "100%", height: this.rowHeight });
    this.cursor = draw("path", { class: "lab-cursor" });
    this.ring = draw("path", { class: "lab-ring" });
    this.svg.replaceChildren(
      this.band,
      draw("path", { class: "lab-borders", d: lines }),
      draw("path", { class: "lab-grid", d: this.grid() }),
      draw("path", { class: "lab-hand", d: this.arrows("hand-off") }),
      draw("path", { class: "lab-flight", d: this.arrows("bytes") }),
      this.cursor,
      ...[...marks].map(([key, paths]) =>
        draw("path", { class: "lab-marks", "data-ink": key.split(" ")[1], d: paths.join("") }),
      ),
      draw("path", { class: "lab-found", d: rings.join("") }),
      this.ring,
    );
    this.moveTo(Math.min(this.at, this.shown.length - 1));
  }

  /** Arrows of one kind, from lane to lane; where a step is hidden, from the shown one before it. */
  arrows(kind) {
    let path = "";
    for (const [start, end, of] of this.journey.arrows) {
      const from = this.places.get(start) ?? this.shownBefore(start);
      const to = this.places.get(end);
      if (of !== kind || from === undefined || to === undefined) continue;
      const [x, y, toX, toY] = [this.xs[from], this.ys[from], this.xs[to], this.ys[to]];
      const middle = round((x + toX) / 2);
      const way = Math.sign(toY - y) || 1;
      const edge = round(toY - way * (this.radius + 1));
      path += `M${x} ${y}C${middle} ${y} ${toX} ${round(toY - way * this.rowHeight)} ${toX} ${edge}`;
      path += `m-3 ${-4 * way}l3 ${4 * way}l3 ${-4 * way}`;
    }
    return path;
  }

  shownBefore(index) {
    const lane = this.journey.steps[index].lane;
    for (let before = index - 1; before >= 0; before--) {
      if (this.places.has(before) && this.journey.steps[before].lane === lane) return this.places.get(before);
    }
    return undefined;
  }

  /** On a clock's axis, a line at each round number of ms. */
  grid() {
    if (!this.byClock) return "";
    return this.ticks.map(([x]) => `M${x} 0V${this.height}`).join("");
  }

  nearest(event) {
    const box = this.svg.getBoundingClientRect();
    const x = event.clientX - box.left;
    const y = event.clientY - box.top;
    // On a clock's axis many steps share an x: there the lane decides too.
    const weight = this.byClock ? 0.7 : 0.02;
    let best = 0;
    let least = Infinity;
    for (let position = 0; position < this.xs.length; position++) {
      const away = Math.abs(this.xs[position] - x) + weight * Math.abs(this.ys[position] - y);
      if (away < least) {
        least = away;
        best = position;
      }
    }
    return best;
  }

  /** Names the step under the pointer. */
  point(position) {
    const step = this.journey.steps[this.shown[position]];
    this.tip.textContent = `${position + 1} · ${step.sentence}`;
    this.tip.hidden = false;
    const x = this.xs[position];
    const left = x < this.field.clientWidth / 2;
    this.tip.style.left = left ? `${x + 12}px` : "";
    this.tip.style.right = left ? "" : `${this.field.clientWidth - x + 12}px`;
    this.tip.style.top = `${Math.min(this.ys[position] + 8, this.height - 6)}px`;
  }
}

/** At most eight round moments between `first` and `first + range`, in ns: [x, word]. */
function ticks(first, range, inner) {
  const most = Math.max(2, Math.min(8, Math.floor(inner / 90)));
  const rough = range / most;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((n) => n * power).find((size) => size >= rough);
  const found = [];
  for (let at = Math.ceil(first / step) * step; at <= first + range; at += step) {
    found.push([round(MARGIN + (inner * (at - first)) / range), `${Math.round(at / 1e3) / 1e3} ms`]);
  }
  return found;
}

function round(number) {
  return Math.round(number * 10) / 10;
}
