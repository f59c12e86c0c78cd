/** A picture in the grid. */

import { element, icon } from "./dom.js";
import { renewing } from "./images.js";
import { say } from "./words.js";

export class Cell {
  /**
   * @param {object} picture of the library.
   * @param {(picture: object) => void} open
   */
  constructor(picture, open) {
    this.picture = picture;
    this.image = element("img", { alt: "", decoding: "async", loading: "lazy", draggable: "false" });
    renewing(this.image, picture, "thumbnail");
    this.button = element("button", { type: "button", on: { click: () => open(picture) } }, this.image);
    this.node = element("li", { class: "cell" }, this.button);
    this.update();
  }

  /** Shows what is known of the picture now. */
  update() {
    const { title, date, starred } = this.picture;
    const name = `${say("open", { title })}, ${date}`;
    this.button.setAttribute("aria-label", starred ? `${name}. ${say("starred")}` : name);
    this.button.querySelector(".icon")?.remove();
    if (starred) this.button.append(icon("star"));
  }

  /** Says where it is: its number, and of how many; -1 if that is not known yet. */
  place(x, y, number, count) {
    this.node.style.translate = `${x}px ${y}px`;
    this.node.setAttribute("aria-posinset", number);
    this.node.setAttribute("aria-setsize", count);
  }

  remove() {
    this.image.removeAttribute("src"); // nobody waits for it any more
    this.node.remove();
  }
}
