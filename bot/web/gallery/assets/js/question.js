/** A question that is asked before something is done for good. */

import { button, element } from "./dom.js";

/**
 * Asks, over everything else.
 * @param {string} question
 * @param {string} yes what does it.
 * @param {string} no
 * @returns {Promise<boolean>}
 */
export function isSure(question, yes, no) {
  return new Promise((resolve) => {
    const dialog = element(
      "dialog",
      { class: "question", "aria-labelledby": "question", on: { close: () => finish() } },
      element("h2", { id: "question" }, question),
      element(
        "div",
        { class: "question-buttons" },
        button("quiet", () => dialog.close(), no),
        button("danger", () => dialog.close("yes"), yes),
      ),
    );
    dialog.addEventListener("click", (event) => {
      if (event.target === dialog) dialog.close(); // beside it
    });
    function finish() {
      dialog.remove();
      resolve(dialog.returnValue === "yes");
    }
    document.body.append(dialog);
    dialog.showModal();
  });
}

/** Closes the question, if one is asked; gives whether one was. */
export function closeQuestion() {
  const dialog = document.querySelector("dialog[open]");
  dialog?.close();
  return dialog !== null;
}
