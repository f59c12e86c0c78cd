/** Round pictures with initials, coloured by id. */

import { fileUrl } from "./api.js";
import { element } from "./dom.js";

const COLOURS = 7;

const LOGO_COLOUR = 0;

const colour = (id) => Math.abs(id) % COLOURS;

/** The colour of a user's name, for `data-colour`; the bot's is that of the logo. */
export const colourOf = ({ id, is_bot: isBot }) => (isBot ? LOGO_COLOUR : colour(id));

/** A picture for a name. */
export function avatar(id, name) {
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

/** The bot's profile photo; the logo while it has none. */
export function botAvatar({ profile }) {
  const src = profile.photo ? fileUrl(profile.photo) : "/page/icon.svg";
  return element("img", { class: "avatar", src, alt: "" });
}
