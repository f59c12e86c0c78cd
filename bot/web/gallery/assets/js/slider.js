/** A picture over its photo, and a slider that says how much of each is seen. */

import { element, icon } from "./dom.js";
import { renewing } from "./images.js";
import { say } from "./words.js";

/**
 * The picture at its place, whose size is known before anything has come; until it comes, its
 * thumbnail. Once its photo has come, that is to the left of a slider and the picture to its right.
 * @param {object} picture the API's.
 * @returns {HTMLElement}
 */
export function stageOf(picture) {
  const thumbnail = element("img", { class: "stage-thumbnail", alt: "", "aria-hidden": "true" });
  const image = element("img", { class: "stage-picture", alt: picture.title, decoding: "async" });
  const stage = element("div", { class: "stage" }, thumbnail, image);
  stage.style.setProperty("--ratio", picture.width / picture.height);
  renewing(thumbnail, picture, "thumbnail");
  renewing(image, picture, "image");
  if (picture.photo) {
    const photo = element("img", { class: "stage-photo", alt: say("photo") });
    photo.addEventListener("load", () => addSlider(stage), { once: true });
    renewing(photo, picture, "photo");
    stage.prepend(photo);
  }
  return stage;
}

function addSlider(stage) {
  const range = element("input", {
    type: "range",
    class: "stage-range",
    min: "0",
    max: "100",
    value: "50",
    "aria-label": say("compare"),
  });
  const line = element("span", { class: "stage-line", "aria-hidden": "true" }, icon("compare"));
  stage.classList.add("compared");
  stage.append(
    range,
    line,
    element("span", { class: "stage-name", "aria-hidden": "true" }, say("photo")),
    element("span", { class: "stage-name of-picture", "aria-hidden": "true" }, say("picture")),
  );
  const show = () => {
    stage.style.setProperty("--at", `${range.value}%`);
    range.setAttribute("aria-valuetext", `${say("photo")} ${range.value} %`);
  };
  range.addEventListener("input", show);
  show();
  dragging(stage, (share) => {
    range.value = Math.round(100 * share);
    show();
  });
}

/** A range follows a finger only from its thumb; here one may begin anywhere. */
function dragging(stage, move) {
  const follow = ({ clientX }) => {
    const { left, width } = stage.getBoundingClientRect();
    move(Math.min(Math.max((clientX - left) / width, 0), 1));
  };
  stage.addEventListener("pointerdown", (event) => {
    if (!event.isPrimary || event.button !== 0) return;
    stage.setPointerCapture(event.pointerId);
    follow(event);
  });
  stage.addEventListener("pointermove", (event) => {
    if (stage.hasPointerCapture(event.pointerId)) follow(event);
  });
}
