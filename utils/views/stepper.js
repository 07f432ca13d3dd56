/**
 * Steps through a journey, forward and back.
 *
 * The rule kept here: everything is in the page; no step waits for a kernel.
 * Words and numbers come ready from Python (utils/views/plain.py); this file
 * only places them.
 */

import { bytesPanel } from "./bytes.js";
import { draw, link, make, openHere, uniqueId } from "./dom.js";
import { Lanes } from "./lanes.js";
import { drawValues } from "./values.js";
import { drawWay, stepOf } from "./ways.js";

/** Below this width, in px, the panels stand below each other, as stepper.css has it. */
const WIDE = 760;

/** What a row of 16 bytes needs, in characters: offset, hex, text and the room between. */
const ROW_OF_16 = 73;

/** The buttons' signs, drawn in a square of 16 by 16. */
const SIGNS = {
  first: "M2 2h2.4v12H2zM14 2v12L5.4 8z",
  previous: "M12.5 2v12L3.5 8z",
  next: "M3.5 2v12l9-6z",
  last: "M11.6 2H14v12h-2.4zM2 2v12l8.6-6z",
};

/** What the keys do, as it is told; the arrows are told by the buttons. */
const KEYS = [
  ["← →", "a step back, a step on"],
  ["PgUp PgDn", "to the turn before, to the next"],
  ["Home End", "to the first step, to the last"],
  ["1 2 3", "how deep to look"],
  ["w r", "to the step that wrote the chosen byte, that read it"],
  ["p", "from a call to its packet, and back"],
  ["/", "find; Enter goes on, Escape ends it"],
  ["n N", "to the next found, to the one before"],
  ["l", "a link to this step"],
  ["t", "larger type"],
  ["?", "these keys"],
];

class Stepper {
  constructor(journey, level, at, reference) {
    this.journey = journey;
    this.reference = reference;
    this.found = [];
    this.chosen = 0; // the field of the bytes that is chosen
    this.back = null; // where the reader stood before going to the packet
    this.lanes = new Lanes(journey, (position) => this.goTo(position));
    this.root = make("div", { class: "lab-stepper", role: "group", "aria-label": `Journey of ${journey.name}`, tabindex: "-1" });
    this.root.append(this.frame());
    this.root.addEventListener("keydown", (event) => this.onKey(event));
    this.observer = new ResizeObserver(() => this.onResize());
    this.observer.observe(this.root);
    this.setLevel(level, at);
    if (!reference) {
      this.onHash = () => this.fromAddress();
      window.addEventListener("hashchange", this.onHash);
      this.fromAddress();
    }
  }

  close() {
    if (this.onHash) window.removeEventListener("hashchange", this.onHash);
    this.observer.disconnect();
    this.lanes.close();
    this.root.remove();
  }

  // ── the frame: what stays while the steps go by ────────────────────────────

  frame() {
    this.buttons = {
      first: this.button(SIGNS.first, "First", () => this.goTo(0)),
      previous: this.button(SIGNS.previous, "Previous", () => this.goTo(this.at - 1)),
      next: this.button(SIGNS.next, "Next", () => this.goTo(this.at + 1)),
      last: this.button(SIGNS.last, "Last", () => this.goTo(this.shown.length - 1)),
    };
    this.buttons.next.classList.add("lab-primary");
    for (const name of ["first", "last"]) this.buttons[name].classList.add("lab-minor");
    this.position = make("span", { class: "lab-position", "aria-hidden": "true" });
    this.slider = make("input", { type: "range", class: "lab-slider", min: "1", "aria-label": "Step" });
    this.slider.addEventListener("input", () => this.goTo(Number(this.slider.value) - 1));
    this.status = make("div", { class: "lab-unseen", role: "status", "aria-live": "polite" });
    this.card = make("div", { class: "lab-card" });
    this.body = make("div", { class: "lab-body" });
    const axis = this.choice(
      "What the strip's axis counts",
      [
        ["order", "in order"],
        ["clock", "on the clock"],
      ],
      "order",
      (value) => {
        this.lanes.setSteps(this.shown, value === "clock");
        this.byClock = value === "clock";
      },
    );
    this.levels = this.choice(
      "How deep to look",
      this.journey.levels.map(({ value, word, count }) => [String(value), word, String(count)]),
      null,
      (value) => this.setLevel(Number(value)),
    );
    return make(
      "div",
      { class: "lab-frame" },
      make(
        "div",
        { class: "lab-head" },
        make("h2", {}, this.journey.name),
        make("span", { class: "lab-quiet" }, this.journey.how),
        axis,
        this.tools(),
      ),
      this.help,
      this.lanes.root,
      this.slider,
      make(
        "div",
        { class: "lab-bar", role: "toolbar", "aria-label": "Steps: the arrow keys step too" },
        this.buttons.first,
        this.buttons.previous,
        this.position,
        this.buttons.next,
        this.buttons.last,
        this.levels,
        this.search(),
      ),
      this.card,
      this.body,
      this.status,
    );
  }

  /** Larger type, a link to the step, and what the keys do. */
  tools() {
    this.larger = this.tool("A", "Larger type", () => this.setLarger());
    this.larger.setAttribute("aria-pressed", "false");
    const share = this.tool("link", "A link to this step", () => this.share());
    const keys = this.tool("?", "What the keys do", () => this.showKeys());
    keys.setAttribute("aria-expanded", "false");
    this.keys = keys;
    this.shared = make("input", { class: "lab-shared", readonly: true, "aria-label": "The link", hidden: true });
    this.help = make(
      "dl",
      { class: "lab-help", hidden: true },
      ...KEYS.flatMap(([key, what]) => [make("dt", {}, key), make("dd", {}, what)]),
    );
    return make("span", { class: "lab-tools" }, this.shared, share, this.larger, keys);
  }

  tool(sign, name, onClick) {
    const button = make("button", { type: "button", class: "lab-tool", title: name, "aria-label": name }, sign);
    button.addEventListener("click", onClick);
    return button;
  }

  setLarger() {
    const on = this.root.classList.toggle("lab-large");
    this.larger.setAttribute("aria-pressed", String(on));
    this.lanes.layout();
    this.showBody();
  }

  showKeys() {
    this.help.hidden = !this.help.hidden;
    this.keys.setAttribute("aria-expanded", String(!this.help.hidden));
  }

  // ── a step that can be handed on ───────────────────────────────────────────

  /** Copies what leads here: the page's address, or the call that shows this step in a notebook. */
  share() {
    const address = this.reference
      ? this.reference.replace("{level}", this.level).replace("{at}", this.at + 1)
      : new URL(this.fragment(), document.baseURI).href;
    this.shared.value = address;
    this.shared.hidden = false;
    this.shared.focus();
    this.shared.select();
    const said = (word) => {
      this.status.textContent = `${word}: ${address}`;
    };
    if (!navigator.clipboard) return said("To be copied");
    navigator.clipboard.writeText(address).then(() => said("Copied"), () => said("To be copied"));
  }

  fragment() {
    return `#step=${this.shown[this.at] + 1}&level=${this.level}`;
  }

  /** Goes to the step that the address names, if it names one. */
  fromAddress() {
    const named = new URLSearchParams(location.hash.slice(1));
    const index = Number(named.get("step")) - 1;
    const level = Number(named.get("level"));
    if (!(index >= 0 && index < this.journey.steps.length)) return;
    if (this.journey.levels.some(({ value }) => value === level)) this.setLevel(level);
    this.goToStep(index);
  }

  button(sign, name, onClick) {
    const button = make(
      "button",
      { type: "button", class: "lab-button", title: name },
      draw("svg", { "aria-hidden": "true", class: "lab-sign", viewBox: "0 0 16 16" }, draw("path", { d: sign })),
      make("span", { class: "lab-name" }, name),
    );
    button.addEventListener("click", () => {
      if (button.getAttribute("aria-disabled") !== "true") onClick();
    });
    return button;
  }

  /** A row of radio buttons; `options` are [value, word, count?]. */
  choice(title, options, chosen, onChange) {
    const group = uniqueId();
    return make(
      "fieldset",
      { class: "lab-choice", "aria-label": title },
      ...options.map(([value, word, count]) => {
        const input = make("input", { type: "radio", name: group, value, class: "lab-unseen" });
        input.checked = value === chosen;
        input.addEventListener("change", () => onChange(value));
        const number = count ? make("span", { class: "lab-count" }, ` ${count}`) : null;
        return make("label", { title }, input, make("span", {}, word, number));
      }),
    );
  }

  search() {
    this.query = make("input", {
      type: "search",
      class: "lab-search",
      placeholder: "Find a function, file, value …",
      "aria-label": "Find a step; Enter goes to the next one found",
    });
    this.query.addEventListener("input", () => this.find(true));
    this.query.addEventListener("keydown", (event) => {
      if (event.key === "Enter") this.toFound(event.shiftKey ? -1 : 1);
      if (event.key === "Escape") {
        this.query.value = "";
        this.find(false);
      }
    });
    this.hits = make("span", { class: "lab-hits lab-quiet", role: "status" });
    return make("span", { class: "lab-find" }, this.query, this.hits);
  }

  // ── moving ─────────────────────────────────────────────────────────────────

  /** Shows the steps of `level`; stays at the same step, or the shown one before it. */
  setLevel(level, at = null) {
    const here = at === null ? this.shown?.[this.at] ?? 0 : null;
    this.level = level;
    this.shown = [];
    this.journey.steps.forEach((step, index) => {
      if (step.level <= level) this.shown.push(index);
    });
    for (const input of this.levels.querySelectorAll("input")) input.checked = Number(input.value) === level;
    this.slider.max = String(this.shown.length);
    this.lanes.setSteps(this.shown, this.byClock ?? false);
    this.at = -1;
    if (here === null) this.goTo(at);
    else this.goTo(Math.max(0, this.shown.findLastIndex((index) => index <= here)));
    if (this.query.value) this.find(false);
  }

  goTo(position) {
    const target = Math.max(0, Math.min(position, this.shown.length - 1));
    if (target === this.at || !this.shown.length) return;
    this.at = target;
    this.chosen = 0;
    if (this.journey.steps[this.shown[target]].kind !== "on the wire") this.back = null;
    this.show();
  }

  /** To a step by its number among all; the level at which it shows is opened if need be. */
  goToStep(index) {
    const step = this.journey.steps[index];
    if (step.level > this.level) this.setLevel(step.level);
    this.goTo(this.shown.indexOf(index));
  }

  /** From a step to the one that wrote, or read, the chosen bytes. */
  followBytes(reading, field = this.chosen) {
    const message = this.messageHere();
    const way = message?.ways?.fields[field];
    const index = way ? stepOf(way, this.journey.lines, reading) : null;
    if (index === null) return;
    this.goToStep(index);
    this.root.focus({ preventScroll: true });
  }

  messageHere() {
    const step = this.journey.steps[this.shown[this.at]];
    return step.message === null ? null : this.journey.messages[step.message];
  }

  /** From a call to its message on the wire, and back. */
  toPacket() {
    const here = this.shown[this.at];
    const step = this.journey.steps[here];
    if (step.kind === "on the wire") {
      const sender = this.journey.arrows.find(([, end]) => end === here);
      this.goToStep(this.back ?? (sender ? sender[0] : here));
      this.back = null;
      return;
    }
    const packet = this.packetOf(step);
    if (packet < 0) return;
    this.goToStep(packet);
    this.back = here;
  }

  packetOf(step) {
    if (step.message === null) return -1;
    return this.journey.steps.findIndex((one) => one.kind === "on the wire" && one.message === step.message);
  }

  /** To the first step of the next turn, or of this one, or of the one before. */
  toTurn(way) {
    const turn = (position) => this.journey.steps[this.shown[position]]?.turn;
    let position = this.at;
    if (way > 0) {
      while (turn(position) === turn(this.at)) position++;
      if (position < this.shown.length) this.goTo(position);
      return;
    }
    const from = position > 0 && turn(position - 1) !== turn(position) ? position - 1 : position;
    position = from;
    while (position > 0 && turn(position - 1) === turn(from)) position--;
    this.goTo(position);
  }

  onKey(event) {
    const typing = event.target === this.query || event.target === this.shared;
    const shifted = { N: () => this.toFound(-1), "?": () => this.showKeys() };
    const moves = {
      ArrowRight: () => this.goTo(this.at + 1),
      ArrowDown: () => this.goTo(this.at + 1),
      ArrowLeft: () => this.goTo(this.at - 1),
      ArrowUp: () => this.goTo(this.at - 1),
      Home: () => this.goTo(0),
      End: () => this.goTo(this.shown.length - 1),
      PageDown: () => this.toTurn(1),
      PageUp: () => this.toTurn(-1),
      w: () => this.followBytes(false),
      r: () => this.followBytes(true),
      p: () => this.toPacket(),
      n: () => this.toFound(1),
      l: () => this.share(),
      t: () => this.setLarger(),
      "/": () => this.query.focus(),
    };
    for (const { value } of this.journey.levels) moves[value] = () => this.setLevel(value);
    const plain = !(event.ctrlKey || event.metaKey || event.altKey || event.shiftKey);
    if (typing || (plain && event.target.type === "radio" && event.key.startsWith("Arrow"))) {
      // The field's own keys, which the notebook around must not take for commands.
      event.stopPropagation();
      return;
    }
    const move = plain ? moves[event.key] : undefined;
    const bare = !(event.ctrlKey || event.metaKey || event.altKey);
    const act = move ?? (bare ? shifted[event.key] : undefined);
    if (act) {
      act();
      event.preventDefault();
      event.stopPropagation();
    }
  }

  onResize() {
    const width = this.root.clientWidth;
    if (!width) return;
    const bytes = this.bytesWidth();
    if (bytes !== this.drawnWidth && this.at >= 0) this.showBody();
  }

  // ── finding ────────────────────────────────────────────────────────────────

  find(move) {
    const wanted = this.query.value.trim().toLowerCase();
    this.found = [];
    if (wanted) {
      this.shown.forEach((index, position) => {
        if (this.searchable(index).includes(wanted)) this.found.push(position);
      });
    }
    this.lanes.setFound(this.found);
    if (move && this.found.length && !this.found.includes(this.at)) {
      this.goTo(this.found.find((position) => position > this.at) ?? this.found[0]);
    }
    this.countFound();
  }

  searchable(index) {
    this.texts ??= [];
    if (this.texts[index] === undefined) {
      const step = this.journey.steps[index];
      const values = step.arguments.flat();
      const words = [step.sentence, step.note, step.file, step.heading, step.result, ...values];
      this.texts[index] = words.filter(Boolean).join("\n").toLowerCase();
    }
    return this.texts[index];
  }

  toFound(way) {
    if (!this.found.length) return;
    const next =
      way > 0
        ? this.found.find((position) => position > this.at) ?? this.found[0]
        : this.found.findLast((position) => position < this.at) ?? this.found.at(-1);
    this.goTo(next);
    this.countFound();
  }

  countFound() {
    if (!this.query.value.trim()) {
      this.hits.textContent = "";
      return;
    }
    const place = this.found.indexOf(this.at) + 1;
    const total = this.found.length;
    this.hits.textContent = total ? `${place || "–"} of ${total}` : "none";
  }

  // ── one step ───────────────────────────────────────────────────────────────

  show() {
    const total = this.shown.length;
    const step = this.journey.steps[this.shown[this.at]];
    this.lanes.moveTo(this.at);
    this.slider.value = String(this.at + 1);
    this.slider.setAttribute("aria-valuetext", `${this.at + 1} of ${total}: ${step.sentence}`);
    this.position.replaceChildren(make("b", {}, String(this.at + 1)), ` / ${total}`);
    this.status.textContent = `Step ${this.at + 1} of ${total}: ${step.sentence}. ${step.note}`;
    for (const name of ["first", "previous"]) disable(this.buttons[name], this.at === 0);
    for (const name of ["next", "last"]) disable(this.buttons[name], this.at === total - 1);
    this.countFound();
    this.showCard(step);
    this.showBody();
  }

  showCard(step) {
    const lane = this.journey.lanes[step.lane];
    const library = step.library === null ? null : this.journey.libraries[step.library];
    this.card.dataset.ink = lane.ink;
    this.card.replaceChildren(
      make(
        "div",
        { class: "lab-where" },
        make("span", { class: "lab-place", "data-ink": lane.ink }, `${lane.glyph} ${step.place}`),
        make("span", { class: "lab-kind" }, step.kind),
        library && make("span", { class: "lab-chip" }, make("b", {}, library.label)),
        library && make("span", { class: "lab-chip", title: "licence" }, library.licence),
        make("span", { class: "lab-moment" }, step.moment),
      ),
      make("h3", { class: "lab-title" }, step.title),
      this.path(step),
    );
  }

  /** The shown calls around a step, each a way back to it; then the step's note. */
  path(step) {
    const around = [];
    let depth = step.depth;
    for (let position = this.at - 1; position >= 0 && depth > 0; position--) {
      const before = this.journey.steps[this.shown[position]];
      if (before.turn !== step.turn) break;
      if (before.kind === "call" && before.depth < depth) {
        depth = before.depth;
        const button = make("button", { type: "button", class: "lab-inline", title: "Go to this call" }, before.title);
        button.addEventListener("click", () => {
          this.goTo(position);
          this.root.focus({ preventScroll: true });
        });
        around.unshift(button, " › ");
      }
    }
    const row = make("div", { class: "lab-path" });
    // The outermost call and the two nearest: more would push the source about.
    if (around.length > 8) around.splice(2, around.length - 6, "… › ");
    if (around.length) row.append(make("span", { class: "lab-around" }, "within ", ...around.slice(0, -1)));
    if (step.note) row.append(make("span", { class: "lab-note" }, step.note));
    for (const touch of step.touches) row.append(make("span", { class: "lab-touch" }, touch));
    row.append(...this.crossings(step));
    const hidden = (this.shown[this.at + 1] ?? this.journey.steps.length) - this.shown[this.at] - 1;
    if (hidden > 0) {
      const words = hidden === 1 ? "1 deeper step before the next" : `${hidden} deeper steps before the next`;
      const button = make("button", { type: "button", class: "lab-inline lab-deeper" }, `⤵ ${words}`);
      button.addEventListener("click", () => this.deeper());
      row.append(button);
    }
    return row;
  }

  /** The ways from a packet to who sent and who received it, and from those to the packet. */
  crossings(step) {
    const here = this.shown[this.at];
    const found = [];
    const lead = (words, index) => {
      const button = make("button", { type: "button", class: "lab-inline" }, words);
      button.addEventListener("click", () => {
        this.goToStep(index);
        this.root.focus({ preventScroll: true });
      });
      found.push(button);
    };
    for (const [start, end, kind] of this.journey.arrows) {
      const other = (index) => `${this.journey.steps[index].title}, ${this.journey.steps[index].place}`;
      if (kind === "bytes" && end === here) lead(`from ${other(start)}`, start);
      if (kind === "bytes" && start === here) lead(`on to ${other(end)}`, end);
      if (kind !== "bytes" && end === here) lead(`handed on by ${other(start)}`, start);
      if (kind !== "bytes" && start === here) lead(`handed on to ${other(end)}`, end);
    }
    const packet = found.length ? -1 : this.packetOf(step);
    if (packet >= 0 && packet !== here) lead("its packet", packet);
    return found;
  }

  /** Opens the level at which the step after this one comes to light, and goes to it. */
  deeper() {
    const here = this.shown[this.at];
    this.setLevel(this.journey.steps[here + 1].level);
    this.goTo(this.shown.indexOf(here + 1));
    this.root.focus({ preventScroll: true });
  }

  /** How many bytes a row of the dump has room for: 16, or 8. */
  bytesWidth() {
    const width = this.root.clientWidth;
    const step = this.journey.steps[this.shown[this.at]];
    const beside = width >= WIDE && step.source !== null;
    const em = parseFloat(getComputedStyle(this.body).fontSize);
    // The dump is set at 0.88 em; a character of a fixed-width font is 0.61 of its size.
    return (beside ? width / 2 : width) - 2.4 * em >= ROW_OF_16 * 0.61 * 0.88 * em ? 16 : 8;
  }

  showBody() {
    const step = this.journey.steps[this.shown[this.at]];
    const panels = [];
    let arrive = null;
    if (step.source !== null) panels.push(this.source(step));
    const values = drawValues(step, this.before());
    this.drawnWidth = this.bytesWidth();
    if (step.message !== null) {
      const message = this.journey.messages[step.message];
      const bytes = bytesPanel(message, step.mark, step.heading, this.drawnWidth, this.bytesOptions(step, message));
      arrive = bytes.arrive;
      panels.push(make("div", { class: "lab-side" }, values, bytes.panel));
    } else if (values) {
      panels.push(make("div", { class: "lab-side" }, values));
    }
    this.body.replaceChildren(...panels);
    this.body.classList.toggle("lab-single", panels.length < 2);
    this.body.classList.toggle("lab-followed", Boolean(this.messageHere()?.ways));
    const line = this.body.querySelector(".lab-current");
    const box = line?.closest(".lab-code");
    if (box) box.scrollTop = line.offsetTop - box.clientHeight / 2;
    arrive?.();
  }

  bytesOptions(step, message) {
    if (!message.ways) return { own: step.own };
    return {
      own: step.own,
      way: (index) => {
        this.chosen = index;
        return drawWay(message.ways.fields[index], this.journey.lines, (step) => {
          this.goToStep(step);
          this.root.focus({ preventScroll: true });
        });
      },
      follow: (index, reading) => this.followBytes(reading, index),
    };
  }

  /** The shown steps of this turn whose values this one may have got: the call around it, and the step before. */
  before() {
    const step = this.journey.steps[this.shown[this.at]];
    const found = [];
    for (let position = this.at - 1; position >= 0; position--) {
      const earlier = this.journey.steps[this.shown[position]];
      if (earlier.turn !== step.turn) break;
      if (!found.length || earlier.depth < step.depth) found.unshift(earlier);
      if (earlier.depth < step.depth) break;
    }
    return found;
  }

  source(step) {
    const { lines } = this.journey.sources[step.source];
    const rows = lines.map((line) => {
      if (line === null) return make("div", { class: "lab-line lab-quiet" }, make("span", { class: "lab-number" }, "⋮"));
      const [number, pieces] = line;
      const current = number === step.current;
      return make(
        "div",
        { class: current ? "lab-line lab-current" : "lab-line", "aria-current": current ? "true" : null },
        make("span", { class: "lab-number" }, current ? `→ ${number}` : String(number)),
        make("code", {}, ...pieces.map(([kind, text]) => (kind ? make("span", { "data-token": kind }, text) : text))),
      );
    });
    return make(
      "div",
      { class: "lab-source", role: "group", "aria-label": "Source" },
      make(
        "h3",
        {},
        link(step.link, step.file, { title: step.link_sentence }) ?? make("span", { title: step.link_sentence }, step.file),
        openHere(step.open, "open here", { class: "lab-open", title: "Open the installed file" }),
        step.link ? null : make("span", { class: "lab-quiet" }, " no proved link"),
      ),
      make("div", { class: "lab-code", tabindex: "0", role: "group", "aria-label": "Source lines" }, ...rows),
    );
  }
}

/** Keeps the focus on a button that has nothing more to do. */
function disable(button, disabled) {
  button.setAttribute("aria-disabled", String(disabled));
}

function render({ model, el }) {
  const stepper = new Stepper(model.get("journey"), model.get("level"), model.get("at"), model.get("reference"));
  el.append(stepper.root);
  return () => stepper.close();
}

export default { render };
