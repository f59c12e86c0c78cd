/** What stands in place of all else: that the page is of no use just now, and what to do. */

import { button, byId, element, icon } from "./dom.js";

/**
 * Shows it.
 * @param {string} symbol
 * @param {string} text
 * @param {{label: string, run: () => void}|null} action
 */
export function showNotice(symbol, text, action) {
  const heading = element("h1", { tabindex: "-1" }, text);
  const view = element("section", { class: "view notice" }, ...noticeOf(symbol, heading, action));
  byId("app").replaceChildren(view);
  heading.focus();
}

/** A symbol, words and perhaps a button, for a view that has nothing else to show. */
export const noticeOf = (symbol, words, action) => [
  icon(symbol),
  words,
  ...(action ? [button("strong", action.run, action.label)] : []),
];
