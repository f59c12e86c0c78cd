/** The people's API of the sandbox, as described in `sandbox/people/__init__.py`. */

import { LANGUAGE, say } from "./words.js";

/** An answer that is an error; its message is for the person. */
export class ApiError extends Error {}

async function ask(method, path, { json, form } = {}) {
  let response;
  try {
    response = await fetch(`/sandbox${path}`, {
      method,
      body: form ?? (json && JSON.stringify(json)),
      headers: json ? { "Content-Type": "application/json" } : {},
    });
  } catch {
    throw new ApiError(say("The server does not answer. Is the demo still running?"));
  }
  if (response.ok) return response.status === 204 ? null : response.json();
  const body = await response.json().catch(() => ({}));
  throw new ApiError(body.detail ?? say("The server answered with {status}.", { status: response.status }));
}

export const listUsers = () => ask("GET", "/users");
export const addUser = (name) =>
  ask("POST", "/users", { json: { first_name: name, language_code: LANGUAGE } });
export const listChats = () => ask("GET", "/chats");
export const addGroup = (title, members) =>
  ask("POST", "/chats", { json: { type: "group", title, members } });
export const showBot = () => ask("GET", "/bot");

/** The number of the newest event. */
export const lastEvent = async () => (await ask("GET", "/events")).last;

/** Events of some kinds after one, as the server keeps them. */
export async function listEvents(after, kinds) {
  const query = new URLSearchParams({ after });
  for (const kind of kinds) query.append("kind", kind);
  return (await ask("GET", `/events?${query}`)).events;
}

/** The newest messages of a chat that are older than `before`, oldest first. */
export function listMessages(chat, limit, before) {
  const query = new URLSearchParams({ limit });
  if (before) query.set("before", before);
  return ask("GET", `/chats/${chat}/messages?${query}`);
}

/**
 * Sends a message, or an album.
 * @param {number} chat
 * @param {number} user who sends it.
 * @param {object} content text; or photos or document, with caption; and reply_to.
 */
export function send(chat, user, { text, caption, photos = [], document, replyTo }) {
  const form = new FormData();
  form.set("user", user);
  if (text) form.set("text", text);
  if (caption) form.set("caption", caption);
  if (replyTo) form.set("reply_to", replyTo);
  for (const photo of photos) form.append("photo", photo, photo.name);
  if (document) form.set("document", document, document.name);
  return ask("POST", `/chats/${chat}/messages`, { form });
}

const path = (message) => `/chats/${message.chat.id}/messages/${message.message_id}`;

export const edit = (message, user, text) =>
  ask("PATCH", path(message), { json: { user, text } });
export const remove = (message) => ask("DELETE", path(message));

/** Presses a button; gives the bot's answer {text, show_alert}, null if none came. */
export const press = async (message, user, data) =>
  (await ask("POST", `${path(message)}/press`, { json: { user, data } })).answer;

/** Has all of a person's reactions to a message be these. */
export const react = (message, user, emoji) =>
  ask("PUT", `${path(message)}/reaction`, { json: { user, emoji } });

/** What the bot offers to send, {id, answer: {results}}; the answer is null if none came. */
export const lookFor = (user, query) =>
  ask("POST", "/inline", { json: { user, chat: user, query } });

/** Sends a result in a chat. */
export const choose = (offer, user, chat, result) =>
  ask("POST", `/inline/${offer.id}/choose`, { json: { user, chat, result } });

/**
 * Opens a Mini App; gives its address, which says who opens it.
 * @param {number} user
 * @param {number} chat
 * @param {string} url the address that the bot offers.
 * @param {object|undefined} message whose button it is; none: the menu button.
 * @param {object} theme
 */
export const openApp = async (user, chat, url, message, theme) =>
  (await ask("POST", `/chats/${chat}/app`, { json: { user, url, message: message?.message_id, theme } }))
    .url;

const preparedPath = (id) => `/prepared/${encodeURIComponent(id)}`;

/** What an app has prepared for its user to send, {id, content, kinds}. */
export const showPrepared = (id, user) => ask("GET", `${preparedPath(id)}?user=${user}`);
export const sendPrepared = (id, user, chat) =>
  ask("POST", `${preparedPath(id)}/send`, { json: { user, chat } });

export const fileUrl = (fileId) => `/sandbox/files/${encodeURIComponent(fileId)}`;
