/**
 * The page in Telegram's colours. What Telegram leaves out is of a palette of our own, light or dark,
 * and no text is ever harder to read than 4.5 : 1, whatever somebody's theme is.
 */

import { attached, on, post } from "./bridge.js";
import { BLACK, WHITE, format, isReadable, luminance, mix, parse, readable } from "./colours.js";
import { themeParams } from "./launch.js";

/** By Telegram's names. */
const OWN = {
  light: {
    bg_color: "#ffffff",
    secondary_bg_color: "#f1f2f8",
    text_color: "#16182a",
    hint_color: "#5b607a",
    accent_text_color: "#574fd6",
    button_color: "#574fd6",
    button_text_color: "#ffffff",
    destructive_text_color: "#c02b3c",
  },
  dark: {
    bg_color: "#12141f",
    secondary_bg_color: "#1f2333",
    text_color: "#eceefa",
    hint_color: "#a3a9c4",
    accent_text_color: "#a49dff",
    button_color: "#6259e0",
    button_text_color: "#ffffff",
    destructive_text_color: "#ff8d96",
  },
};

const DARK = 0.18; // a luminance; black and white are about as readable on it

/** Follows Telegram's theme, and the machine's as long as Telegram has none. */
export function followTheme() {
  const machine = matchMedia("(prefers-color-scheme: dark)");
  let given = themeParams;
  const paint = () => apply(given, machine.matches);
  machine.addEventListener("change", paint);
  on("theme_changed", ({ theme_params: params }) => {
    given = params ?? {};
    paint();
  });
  paint();
  if (attached) post("web_app_request_theme");
}

function apply(given, machineIsDark) {
  const theirs = parsed(given);
  const isDark = theirs.bg_color ? luminance(theirs.bg_color) < DARK : machineIsDark;
  const own = parsed(OWN[isDark ? "dark" : "light"]);
  const page = theirs.bg_color ?? own.bg_color;
  const ours = theirs.bg_color ? null : own.secondary_bg_color; // it goes with our page alone
  const card = cardOn(page, theirs.secondary_bg_color ?? ours, isDark);
  const all = { ...own, ...theirs };
  const grounds = [page, card];
  const colours = {
    page,
    card,
    text: readable(all.text_color, grounds),
    soft: readable(theirs.hint_color ?? theirs.subtitle_text_color ?? own.hint_color, grounds),
    accent: readable(theirs.accent_text_color ?? theirs.link_color ?? own.accent_text_color, grounds),
    danger: readable(all.destructive_text_color, grounds),
    // Words stay as they are, white for the most part, and what they stand on gives way.
    fill: readable(all.button_color, [all.button_text_color]),
    "on-fill": all.button_text_color,
    line: theirs.section_separator_color ?? mix(page, all.text_color, 0.14),
  };
  const { style } = document.documentElement;
  style.colorScheme = isDark ? "dark" : "light";
  for (const [name, colour] of Object.entries(colours)) style.setProperty(`--${name}`, format(colour));
  post("web_app_set_header_color", { color: format(page) });
  post("web_app_set_background_color", { color: format(page) });
}

/** What cards are painted with: a text has to be readable on them and on the page alike. */
function cardOn(page, wanted, isDark) {
  const card = wanted ?? mix(page, isDark ? WHITE : BLACK, 0.05);
  return [BLACK, WHITE].some((text) => isReadable(text, [page, card])) ? card : page;
}

function parsed(colours) {
  const pairs = Object.entries(colours).map(([name, text]) => [name, parse(text)]);
  return Object.fromEntries(pairs.filter(([, colour]) => colour !== null));
}
