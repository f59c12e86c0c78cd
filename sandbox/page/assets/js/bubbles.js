/** One message as an element, which can be brought up to date in place. */

import { fileUrl } from "./api.js";
import { avatar, colour } from "./avatars.js";
import { element, icon, iconButton } from "./dom.js";
import { formatted, summary } from "./text.js";
import { clock, full } from "./times.js";

/**
 * What a bubble can ask for.
 * @typedef {object} Actions
 * @property {(messageId: number) => void} jump show another message.
 * @property {(message: object) => void} view show its picture, large.
 * @property {(message: object, button: object, node: Element) => void} press
 * @property {(command: string) => void} command send a command.
 * @property {(message: object, at: Element|{x: number, y: number}) => void} menu
 * @property {(message: object) => void} reply
 */

export class Bubble {
  #parts = new Map();

  /**
   * @param {object} message a `Message` with `edits`.
   * @param {boolean} own whether this window's person sent it.
   * @param {boolean} inGroup whether senders are named.
   * @param {Actions} actions
   */
  constructor(message, own, inGroup, actions) {
    this.message = message;
    this.own = own;
    this.actions = actions;
    this.box = element("div", { class: "bubble" });
    this.keyboard = element("div", { class: "keyboard" });
    const { from } = message;
    this.node = element(
      "li",
      {
        class: `message ${own ? "own" : "other"}`,
        tabindex: -1,
        data: { id: message.message_id },
        on: { contextmenu: (event) => this.#openMenu(event), keydown: (event) => this.#key(event) },
      },
      inGroup && !own && avatar(from.id, from.first_name, from.is_bot),
      element("div", { class: "stack" }, this.box, this.keyboard),
      element(
        "div",
        { class: "message-tools" },
        iconButton("reply", "Reply", () => actions.reply(this.message), { tabindex: -1 }),
        iconButton("more", "More", (event) => actions.menu(this.message, event.currentTarget), {
          tabindex: -1,
        }),
      ),
    );
    if (inGroup && !own) {
      this.box.append(
        element("p", { class: "sender", data: { colour: colour(from.id) } }, from.first_name),
      );
    }
    this.update(message);
  }

  /** Shows another state of the message; what is the same stays, and with it the focus. */
  update(message) {
    this.message = message;
    const { photo, document, text, caption, edits, reply_markup: markup } = message;
    this.box.classList.toggle("with-photo", Boolean(photo));
    this.box.classList.toggle("bare", Boolean(photo) && !caption);
    this.#part("quote", this.box, message.reply_to_message?.message_id, () => this.#quote());
    this.#part("media", this.box, [photo, document], () => this.#media());
    this.#part("words", this.box, [text, caption, edits], () => this.#words());
    this.#part("rows", this.keyboard, markup, () => this.#rows());
  }

  #part(name, parent, content, create) {
    const key = JSON.stringify(content ?? null);
    const known = this.#parts.get(name);
    if (known?.key === key) return;
    const node = create();
    if (known) known.node.replaceWith(node);
    else parent.append(node);
    this.#parts.set(name, { key, node });
  }

  #quote() {
    const quoted = this.message.reply_to_message;
    if (!quoted) return new Comment("no reply");
    const photo = quoted.photo?.[0];
    return element(
      "button",
      {
        type: "button",
        class: "quote",
        data: { colour: colour(quoted.from.id) },
        on: { click: () => this.actions.jump(quoted.message_id) },
      },
      photo && element("img", { src: fileUrl(photo.file_id), alt: "", class: "quote-image" }),
      element(
        "span",
        { class: "quote-text" },
        element("strong", {}, quoted.from.first_name),
        element("span", {}, summary(quoted)),
      ),
    );
  }

  #media() {
    const { photo, document, caption, from } = this.message;
    if (photo) {
      const { file_id: id, width, height } = photo.at(-1);
      const alt = caption ? "Photo" : `Photo from ${from.first_name}`;
      const image = element("img", { src: fileUrl(id), alt, width, height, draggable: "false" });
      const node = element(
        "button",
        {
          type: "button",
          class: "photo",
          "aria-label": `${alt}, open it large`,
          on: { click: () => this.actions.view(this.message) },
        },
        image,
      );
      node.style.setProperty("--ratio", width / height);
      return node;
    }
    if (document) {
      return element(
        "a",
        { class: "document", href: fileUrl(document.file_id), download: document.file_name },
        icon("file"),
        element(
          "span",
          {},
          element("strong", {}, document.file_name),
          element("small", {}, `${Math.ceil(document.file_size / 1024)} kB`),
        ),
      );
    }
    return new Comment("no media");
  }

  #words() {
    const { text, caption, entities, caption_entities: captionEntities, date, edits } = this.message;
    const at = new Date(date * 1000).toISOString();
    const meta = element(
      "span",
      { class: "meta", on: { pointerenter: () => (meta.title = full(date)) } },
      edits > 0 && this.own && "edited ",
      element("time", { datetime: at }, clock(date)),
      this.own && icon("check"),
    );
    const service = !text && !caption && !this.message.photo && !this.message.document;
    const words = service ? [summary(this.message)] : formatted(
      text ?? caption ?? "",
      entities ?? captionEntities,
      this.actions.command,
    );
    return element("div", { class: "words", dir: "auto" }, ...words, meta);
  }

  #rows() {
    const rows = this.message.reply_markup?.inline_keyboard ?? [];
    if (rows.length === 0) return new Comment("no buttons");
    return element(
      "div",
      { class: "rows" },
      ...rows.map((row) =>
        element("div", { class: "row" }, ...row.map((button) => this.#button(button))),
      ),
    );
  }

  #button(button) {
    if (button.url) {
      return element(
        "a",
        { class: "inline-button", href: button.url, target: "_blank", rel: "noopener noreferrer" },
        button.text,
        icon("link"),
      );
    }
    const press = (event) => this.actions.press(this.message, button, event.currentTarget);
    return element("button", { type: "button", class: "inline-button", on: { click: press } }, button.text);
  }

  #openMenu(event) {
    if (getSelection().toString() || event.target.closest("a")) return; // the browser's own serves
    event.preventDefault();
    const byKey = event.clientX === 0 && event.clientY === 0;
    this.actions.menu(this.message, byKey ? this.box : { x: event.clientX, y: event.clientY });
  }

  #key(event) {
    if (event.target !== this.node) return;
    if (event.key === "Enter") {
      event.preventDefault();
      this.actions.menu(this.message, this.box);
    }
  }
}
