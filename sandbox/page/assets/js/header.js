/** The header of the open chat: its name, how the bot is, and what it is doing. */

import { avatar, botAvatar } from "./avatars.js";
import { byId, element } from "./dom.js";
import { openProfile } from "./profile.js";
import { acting } from "./sidebar.js";
import { say, sayCount } from "./words.js";

export class Header {
  #chat = null;
  #subtitle = "";
  #avatar = "";

  /** @param {import("./store.js").Store} store */
  constructor(store) {
    this.store = store;
    for (const name of ["bot", "connection", "action", "chat"]) {
      store.addEventListener(name, () => this.#update());
    }
  }

  show(chat) {
    this.#chat = chat;
    this.#update();
  }

  #update() {
    const chat = this.#chat;
    const title = this.store.title(chat);
    byId("chat-title").textContent = title;
    this.#showAvatar(chat, title);
    const subtitle = this.#describe(chat);
    if (subtitle !== this.#subtitle) byId("chat-subtitle").textContent = subtitle;
    this.#subtitle = subtitle;
    byId("chat-subtitle").classList.toggle("lively", Boolean(chat.action));
    this.#showActing(chat);
  }

  /** A private chat's leads to the bot's profile. */
  #showAvatar(chat, title) {
    const { bot, me } = this.store;
    const key = JSON.stringify([chat.id, title, bot.profile]);
    if (key === this.#avatar) return; // else it would lose the focus
    this.#avatar = key;
    const about = { type: "button", class: "bar-avatar-button", "aria-label": say("About {name}", { name: title }) };
    byId("chat-avatar").replaceChildren(
      chat.type === "private"
        ? element("button", { ...about, on: { click: () => openProfile(this.store.bot, me) } }, botAvatar(bot))
        : avatar(chat.id, title),
    );
  }

  #describe(chat) {
    if (!this.store.connected) return say("connecting…");
    if (chat.action) {
      return say("{name} is {action}", { name: this.store.bot.user.first_name, action: acting(chat.action) });
    }
    if (!this.store.bot.listening) return say("starting… what you send now is answered soon");
    if (chat.type === "private") return say("online");
    return sayCount("{count} person and the bot", "{count} people and the bot", chat.members.length);
  }

  #showActing(chat) {
    const node = byId("acting");
    node.hidden = !chat.action;
    if (!chat.action || node.childElementCount) return;
    node.setAttribute("aria-hidden", "true"); // the text over the chat says it
    node.append(...[1, 2, 3].map(() => element("span", {})));
  }
}
