/** The photos and files that wait to be sent; each can be removed again. */

import { element, icon, iconButton } from "./dom.js";

const PHOTO_TYPES = /^image\/(jpeg|png|webp|gif|bmp|tiff)$/;
const MOST = 10; // an album's size

export class Tray {
  #files = [];

  /** @param {() => void} onChange */
  constructor(onChange) {
    this.onChange = onChange;
    this.node = element("ul", { class: "tray", "aria-label": "To be sent", hidden: true });
  }

  get isEmpty() {
    return this.#files.length === 0;
  }

  /**
   * Adds files.
   * @param {Iterable<File>} files
   * @param {boolean} asFiles whether images go as files, their bytes as they are.
   * @returns {boolean} whether there was room for all.
   */
  add(files, asFiles = false) {
    const wanted = [...files].map((file) => ({
      file,
      isPhoto: !asFiles && PHOTO_TYPES.test(file.type),
    }));
    const room = MOST - this.#files.length;
    this.#files.push(...wanted.slice(0, room));
    this.#show();
    return wanted.length <= room;
  }

  /** Empties the tray and returns what was in it: {photos, documents}. */
  take() {
    const taken = {
      photos: this.#files.filter(({ isPhoto }) => isPhoto).map(({ file }) => file),
      documents: this.#files.filter(({ isPhoto }) => !isPhoto).map(({ file }) => file),
    };
    this.clear();
    return taken;
  }

  clear() {
    this.#files = [];
    this.#show();
  }

  #show() {
    for (const image of this.node.querySelectorAll("img")) URL.revokeObjectURL(image.src);
    this.node.replaceChildren(...this.#files.map((entry) => this.#entry(entry)));
    this.node.hidden = this.isEmpty;
    this.onChange();
  }

  #entry(entry) {
    const { file, isPhoto } = entry;
    const takeOut = () => {
      this.#files = this.#files.filter((other) => other !== entry);
      this.#show();
    };
    return element(
      "li",
      { class: "tray-item" },
      isPhoto
        ? element("img", { src: URL.createObjectURL(file), alt: file.name })
        : element("span", { class: "tray-file" }, icon("file"), element("small", {}, file.name)),
      iconButton("close", `Remove ${file.name}`, takeOut),
    );
  }
}
