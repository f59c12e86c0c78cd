/** Short messages at the edge of the page, which are read out and go away by themselves. */

import { byId, element } from "./dom.js";

const SHOWN_MS = 4000;

export function toast(text) {
  if (!text) return;
  const node = element("p", { class: "toast" }, text);
  byId("toasts").append(node);
  setTimeout(() => node.remove(), Math.max(SHOWN_MS, text.length * 60));
}

/** Runs an action, and says what goes wrong. */
export async function tellingErrors(action) {
  try {
    await action();
  } catch (error) {
    if (!error.isRefusal) toast(error.message); // a refusal has the whole page
  }
}
