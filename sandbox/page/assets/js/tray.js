/** The photos and files that wait to be sent; each can be removed again. */

import { element, icon, iconButton } from "./dom.js";
import { say } from "./words.js";

const PHOTO_TYPES = /^image\/(jpeg|png|webp|gif|bmp|tiff)$/;
const MOST = 10; // an album's size
const TIFF = /^(II\*\0|MM\0\*)/; // what browsers do not show, and bots read

export class Tray {
  #files = [];

  /** @param {() => void} onChange */
  constructor(onChange) {
    this.onChange = onChange;
    this.node = element("ul", { class: "tray", "aria-label": say("To be sent"), hidden: true });
  }

  get isEmpty() {
    return this.#files.length === 0;
  }

  /**
   * Adds those files that are images.
   * @param {Iterable<File>} files
   * @param {boolean} asFiles whether images go as files, their bytes as they are.
   * @returns {Promise<string[]>} why others were left out, in sentences.
   */
  async add(files, asFiles = false) {
    const given = [...files]; // the list of a file input is emptied meanwhile
    const areImages = await Promise.all(given.map(isImage));
    const images = given.filter((_, i) => areImages[i]);
    const problems = given
      .filter((_, i) => !areImages[i])
      .map(({ name }) => say("“{name}” is no image that can be read, so it was left out.", { name }));
    const room = MOST - this.#files.length;
    if (images.length > room) problems.push(say("You can send up to ten at a time."));
    this.putBack(images.slice(0, room), asFiles);
    return problems;
  }

  /** Adds images that have been in it before. */
  putBack(images, asFiles) {
    for (const file of images) {
      this.#files.push({ file, isPhoto: !asFiles && PHOTO_TYPES.test(file.type) });
    }
    this.#show();
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
      iconButton("close", say("Remove {name}", { name: file.name }), takeOut),
    );
  }
}

async function isImage(file) {
  try {
    (await createImageBitmap(file)).close();
    return true;
  } catch {
    return TIFF.test(await file.slice(0, 4).text().catch(() => ""));
  }
}
