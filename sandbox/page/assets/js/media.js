/** What a message shows besides words: a photo, a document, or the photos or documents of an album. */

import { fileUrl } from "./api.js";
import { element, icon } from "./dom.js";
import { LOCALE, say } from "./words.js";

const KB = 1024;
const WIDEST = 2; // proportions in an album; what goes beyond is cropped
const NARROWEST = 0.6;

export class Media {
  #tiles = new Map();
  #layout = "";

  /** @param {(message: object) => void} view shows a message's picture, large. */
  constructor(view) {
    this.view = view;
    this.node = element("div", { class: "media" });
  }

  /** Shows these messages' media; what is the same stays, and a new picture replaces an old one whole. */
  update(messages) {
    const shown = messages.filter((message) => message.photo || message.document);
    const tiles = new Map(
      shown.map((message) => [message.message_id, this.#tileOf(message)]),
    );
    this.#tiles = tiles;
    const isGrid = shown.length > 1 && shown.every(({ photo }) => photo);
    const rows = isGrid ? rowLengths(shown.map(ratioOf)) : null;
    const layout = JSON.stringify([rows, shown.map(({ message_id: id, photo }) => [id, Boolean(photo)])]);
    if (layout === this.#layout) return; // moving a tile would take its focus
    this.#layout = layout;
    this.node.classList.toggle("album", isGrid);
    const nodes = [...tiles.values()].map((tile) => tile.node);
    this.node.replaceChildren(...(isGrid ? inRows(rows, nodes) : nodes));
  }

  #tileOf(message) {
    const known = this.#tiles.get(message.message_id);
    const kind = message.photo ? PhotoTile : DocumentTile;
    const tile = known instanceof kind ? known : new kind(this.view);
    tile.update(message);
    return tile;
  }
}

/** Rows of photos, each as high as their proportions let them be side by side. */
function inRows(lengths, nodes) {
  const left = [...nodes];
  return lengths.map((length) => element("div", { class: "album-row" }, ...left.splice(0, length)));
}

/** How many photos are in each row of an album. */
function rowLengths(ratios) {
  const mean = ratios.reduce((sum, ratio) => sum + ratio, 0) / ratios.length;
  const known = {
    2: mean > 1.6 ? [1, 1] : [2],
    3: mean < 0.9 ? [3] : [1, 2],
    4: [2, 2],
    5: [2, 3],
    6: [3, 3],
    7: [2, 2, 3],
    8: [2, 3, 3],
    9: [3, 3, 3],
  };
  return known[ratios.length] ?? [3, 3, 4];
}

function ratioOf({ photo }) {
  const { width, height } = photo.at(-1);
  return Math.min(Math.max(width / height, NARROWEST), WIDEST);
}

class PhotoTile {
  #shown = null;

  constructor(view) {
    this.image = element("img", { draggable: "false" });
    this.node = element(
      "button",
      { type: "button", class: "photo", on: { click: () => view(this.message) } },
      this.image,
    );
  }

  update(message) {
    this.message = message;
    const { message_id: id, photo, caption, from, media_group_id: group } = message;
    const { file_id: file, width, height } = photo.at(-1);
    const template = caption ? "Photo, {caption} from {name}" : "Photo from {name}";
    const alt = caption && !group ? say("Photo") : say(template, { caption, name: from.first_name });
    this.node.dataset.message = id;
    this.node.setAttribute("aria-label", say("{photo}, open it large", { photo: alt }));
    this.node.style.setProperty("--ratio", width / height);
    this.node.style.setProperty("--tile", ratioOf(message));
    if (file !== this.#shown) this.#load(fileUrl(file), { alt, width, height });
    else this.image.alt = alt;
    this.#shown = file;
  }

  /** The picture before stays until the new one can be shown, so that nothing flickers. */
  #load(src, properties) {
    const image = element("img", { ...properties, src, draggable: "false" });
    const before = this.image;
    this.image = image;
    if (!before.src) {
      before.replaceWith(image);
      return;
    }
    const show = () => {
      if (this.image === image) this.node.replaceChildren(image); // unless a newer one came
    };
    image.decode().then(show, show);
  }
}

class DocumentTile {
  #key = "";

  constructor() {
    this.node = element("div", { class: "document" });
  }

  update(message) {
    const { message_id: id, document, caption, media_group_id: group } = message;
    const words = group ? caption : null; // alone, its caption stands below
    const key = JSON.stringify([document, words]);
    if (key === this.#key) return;
    this.#key = key;
    this.node.dataset.message = id;
    const { file_id: file, file_name: name, file_size: size, thumbnail } = document;
    this.node.replaceChildren(
      element(
        "a",
        { class: "document-link", href: fileUrl(file), download: name },
        thumbnail
          ? element("img", {
              src: fileUrl(thumbnail.file_id),
              alt: "",
              class: "document-thumbnail",
              width: thumbnail.width,
              height: thumbnail.height,
            })
          : icon("file"),
        element(
          "span",
          { class: "document-text" },
          element("strong", {}, name),
          element("small", {}, icon("download"), ` ${bytes(size)}`, " · Download"),
        ),
      ),
      ...(words ? [element("p", { class: "document-words", dir: "auto" }, words)] : []),
    );
  }
}

function bytes(size) {
  if (size < KB) return `${size} B`;
  if (size < KB * KB) return `${Math.ceil(size / KB)} kB`;
  const digits = { minimumFractionDigits: 1, maximumFractionDigits: 1 };
  return `${(size / KB / KB).toLocaleString(LOCALE, digits)} MB`;
}
