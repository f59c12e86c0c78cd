/**
 * A Mini App in a sheet: the bot's own page in a frame, and the events that the two exchange
 * (core.telegram.org/api/web-events). Other events than those below are ignored.
 */

import * as api from "./api.js";
import { askShare } from "./dialogs.js";
import { element, iconButton } from "./dom.js";
import { themeParams, watchTheme } from "./theme.js";
import { say } from "./words.js";

/** What the page's Content-Security-Policy lets into frames. */
const HOSTS = ["127.0.0.1", "localhost"];

/**
 * What an app may do: run with its own origin, submit its forms, open windows that are bound by the
 * same, and save files. It may not leave its frame, nor show the browser's own dialogs.
 */
const ALLOWED = "allow-scripts allow-same-origin allow-forms allow-popups allow-downloads";

const MAX_EVENT = 64 * 1024; // characters
const COLOUR = /^#[0-9a-f]{6}$/i;

/**
 * Opens the app of a button over everything else.
 * @param {import("./store.js").Store} store
 * @param {object} chat
 * @param {{text: string, web_app: {url: string}}} button
 * @param {object} [message] whose button it is; none: the menu button.
 */
export async function openApp(store, chat, button, message) {
  const { hostname, origin } = new URL(button.web_app.url);
  if (!HOSTS.includes(hostname) || origin === location.origin) {
    throw new Error(say("Only apps on this machine open here."));
  }
  const url = await api.openApp(store.me.id, chat.id, button.web_app.url, message, themeParams());
  if (!document.querySelector("dialog.sheet")) show(store, button.text, url, origin);
}

function show(store, title, url, origin) {
  const closed = new AbortController();
  let heard = false; // from the app: before, the frame has no page of its origin
  let sharing = false;
  let headerColour = null;

  const back = iconButton("back", say("Back"), () => tell("back_button_pressed"), { hidden: true });
  const close = iconButton("close", say("Close"), () => dialog.close(), { autofocus: true });
  const header = element(
    "header",
    { class: "sheet-bar" },
    back,
    element("h2", { id: "sheet-title", class: "sheet-title" }, store.bot.user.first_name),
    close,
  );
  const frame = element("iframe", {
    class: "sheet-frame",
    title,
    sandbox: ALLOWED,
    referrerpolicy: "origin", // by which an app knows whom to speak to
    src: url,
  });
  const dialog = element("dialog", { class: "sheet", "aria-labelledby": "sheet-title" }, header, frame);

  const tell = (eventType, eventData = {}) =>
    frame.contentWindow?.postMessage(JSON.stringify({ eventType, eventData }), origin);
  const tellTheme = () => tell("theme_changed", { theme_params: themeParams() });

  const answers = new Map(
    Object.entries({
      web_app_request_theme: tellTheme,
      web_app_request_viewport: () =>
        tell("viewport_changed", {
          width: frame.clientWidth,
          height: frame.clientHeight,
          is_expanded: true,
          is_state_stable: true,
        }),
      web_app_setup_back_button({ is_visible: isVisible }) {
        if (!isVisible && document.activeElement === back) close.focus();
        back.hidden = !isVisible;
      },
      web_app_set_header_color({ color_key: key, color }) {
        headerColour = key ?? color;
        paintHeader();
      },
      web_app_set_background_color({ color }) {
        if (COLOUR.test(color)) frame.style.background = color;
      },
      web_app_send_prepared_message: async ({ id }) => {
        if (sharing) return;
        sharing = true;
        const error = await share(store, String(id));
        sharing = false;
        if (error) tell("prepared_message_failed", { error });
        else tell("prepared_message_sent");
      },
      web_app_close: () => dialog.close(),
    }),
  );

  /** In the colour that the app has asked for, by name or by value. */
  function paintHeader() {
    const colour = themeParams()[headerColour] ?? headerColour;
    if (!COLOUR.test(colour)) return;
    header.style.background = colour;
    header.style.color = isBright(colour) ? "#000000" : "#ffffff";
  }

  function onMessage({ source, origin: from, data }) {
    if (source !== frame.contentWindow || from !== origin) return;
    const event = parse(data);
    if (event === null) return;
    heard = true;
    answers.get(event.eventType)?.(event.eventData ?? {});
  }

  addEventListener("message", onMessage, { signal: closed.signal });
  watchTheme(() => {
    if (headerColour) paintHeader();
    if (heard) tellTheme();
  }, closed.signal);
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });
  dialog.addEventListener("close", () => {
    closed.abort();
    dialog.remove();
  });
  document.body.append(dialog);
  dialog.showModal();
}

/** Has the person send what the app has prepared; gives the error, if it was not sent. */
async function share(store, id) {
  let prepared;
  try {
    prepared = await api.showPrepared(id, store.me.id);
  } catch {
    return "MESSAGE_EXPIRED";
  }
  const chats = store.destinations(prepared.kinds);
  if (chats.length === 0) return "UNSUPPORTED";
  const chosen = await askShare([prepared], chats);
  if (chosen === null) return "USER_DECLINED";
  try {
    await api.sendPrepared(id, store.me.id, chosen.chat);
  } catch {
    return "MESSAGE_SEND_FAILED";
  }
  return null;
}

/** An event, {eventType, eventData}; null if it is none. */
function parse(data) {
  if (typeof data !== "string" || data.length > MAX_EVENT) return null;
  try {
    const event = JSON.parse(data);
    return typeof event?.eventType === "string" ? event : null;
  } catch {
    return null;
  }
}

/** Whether black is easier to read on a colour than white (WCAG 2, relative luminance). */
function isBright(colour) {
  const [red, green, blue] = [1, 3, 5].map((at) => (parseInt(colour.slice(at, at + 2), 16) / 255) ** 2.2);
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.179;
}
