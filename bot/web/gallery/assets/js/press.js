/** Buttons that do something which takes its time, and may fail. */

import { button } from "./dom.js";
import { tellingErrors } from "./toasts.js";

/** A button that does one thing at a time, and says what goes wrong. */
export function pressable(kind, run, ...children) {
  const node = button(
    kind,
    async () => {
      if (node.ariaBusy === "true") return;
      node.ariaBusy = "true";
      await tellingErrors(run);
      node.ariaBusy = null;
    },
    ...children,
  );
  return node;
}
