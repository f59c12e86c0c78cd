/** A message's text with its entities, links and commands, as nodes. */

import { element } from "./dom.js";
import { say } from "./words.js";

const TAGS = {
  bold: "strong",
  italic: "em",
  underline: "u",
  strikethrough: "s",
  code: "code",
  pre: "pre",
  blockquote: "blockquote",
};

// Telegram's server finds links and commands in every text, also in a bot's.
const FOUND = /https?:\/\/[^\s<>"]+[^\s<>".,;:!?)\]]|(?<![^\s])\/[A-Za-z0-9_]{1,64}(?:@\w{3,32})?(?![\w/])/g;

/**
 * The text as nodes.
 * @param {string} text
 * @param {object[]} entities `MessageEntity`s; their offsets count UTF-16 code units, as strings do.
 * @param {(command: string) => void} onCommand
 */
export function formatted(text, entities = [], onCommand) {
  const sorted = entities
    .filter((entity) => entity.type !== "bot_command") // found below, like those of the bot
    .sort((a, b) => a.offset - b.offset || b.length - a.length);
  return range(text, 0, text.length, sorted, onCommand);
}

function range(text, start, end, entities, onCommand) {
  const nodes = [];
  let at = start;
  while (entities.length > 0 && entities[0].offset < end) {
    const entity = entities.shift();
    if (entity.offset < at) continue;
    nodes.push(...plain(text.slice(at, entity.offset), onCommand));
    at = Math.min(entity.offset + entity.length, end);
    nodes.push(wrap(entity, range(text, entity.offset, at, entities, onCommand)));
  }
  return [...nodes, ...plain(text.slice(at, end), onCommand)];
}

function wrap(entity, children) {
  if (entity.type === "text_link") return link(entity.url, children);
  if (entity.type === "spoiler") return spoiler(children);
  return element(TAGS[entity.type] ?? "span", {}, ...children);
}

/** A link that leads out of the page; anything but the web is shown as text. */
function link(url, children) {
  if (!/^https?:\/\//i.test(url)) return element("span", {}, ...children);
  return element("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, ...children);
}

function spoiler(children) {
  const reveal = (event) => event.currentTarget.classList.add("revealed");
  return element("button", { type: "button", class: "spoiler", on: { click: reveal } }, ...children);
}

function plain(text, onCommand) {
  const nodes = [];
  let at = 0;
  for (const match of text.matchAll(FOUND)) {
    const [found] = match;
    if (match.index > at) nodes.push(text.slice(at, match.index));
    nodes.push(
      found.startsWith("/")
        ? element("button", { type: "button", class: "command", on: { click: () => onCommand(found) } }, found)
        : link(found, [found]),
    );
    at = match.index + found.length;
  }
  if (at < text.length) nodes.push(text.slice(at));
  return nodes;
}

/** A message in one line. */
export function summary(message) {
  const words = message.text ?? message.caption;
  if (words) return words.replace(/\s+/g, " ");
  if (message.photo) return say("Photo");
  if (message.document) return message.document.file_name;
  return say("Service message");
}
