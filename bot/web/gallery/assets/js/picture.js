/** One picture, beside its photo, with its family and all that can be done with it. */

import { actionsOf } from "./actions.js";
import * as api from "./api.js";
import { attached } from "./bridge.js";
import { button, byId, element, icon, spinner } from "./dom.js";
import { familyOf } from "./family.js";
import { noticeOf } from "./notice.js";
import { paintingOf } from "./painting.js";
import { stageOf } from "./slider.js";
import { say } from "./words.js";

export class PictureView {
  #library;
  #actions;
  #view = byId("picture");
  #id = null;

  /**
   * @param {import("./library.js").Library} library
   * @param {{open: (picture: object) => void, leave: () => void}} actions opens another one; goes
   *   back to where one came from.
   */
  constructor(library, actions) {
    this.#library = library;
    this.#actions = actions;
  }

  /**
   * Shows a picture: at once what is known of it, then what the API says.
   * @param {string} id
   * @param {object|undefined} known
   */
  async show(id, known) {
    this.#id = id;
    this.#view.hidden = false;
    this.#view.scrollTop = 0;
    if (known) this.#fill(known);
    else this.#view.replaceChildren(this.#bar(), spinner(say("loading")));
    try {
      const answer = await api.showPicture(id);
      if (this.#id !== id) return;
      const before = known && choicesOf(known);
      this.#library.update(answer.picture);
      if (choicesOf(answer.picture) !== before) this.#fill(answer.picture);
      const family = familyOf(answer.parent, answer.children, this.#actions.open);
      if (family) this.#view.querySelector(".about").append(family);
    } catch (error) {
      if (this.#id !== id) return;
      if (error.code === "not-found") this.#library.remove(id);
      if (known && error.code !== "not-found") this.#failFamily(error, known);
      else this.#fail(error);
    }
  }

  hide() {
    this.#id = null;
    this.#view.hidden = true;
    this.#view.replaceChildren();
  }

  #fill(picture) {
    const heading = element("h1", { tabindex: "-1" }, picture.title);
    this.#view.replaceChildren(
      this.#bar(),
      element("div", { class: "stage-room" }, stageOf(picture)),
      element(
        "div",
        { class: "about" },
        element(
          "header",
          {},
          heading,
          element("p", { class: "details" }, picture.details),
          element("p", { class: "details" }, picture.date),
        ),
        actionsOf(picture, this.#library, this.#actions.leave),
        paintingOf(picture),
      ),
    );
    heading.focus({ preventScroll: true });
  }

  #fail(error) {
    const heading = element("h1", { tabindex: "-1" }, error.message);
    const back = { label: say("back"), run: this.#actions.leave };
    const way = error.code === "not-found" ? back : this.#retry();
    const notice = noticeOf("trouble", heading, way);
    this.#view.replaceChildren(this.#bar(), element("div", { class: "notice" }, ...notice));
    heading.focus();
  }

  /** The picture is there, and its family is not. */
  #failFamily(error, known) {
    const notice = noticeOf("trouble", element("p", {}, error.message), this.#retry(known));
    this.#view.querySelector(".about").append(element("div", { class: "notice", role: "status" }, ...notice));
  }

  #retry(known) {
    const id = this.#id;
    return { label: say("retry"), run: () => this.show(id, known) };
  }

  /** The way back, where Telegram has no button for it. */
  #bar() {
    if (attached) return "";
    const node = button("back", this.#actions.leave, icon("back"));
    node.setAttribute("aria-label", say("back"));
    return node;
  }
}

/** What decides which buttons there are. */
const choicesOf = ({ starred, shareable, ways }) => JSON.stringify([starred, shareable, ways]);
