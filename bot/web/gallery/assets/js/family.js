/** What a picture was painted from, and what was painted from it. */

import { element } from "./dom.js";
import { renewing } from "./images.js";
import { say } from "./words.js";

/**
 * @param {object|null} parent
 * @param {object[]} children
 * @param {(picture: object) => void} open
 * @returns {HTMLElement|null} nothing for a picture that is alone.
 */
export function familyOf(parent, children, open) {
  if (!parent && children.length === 0) return null;
  return element(
    "section",
    { class: "family", "aria-labelledby": "family" },
    element("h2", { id: "family" }, say("family")),
    parent && relatives("parent", [parent], open),
    children.length > 0 && relatives("children", children, open),
  );
}

const relatives = (kind, pictures, open) =>
  element(
    "div",
    { class: "relatives" },
    element("h3", {}, say(kind)),
    element("ul", { class: "thumbnails", role: "list" }, ...pictures.map((picture) => relative(picture, open))),
  );

function relative(picture, open) {
  const image = element("img", { alt: "", loading: "lazy", decoding: "async", draggable: "false" });
  renewing(image, picture, "thumbnail");
  const label = `${say("open", { title: picture.title })}, ${picture.date}`;
  return element(
    "li",
    {},
    element("button", { type: "button", "aria-label": label, on: { click: () => open(picture) } }, image),
  );
}
