/** The messages of the open chat, the days between them, and the scroll position. */

import { Bubble } from "./bubbles.js";
import { byId, element, icon, moveFocus } from "./dom.js";
import { replyBySwipe } from "./swipes.js";
import { tellingErrors, toast } from "./toasts.js";
import { day } from "./times.js";
import { say, sayCount } from "./words.js";

const NEAR_END = 60; // pixels from the end that count as there on the way down
const NEAR_START = 400; // pixels from the start at which older messages are fetched
const RUN_SECONDS = 5 * 60; // messages of one sender closer than this are grouped

export class Timeline {
  #bubbles = new Map();
  #chat = null;
  #atEnd = true;
  #lastTop = 0;
  #firstUnread = null;
  #positions = new Map();
  #scroller = byId("timeline");
  #list = byId("messages");
  #toEnd = byId("to-end");

  /**
   * @param {import("./store.js").Store} store
   * @param {import("./bubbles.js").Actions} actions all but `jump` and `isGone`, which are the timeline's own.
   */
  constructor(store, actions) {
    this.store = store;
    this.actions = {
      ...actions,
      jump: (id) => tellingErrors(() => this.jump(id)),
      isGone: ({ message_id: id }) => store.isGone(this.#chat, id),
    };
    store.addEventListener("message", ({ detail }) => this.#onMessage(detail));
    store.addEventListener("edit", ({ detail }) => this.#onEdit(detail));
    store.addEventListener("delete", ({ detail }) => this.#onDelete(detail));
    store.addEventListener("older", ({ detail }) => this.#onOlder(detail));
    store.addEventListener("read", () => this.#updateToEnd());
    this.#scroller.addEventListener("scroll", () => this.#onScroll(), { passive: true });
    this.#list.addEventListener("keydown", (event) => this.#onKey(event));
    this.#list.addEventListener("focusin", (event) => this.#rove(event.target.closest("li.message")));
    replyBySwipe(this.#list, (node, target) => {
      actions.reply(this.#bubbles.get(Number(node.dataset.id)).messageAt(target));
    });
    this.#toEnd.addEventListener("click", () => this.scrollToEnd("smooth"));
    // Whatever grows (the field, a phone's keyboard) must not push the newest message out of sight.
    const keepAtEnd = new ResizeObserver(() => {
      if (this.#atEnd) this.scrollToEnd();
    });
    keepAtEnd.observe(this.#scroller);
    keepAtEnd.observe(this.#scroller.firstElementChild);
    for (const event of ["visibilitychange", "focus"]) {
      addEventListener(event, () => this.#markRead());
    }
  }

  /** Opens a chat: where it was left, at what is unread, or at its end. */
  show(chat) {
    if (this.#chat) {
      this.#positions.set(this.#chat, this.#atEnd ? null : this.#scroller.scrollTop);
    }
    this.#chat = chat;
    this.#bubbles.clear();
    this.#firstUnread = this.store.unread(chat)[0]?.message_id ?? null;
    this.#atEnd = true;
    this.#arrange();
    const left = this.#positions.get(chat);
    const unread = this.#list.querySelector(".unread-line");
    this.#lastTop = Infinity; // whatever comes now is scrolling up
    if (left != null) this.#scroller.scrollTop = left;
    else if (unread && chat.readTo > 0) unread.scrollIntoView({ block: "center" });
    else this.scrollToEnd();
    this.#onScroll();
  }

  scrollToEnd(behavior = "instant") {
    this.#atEnd = true;
    this.#scroller.scrollTo({ top: this.#scroller.scrollHeight, behavior });
    this.#markRead();
    this.#updateToEnd();
  }

  /** Scrolls to a message and highlights it; fetches older ones as far as needed. */
  async jump(messageId) {
    while (!this.#bubbles.has(messageId) && !this.#chat.complete) {
      await this.store.loadOlder(this.#chat);
    }
    const bubble = this.#bubbles.get(messageId);
    if (!bubble) {
      toast(say("That message is no longer here."));
      return;
    }
    this.#atEnd = false;
    bubble.node.scrollIntoView({ block: "center" });
    bubble.node.classList.remove("pointed-out");
    requestAnimationFrame(() => bubble.node.classList.add("pointed-out"));
    bubble.node.focus({ preventScroll: true });
  }

  /** Moves the focus to the newest message. */
  focusLast() {
    this.#list.querySelector("li.message:last-child")?.focus();
  }

  /** The bubble of a message, or of an album that some of it may already be shown of. */
  #bubbleOf(entry) {
    const known = entry.map(({ message_id: id }) => this.#bubbles.get(id)).find(Boolean);
    if (known && !known.holds(entry)) known.update(entry);
    const inGroup = this.#chat.type !== "private";
    const own = entry[0].from.id === this.store.me.id;
    const bubble = known ?? new Bubble(entry, own, inGroup, this.store.bot, this.actions);
    for (const message of entry) this.#bubbles.set(message.message_id, bubble);
    return bubble;
  }

  /** Puts all bubbles in order, with the lines between them and the groups. */
  #arrange() {
    const nodes = [];
    const entries = entriesOf(this.#chat.messages.values());
    let lastDay = null;
    for (const [i, entry] of entries.entries()) {
      const { node } = this.#bubbleOf(entry);
      const [message] = entry;
      const today = day(message.date);
      if (today !== lastDay) nodes.push(this.#line("day", today));
      const unread = entry.some(({ message_id: id }) => id === this.#firstUnread);
      if (unread) nodes.push(this.#line("unread-line", say("New messages")));
      node.classList.toggle("first", unread || today !== lastDay || !together(entries[i - 1]?.[0], message));
      const next = entries[i + 1]?.[0];
      const followed = next && together(message, next) && next.message_id !== this.#firstUnread;
      node.classList.toggle("last", !followed || day(next.date) !== today);
      node.tabIndex = i === entries.length - 1 ? 0 : -1;
      nodes.push(node);
      lastDay = today;
    }
    this.#reconcile(nodes);
    byId("welcome").hidden = entries.length > 0;
  }

  /** Changes only what is out of place: moving a node would take its focus and restart its image. */
  #reconcile(nodes) {
    const wanted = new Set(nodes);
    let at = this.#list.firstChild;
    const dropUnwanted = () => {
      while (at && !wanted.has(at)) {
        const gone = at;
        at = at.nextSibling;
        gone.remove();
      }
    };
    for (const node of nodes) {
      dropUnwanted();
      if (node === at) at = at.nextSibling;
      else this.#list.insertBefore(node, at);
    }
    dropUnwanted();
  }

  #line(kind, words) {
    return element("li", { class: kind }, element("span", {}, words));
  }

  #onMessage({ chat, message }) {
    if (chat !== this.#chat) return;
    const own = message.from.id === this.store.me.id;
    const seen = this.#atEnd && this.#isLookedAt();
    if (!own && !seen) this.#firstUnread ??= message.message_id;
    if (own) this.#firstUnread = null;
    this.#arrange();
    const bubble = this.#bubbles.get(message.message_id);
    if (bubble.holds([message])) bubble.node.classList.add("arriving");
    if (this.#atEnd || own) this.scrollToEnd(own ? "instant" : "smooth");
    this.#updateToEnd();
  }

  #onEdit({ chat, message }) {
    if (chat === this.#chat) this.#bubbles.get(message.message_id).replace(message);
  }

  #onDelete({ chat, message }) {
    if (chat !== this.#chat) return;
    const { node } = this.#bubbles.get(message.message_id);
    const hadFocus = node.contains(document.activeElement);
    this.#bubbles.delete(message.message_id);
    this.#arrange();
    for (const bubble of this.#bubbles.values()) bubble.updateQuote();
    if (hadFocus && !node.contains(document.activeElement)) byId("words").focus();
    this.#updateToEnd();
  }

  #onOlder({ chat }) {
    if (chat !== this.#chat) return;
    const fromEnd = this.#scroller.scrollHeight - this.#scroller.scrollTop;
    this.#arrange();
    this.#scroller.scrollTop = this.#scroller.scrollHeight - fromEnd;
  }

  #onScroll() {
    const { scrollTop, scrollHeight, clientHeight } = this.#scroller;
    const left = scrollHeight - scrollTop - clientHeight;
    // Scrolling up leaves the end at once; a smooth scroll down counts as being there already.
    const goesUp = scrollTop < this.#lastTop && left > 1;
    this.#atEnd = !goesUp && (this.#atEnd || left < NEAR_END);
    this.#lastTop = scrollTop;
    if (this.#atEnd) this.#markRead();
    this.#updateToEnd();
    if (scrollTop < NEAR_START && this.#chat) this.store.loadOlder(this.#chat).catch(() => {});
  }

  #isLookedAt() {
    return document.visibilityState === "visible" && document.hasFocus();
  }

  #markRead() {
    if (this.#chat && this.#atEnd && this.#isLookedAt()) this.store.markRead(this.#chat);
  }

  #updateToEnd() {
    const unread = this.#chat ? this.store.unread(this.#chat).length : 0;
    this.#toEnd.hidden = this.#atEnd;
    this.#toEnd.setAttribute("aria-label", unread ? sayCount("To the end, {count} unread", "To the end, {count} unread", unread) : say("To the end"));
    this.#toEnd.replaceChildren(
      icon("down"),
      unread > 0 ? element("span", { class: "badge" }, String(unread)) : "",
    );
  }

  #onKey(event) {
    if (!event.target.matches("li.message")) return;
    const nodes = [...this.#list.querySelectorAll("li.message")];
    const moved = moveFocus(event, nodes, "ArrowUp", "ArrowDown", false);
    moved?.scrollIntoView({ block: "nearest" });
  }

  /** One message at a time is a stop of the Tab key. */
  #rove(node) {
    if (!node) return;
    for (const { node: other } of this.#bubbles.values()) other.tabIndex = other === node ? 0 : -1;
  }
}

/** What is shown as one: a message, or the messages of an album. */
function entriesOf(messages) {
  const entries = [];
  for (const message of messages) {
    const last = entries.at(-1);
    const group = message.media_group_id;
    if (group && last?.[0].media_group_id === group) last.push(message);
    else entries.push([message]);
  }
  return entries;
}

function together(earlier, later) {
  return (
    earlier !== undefined &&
    earlier.from.id === later.from.id &&
    later.date - earlier.date < RUN_SECONDS
  );
}
