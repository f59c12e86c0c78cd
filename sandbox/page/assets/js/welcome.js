/** What an empty chat shows: what the bot says of itself, and three photos to try it with. */

import { byId, element } from "./dom.js";
import { profileText } from "./profile.js";
import { SAMPLES, sampleUrl } from "./samples.js";
import { say } from "./words.js";

const WORDS =
  "Send a photo, and you get back one sentence about it and a new picture generated from that sentence.";

/**
 * @param {import("./store.js").Store} store
 * @param {(sample: object) => void} send
 */
export function fillWelcome(store, send) {
  const words = element("p", { class: "welcome-words", dir: "auto" });
  const describe = () => {
    words.textContent = profileText(store.bot, "description", store.me) || say(WORDS);
  };
  byId("welcome").replaceChildren(
    element("img", { src: "/page/icon.svg", alt: "", class: "welcome-icon" }),
    words,
    element("p", { class: "welcome-hint" }, say("No photo at hand? Click one of these.")),
    element(
      "div",
      { class: "samples" },
      ...SAMPLES.map((sample) =>
        element(
          "button",
          { type: "button", class: "sample", on: { click: () => send(sample) } },
          element("img", { src: sampleUrl(sample), alt: "" }),
          element("span", {}, say(sample.label)),
        ),
      ),
    ),
  );
  store.addEventListener("bot", describe);
  describe();
}
