/**
 * What this window knows, for one person. Everything shown is made from it, and it changes only by
 * what the server says. Changes are told as events of these names, with a `detail`:
 *
 *   message, edit, delete  {chat, message}     older  {chat}
 *   chat                   {chat}              read   {chat}
 *   action                 {chat}              bot, connection
 *
 * A chat is {id, type, title, members, messages, complete, action, readTo}: `messages` is a Map from
 * ids, oldest first; `complete` says that it goes back to the first one.
 */

import * as api from "./api.js";

/** A message with somebody who has sent it: a channel's posts are the channel's. */
function signed(message) {
  const { from, sender_chat: channel, reply_to_message: quoted } = message;
  return {
    ...message,
    from: from ?? { id: channel.id, first_name: channel.title, is_bot: false },
    ...(quoted && { reply_to_message: signed(quoted) }),
  };
}

/** What the Bot API calls chats that one may choose; a private one here is always one with the bot. */
const KINDS = { private: "bot", group: "group", supergroup: "group", channel: "channel" };
const PAGE = 60;
const ACTION_MS = 5000; // core.telegram.org/bots/api#sendchataction

export class Store extends EventTarget {
  connected = true;
  chats = new Map();

  constructor(me, bot) {
    super();
    this.me = me;
    this.bot = bot;
  }

  /** Loads everything; gives the store, and the event after which to follow the stream. */
  static async open(me) {
    const last = await api.lastEvent();
    const [bot, chats] = await Promise.all([api.showBot(), api.listChats()]);
    const store = new Store(me, bot);
    const own = { id: me.id, type: "private", members: [me.id] }; // there before the first message
    for (const chat of [own, ...chats.filter((chat) => chat.members.includes(me.id))]) {
      store.#keepChat(chat);
    }
    await Promise.all([...store.chats.values()].map((chat) => store.#load(chat)));
    return [store, last];
  }

  /** Applies an event of the stream. */
  apply(kind, data) {
    if (kind === "bot") {
      this.bot = data;
      this.#tell("bot");
      return;
    }
    if (kind === "chat") {
      if (!data.chat.members.includes(this.me.id)) return;
      this.#tell("chat", { chat: this.#keepChat(data.chat) });
      return;
    }
    const chat = this.chats.get(data.chat_id);
    if (!chat) return;
    if (kind === "action") {
      this.#act(chat, data.action);
    } else if (kind === "delete") {
      const message = chat.messages.get(data.message_id);
      chat.messages.delete(data.message_id);
      if (message) this.#tell("delete", { chat, message });
    } else if (kind === "reaction") {
      const message = chat.messages.get(data.message_id);
      if (message) this.#keep(chat, { ...message, reactions: data.reactions }, "edit");
    } else if (kind === "message" || chat.messages.has(data.message.message_id)) {
      const known = chat.messages.get(data.message.message_id);
      const message = signed({ reactions: known?.reactions, ...data.message });
      if (kind === "message" && message.from.is_bot) this.#act(chat, null);
      this.#keep(chat, message, known ? "edit" : "message");
    }
  }

  #keep(chat, message, change) {
    chat.messages.set(message.message_id, message);
    this.#tell(change, { chat, message });
  }

  setConnected(connected) {
    if (connected === this.connected) return;
    this.connected = connected;
    this.#tell("connection");
  }

  /** Loads a page of older messages. */
  async loadOlder(chat) {
    if (chat.complete) return;
    chat.loading ??= this.#load(chat).finally(() => (chat.loading = null));
    await chat.loading;
  }

  async #load(chat) {
    const [oldest] = chat.messages.keys();
    const page = await api.listMessages(chat.id, PAGE, oldest);
    chat.complete = page.length < PAGE;
    const entries = page.map((message) => [message.message_id, signed(message)]);
    chat.messages = new Map([...entries, ...chat.messages]);
    this.#tell("older", { chat });
  }

  #keepChat(chat) {
    const known = this.chats.get(chat.id) ?? {
      messages: new Map(),
      complete: false,
      action: null,
      readTo: Number(localStorage.getItem(this.#readKey(chat)) ?? 0),
    };
    this.chats.set(chat.id, Object.assign(known, chat));
    return known;
  }

  #act(chat, action) {
    clearTimeout(chat.actionTimer);
    chat.action = action;
    if (action) chat.actionTimer = setTimeout(() => this.#act(chat, null), ACTION_MS);
    this.#tell("action", { chat });
  }

  /** The messages of others that this person has not seen. */
  unread(chat) {
    const news = [];
    for (const message of chat.messages.values()) {
      if (message.message_id > chat.readTo && message.from.id !== this.me.id) news.push(message);
    }
    return news;
  }

  /** Remembers, also over a reload, that everything in the chat was seen. */
  markRead(chat) {
    const last = [...chat.messages.keys()].at(-1) ?? 0;
    if (last <= chat.readTo) return;
    chat.readTo = last;
    localStorage.setItem(this.#readKey(chat), last);
    this.#tell("read", { chat });
  }

  #readKey(chat) {
    return `read:${this.me.id}:${chat.id}`;
  }

  /** The commands of the bot's menu in a chat: those of the narrowest scope that has any. */
  commands(chat) {
    const scopes = [
      (scope) => scope.type === "chat" && scope.chat_id === chat.id,
      (scope) => scope.type === (chat.type === "private" ? "all_private_chats" : "all_group_chats"),
      (scope) => scope.type === "default",
    ];
    for (const fits of scopes) {
      for (const language of [this.me.language_code, ""]) {
        const found = this.bot.commands.find(
          (set) => fits(set.scope) && set.language_code === language,
        );
        if (found) return found.commands;
      }
    }
    return [];
  }

  /** The bot's menu button in a chat, if it opens an app: the chat's own, or that of all. */
  appButton(chat) {
    if (chat.type !== "private") return null;
    const buttonOf = (id) => this.bot.menu_buttons.find(({ chat_id: of }) => of === id)?.button;
    const button = buttonOf(chat.id) ?? buttonOf(null);
    return button?.type === "web_app" ? button : null;
  }

  /** The chats that something may be sent to, {id, title}; of these kinds only, if any are given. */
  destinations(kinds) {
    return [...this.chats.values()]
      .filter(({ type }) => !kinds || kinds.includes(KINDS[type]))
      .map((chat) => ({ id: chat.id, title: this.title(chat) }));
  }

  /** Whether a message of a chat was deleted, as far as is loaded. */
  isGone(chat, messageId) {
    const [oldest] = chat.messages.keys();
    return (chat.complete || messageId > oldest) && !chat.messages.has(messageId);
  }

  /** A chat's name. */
  title(chat) {
    return chat.type === "private" ? this.bot.user.first_name : chat.title;
  }

  #tell(name, detail = {}) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}
