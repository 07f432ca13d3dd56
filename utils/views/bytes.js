/**
 * The bytes in play: a dump coloured by layer, and the fields that it is made of.
 *
 * The rule kept here: the field that is chosen, by pointer or by keyboard, is
 * marked in the dump, in the list and in words, all three at once.
 */

import { make, uniqueId } from "./dom.js";

/**
 * The panel for one message; `mark` is the [start, end] that the step moved, or null.
 * `strip` is one more picture of the same fields; `own` are the [start, end]s that the
 * step made or took apart; `way(index)` draws where a field came from and went to, and
 * `follow(index, reading)` goes there.
 */
export function bytesPanel(message, mark, heading, width, { strip = null, own = [], way = null, follow = null } = {}) {
  const id = uniqueId();
  const dump = drawDump(message, mark, width, own);
  const pictures = strip ? [strip, dump] : [dump];
  const options = message.spans.map((span, index) => drawOption(span, mark, index, id));
  const list = make(
    "ul",
    { class: "lab-fields", role: "listbox", tabindex: "0", "aria-label": "Fields of the message" },
    ...options,
  );
  const words = make("p", { class: "lab-meaning", "aria-live": "polite" });
  const ways = way ? make("div", { class: "lab-ways", tabindex: "0", role: "group", "aria-label": "Its way" }) : null;
  let chosen = -1;
  let pinned = false; // a click holds the field, so that the pointer can go to its way

  const choose = (index, scroll) => {
    if (index === chosen || index < 0 || index >= options.length) return;
    options[chosen]?.removeAttribute("aria-selected");
    chosen = index;
    options[index].setAttribute("aria-selected", "true");
    list.setAttribute("aria-activedescendant", options[index].id);
    for (const run of pictures.flatMap((picture) => [...picture.querySelectorAll("[data-field]")])) {
      run.classList.toggle("lab-chosen", run.dataset.field === String(index));
    }
    const span = message.spans[index];
    words.replaceChildren(
      make("b", {}, `${span.layer} · ${span.label}`),
      span.meaning ? ` ${span.meaning}` : "",
      span.clause ? make("span", { class: "lab-quiet" }, ` ${span.clause}`) : "",
    );
    ways?.replaceChildren(way(index));
    if (scroll) {
      reveal(list, options[index]);
      for (const picture of pictures) reveal(picture, picture.querySelector(`[data-field="${index}"]`));
    }
  };

  const pointed = (event) => {
    const target = event.target.closest?.("[data-field]");
    if (target && !pinned) choose(Number(target.dataset.field), false);
  };
  const pin = (event) => {
    const target = event.target.closest?.("[data-field]");
    if (!target || !way) return;
    const again = pinned && Number(target.dataset.field) === chosen;
    pinned = false;
    pointed(event);
    pinned = !again;
    panel.classList.toggle("lab-pinned", pinned);
  };
  for (const picture of pictures) {
    picture.addEventListener("pointerover", pointed);
    picture.addEventListener("focusin", pointed);
    picture.addEventListener("click", (event) => {
      pin(event);
      pointed(event);
      if (chosen >= 0) reveal(list, options[chosen]);
    });
  }
  list.addEventListener("pointerover", pointed);
  list.addEventListener("click", pin);
  list.addEventListener("focus", () => choose(Math.max(chosen, 0), true));
  const onKey = (event, moves) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Enter" && follow) follow(chosen, event.shiftKey);
    else if (event.key in moves) choose(moves[event.key], true);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  list.addEventListener("keydown", (event) =>
    onKey(event, { ArrowDown: chosen + 1, ArrowUp: chosen - 1, Home: 0, End: options.length - 1 }),
  );
  dump.addEventListener("keydown", (event) => {
    if (way) onKey(event, { ArrowRight: chosen + 1, ArrowLeft: chosen - 1 });
  });

  const begin = mark ?? own[0] ?? null;
  const first = begin ? message.spans.findIndex((span) => touches(span, begin)) : 0;
  const panel = make(
    "div",
    { class: "lab-bytes", role: "group", "aria-label": "Bytes in play" },
    make("h3", {}, heading),
    strip,
    dump,
    make(
      "div",
      { class: "lab-explained" },
      ...message.faults.map((fault) => make("p", { class: "lab-fault" }, fault)),
      options.length ? list : null,
      options.length ? words : null,
      options.length ? ways : null,
    ),
  );
  choose(first, false);
  // Scrolling needs a layout, and so the panel in the page.
  const arrive = () => {
    reveal(dump, dump.querySelector(".lab-marked, .lab-own"));
    if (first > 0) reveal(list, options[first]);
  };
  return { panel, arrive };
}

function touches(span, mark) {
  return span.start < mark[1] && mark[0] < span.end;
}

/** Scrolls `box`, and never the page, until `element` is in sight. */
function reveal(box, element) {
  if (!element) return;
  const inner = element.getBoundingClientRect();
  const outer = box.getBoundingClientRect();
  if (inner.left < outer.left) box.scrollLeft -= outer.left - inner.left + 4;
  else if (inner.right > outer.right) box.scrollLeft += inner.right - outer.right + 4;
  if (inner.top < outer.top) box.scrollTop -= outer.top - inner.top + 4;
  else if (inner.bottom > outer.bottom) box.scrollTop += inner.bottom - outer.bottom + 4;
}

function drawOption(span, mark, index, id) {
  return make(
    "li",
    {
      id: `${id}-${index}`,
      role: "option",
      "data-field": String(index),
      class: mark && touches(span, mark) ? "lab-field lab-marked" : "lab-field",
    },
    make("span", { class: "lab-swatch", "data-tint": span.tint, "aria-hidden": "true" }),
    make("span", { class: "lab-label" }, span.label),
    make("code", {}, span.value),
    make("span", { class: "lab-range lab-quiet" }, span.range),
  );
}

function drawDump(message, mark, width, own) {
  const rows = [];
  let after = 0;
  const digits = Math.max(4, String(message.length).length);
  for (const window of message.windows) {
    if (window.start > after) rows.push(drawGap());
    const end = window.start + window.text.length;
    for (let start = window.start; start < end; start += width) {
      rows.push(drawRow(message, window, [mark, own], start, Math.min(start + width, end), width, digits));
    }
    after = end;
  }
  if (after < message.length) rows.push(drawGap());
  const head = make(
    "div",
    { class: "lab-row lab-quiet" },
    make("span", { class: "lab-offset" }, "byte".padStart(digits)),
    make("span", { class: "lab-hex" }, "hex".padEnd(width * 3 - 1)),
    make("span", { class: "lab-text" }, message.column),
  );
  return make(
    "div",
    { class: "lab-dump", tabindex: "0", role: "group", "aria-label": "Hex dump" },
    head,
    ...rows,
  );
}

function drawGap() {
  return make("div", { class: "lab-row lab-quiet" }, "⋮");
}

function drawRow(message, window, marks, start, end, width, digits) {
  const hex = [];
  const text = [];
  for (const run of runs(message.spans, marks, start, end)) {
    const attributes = {
      class: `lab-run${run.marked ? " lab-marked" : ""}${run.owned ? " lab-own" : ""}`,
      "data-tint": run.field < 0 ? "unknown" : message.spans[run.field].tint,
      "data-field": run.field < 0 ? null : String(run.field),
    };
    const bytes = [];
    for (let at = run.start; at < run.end; at++) {
      const place = (at - window.start) * 2;
      bytes.push(window.hex.slice(place, place + 2));
    }
    hex.push(make("span", attributes, bytes.join(" ")), run.end < end ? " " : "");
    text.push(make("span", attributes, window.text.slice(run.start - window.start, run.end - window.start)));
  }
  hex.push(" ".repeat((width - (end - start)) * 3));
  return make(
    "div",
    { class: "lab-row" },
    make("span", { class: "lab-offset lab-quiet" }, String(start).padStart(digits)),
    make("span", { class: "lab-hex" }, ...hex),
    make("span", { class: "lab-text" }, ...text),
  );
}

/** Neighbouring bytes with the same field and the same mark. */
function runs(spans, [mark, own], start, end) {
  const found = [];
  let field = spans.findIndex((span) => span.start < end && start < span.end);
  for (let at = start; at < end; at++) {
    while (field >= 0 && field < spans.length && spans[field].end <= at) field++;
    const covered = field >= 0 && field < spans.length && spans[field].start <= at;
    const of = covered ? field : -1;
    const marked = mark !== null && mark[0] <= at && at < mark[1];
    const owned = own.some(([from, to]) => from <= at && at < to);
    const last = found.at(-1);
    if (last && last.field === of && last.marked === marked && last.owned === owned) last.end = at + 1;
    else found.push({ start: at, end: at + 1, field: of, marked, owned });
  }
  return found;
}
