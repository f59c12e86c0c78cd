/** Building elements. Text goes in as text nodes only: nothing here reads HTML. */

const SVG = "http://www.w3.org/2000/svg";

/**
 * Makes an element.
 * @param {string} tag
 * @param {object} [properties] attributes by name, and `on`: listeners by event. An attribute that is
 *   false, null or undefined is left out.
 * @param {...(Node|string|null|undefined|false)} children what is not there is left out.
 */
export function element(tag, { on = {}, ...attributes } = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== false && value != null) node.setAttribute(name, value === true ? "" : value);
  }
  for (const [event, listener] of Object.entries(on)) node.addEventListener(event, listener);
  node.append(...children.filter((child) => child != null && child !== false));
  return node;
}

/** A symbol of the sprite in the page. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `#icon-${name}`);
  svg.append(use);
  return svg;
}

export const byId = (id) => document.getElementById(id);

/** A button. */
export const button = (kind, listener, ...children) =>
  element("button", { type: "button", class: kind, on: { click: listener } }, ...children);

/** What turns until something has come; read out only with a label. */
export const spinner = (label) =>
  element("p", { class: "spinner", role: label && "img", "aria-label": label, "aria-hidden": !label && "true" });
