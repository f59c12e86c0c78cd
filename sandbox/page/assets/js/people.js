/** Who this window is: each window is one person, named in its address. */

import * as api from "./api.js";
import { avatar } from "./avatars.js";
import { askGroup, askPerson } from "./dialogs.js";
import { byId, icon } from "./dom.js";
import { openMenu } from "./menus.js";
import { openProfile } from "./profile.js";
import { theme, themes } from "./theme.js";
import { tellingErrors } from "./toasts.js";
import { say } from "./words.js";

const PARAMETER = "me";
const FIRST_NAME = "Robin"; // whoever opens the page first

/** The address of a window for a person and a chat. */
export function addressOf(personId, chatId) {
  const query = new URLSearchParams({ [PARAMETER]: personId });
  if (chatId != null) query.set("chat", chatId);
  return `/?${query}`;
}

/** The person in the address; else the first one, or a new one. */
export async function findMe() {
  const wanted = Number(new URLSearchParams(location.search).get(PARAMETER));
  const users = await api.listUsers();
  return users.find((user) => user.id === wanted) ?? users[0] ?? api.addUser(FIRST_NAME);
}

/** Lets the person choose who to be, and how the page looks. */
export function setUpPeople(store, openChat) {
  const { me } = store;
  byId("me").replaceChildren(avatar(me.id, me.first_name));
  byId("me-name").textContent = me.first_name;
  byId("me").addEventListener("click", () => tellingErrors(() => openPeopleMenu(me)));
  byId("new-group").prepend(icon("group"));
  byId("new-group").addEventListener("click", () => tellingErrors(() => openGroup(me, openChat)));
  byId("new-person").prepend(icon("window"));
  byId("new-person").addEventListener("click", () => tellingErrors(openPerson));
}

async function openPeopleMenu(me) {
  const others = (await api.listUsers()).filter((user) => user.id !== me.id);
  openMenu(say("People and appearance"), byId("me"), [
    { separator: true, label: say("Be somebody else in another window") },
    ...others.map((user) => ({
      icon: "window",
      label: user.first_name,
      href: addressOf(user.id),
    })),
    { icon: "plus", label: say("New person"), run: () => tellingErrors(openPerson) },
    { separator: true, label: say("Appearance") },
    ...themes.map(({ name, label }) => ({
      icon: "theme",
      label: say(label),
      checked: theme.get() === name,
      run: () => theme.set(name),
    })),
  ]);
}

async function openPerson() {
  const name = await askPerson();
  if (!name) return;
  const user = await api.addUser(name);
  if (!open(addressOf(user.id), "_blank")) location.assign(addressOf(user.id)); // no pop-ups here
}

async function openGroup(me, openChat) {
  const others = (await api.listUsers()).filter((user) => user.id !== me.id);
  const group = await askGroup(others);
  if (group === null) return;
  const added = await Promise.all(group.names.map(api.addUser));
  const members = [me.id, ...group.members, ...added.map((user) => user.id)];
  const chat = await api.addGroup(group.title, members);
  openChat(chat.id);
}

/** Offers a window for each other person of a chat, or the bot's commands of a private one. */
export async function openChatMenu(store, chat, button, sendCommand) {
  if (chat.type === "private") {
    openMenu(
      say("Commands"),
      button,
      [
        {
          icon: "info",
          label: say("About {name}", { name: store.bot.user.first_name }),
          run: () => openProfile(store.bot, store.me),
        },
        { separator: true, label: say("Commands") },
        ...store.commands(chat).map(({ command, description }) => ({
          icon: "slash",
          label: `/${command}`,
          hint: description,
          run: () => sendCommand(`/${command}`),
        })),
      ],
    );
    return;
  }
  const names = new Map((await api.listUsers()).map((user) => [user.id, user.first_name]));
  openMenu(say("Members"), button, [
    { separator: true, label: say("Members, each in a window") },
    ...chat.members.map((id) => ({
      icon: id === store.me.id ? "person" : "window",
      label: id === store.me.id ? say("{name} (you)", { name: names.get(id) }) : names.get(id),
      href: addressOf(id, chat.id),
    })),
  ]);
}
