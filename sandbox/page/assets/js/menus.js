/** A menu at a button or a point; arrow keys move in it, Escape and a click elsewhere close it. */

import { byId, element, icon, moveFocus } from "./dom.js";

const GAP = 6;

/**
 * Opens a menu.
 * @param {string} label what it is, for those who hear it.
 * @param {Element|{x: number, y: number}} at a button that opens it, or a point.
 * @param {object[]} items {label, icon, image or symbol, hint, checked, href or run, separator, danger}.
 */
export function openMenu(label, at, items) {
  const opener = document.activeElement;
  const menu = element("div", { class: "menu", role: "menu", "aria-label": label, popover: "auto" });
  const close = () => menu.hidePopover();
  menu.append(...items.map((item) => createItem(item, close)));
  byId("app").append(menu); // in the landmark
  menu.addEventListener("toggle", (event) => {
    if (event.newState !== "closed") return;
    menu.remove();
    if (document.activeElement === document.body) opener?.focus();
  });
  menu.addEventListener("keydown", (event) => {
    moveFocus(event, entries);
    if (event.key === "Tab") close();
  });
  menu.showPopover();
  place(menu, at);
  const entries = [...menu.querySelectorAll("[role^=menuitem]")];
  entries[0].focus();
}

function createItem(item, close) {
  if (item.separator) return element("p", { class: "menu-heading", role: "presentation" }, item.label);
  const isLink = item.href !== undefined;
  const run = () => {
    close();
    item.run?.();
  };
  const properties = {
    class: `menu-item${item.danger ? " danger" : ""}`,
    role: item.checked === undefined ? "menuitem" : "menuitemradio",
    "aria-checked": item.checked === undefined ? null : String(item.checked),
    tabindex: -1,
    on: { click: run },
    ...(isLink ? { href: item.href, target: "_blank" } : { type: "button" }),
  };
  return element(
    isLink ? "a" : "button",
    properties,
    picture(item),
    element(
      "span",
      { class: "menu-label" },
      item.label,
      item.hint && element("small", {}, item.hint),
    ),
    item.checked && icon("check"),
  );
}

function picture({ icon: name, image, symbol }) {
  if (symbol) return element("span", { class: "menu-symbol", "aria-hidden": "true" }, symbol);
  return image ? element("img", { src: image, alt: "", class: "menu-image" }) : icon(name);
}

function place(menu, at) {
  const box = at instanceof Element ? at.getBoundingClientRect() : null;
  const { offsetWidth: width, offsetHeight: height } = menu;
  let x = box ? box.left : at.x;
  let y = box ? box.bottom + GAP : at.y;
  if (x + width > innerWidth - GAP) x = (box ? box.right : at.x) - width;
  if (y + height > innerHeight - GAP) y = (box ? box.top - GAP : at.y) - height;
  menu.style.left = `${Math.max(GAP, x)}px`;
  menu.style.top = `${Math.max(GAP, y)}px`;
}
