/** Puts the page together. */

import * as api from "./api.js";
import { announce } from "./announcer.js";
import { Composer } from "./composer.js";
import { askShare, isSure, tellAlert } from "./dialogs.js";
import { acceptDrops } from "./drops.js";
import { byId, icon } from "./dom.js";
import { Header } from "./header.js";
import { openMenu } from "./menus.js";
import { openApp } from "./mini-app.js";
import { setUpNote } from "./note.js";
import { addressOf, findMe, openChatMenu, setUpPeople } from "./people.js";
import { OFFERED, toggled } from "./reactions.js";
import { Sidebar } from "./sidebar.js";
import { Store } from "./store.js";
import { follow } from "./stream.js";
import { Timeline } from "./timeline.js";
import { tellingErrors, toast } from "./toasts.js";
import { openViewer } from "./viewer.js";
import { fillWelcome } from "./welcome.js";
import { say, translatePage } from "./words.js";

translatePage();
const me = await findMe();
const [store, last] = await Store.open(me);
let open = null;

const header = new Header(store);
const composer = new Composer(store, (button) => app(button));
const sidebar = new Sidebar(store, (chat) => addressOf(me.id, chat.id), (chat) => go(chat.id));
const timeline = new Timeline(store, {
  view: (message) => openViewer(message, neighbour, (shown) => composer.reply(shown)),
  press,
  copy: (text) => tellingErrors(() => copy(text)),
  share: (query) => tellingErrors(() => share(query)),
  app,
  react: (message, emoji) => tellingErrors(() => react(message, emoji)),
  command: (command) => composer.sendCommand(command),
  menu: openMessageMenu,
  reply: (message) => composer.reply(message),
});

/** Opens a chat, or with null the list that a phone shows instead. */
function show(chatId) {
  byId("app").classList.toggle("showing-list", chatId === null);
  const chat = store.chats.get(chatId) ?? open ?? store.chats.get(me.id);
  if (chat !== open) {
    open = chat;
    header.show(chat);
    composer.show(chat);
    timeline.show(chat);
    answerQuestion(chat, [...chat.messages.values()].at(-1));
    store.dispatchEvent(new Event("open"));
  }
  sidebar.show(chatId === null ? null : chat);
  if (chatId !== null && matchMedia("(hover: hover)").matches) composer.focus();
}

function go(chatId) {
  history.pushState(null, "", addressOf(me.id, chatId));
  show(chatId);
}

function chatOfAddress() {
  const given = new URLSearchParams(location.search).get("chat");
  return given === null ? null : Number(given);
}

async function press(message, button, node) {
  node.classList.add("busy");
  const answer = await tellingErrors(() => api.press(message, me.id, button.callback_data));
  node.classList.remove("busy");
  if (!answer?.text) return;
  if (answer.show_alert) await tellAlert(store.bot.user.first_name, answer.text);
  else toast(answer.text);
}

/** Sends what the bot finds to a chat that the person chooses. */
async function share(query) {
  const offer = await api.lookFor(me.id, query);
  const results = offer.answer?.results ?? [];
  if (results.length === 0) return toast(say("Nothing found."));
  const chosen = await askShare(results, store.destinations());
  if (chosen === null) return;
  await api.choose(offer, me.id, chosen.chat, chosen.result);
  go(chosen.chat);
}

/** Opens the app of a message's button, or of the menu button. */
function app(button, message) {
  return tellingErrors(() => openApp(store, open, button, message));
}

const react = (message, emoji) => api.react(message, me.id, toggled(message, me.id, emoji));

function openMessageMenu(message, at) {
  const own = message.from.id === me.id;
  const words = message.text ?? message.caption;
  openMenu(say("Message"), at, [
    { icon: "reply", label: say("Reply"), run: () => composer.reply(message) },
    ...(words ? [{ icon: "copy", label: say("Copy"), run: () => tellingErrors(() => copy(words)) }] : []),
    ...(own && !message.document
      ? [{ icon: "edit", label: say(words ? "Edit" : "Add a caption"), run: () => composer.edit(message) }]
      : []),
    ...(own || open.type === "private"
      ? [{ icon: "delete", label: say("Delete"), danger: true, run: () => remove(message) }]
      : []),
    ...OFFERED.map((emoji) => ({
      symbol: emoji,
      label: say("React with {emoji}", { emoji }),
      run: () => tellingErrors(() => react(message, emoji)),
    })),
  ]);
}

async function copy(words) {
  await navigator.clipboard.writeText(words);
  toast(say("Copied to the clipboard."));
}

async function remove(message) {
  const [question, effect] = ["Delete this message?", "It disappears for everyone in this chat."];
  if (!(await isSure(say(question), say(effect), say("Delete")))) return;
  await tellingErrors(() => api.remove(message));
}

/** A bot's question opens a reply to itself: all are asked, or those whom it answers (`selective`). */
function answerQuestion(chat, message) {
  const asked = message?.client_markup;
  if (chat !== open || !asked?.force_reply || message.from.id === me.id) return;
  const isMine = chat.type === "private" || message.reply_to_message?.from.id === me.id;
  if (!asked.selective || isMine) composer.reply(message, asked.input_field_placeholder);
}

function neighbour(message, step) {
  const pictures = [...open.messages.values()].filter(({ photo }) => photo);
  const at = pictures.findIndex(({ message_id: id }) => id === message.message_id);
  return (at < 0 ? null : pictures[at + step]) ?? null;
}

byId("back").append(icon("back"));
byId("back").addEventListener("click", () => go(null));
byId("chat-menu").append(icon("more"));
byId("chat-menu").addEventListener("click", () =>
  tellingErrors(() =>
    openChatMenu(store, open, byId("chat-menu"), (command) => composer.sendCommand(command)),
  ),
);
addEventListener("popstate", () => show(chatOfAddress()));
addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || event.defaultPrevented) return;
  if (document.querySelector("dialog[open], [popover]:popover-open")) return;
  composer.escape();
  composer.focus();
});

store.addEventListener("message", ({ detail: { chat, message } }) => answerQuestion(chat, message));
setUpNote(store);
fillWelcome(store, (sample) => composer.sendSample(sample));
setUpPeople(store, (chatId) => whenThere(chatId, go));
acceptDrops((files) => composer.attach(files));
announce(store, () => open);
history.replaceState(null, "", addressOf(me.id, chatOfAddress() ?? me.id));
show(chatOfAddress());
await follow(
  last,
  (kind, data) => store.apply(kind, data),
  (connected) => store.setConnected(connected),
);

/** A new chat comes with the stream, before or after the answer that it was created. */
function whenThere(chatId, then) {
  if (store.chats.has(chatId)) then(chatId);
  else store.addEventListener("chat", () => whenThere(chatId, then), { once: true });
}
