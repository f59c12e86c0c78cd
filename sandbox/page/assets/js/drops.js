/** Photos dragged over the page. */

import { byId } from "./dom.js";

/** @param {(files: FileList) => void} take */
export function acceptDrops(take) {
  const hint = byId("drop-hint");
  let depth = 0; // dragenter and dragleave come for every element on the way
  const show = () => (hint.hidden = depth === 0);
  const hasFiles = (event) => event.dataTransfer?.types.includes("Files");

  addEventListener("dragenter", (event) => {
    if (!hasFiles(event)) return;
    depth += 1;
    show();
  });
  addEventListener("dragleave", (event) => {
    if (!hasFiles(event)) return;
    depth = Math.max(0, depth - 1);
    show();
  });
  addEventListener("dragover", (event) => {
    if (hasFiles(event)) event.preventDefault();
  });
  addEventListener("drop", (event) => {
    depth = 0;
    show();
    if (!hasFiles(event)) return;
    event.preventDefault();
    take(event.dataTransfer.files);
  });
}
