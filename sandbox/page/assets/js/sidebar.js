/** The list of chats. */

import { avatar, botAvatar } from "./avatars.js";
import { byId, element, moveFocus } from "./dom.js";
import { summary } from "./text.js";
import { brief, full } from "./times.js";
import { say, sayCount } from "./words.js";

const REFRESH_MS = 20_000; // "2 min" goes out of date

export class Sidebar {
  #list = byId("chats");
  #open = null;

  /**
   * @param {import("./store.js").Store} store
   * @param {(chat: object) => string} hrefOf
   * @param {(chat: object) => void} onChoose
   */
  constructor(store, hrefOf, onChoose) {
    this.store = store;
    this.hrefOf = hrefOf;
    this.onChoose = onChoose;
    for (const name of ["message", "edit", "delete", "chat", "read", "action", "bot"]) {
      store.addEventListener(name, () => this.show(this.#open));
    }
    this.#list.addEventListener("keydown", (event) => moveFocus(event, this.#links()));
    setInterval(() => this.show(this.#open), REFRESH_MS);
  }

  /** Shows the chats, the newest first, with one of them as the open one. */
  show(open) {
    this.#open = open;
    const focused = this.#links().find((link) => link === document.activeElement)?.dataset.chat;
    const chats = [...this.store.chats.values()].sort((a, b) => lastOf(b).date - lastOf(a).date);
    this.#list.replaceChildren(...chats.map((chat) => this.#entry(chat)));
    if (focused) this.#links().find((link) => link.dataset.chat === focused)?.focus();
  }

  #links() {
    return [...this.#list.querySelectorAll("a")];
  }

  #entry(chat) {
    const { store } = this;
    const title = store.title(chat);
    const last = lastOf(chat);
    const unread = store.unread(chat).length;
    const link = element(
      "a",
      {
        class: "chat-entry",
        href: this.hrefOf(chat),
        "aria-current": chat === this.#open ? "page" : null,
        data: { chat: chat.id },
        on: {
          click: (event) => {
            if (event.ctrlKey || event.metaKey || event.shiftKey) return; // another window
            event.preventDefault();
            this.onChoose(chat);
          },
        },
      },
      chat.type === "private" ? botAvatar(store.bot) : avatar(chat.id, title),
      element(
        "span",
        { class: "chat-entry-text" },
        element(
          "span",
          { class: "chat-entry-top" },
          element("strong", {}, title),
          last.date > 0 && element("time", { title: full(last.date) }, brief(last.date)),
        ),
        element(
          "span",
          { class: "chat-entry-bottom" },
          element("span", { class: "chat-entry-last" }, this.#preview(chat, last)),
          unread > 0 &&
            element("span", { class: "badge", "aria-label": sayCount("{count} unread", "{count} unread", unread) }, String(unread)),
        ),
      ),
    );
    return element("li", {}, link);
  }

  #preview(chat, last) {
    if (chat.action) return element("em", {}, acting(chat.action));
    if (!last.from) return say(chat.type === "private" ? "Send it a photo" : "Nothing here yet");
    const own = last.from.id === this.store.me.id;
    const who = own ? say("You: ") : chat.type === "private" ? "" : `${last.from.first_name}: `;
    return who + summary(last);
  }
}

function lastOf(chat) {
  return [...chat.messages.values()].at(-1) ?? { date: 0 };
}

/** How a chat action is shown. */
export function acting(action) {
  const words = { typing: "typing…", upload_photo: "sending a photo…", upload_document: "sending a file…" };
  return say(words[action] ?? "busy…");
}
