/** Reactions to messages: an emoji each, with how many people have chosen it. */

import { element } from "./dom.js";
import { say } from "./words.js";

/** What the menu of a message offers. */
export const OFFERED = ["👍", "❤"];

/**
 * The reactions under a message, or a comment where there are none.
 * @param {object} message
 * @param {(message: object, emoji: string) => void} react
 */
export function reactionsTo(message, react) {
  const counts = new Map();
  for (const emoji of (message.reactions ?? []).flatMap((each) => each.emoji)) {
    counts.set(emoji, (counts.get(emoji) ?? 0) + 1);
  }
  if (counts.size === 0) return new Comment("no reactions");
  const buttons = [...counts].map(([emoji, count]) =>
    element(
      "button",
      {
        type: "button",
        class: "reaction",
        title: say("React with {emoji}", { emoji }),
        on: { click: () => react(message, emoji) },
      },
      count > 1 ? `${emoji} ${count}` : emoji,
    ),
  );
  return element("div", { class: "reactions" }, ...buttons);
}

/** Somebody's reactions to a message once they have chosen an emoji, or taken it back. */
export function toggled(message, user, emoji) {
  const mine = message.reactions?.find((each) => each.user === user)?.emoji ?? [];
  return mine.includes(emoji) ? mine.filter((each) => each !== emoji) : [emoji];
}
