/**
 * The live stream of events, one for all windows of a browser: it opens six connections to a server
 * at the most, and every stream keeps one. The window that holds a lock follows the stream and tells
 * the others; when it closes, the next one goes on. Each window takes each event once, by its number.
 */

import { listEvents } from "./api.js";

const KINDS = ["message", "edit", "delete", "reaction", "action", "chat", "bot"];
const NAME = "stream"; // of the lock and of the channel
const PAUSE_MS = 2000;

/**
 * Follows what happens.
 * @param {number} after the event to go on from.
 * @param {(kind: string, data: object) => void} tell
 * @param {(connected: boolean) => void} tellConnection
 */
export async function follow(after, tell, tellConnection) {
  const channel = new BroadcastChannel(NAME);
  let last = after;
  let waiting = []; // what comes while this window is still catching up

  function take({ kind, data, n }) {
    if (kind === "connection") tellConnection(data);
    else if (kind === "reset") location.reload(); // the server no longer knows what came in between
    else if (n === undefined || n > last) {
      last = n ?? last;
      tell(kind, data);
    }
  }

  channel.addEventListener("message", ({ data: told }) => {
    if (waiting) waiting.push(told);
    else take(told);
  });
  // What the other windows got before this one listened.
  for (const event of await listEvents(last, KINDS)) take(event);
  for (const told of waiting) take(told);
  waiting = null;

  const relay = (told) => {
    channel.postMessage(told);
    take(told);
  };
  navigator.locks.request(NAME, () => {
    connect(() => last, relay);
    return new Promise(() => {}); // until the window closes
  });
}

function connect(last, relay) {
  const source = new EventSource(`/sandbox/stream?after=${last()}`);
  source.addEventListener("open", () => relay({ kind: "connection", data: true }));
  for (const kind of [...KINDS, "reset"]) {
    source.addEventListener(kind, ({ data, lastEventId }) => {
      // What has no number of its own comes with the one before.
      const n = kind === "bot" ? undefined : Number(lastEventId);
      relay({ kind, data: JSON.parse(data), n });
    });
  }
  source.addEventListener("error", () => {
    relay({ kind: "connection", data: false });
    if (source.readyState !== EventSource.CLOSED) return; // the browser tries again
    setTimeout(connect, PAUSE_MS, last, relay);
  });
}
