/** Puts the page together. */

import { openSession, refusals } from "./api.js";
import { attached, begin, on, post } from "./bridge.js";
import { Grid } from "./grid.js";
import { Library } from "./library.js";
import { showNotice } from "./notice.js";
import { PictureView } from "./picture.js";
import { closeQuestion } from "./question.js";
import { followTheme } from "./theme.js";
import { say, speak } from "./words.js";

const library = new Library();
const met = new Map(); // pictures that were opened, also those of families
let grid = null;
let view = null;
let shown = null; // the id of the picture that is open
let left = 0; // where in the grid one was when it was opened

/** The history's entry says what is open: a picture, or nothing, which is the grid. */
const openId = () => history.state?.picture ?? null;

function open(picture) {
  met.set(picture.id, picture);
  history.pushState({ picture: picture.id }, "");
  route();
}

const back = () => history.back();

function route() {
  const id = openId();
  const came = shown;
  shown = id;
  closeQuestion();
  post("web_app_setup_back_button", { is_visible: id !== null });
  if (id !== null) {
    if (came === null) left = Math.max(library.indexOf(id), 0);
    grid.show(false);
    view.show(id, library.get(id) ?? met.get(id));
    return;
  }
  view.hide();
  grid.show(true);
  if (came !== null) grid.focus(left);
  if (came !== null && grid.isAtTop) library.refresh();
}

async function start() {
  const pictures = library.more(); // beside the session: its words are not needed for it
  try {
    speak(await openSession());
  } catch (error) {
    const retry = { label: say("retry"), run: () => location.reload() };
    if (!error.isRefusal) showNotice("trouble", error.message, retry);
    return;
  } finally {
    post("web_app_ready");
  }
  await pictures;
  grid = new Grid(library, open);
  view = new PictureView(library, { open, leave: back });
  addEventListener("popstate", route);
  route();
}

refusals.addEventListener("refused", ({ detail: error }) => {
  const close = attached ? { label: say("close"), run: () => post("web_app_close") } : null;
  post("web_app_setup_back_button", { is_visible: false });
  showNotice(error.status === 401 ? "clock" : "lock", error.message, close);
});
on("back_button_pressed", () => closeQuestion() || back());
addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || event.defaultPrevented || openId() === null) return;
  if (document.querySelector("dialog[open]") === null) back();
});
addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible" && grid && openId() === null && grid.isAtTop) library.refresh();
});

begin();
followTheme();
post("web_app_expand");
start();
