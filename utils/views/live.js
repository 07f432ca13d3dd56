/**
 * Rows that come while somebody bids: newest in view, to be paused.
 *
 * The rule kept here: rows are kept with the model, not with a picture of it, so
 * that a cell shown twice, or again, shows them all; and no more of them than a
 * page can hold.  Rows are told apart by their numbers: none is shown twice.
 */

import { draw, make } from "./dom.js";

/** So many rows are kept, and so many of them drawn: the latest. */
const KEPT = 1000;
const DRAWN = 300;

/** Model → what came, and the pictures that want to know of it. */
const feeds = new WeakMap();

/** What came over `model`; asks for what came before anybody looked. */
function feedOf(model) {
  let feed = feeds.get(model);
  if (feed) return feed;
  feed = { rows: [], last: 0, total: "", pictures: new Set() };
  feeds.set(model, feed);
  model.on("msg:custom", (message) => {
    const fresh = (message.rows ?? []).filter((row) => row.number > feed.last);
    if (fresh.length) feed.last = fresh[fresh.length - 1].number;
    feed.rows = [...feed.rows, ...fresh].slice(-KEPT);
    feed.total = message.total ?? feed.total;
    for (const picture of feed.pictures) picture.arrive(fresh);
  });
  model.send({ since: 0 });
  return feed;
}

class Live {
  constructor(model) {
    this.model = model;
    this.feed = feedOf(model);
    this.paused = false;
    this.waiting = 0; // rows that came while it was paused
    this.after = 0; // the number of the last row that was cleared away
    this.events = false; // Socket.IO alone
    this.root = this.frame();
    this.root.addEventListener("keydown", (event) => this.onKey(event));
    this.feed.pictures.add(this);
    this.update = () => this.say();
    for (const name of ["state", "lost"]) model.on(`change:${name}`, this.update);
    this.redraw();
  }

  close() {
    this.feed.pictures.delete(this);
    for (const name of ["state", "lost"]) this.model.off(`change:${name}`, this.update);
    this.root.remove();
  }

  frame() {
    this.state = make("span", { class: "lab-live-state", role: "status" });
    this.total = make("span", { class: "lab-quiet lab-total" });
    this.lost = make("span", { class: "lab-fault", role: "alert" });
    this.pause = this.button("Pause (p)", () => this.setPaused(!this.paused));
    this.pause.classList.add("lab-primary");
    const clear = this.button("Clear (c)", () => this.clear());
    const events = make("input", { type: "checkbox" });
    events.addEventListener("change", () => {
      this.events = events.checked;
      this.redraw();
    });
    this.body = make("tbody");
    const head = ["time", "from", "", "to", "layer", "what", "bytes"].map((name) =>
      name ? make("th", { scope: "col" }, name) : make("td"),
    );
    this.scroll = make(
      "div",
      { class: "lab-rows", tabindex: "0", role: "log", "aria-live": "off", "aria-label": "Messages, the newest last" },
      make("table", {}, make("thead", {}, make("tr", {}, ...head)), this.body),
    );
    this.scroll.addEventListener("scroll", () => this.onScroll());
    return make(
      "div",
      { class: "lab-stepper lab-live", role: "group", "aria-label": this.model.get("heading"), tabindex: "-1" },
      make(
        "div",
        { class: "lab-frame" },
        make("div", { class: "lab-head" }, make("h2", {}, this.model.get("heading")), this.state, this.total, this.lost),
        make(
          "div",
          { class: "lab-bar" },
          this.pause,
          clear,
          make("label", { class: "lab-only" }, events, make("span", {}, "Socket.IO only")),
        ),
        this.scroll,
      ),
    );
  }

  button(name, onClick) {
    const button = make("button", { type: "button", class: "lab-button" }, name);
    button.addEventListener("click", onClick);
    return button;
  }

  // ── rows ───────────────────────────────────────────────────────────────────

  arrive(rows) {
    const wanted = rows.filter((row) => this.wants(row));
    if (this.paused) this.waiting += wanted.length;
    else this.add(wanted, true);
    this.say();
  }

  wants(row) {
    return row.number > this.after && (!this.events || row.socketio);
  }

  add(rows, fresh) {
    this.body.append(...rows.slice(-DRAWN).map((row) => drawRow(row, fresh)));
    while (this.body.rows.length > DRAWN) this.body.rows[0].remove();
    this.toNewest();
  }

  redraw() {
    this.waiting = 0;
    this.body.replaceChildren();
    this.add(this.feed.rows.filter((row) => this.wants(row)), false);
    this.say();
  }

  clear() {
    this.after = this.feed.last;
    this.redraw();
  }

  setPaused(paused) {
    this.paused = paused;
    if (paused) this.say();
    else this.redraw();
  }

  // ── what stands around them ────────────────────────────────────────────────

  toNewest() {
    this.scroll.scrollTop = this.scroll.scrollHeight;
    this.top = this.scroll.scrollTop;
  }

  /** Whoever scrolls back wants to read; whoever comes to the end again wants to see more. */
  onScroll() {
    const { scrollTop, scrollHeight, clientHeight } = this.scroll;
    const atEnd = scrollTop + clientHeight >= scrollHeight - 4;
    if (!this.paused && !atEnd && scrollTop < this.top) this.setPaused(true);
    this.top = scrollTop;
  }

  say() {
    const state = this.model.get("state");
    this.root.dataset.state = state === "live" ? (this.paused ? "paused" : "live") : "ended";
    this.state.textContent = state === "live" && this.paused ? "paused" : state;
    this.total.textContent = this.feed.total;
    this.lost.textContent = this.model.get("lost");
    const waiting = this.waiting ? `, ${this.waiting} new` : "";
    this.pause.textContent = this.paused ? `Resume (p)${waiting}` : "Pause (p)";
  }

  onKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const does = { p: () => this.setPaused(!this.paused), c: () => this.clear() };
    const scrolls = ["ArrowUp", "ArrowDown", "PageUp", "PageDown", "Home", "End", " ", "Enter"];
    if (event.key in does) {
      does[event.key]();
      event.preventDefault();
      event.stopPropagation();
    } else if (scrolls.includes(event.key)) {
      event.stopPropagation(); // the notebook around must not take them for commands
    }
  }
}

function drawRow(row, fresh) {
  const arrow = draw("svg", { viewBox: "0 0 24 10", class: "lab-arrow", "aria-hidden": "true" }, draw("path", { d: "M0 5h20M15 1l5 4-5 4" }));
  const cells = [
    make("td", { class: "lab-time" }, row.time),
    make("td", { class: "lab-who" }, make("span", { "aria-hidden": "true" }, `${row.glyph} `), row.from),
    make("td", {}, arrow),
    make("td", {}, row.to),
    make("td", {}, make("span", { class: "lab-chip lab-run", "data-tint": row.tint }, row.layer)),
    make("td", { class: "lab-what", title: row.what }, make("span", {}, row.what)),
    make("td", { class: "lab-size" }, row.bytes),
  ];
  return make("tr", { "data-ink": row.ink, class: fresh ? "lab-fresh" : null }, ...cells);
}

function render({ model, el }) {
  const live = new Live(model);
  el.append(live.root);
  live.toNewest();
  return () => live.close();
}

export default { render };
