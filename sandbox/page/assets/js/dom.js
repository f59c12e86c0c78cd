/** Building elements. Text goes in as text nodes only: nothing here reads HTML. */

const SVG = "http://www.w3.org/2000/svg";

/**
 * Makes an element.
 * @param {string} tag
 * @param {object} [properties] attributes by name; `class`, `data` (a dataset) and `on` (listeners by
 *   event) as their names say. An attribute that is false, null or undefined is left out.
 * @param {...(Node|string|null|undefined|false)} children what is not there is left out.
 */
export function element(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  const { data = {}, on = {}, ...attributes } = properties;
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value == null) continue;
    node.setAttribute(name, value === true ? "" : value);
  }
  Object.assign(node.dataset, data);
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

/** A round button that shows a symbol. */
export function iconButton(name, label, listener, properties = {}) {
  return element(
    "button",
    {
      type: "button",
      class: "icon-button",
      title: label,
      "aria-label": label,
      on: { click: listener },
      ...properties,
    },
    icon(name),
  );
}

/** An element of the page by its id. */
export function byId(id) {
  return document.getElementById(id);
}

/**
 * Lets the arrow keys, Home and End move the focus through a list.
 * @param {KeyboardEvent} event
 * @param {HTMLElement[]} items
 * @param {string} back the key that goes to the item before.
 * @param {string} forth the key that goes to the next one.
 * @param {boolean} around whether the ends meet.
 * @returns {HTMLElement|null} the item that has the focus now, if the key moved it.
 */
export function moveFocus(event, items, back = "ArrowUp", forth = "ArrowDown", around = true) {
  const at = items.indexOf(document.activeElement);
  const steps = { [back]: at - 1, [forth]: at + 1, Home: 0, End: items.length - 1 };
  if (!(event.key in steps) || items.length === 0) return null;
  event.preventDefault();
  const wanted = steps[event.key];
  const last = items.length - 1;
  const next = around
    ? (wanted + items.length) % items.length
    : Math.min(Math.max(wanted, 0), last);
  items[next].focus();
  return items[next];
}
