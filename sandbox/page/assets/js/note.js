/** The sentence over every chat, until it is closed; another one comes again. */

import { byId, element, icon, iconButton } from "./dom.js";
import { say } from "./words.js";

const KEY = "note-closed";

/** @param {import("./store.js").Store} store */
export function setUpNote(store) {
  const node = byId("note");
  let shown = null;

  const show = () => {
    const { note } = store.bot;
    node.hidden = !note || localStorage.getItem(KEY) === note;
    if (note === shown) return;
    shown = note;
    const close = () => {
      localStorage.setItem(KEY, note);
      show();
      byId("words").focus();
    };
    node.replaceChildren(
      icon("info"),
      element("p", {}, note),
      iconButton("close", say("Close this note"), close),
    );
  };

  store.addEventListener("bot", show);
  addEventListener("storage", (event) => event.key === KEY && show()); // closed in another window
  show();
}
