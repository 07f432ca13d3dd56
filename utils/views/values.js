/**
 * A step's arguments and result, and what of them is new.
 *
 * The rule kept here: a value is new if no step around or just before this one
 * had it; "changed" is a value that went by the same name there.  Both are told
 * by a word, not by a colour alone.
 */

import { make } from "./dom.js";

/** The pairs of name and value that a step shows. */
export function pairsOf(step) {
  const pairs = [...step.arguments];
  if (step.result !== null) pairs.push(["→ result", step.result]);
  return pairs;
}

/** The panel for `step`; `before` are the steps whose values it may have got; null if it has no values. */
export function drawValues(step, before) {
  const pairs = pairsOf(step);
  if (!pairs.length) return null;
  const names = new Map();
  const known = new Set();
  for (const earlier of before) {
    for (const [name, value] of pairsOf(earlier)) {
      names.set(name, value);
      known.add(value);
    }
  }
  const rows = pairs.flatMap(([name, value]) => {
    const state = stateOf(name, value, names, known, before.length > 0);
    const was = state === "changed" ? make("span", { class: "lab-was" }, ` was ${names.get(name)}`) : null;
    const word = state ? make("span", { class: "lab-state" }, state) : null;
    return [
      make("dt", { "data-state": state }, name, word && " ", word),
      make("dd", { "data-state": state }, value, was),
    ];
  });
  return make(
    "div",
    { class: "lab-values", role: "group", "aria-label": "Arguments and result" },
    make("h3", {}, "Arguments and result"),
    make("div", { class: "lab-scroll", tabindex: "0", role: "group", "aria-label": "Values" }, make("dl", {}, ...rows)),
  );
}

/** "new", "changed", or "" for what is told by no word: it was there before, or says nothing. */
function stateOf(name, value, names, known, compared) {
  if (!compared || known.has(value) || ["None", "True", "False", "()", "{}"].includes(value)) return "";
  return names.has(name) && !name.startsWith("→") ? "changed" : "new";
}
