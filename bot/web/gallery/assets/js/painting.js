/** Paints from a picture; what comes of it comes in the chat. */

import * as api from "./api.js";
import { element } from "./dom.js";
import { pressable } from "./press.js";
import { toast } from "./toasts.js";
import { say } from "./words.js";

/**
 * The buttons for it.
 * @param {object} picture the API's.
 * @returns {HTMLElement|null} nothing if nothing can be painted from it.
 */
export function paintingOf(picture) {
  if (picture.ways.length === 0) return null;
  const hint = element("p", { class: "hint" });
  return element(
    "section",
    { class: "painting", "aria-labelledby": "painting" },
    element("h2", { id: "painting" }, say("paint")),
    element("div", { class: "ways" }, ...picture.ways.map((way) => wayOf(picture, way, hint))),
    hint,
  );
}

function wayOf(picture, way, hint) {
  // A press that was not answered is sent again as the same one: it may have arrived.
  let request = crypto.randomUUID();
  const paint = async () => {
    const { message } = await api.paintFrom(picture.id, way, request).catch((error) => {
      if (error.status !== 0) request = crypto.randomUUID();
      throw error;
    });
    request = crypto.randomUUID();
    toast(message);
    hint.textContent = say("painting");
  };
  return pressable("way", paint, say(way));
}
