/**
 * Builds elements from data.
 *
 * The rule kept here: data enters as text or as an attribute's value, never as
 * markup; an address becomes a link only if following it can run nothing.
 */

const SVG = "http://www.w3.org/2000/svg";

/** An HTML element; null among attributes or children stands for nothing. */
export function make(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/** An SVG element. */
export function draw(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== false) {
      element.setAttribute(name, value === true ? "" : value);
    }
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

/** A link that opens elsewhere, or null where `address` is none that a page may follow. */
export function link(address, text, attributes = {}) {
  if (!address) return null;
  let target;
  try {
    target = new URL(address, document.baseURI);
  } catch {
    return null;
  }
  if (target.protocol !== "https:" && target.protocol !== "http:") return null;
  const safe = { href: target.href, target: "_blank", rel: "noopener noreferrer" };
  return make("a", { ...safe, ...attributes }, text);
}

/**
 * A link that opens a file in this JupyterLab, at a line; null where this is no JupyterLab.
 * `place` is the file's path below JupyterLab's root, with the line behind a #.
 */
export function openHere(place, text, attributes = {}) {
  const config = document.getElementById("jupyter-config-data");
  if (!place || !config) return null;
  const base = JSON.parse(config.textContent).baseUrl ?? "/";
  const [path, line] = place.split("#");
  const file = path.split("/").map(encodeURIComponent).join("/");
  const href = new URL(`${base}lab/tree/${file}`, document.baseURI).href;
  const made = make("a", { href: line ? `${href}#${line}` : href, ...attributes }, text);
  // What JupyterLab itself does with a link in a notebook's text: open it beside, in this window.
  made.setAttribute("data-commandlinker-command", "rendermime:handle-local-link");
  made.setAttribute("data-commandlinker-args", JSON.stringify({ path, id: line ? `#${line}` : "" }));
  return made;
}

/** A name that no other element of the page has. */
export function uniqueId() {
  return `lab-${Math.random().toString(36).slice(2)}`;
}
