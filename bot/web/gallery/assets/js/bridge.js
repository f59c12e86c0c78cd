/**
 * Speaks with the Telegram that shows the page, by its web events (core.telegram.org/api/web-events):
 * in an app through the object that the app puts into the page, in a browser with the page that has
 * this one in a frame. Nothing that is secret is ever posted.
 */

const native = window.TelegramWebviewProxy ?? null;
const framed = native === null && window.parent !== window;
const events = new EventTarget();
const waiting = []; // for the parent's origin

/** Who may hear us; a browser that does not say it tells it with the first message. */
let origin = framed ? embedder() : null;

/** Whether there is a Telegram around the page. */
export const attached = native !== null || framed;

/** Whether it is an app, whose web view cannot do all that a browser can. */
export const inApp = native !== null;

/** Tells Telegram something. */
export function post(type, data = {}) {
  if (native) native.postEvent(type, JSON.stringify(data));
  else if (framed) send(JSON.stringify({ eventType: type, eventData: data }));
}

/**
 * Listens to Telegram.
 * @param {string} type
 * @param {(data: object) => void} listener
 * @param {AbortSignal} [signal] ends it.
 */
export function on(type, listener, signal) {
  events.addEventListener(type, ({ detail }) => listener(detail), { signal });
}

/** Says that the page listens: only now Telegram speaks to it. */
export function begin() {
  // Apps call one of these, depending on their age.
  window.Telegram = { WebView: { receiveEvent: receive } };
  window.TelegramGameProxy = { receiveEvent: receive };
  if (!framed) return;
  addEventListener("message", onMessage);
  const ready = JSON.stringify({ eventType: "iframe_ready", eventData: {} });
  if (origin) send(ready);
  else window.parent.postMessage(ready, "*"); // it says nothing of anybody
}

function receive(type, data) {
  events.dispatchEvent(new CustomEvent(type, { detail: data ?? {} }));
}

function onMessage(event) {
  if (event.source !== window.parent || (origin && event.origin !== origin)) return;
  const message = read(event.data);
  if (typeof message?.eventType !== "string") return;
  origin = event.origin;
  waiting.splice(0).forEach(send);
  receive(message.eventType, message.eventData);
}

/** A message; null if it is not Telegram's. */
function read(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function send(message) {
  if (origin) window.parent.postMessage(message, origin);
  else waiting.push(message);
}

function embedder() {
  try {
    return new URL(location.ancestorOrigins?.[0] ?? document.referrer).origin;
  } catch {
    return null;
  }
}
