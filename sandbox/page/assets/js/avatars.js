/** Round pictures with initials, coloured by id. */

import { element } from "./dom.js";

const COLOURS = 7;

/** The colour of a user or chat, for `data-colour`. */
export const colour = (id) => Math.abs(id) % COLOURS;

/** A picture for a name; the bot's shows the logo. */
export function avatar(id, name, isBot = false) {
  if (isBot) return element("img", { class: "avatar", src: "/page/icon.svg", alt: "" });
  const initials = name
    .split(/\s+/)
    .map((word) => [...word][0] ?? "")
    .slice(0, 2)
    .join("")
    .toUpperCase();
  return element(
    "span",
    { class: "avatar", "aria-hidden": "true", data: { colour: colour(id) } },
    initials,
  );
}
