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

/** A name that no other element of the page has. */
export function uniqueId() {
  return `lab-${Math.random().toString(36).slice(2)}`;
}
