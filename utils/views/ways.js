/**
 * The way of a field's bytes: whose value they are, who wrote them, who read them, who got them.
 *
 * The rule kept here: each line of code is shown with its place; one that
 * belongs to a step of the journey leads to it, one that does not says nothing
 * of a step.
 */

import { link, make } from "./dom.js";

/** The entries that are told at once; the others are on the way between them. */
const CHIEF = new Set(["value from", "written by", "read by", "value to"]);

/** `way` is one field's; `onStep(index)` goes to a step of the journey. */
export function drawWay(way, lines, onStep) {
  const rows = ([word, number]) => drawEntry(word, lines[number], onStep);
  const between = way.steps.filter(([word]) => !CHIEF.has(word));
  const list = make(
    "ol",
    { class: "lab-way", "aria-label": "Who wrote and who read these bytes" },
    ...way.steps.filter(([word]) => CHIEF.has(word)).map(rows),
  );
  if (between.length) {
    const words = between.length === 1 ? "1 step on the way" : `${between.length} steps on the way`;
    list.append(
      make("li", {}, make("details", {}, make("summary", {}, words), make("ol", {}, ...between.map(rows)))),
    );
  }
  for (const said of way.outside) list.append(make("li", {}, make("span", { class: "lab-part" }, ""), said));
  if (way.lacking) list.append(make("li", { class: "lab-fault" }, `✗ unexplained: ${way.lacking}`));
  return list;
}

function drawEntry(word, line, onStep) {
  const name = `${line.process} · ${line.name || "not known"}`;
  let place = make("span", {}, name);
  if (line.step !== null) {
    place = make("button", { type: "button", class: "lab-inline", title: "Go to this step" }, name);
    place.addEventListener("click", () => onStep(line.step));
  }
  return make(
    "li",
    { class: CHIEF.has(word) ? "lab-chief" : "lab-between" },
    make("span", { class: "lab-part" }, word),
    make("span", { class: "lab-entry" }, place, " ", link(line.link, "source", { class: "lab-open" })),
    line.code && CHIEF.has(word) ? make("code", {}, line.code) : null,
  );
}

/** The step of the journey that wrote the bytes (`reading`: that read them), or null. */
export function stepOf(way, lines, reading) {
  const wanted = reading ? ["read by", "value to", "received by"] : ["written by", "value from", "sent by"];
  for (const word of wanted) {
    const found = way.steps.find(([part, number]) => part === word && lines[number].step !== null);
    if (found) return lines[found[1]].step;
  }
  return null;
}
