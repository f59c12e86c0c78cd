/** What the page says: the bot's words, in the person's language. */

/** For the time before the bot has answered, or when it does not. */
let words = {
  title: "Lookalike",
  failed: "This could not be loaded.",
  retry: "Try again",
  close: "Close",
};

/** Takes the words over, and the language that they are in. */
export function speak({ language, words: given }) {
  words = given;
  document.documentElement.lang = language;
  document.title = say("title");
}

/**
 * Words by their key.
 * @param {string} key
 * @param {object} [values] what stands for `{name}`.
 */
export const say = (key, values = {}) =>
  (words[key] ?? "").replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
