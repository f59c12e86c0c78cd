/** Images by signed addresses, which are good for some minutes. */

import * as api from "./api.js";

const AT_ONCE = 4;

const asked = new Map(); // picture by picture, the answers under way
const line = [];
let running = 0;

/**
 * Shows one of a picture's images. When it does not come, the picture is asked for anew, once: its
 * address may have run out. An image that does not come then either is of the class `failed`.
 * @param {HTMLImageElement} image
 * @param {object} picture the API's; it gets its new addresses.
 * @param {"thumbnail"|"image"|"photo"} kind
 */
export function renewing(image, picture, kind) {
  const old = picture[kind];
  image.src = old;
  image.addEventListener("error", async () => {
    const isFirst = image.getAttribute("src") === old;
    const fresh = isFirst && (await renewed(picture.id, () => image.hasAttribute("src")));
    if (!image.hasAttribute("src")) return; // nobody looks at it any more
    if (fresh) Object.assign(picture, { thumbnail: fresh.thumbnail, image: fresh.image, photo: fresh.photo });
    if (isFirst && picture[kind] !== old) image.src = picture[kind];
    else image.classList.add("failed");
  });
}

/** The picture as the API has it now, asked for once at a time; null if there is no answer. */
function renewed(id, isWanted) {
  if (!asked.has(id)) {
    asked.set(id, inTurn(isWanted, () => api.showPicture(id)).finally(() => asked.delete(id)));
  }
  return asked.get(id);
}

/** A screen of images may fail together: few at a time ask, and only those that are still wanted. */
function inTurn(isWanted, ask) {
  return new Promise((resolve) => {
    line.push(async () => {
      const answer = isWanted() ? await ask().catch(() => null) : null;
      resolve(answer?.picture ?? null);
    });
    next();
  });
}

async function next() {
  if (running === AT_ONCE || line.length === 0) return;
  running += 1;
  await line.shift()();
  running -= 1;
  next();
}
