/**
 * Draws the page's Mermaid diagrams.
 *
 * The rule kept here: a diagram is drawn aside, whole, and then put in its
 * place: Mermaid measures text, and on a hidden slide there is nothing to
 * measure.  A text that is no diagram stays as it is.
 */

async function drawAll() {
  mermaid.initialize({ startOnLoad: false, securityLevel: "strict", theme: "neutral", fontFamily: "system-ui, sans-serif" });
  let number = 0;
  for (const place of document.querySelectorAll("pre.mermaid")) {
    number += 1;
    const { svg } = await mermaid.render(`diagram-${number}`, place.textContent);
    const figure = document.createElement("figure");
    figure.className = "mermaid";
    figure.innerHTML = svg;
    const drawn = figure.querySelector("svg");
    drawn.setAttribute("role", "img");
    if (!drawn.hasAttribute("aria-labelledby")) drawn.setAttribute("aria-label", "Diagram");
    place.replaceWith(figure);
  }
}

drawAll();
