/**
 * The page's own words, in the browser's language if there is a table of it, else in English. The
 * English words are the keys; what the bot says is the bot's to translate.
 */

import de from "./words/de.js";
import lt from "./words/lt.js";
import nl from "./words/nl.js";

const TABLES = { de, en: {}, lt, nl };

const fits = (tag) => tag.split("-")[0] in TABLES;

/** The browser's first language that the page speaks, as a tag with its region. */
export const LOCALE = navigator.languages.find(fits) ?? "en-GB";

/** Without the region, as Telegram gives the language of most people. */
export const LANGUAGE = LOCALE.split("-")[0];

const table = TABLES[LANGUAGE];
const plurals = new Intl.PluralRules(LOCALE);

/**
 * Words in the person's language.
 * @param {string} english
 * @param {object} [values] what stands for `{name}`.
 */
export function say(english, values = {}) {
  return filled(table[english] ?? english, values);
}

/** Words about a number, `{count}`; the table has them by plural, under the English one of many. */
export function sayCount(one, many, count) {
  const english = { one, other: many };
  const forms = table[many] ?? english;
  return filled(forms[plurals.select(count)] ?? forms.other, { count });
}

/** Translates what stands in the page itself: its texts and the names of its parts. */
export function translatePage() {
  document.documentElement.lang = LANGUAGE;
  for (const node of document.querySelectorAll("[aria-label]")) {
    node.setAttribute("aria-label", say(node.getAttribute("aria-label")));
  }
  for (const node of document.querySelectorAll("#new-group, #new-person, #drop-hint p")) {
    node.textContent = say(node.textContent);
  }
}

function filled(words, values) {
  return words.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}
