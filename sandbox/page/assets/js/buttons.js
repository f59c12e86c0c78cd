/** The buttons under a message. */

import { element, icon } from "./dom.js";
import { say } from "./words.js";

const STYLES = ["danger", "success", "primary"];
const FEW_WORDS = 24; // characters that any phone has room for in a row

/**
 * The rows of an inline keyboard, or a comment where there is none.
 * @param {object|undefined} markup an `InlineKeyboardMarkup`.
 * @param {{press: (button: object, node: Element) => void, copy: (text: string) => void,
 *   share: (query: string) => void, app: (button: object) => void}} actions
 */
export function inlineKeyboard(markup, actions) {
  const rows = markup?.inline_keyboard ?? [];
  if (rows.length === 0) return new Comment("no buttons");
  return element(
    "div",
    { class: "rows" },
    ...rows.map((row) => {
      const length = row.reduce((sum, { text }) => sum + text.length, 0);
      const buttons = row.map((button) => inlineButton(button, actions));
      return element("div", { class: `row${length > FEW_WORDS ? "" : " few-words"}` }, ...buttons);
    }),
  );
}

function inlineButton(button, { press, copy, share, app }) {
  const style = STYLES.includes(button.style) ? ` ${button.style}` : "";
  const properties = { class: `inline-button${style}` };
  const text = element("span", {}, button.text);
  if (button.url) {
    const link = { href: button.url, target: "_blank", rel: "noopener noreferrer" };
    return element("a", { ...properties, ...link }, text, icon("link"));
  }
  const copied = button.copy_text?.text;
  const shared = button.switch_inline_query_chosen_chat?.query;
  const run = copied
    ? () => copy(copied)
    : shared
      ? () => share(shared)
      : button.web_app
        ? () => app(button)
        : (event) => press(button, event.currentTarget);
  return element(
    "button",
    { type: "button", ...properties, title: copied ? say("Copy") : null, on: { click: run } },
    text,
    copied && icon("copy"),
    button.web_app && icon("window"),
  );
}
