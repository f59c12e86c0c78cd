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
    const starred = known?.starred;
    if (known) this.#fill(known);
    else this.#put(spinner(say("loading")));
    try {
      const answer = await api.showPicture(id);
      if (this.#id !== id) return;
      if (known && known.starred !== starred) answer.picture.starred = known.starred; // pressed meanwhile
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
    this.#put(
      element("div", { class: "stage-room" }, stageOf(picture)),
      element(
        "div",
        { class: "about" },
        element(
          "header",
          {},
          headingOf(picture.title),
          element("p", { class: "details" }, picture.details),
          element("p", { class: "details" }, picture.date),
        ),
        actionsOf(picture, this.#library, this.#actions.leave),
        paintingOf(picture),
      ),
    );
  }

  #fail(error) {
    const back = { label: say("back"), run: this.#actions.leave };
    const way = error.code === "not-found" ? back : this.#retry();
    const notice = noticeOf("trouble", headingOf(error.message), way);
    this.#put(element("div", { class: "notice" }, ...notice));
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

  /** Shows this in place of what there was, from its beginning. */
  #put(...content) {
    this.#view.replaceChildren(...(attached ? [] : [this.#wayBack()]), ...content);
    this.#view.focus({ preventScroll: true });
  }

  /** Where Telegram has no button for it. */
  #wayBack() {
    const node = button("back", this.#actions.leave, icon("back"));
    node.ariaLabel = say("back");
    return node;
  }
}

const headingOf = (text) => element("h1", { id: "picture-title" }, text);

/** What decides which buttons there are. */
const choicesOf = ({ starred, shareable, ways }) => JSON.stringify([starred, shareable, ways]);
