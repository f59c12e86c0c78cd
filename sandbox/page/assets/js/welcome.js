/** What an empty chat shows: what to do, and three photos to try it with. */

import { byId, element } from "./dom.js";
import { SAMPLES, sampleUrl } from "./samples.js";

const WORDS =
  "Send a photo, and you get back one sentence about it and a new picture generated from that sentence.";

/** @param {(sample: object) => void} send */
export function fillWelcome(send) {
  byId("welcome").replaceChildren(
    element("img", { src: "/page/icon.svg", alt: "", class: "welcome-icon" }),
    element("p", { class: "welcome-words" }, WORDS),
    element("p", { class: "welcome-hint" }, "No photo at hand? Click one of these."),
    element(
      "div",
      { class: "samples" },
      ...SAMPLES.map((sample) =>
        element(
          "button",
          { type: "button", class: "sample", on: { click: () => send(sample) } },
          element("img", { src: sampleUrl(sample), alt: "" }),
          element("span", {}, sample.label),
        ),
      ),
    ),
  );
}
