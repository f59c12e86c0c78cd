/** Announces new messages: to screen readers, and in the title of a window in the background. */

import { byId, element } from "./dom.js";
import { summary } from "./text.js";

const KEPT = 20;

/**
 * @param {import("./store.js").Store} store
 * @param {() => object} openChat the chat that is open.
 */
export function announce(store, openChat) {
  store.addEventListener("message", ({ detail: { chat, message } }) => {
    if (message.from.id === store.me.id || chat !== openChat()) return;
    const log = byId("announcer");
    log.append(element("p", {}, `${message.from.first_name}: ${summary(message)}`));
    if (log.childElementCount > KEPT) log.firstElementChild.remove();
  });
  const showTitle = () => {
    let unread = 0;
    for (const chat of store.chats.values()) unread += store.unread(chat).length;
    const name = `${store.title(openChat())} · ${store.me.first_name}`;
    document.title = unread > 0 ? `(${unread}) ${name}` : name;
  };
  for (const name of ["message", "delete", "read", "chat", "open"]) {
    store.addEventListener(name, showTitle);
  }
}
