/**
 * One message under the glass: a strip of lanes, one a layer, above its bytes and fields.
 *
 * The rule kept here: the strip, the dump and the list are three pictures of the
 * same fields; whichever is pointed at or focused, all three show the one chosen.
 */

import { bytesPanel } from "./bytes.js";
import { make } from "./dom.js";

/** Draws the message that `model` holds into `el`. */
function render({ model, el }) {
  const message = model.get("message");
  const strip = drawStrip(message.strip);
  const { panel, arrive } = bytesPanel(message, null, message.heading, 16, { strip });
  const frame = make("div", { class: "lab-frame" }, panel);
  const root = make("div", { class: "lab-stepper lab-inspector", role: "group", "aria-label": message.heading }, frame);
  el.append(root);
  arrive();
  return () => root.remove();
}

function drawStrip(strip) {
  const rows = strip.lanes.map((lane) => {
    const cells = [make("th", { scope: "row" }, lane.layer)];
    let at = 0;
    for (const box of lane.boxes) {
      if (box.column > at) cells.push(make("td", { colspan: box.column - at }));
      cells.push(drawBox(lane, box));
      at = box.column + box.width;
    }
    return make("tr", {}, ...cells);
  });
  const ticks = strip.ticks.slice(0, -1).map(([column, byte], index) =>
    make("td", { class: "lab-tick lab-quiet", colspan: strip.ticks[index + 1][0] - column }, String(byte)),
  );
  return make(
    "div",
    { class: "lab-strip", tabindex: "0", role: "group", "aria-label": "Layers, on one axis of bytes" },
    make("table", {}, make("tbody", {}, make("tr", {}, make("th", { scope: "row" }, "byte"), ...ticks), ...rows)),
  );
}

function drawBox(lane, box) {
  const own = box.field !== null;
  return make(
    "td",
    {
      class: own ? "lab-box lab-run" : "lab-box lab-carried",
      colspan: box.width,
      "data-tint": own ? lane.tint : null,
      "data-field": own ? String(box.field) : null,
      tabindex: own ? "0" : null,
      title: box.sentence,
      "aria-label": box.sentence,
    },
    box.label,
  );
}

export default { render };
