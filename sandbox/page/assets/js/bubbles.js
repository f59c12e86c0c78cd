/** A message, or an album, as an element that can be brought up to date in place. */

import { fileUrl } from "./api.js";
import { avatar, botAvatar, colourOf } from "./avatars.js";
import { inlineKeyboard } from "./buttons.js";
import { reactionsTo } from "./reactions.js";
import { element, icon, iconButton } from "./dom.js";
import { Media } from "./media.js";
import { formatted, summary } from "./text.js";
import { clock, full } from "./times.js";
import { say } from "./words.js";

/**
 * What a bubble can ask for.
 * @typedef {object} Actions
 * @property {(messageId: number) => void} jump show another message.
 * @property {(message: object) => boolean} isGone whether a message was deleted.
 * @property {(message: object) => void} view show its picture, large.
 * @property {(message: object, button: object, node: Element) => void} press
 * @property {(text: string) => void} copy
 * @property {(query: string) => void} share send what the bot finds to a chat.
 * @property {(button: object, message: object) => void} app open the app of a button.
 * @property {(message: object, emoji: string) => void} react add a reaction, or take it back.
 * @property {(command: string) => void} command send a command.
 * @property {(message: object, at: Element|{x: number, y: number}) => void} menu
 * @property {(message: object) => void} reply
 */

export class Bubble {
  #parts = new Map();

  /**
   * @param {object[]} messages a `Message` with `edits`, or all of an album.
   * @param {boolean} own whether this window's person sent it.
   * @param {boolean} inGroup whether senders are named.
   * @param {object} bot as the server describes it.
   * @param {Actions} actions
   */
  constructor(messages, own, inGroup, bot, actions) {
    const [message] = messages;
    this.own = own;
    this.actions = actions;
    this.box = element("div", { class: "bubble" });
    this.keyboard = element("div", { class: "keyboard" });
    this.media = new Media((shown) => actions.view(shown));
    const { from } = message;
    this.node = element(
      "li",
      {
        class: `message ${own ? "own" : "other"}`,
        tabindex: -1,
        on: {
          contextmenu: (event) => this.#openMenu(event),
          dblclick: (event) => this.#replyTo(event),
          keydown: (event) => this.#key(event),
        },
      },
      inGroup && !own && (from.id === bot.user.id ? botAvatar(bot) : avatar(from.id, from.first_name)),
      element("div", { class: "stack" }, this.box, this.keyboard),
      element(
        "div",
        { class: "message-tools" },
        iconButton("reply", say("Reply"), () => actions.reply(this.message), { tabindex: -1 }),
        iconButton("more", say("More"), (event) => actions.menu(this.message, event.currentTarget), {
          tabindex: -1,
        }),
      ),
    );
    if (inGroup && !own) {
      this.box.append(
        element("p", { class: "sender", data: { colour: colourOf(from) } }, from.first_name),
      );
    }
    this.update(messages);
  }

  /** Whether it shows these messages, in whatever state. */
  holds(messages) {
    return (
      messages.length === this.messages.length &&
      messages.every((message, i) => message.message_id === this.messages[i].message_id)
    );
  }

  /** Shows another state of one of its messages. */
  replace(message) {
    const same = ({ message_id: id }) => id === message.message_id;
    this.update(this.messages.map((known) => (same(known) ? message : known)));
  }

  /** Shows another state of the messages; what is the same stays, and with it the focus. */
  update(messages) {
    this.messages = messages;
    [this.message] = messages;
    this.node.dataset.id = this.message.message_id;
    const { photo, document, reply_markup: markup } = this.message;
    const worded = this.#worded();
    const { text, caption, edits } = worded;
    const isAlbum = messages.length > 1;
    this.box.classList.toggle("with-photo", Boolean(photo));
    this.box.classList.toggle("bare", Boolean(photo || (document && !isAlbum)) && !caption);
    this.updateQuote();
    this.media.update(messages);
    if (!this.media.node.parentNode) this.box.append(this.media.node);
    this.#part("words", this.box, [text, caption, edits], () => this.#words(worded));
    this.#part("rows", this.keyboard, isAlbum ? null : markup, () =>
      inlineKeyboard(isAlbum ? null : markup, {
        press: (button, node) => this.actions.press(this.message, button, node),
        copy: this.actions.copy,
        share: this.actions.share,
        app: (button) => this.actions.app(button, this.message),
      }),
    );
    this.#part("reactions", this.keyboard, this.message.reactions, () =>
      reactionsTo(this.message, this.actions.react),
    );
  }

  /** Shows what it replies to, or that this is gone by now. */
  updateQuote() {
    const quoted = this.message.reply_to_message;
    const isGone = Boolean(quoted) && this.actions.isGone(quoted);
    this.#part("quote", this.box, [quoted?.message_id, isGone], () => this.#quote(quoted, isGone));
  }

  /** The message whose words stand under all: of an album the only one that has any. */
  #worded() {
    if (this.messages.length === 1) return this.message;
    const worded = this.messages.filter(({ caption }) => caption);
    const [first, ...others] = worded;
    const alone = first && others.length === 0 && first.photo;
    return alone ? first : { ...this.message, caption: undefined, caption_entities: undefined };
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

  #quote(quoted, isGone) {
    if (!quoted) return new Comment("no reply");
    if (isGone) return element("p", { class: "quote gone" }, "Deleted message");
    const photo = quoted.photo?.[0];
    return element(
      "button",
      {
        type: "button",
        class: "quote",
        data: { colour: colourOf(quoted.from) },
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

  #words(message) {
    const { text, caption, entities, caption_entities: captionEntities, date, edits } = message;
    const at = new Date(date * 1000).toISOString();
    const meta = element(
      "span",
      { class: "meta", on: { pointerenter: () => (meta.title = full(date)) } },
      edits > 0 && this.own && `${say("edited")} `,
      element("time", { datetime: at }, clock(date)),
      this.own && icon("check"),
    );
    const service = !text && !caption && !message.photo && !message.document;
    const words = service ? [summary(message)] : formatted(
      text ?? caption ?? "",
      entities ?? captionEntities,
      this.actions.command,
    );
    return element("div", { class: "words", dir: "auto" }, ...words, meta);
  }

  #openMenu(event) {
    if (getSelection().toString() || event.target.closest("a")) return; // the browser's own serves
    event.preventDefault();
    const byKey = event.clientX === 0 && event.clientY === 0;
    const message = this.messageAt(event.target);
    this.actions.menu(message, byKey ? this.box : { x: event.clientX, y: event.clientY });
  }

  /** A double click beside or on a bubble, but not one that selects a word. */
  #replyTo(event) {
    if (event.target.closest("a, button, .words")) return;
    this.actions.reply(this.messageAt(event.target));
  }

  /** Which message of an album an element belongs to. */
  messageAt(node) {
    const id = Number(node.closest("[data-message]")?.dataset.message);
    return this.messages.find((message) => message.message_id === id) ?? this.message;
  }

  #key(event) {
    if (event.target !== this.node) return;
    if (event.key === "Enter") {
      event.preventDefault();
      this.actions.menu(this.message, this.box);
    }
  }
}
