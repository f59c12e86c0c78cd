/** Light, dark, or as the machine has it; and the colours that this means. */

import { element } from "./dom.js";

const KEY = "theme";

/** The page's colours by what Mini Apps call them (core.telegram.org/bots/webapps#themeparams). */
const COLOURS = {
  bg_color: "--surface",
  secondary_bg_color: "--page",
  section_bg_color: "--surface-raised",
  header_bg_color: "--surface",
  bottom_bar_bg_color: "--surface",
  text_color: "--text",
  hint_color: "--text-soft",
  subtitle_text_color: "--text-soft",
  link_color: "--accent",
  accent_text_color: "--accent",
  section_header_text_color: "--accent",
  button_color: "--accent-fill",
  button_text_color: "--on-accent",
  destructive_text_color: "--danger",
  section_separator_color: "--line",
};

export const themes = [
  { name: "auto", label: "As this machine" },
  { name: "light", label: "Light" },
  { name: "dark", label: "Dark" },
];

export const theme = {
  get: () => document.documentElement.dataset.theme,
  set(name) {
    document.documentElement.dataset.theme = name;
    localStorage.setItem(KEY, name);
  },
};

/** The colours now, each as `#rrggbb`. */
export function themeParams() {
  const probe = element("i", { hidden: true });
  document.body.append(probe);
  const params = {};
  for (const [name, variable] of Object.entries(COLOURS)) {
    probe.style.color = `var(${variable})`;
    const channels = getComputedStyle(probe).color.match(/\d+/g).slice(0, 3);
    params[name] = `#${channels.map((n) => Number(n).toString(16).padStart(2, "0")).join("")}`;
  }
  probe.remove();
  return params;
}

/** Tells of every change between light and dark, until `signal` is aborted. */
export function watchTheme(listener, signal) {
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", listener, { signal });
  const observer = new MutationObserver(listener);
  observer.observe(document.documentElement, { attributeFilter: ["data-theme"] });
  signal.addEventListener("abort", () => observer.disconnect());
}

// Other windows follow.
addEventListener("storage", (event) => {
  if (event.key === KEY) document.documentElement.dataset.theme = event.newValue ?? "auto";
});
