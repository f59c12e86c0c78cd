/** A picture in full size. */

import { fileUrl } from "./api.js";
import { element, icon, iconButton } from "./dom.js";
import { formatted } from "./text.js";
import { full } from "./times.js";
import { say } from "./words.js";

/**
 * Opens the picture of a message over everything else.
 * @param {object} message
 * @param {(step: number) => object|null} neighbour the message with the next picture, or with the one
 *   before; null at the ends.
 * @param {(message: object) => void} reply replies to the message whose picture is shown.
 */
export function openViewer(message, neighbour, reply) {
  let current = message;
  const image = element("img", { class: "viewer-image", on: { click: (event) => event.stopPropagation() } });
  const words = element("figcaption", {});
  const download = element("a", { class: "icon-button", title: say("Download") }, icon("download"));
  const before = iconButton("back", say("Earlier picture"), () => go(-1), { class: "icon-button viewer-before" });
  const next = iconButton("back", say("Later picture"), () => go(1), { class: "icon-button viewer-next" });
  const dialog = element(
    "dialog",
    { class: "viewer", "aria-label": say("Picture"), on: { click: () => dialog.close() } },
    element(
      "header",
      { class: "viewer-bar", on: { click: (event) => event.stopPropagation() } },
      element("p", { class: "viewer-info" }),
      iconButton("reply", say("Reply to this picture"), () => {
        dialog.close();
        reply(current);
      }),
      download,
      iconButton("close", say("Close"), () => dialog.close(), { autofocus: true }),
    ),
    element("figure", {}, image, words),
    before,
    next,
  );

  function go(step) {
    const found = neighbour(current, step);
    if (found) show(found);
  }

  function show(shown) {
    current = shown;
    const size = shown.photo.at(-1);
    image.src = fileUrl(size.file_id);
    image.alt = shown.caption ?? say("A photo");
    image.width = size.width;
    image.height = size.height;
    download.href = image.src;
    download.download = ""; // the server names it, by its kind
    download.setAttribute("aria-label", say("Download this picture"));
    words.replaceChildren(...formatted(shown.caption ?? "", shown.caption_entities, () => {}));
    dialog.querySelector(".viewer-info").replaceChildren(
      element("strong", {}, shown.from.first_name),
      element("span", {}, full(shown.date)),
    );
    before.hidden = neighbour(shown, -1) === null;
    next.hidden = neighbour(shown, 1) === null;
  }

  for (const button of [before, next]) {
    button.addEventListener("click", (event) => event.stopPropagation());
  }
  dialog.addEventListener("keydown", (event) => {
    if (event.key === "ArrowLeft") go(-1);
    if (event.key === "ArrowRight") go(1);
  });
  dialog.addEventListener("close", () => dialog.remove());
  show(message);
  document.body.append(dialog);
  dialog.showModal();
}
