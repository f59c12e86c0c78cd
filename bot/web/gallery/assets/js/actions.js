/** What one does with a picture: star, share, save, delete. */

import * as api from "./api.js";
import { attached, inApp, on, post } from "./bridge.js";
import { element, icon } from "./dom.js";
import { knows } from "./launch.js";
import { pressable } from "./press.js";
import { isSure } from "./question.js";
import { toast } from "./toasts.js";
import { say } from "./words.js";

const LONGEST_NAME = 80;

let sharing = new AbortController(); // ends what waits for Telegram's answer

/**
 * The buttons.
 * @param {object} picture the API's.
 * @param {import("./library.js").Library} library
 * @param {() => void} leave what to do when the picture is gone.
 */
export function actionsOf(picture, library, leave) {
  const canShare = picture.shareable && attached && knows(8, 0);
  return element(
    "div",
    { class: "actions" },
    starOf(picture, library),
    canShare && action("share", () => share(picture)),
    action("save", () => save(picture)),
    action("delete", () => remove(picture, library, leave)),
  );
}

const action = (name, run) => pressable(`action ${name}`, run, icon(name), element("span", {}, say(name)));

/** The star is there at once, and goes again if it could not be kept. */
function starOf(picture, library) {
  const node = action("star", async () => {
    const starred = !picture.starred;
    show(starred);
    try {
      await api.setStar(picture.id, starred);
    } catch (error) {
      show(!starred);
      throw error;
    }
    toast(say(starred ? "star_given" : "star_taken"));
  });
  function show(starred) {
    picture.starred = starred;
    library.update(picture);
    node.classList.toggle("is-starred", starred);
    node.lastElementChild.textContent = say(starred ? "unstar" : "star");
  }
  show(picture.starred);
  return node;
}

/** Telegram asks where to, and tells how it went. */
async function share(picture) {
  const { id } = await api.prepareShare(picture.id);
  sharing.abort();
  sharing = new AbortController();
  const { signal } = sharing;
  on("prepared_message_sent", () => ended(say("shared")), signal);
  const failed = ({ error }) => ended(error !== "USER_DECLINED" && say("share_failed"));
  on("prepared_message_failed", failed, signal);
  post("web_app_send_prepared_message", { id });
}

function ended(words) {
  sharing.abort();
  toast(words);
}

/** The address is asked for anew: the one at hand may have run out meanwhile. */
async function save(picture) {
  const { image } = (await api.showPicture(picture.id)).picture;
  const name = `${picture.title.replace(/[\p{C}/\\:*?"<>|]+/gu, " ").trim().slice(0, LONGEST_NAME)}.png`;
  if (inApp && knows(8, 0)) {
    post("web_app_request_file_download", { url: new URL(image, document.baseURI).href, file_name: name });
  } else {
    element("a", { href: image, download: name }).click();
  }
}

async function remove(picture, library, leave) {
  if (!(await isSure(say("delete_question"), say("delete_yes"), say("delete_no")))) return;
  await api.deletePicture(picture.id);
  library.remove(picture.id);
  toast(say("deleted"));
  leave();
}
