/** One's pictures, as far as they are known: newest first, page by page. */

import * as api from "./api.js";

/**
 * Tells of "change" (pictures came, went or are others now) and "update" of one (its detail).
 * A picture is what the API gives for one, see `bot/web/gallery/`.
 */
export class Library extends EventTarget {
  /** @type {object[]} */
  pictures = [];
  /** Whether there are no older ones. */
  complete = false;
  /** @type {Error|null} why the last page did not come. */
  error = null;
  #byId = new Map();
  #cursor = "";
  #loading = null;

  get isLoading() {
    return this.#loading !== null;
  }

  get(id) {
    return this.#byId.get(id);
  }

  /** Fetches the next page, one at a time. */
  more() {
    if (this.complete) return Promise.resolve();
    this.#loading ??= this.#fetch().finally(() => {
      this.#loading = null;
      this.#tell("change");
    });
    return this.#loading;
  }

  async #fetch() {
    this.error = null;
    try {
      const { pictures, cursor } = await api.listPictures(this.#cursor);
      this.pictures.push(...this.#unknown(pictures));
      this.#cursor = cursor;
      this.complete = cursor === "";
    } catch (error) {
      this.error = error;
    }
  }

  /** Looks for newer ones. Without an answer all stays as it is. */
  async refresh() {
    const page = await api.listPictures("").catch(() => null);
    if (page === null) return;
    const isAllNew = !page.pictures.some(({ id }) => this.#byId.has(id));
    if (isAllNew && page.cursor !== "") {
      // What lies between these and those known is on later pages: begin again.
      if (this.#loading) return;
      this.pictures = [];
      this.#byId.clear();
      this.#cursor = page.cursor;
      this.complete = false;
    }
    for (const picture of page.pictures) this.update(picture);
    this.pictures.unshift(...this.#unknown(page.pictures));
    this.#tell("change");
  }

  /** Takes over what is newly known of a picture. */
  update(picture) {
    const known = this.#byId.get(picture.id);
    if (!known) return;
    Object.assign(known, picture);
    this.#tell("update", known);
  }

  remove(id) {
    if (!this.#byId.delete(id)) return;
    this.pictures.splice(this.indexOf(id), 1);
    this.#tell("change");
  }

  indexOf(id) {
    return this.pictures.findIndex((picture) => picture.id === id);
  }

  #unknown(pictures) {
    const unknown = pictures.filter(({ id }) => !this.#byId.has(id));
    for (const picture of unknown) this.#byId.set(picture.id, picture);
    return unknown;
  }

  #tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
