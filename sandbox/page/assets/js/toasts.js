/** Short messages at the edge of the page, which go away by themselves. */

import { byId, element } from "./dom.js";

const SHOWN_MS = 4000;

export function toast(text) {
  const node = element("p", { class: "toast" }, text);
  byId("toasts").append(node);
  setTimeout(() => node.remove(), Math.max(SHOWN_MS, text.length * 60));
}

/** Runs an action, and shows what goes wrong. */
export async function tellingErrors(action) {
  try {
    return await action();
  } catch (error) {
    toast(error.message);
    return undefined;
  }
}
