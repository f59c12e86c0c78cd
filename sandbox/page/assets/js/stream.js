/** The live stream of events. It comes back by itself and goes on where it broke off. */

const KINDS = ["message", "edit", "delete", "action", "chat", "bot"];
const PAUSE_MS = 2000;

/**
 * Follows what happens.
 * @param {number} after the event to go on from.
 * @param {(kind: string, data: object) => void} tell
 * @param {(connected: boolean) => void} tellConnection
 */
export function follow(after, tell, tellConnection) {
  let last = after;

  function connect() {
    const source = new EventSource(`/sandbox/stream?after=${last}`);
    source.addEventListener("open", () => tellConnection(true));
    for (const kind of KINDS) {
      source.addEventListener(kind, (event) => {
        if (event.lastEventId) last = Number(event.lastEventId);
        tell(kind, JSON.parse(event.data));
      });
    }
    // The server no longer knows what came in between.
    source.addEventListener("reset", () => location.reload());
    source.addEventListener("error", () => {
      tellConnection(false);
      if (source.readyState !== EventSource.CLOSED) return; // the browser tries again
      setTimeout(connect, PAUSE_MS);
    });
    addEventListener("pagehide", () => source.close(), { once: true });
  }

  connect();
}
