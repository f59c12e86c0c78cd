/** Where people write: text, photos, commands, replies, edits. */

import * as api from "./api.js";
import { Completion } from "./completion.js";
import { byId, element, icon, iconButton } from "./dom.js";
import { openMenu } from "./menus.js";
import { SAMPLES, loadSample, sampleUrl } from "./samples.js";
import { summary } from "./text.js";
import { tellingErrors, toast } from "./toasts.js";
import { Tray } from "./tray.js";
import { say } from "./words.js";

const MAX_TEXT = 4096;
const MAX_CAPTION = 1024;

export class Composer {
  #chat = null;
  #replyTo = null;
  #editing = null;
  #sending = false;
  #placeholder = "";

  /**
   * @param {import("./store.js").Store} store
   * @param {(button: object) => void} openApp opens the app of the menu button.
   */
  constructor(store, openApp) {
    this.store = store;
    this.field = element("textarea", {
      id: "words",
      class: "words-field",
      rows: 1,
      "aria-label": say("Message"),
      enterkeyhint: "send",
      maxlength: MAX_TEXT,
      on: {
        input: () => this.#onInput(),
        keydown: (event) => this.#onKey(event),
        paste: (event) => this.#onPaste(event),
      },
    });
    this.completion = new Completion(
      this.field,
      () => store.commands(this.#chat),
      (command) => this.sendCommand(command),
    );
    this.tray = new Tray(() => this.#update());
    this.context = element("div", { class: "context", hidden: true });
    this.picker = element("input", {
      type: "file",
      multiple: true,
      hidden: true,
      "aria-label": say("Photos to send"),
      on: { change: () => this.#onPicked() },
    });
    this.sendButton = element(
      "button",
      { type: "submit", class: "icon-button send", "aria-label": say("Send"), title: say("Send") },
      icon("send"),
    );
    this.appButton = element("button", {
      type: "button",
      class: "app-button",
      hidden: true,
      on: { click: () => openApp(store.appButton(this.#chat)) },
    });
    this.commandsButton = iconButton("slash", say("Commands"), () => this.completion.toggle(), {
      class: "icon-button commands",
      on: {
        pointerdown: (event) => event.preventDefault(), // the field keeps the focus, and the list
        click: () => this.completion.toggle(),
      },
    });
    const form = byId("composer");
    form.append(
      this.completion.list,
      this.context,
      this.tray.node,
      element(
        "div",
        { class: "composer-row" },
        this.appButton,
        iconButton("attach", say("Add a photo"), (event) => this.#openAttachMenu(event.currentTarget), {
          "aria-haspopup": "menu",
        }),
        this.field,
        this.commandsButton,
        this.sendButton,
      ),
      this.picker,
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    store.addEventListener("bot", () => this.#showMenuButton());
  }

  /** Switches to another chat; an unfinished draft stays with the old one. */
  show(chat) {
    this.#chat = chat;
    this.#drop();
    this.tray.clear();
    this.field.value = sessionStorage.getItem(this.#draftKey()) ?? "";
    this.#update();
    this.#showMenuButton();
  }

  /** The bot's app, or else its commands, which a slash brings as well. */
  #showMenuButton() {
    const button = this.store.appButton(this.#chat);
    this.appButton.textContent = button?.text ?? "";
    this.appButton.title = button?.text ?? "";
    this.appButton.hidden = button === null;
    this.commandsButton.hidden = button !== null;
  }

  focus() {
    this.field.focus();
  }

  /** Lets the next words be a reply; `placeholder` is what the empty field says then. */
  reply(message, placeholder = "") {
    this.#drop();
    this.#replyTo = message;
    this.#placeholder = placeholder;
    this.#showContext("reply", say("Reply to {name}", { name: message.from.first_name }), message);
    this.#update();
    this.focus();
  }

  edit(message) {
    this.#drop();
    this.#editing = message;
    this.field.value = message.text ?? message.caption ?? "";
    this.#showContext("edit", say("Edit"), message);
    this.#update();
    this.focus();
    this.field.setSelectionRange(this.field.value.length, this.field.value.length);
  }

  /** Takes photos and files from anywhere; they are sent with a caption, on Enter. */
  async attach(files, asFiles = false) {
    this.focus();
    for (const problem of await this.tray.add(files, asFiles)) toast(problem);
  }

  async sendCommand(command) {
    if (this.field.value.startsWith("/")) this.#setWords("");
    await this.#send({ text: command });
  }

  /** Sends a sample at once, with the text as its caption if there is any. */
  async sendSample(sample) {
    const caption = this.field.value.trim();
    this.#setWords("");
    const file = await tellingErrors(() => loadSample(sample));
    if (file) await this.#send({ photos: [file], caption });
    this.focus();
  }

  /** Cancels what is under way, the innermost first; false if nothing is. */
  escape() {
    if (this.#replyTo || this.#editing) {
      this.#drop();
      this.#update();
    } else if (!this.tray.isEmpty) this.tray.clear();
    else return false;
    return true;
  }

  async #submit() {
    const words = this.field.value.trim();
    if (this.#sending || (!words && this.tray.isEmpty)) return;
    if (this.#editing) {
      const message = this.#editing;
      if (!words) return;
      this.#drop();
      await tellingErrors(() => api.edit(message, this.store.me.id, words));
      return;
    }
    if (!this.tray.isEmpty && words.length > MAX_CAPTION) {
      toast(say("A caption can have up to {most} characters.", { most: MAX_CAPTION }));
      return;
    }
    const { photos, documents } = this.tray.take();
    this.#setWords("");
    const contents = documents.map((document) => ({ document }));
    if (photos.length > 0) contents.unshift({ photos });
    if (contents.length > 0) contents[0].caption = words;
    else contents.push({ text: words });
    while (contents.length > 0 && (await this.#send(contents[0]))) contents.shift();
    for (const content of contents) this.#takeBack(content); // what was not sent is not lost
  }

  #takeBack({ photos, document, text, caption }) {
    if (photos) this.tray.putBack(photos, false);
    if (document) this.tray.putBack([document], true);
    if (text || caption) this.#setWords(text || caption);
  }

  /** Sends one request; says whether that worked. */
  async #send(content) {
    const replied = this.#replyTo;
    this.#sending = true;
    this.#drop();
    this.#update();
    const sent = await tellingErrors(() =>
      api.send(this.#chat.id, this.store.me.id, { ...content, replyTo: replied?.message_id }),
    );
    this.#sending = false;
    this.#update();
    if (!sent && replied) this.reply(replied);
    return Boolean(sent);
  }

  #drop() {
    if (this.#editing) this.#setWords("");
    this.#replyTo = null;
    this.#placeholder = "";
    this.#editing = null;
    this.context.hidden = true;
    this.context.replaceChildren();
  }

  #showContext(symbol, title, message) {
    this.context.replaceChildren(
      icon(symbol),
      element(
        "p",
        { class: "context-text" },
        element("strong", {}, title),
        element("span", {}, summary(message)),
      ),
      iconButton("close", say("Cancel"), () => {
        this.#drop();
        this.#update();
        this.focus();
      }),
    );
    this.context.hidden = false;
  }

  #setWords(words) {
    this.field.value = words;
    this.#onInput();
  }

  #onInput() {
    this.completion.offer();
    if (!this.#editing) sessionStorage.setItem(this.#draftKey(), this.field.value);
    this.#update();
  }

  #update() {
    const ready = this.field.value.trim() !== "" || !this.tray.isEmpty;
    this.sendButton.classList.toggle("ready", ready);
    this.sendButton.classList.toggle("busy", this.#sending);
    this.field.placeholder = this.tray.isEmpty ? this.#placeholder || say("Message") : say("Add a caption");
    this.field.style.height = "auto";
    this.field.style.height = `${this.field.scrollHeight}px`;
  }

  #draftKey() {
    return `draft:${this.store.me.id}:${this.#chat.id}`;
  }

  #onKey(event) {
    if (event.isComposing || this.completion.takeKey(event)) return;
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      this.#submit();
    } else if (event.key === "ArrowUp" && this.field.value === "") {
      const own = [...this.#chat.messages.values()].filter(
        (message) => message.from.id === this.store.me.id && message.text,
      );
      if (own.length === 0) return;
      event.preventDefault();
      this.edit(own.at(-1));
    }
  }

  #onPaste(event) {
    const files = [...event.clipboardData.files];
    if (files.length === 0) return;
    event.preventDefault();
    this.attach(files);
  }

  #openAttachMenu(button) {
    const pick = (accept, asFiles) => () => {
      this.picker.accept = accept;
      this.picker.dataset.asFiles = asFiles;
      this.picker.click();
    };
    openMenu(say("Add a photo"), button, [
      { icon: "image", label: say("Photo"), hint: say("or drop one, or paste one"), run: pick("image/*", "") },
      { icon: "file", label: say("File"), hint: say("an image, sent as it is"), run: pick("", "yes") },
      { separator: true, label: say("Sample photos") },
      ...SAMPLES.map((sample) => ({
        image: sampleUrl(sample),
        label: say(sample.label),
        run: () => this.sendSample(sample),
      })),
    ]);
  }

  #onPicked() {
    this.attach(this.picker.files, Boolean(this.picker.dataset.asFiles));
    this.picker.value = "";
  }
}
