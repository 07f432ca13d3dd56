/**
 * The bytes in play: a dump coloured by layer, and the fields that it is made of.
 *
 * The rule kept here: the field that is chosen, by pointer or by keyboard, is
 * marked in the dump, in the list and in words, all three at once.
 */

import { make, uniqueId } from "./dom.js";

/**
 * The panel for one message; `mark` is the [start, end] that the step moved, or null.
 * `strip` is one more picture of the same fields, or nothing.
 */
export function bytesPanel(message, mark, heading, width, strip = null) {
  const id = uniqueId();
  const dump = drawDump(message, mark, width);
  const pictures = strip ? [strip, dump] : [dump];
  const options = message.spans.map((span, index) => drawOption(span, mark, index, id));
  const list = make(
    "ul",
    { class: "lab-fields", role: "listbox", tabindex: "0", "aria-label": "Fields of the message" },
    ...options,
  );
  const words = make("p", { class: "lab-meaning", "aria-live": "polite" });
  let chosen = -1;

  const choose = (index, follow) => {
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
    if (follow) {
      reveal(list, options[index]);
      for (const picture of pictures) reveal(picture, picture.querySelector(`[data-field="${index}"]`));
    }
  };

  const pointed = (event) => {
    const target = event.target.closest?.("[data-field]");
    if (target) choose(Number(target.dataset.field), false);
  };
  for (const picture of pictures) {
    picture.addEventListener("pointerover", pointed);
    picture.addEventListener("focusin", pointed);
    picture.addEventListener("click", (event) => {
      pointed(event);
      if (chosen >= 0) reveal(list, options[chosen]);
    });
  }
  list.addEventListener("pointerover", pointed);
  list.addEventListener("focus", () => choose(Math.max(chosen, 0), true));
  list.addEventListener("keydown", (event) => {
    const moves = { ArrowDown: chosen + 1, ArrowUp: chosen - 1, Home: 0, End: options.length - 1 };
    if (!(event.key in moves) || event.ctrlKey || event.metaKey || event.altKey) return;
    choose(moves[event.key], true);
    event.preventDefault();
    event.stopPropagation();
  });

  const first = mark ? message.spans.findIndex((span) => touches(span, mark)) : 0;
  choose(first, false);
  const panel = make(
    "section",
    { class: "lab-bytes", "aria-label": "Bytes in play" },
    make("h3", {}, heading),
    strip,
    dump,
    make(
      "div",
      { class: "lab-explained" },
      ...message.faults.map((fault) => make("p", { class: "lab-fault" }, fault)),
      options.length ? list : null,
      options.length ? words : null,
    ),
  );
  // Scrolling needs a layout, and so the panel in the page.
  const arrive = () => {
    reveal(dump, dump.querySelector(".lab-marked"));
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

function drawDump(message, mark, width) {
  const rows = [];
  let after = 0;
  const digits = Math.max(4, String(message.length).length);
  for (const window of message.windows) {
    if (window.start > after) rows.push(drawGap());
    const end = window.start + window.text.length;
    for (let start = window.start; start < end; start += width) {
      rows.push(drawRow(message, window, mark, start, Math.min(start + width, end), width, digits));
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

function drawRow(message, window, mark, start, end, width, digits) {
  const hex = [];
  const text = [];
  for (const run of runs(message.spans, mark, start, end)) {
    const attributes = {
      class: run.marked ? "lab-run lab-marked" : "lab-run",
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
function runs(spans, mark, start, end) {
  const found = [];
  let field = spans.findIndex((span) => span.start < end && start < span.end);
  for (let at = start; at < end; at++) {
    while (field >= 0 && field < spans.length && spans[field].end <= at) field++;
    const covered = field >= 0 && field < spans.length && spans[field].start <= at;
    const of = covered ? field : -1;
    const marked = mark !== null && mark[0] <= at && at < mark[1];
    const last = found.at(-1);
    if (last && last.field === of && last.marked === marked) last.end = at + 1;
    else found.push({ start: at, end: at + 1, field: of, marked });
  }
  return found;
}
