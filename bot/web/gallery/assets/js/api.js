/** The gallery's API, as `bot/web/gallery/` has it. */

import { initData } from "./launch.js";
import { say } from "./words.js";

const PATIENCE_MS = 30_000;

/** Tells, as "refused" with the error, that the person is not let in any more. */
export const refusals = new EventTarget();

/**
 * An answer that is an error; its message is for the person.
 * `status` is 0 where there was no answer, `code` is that of the bot's problem.
 */
export class ApiError extends Error {
  constructor(status, code, detail) {
    super(detail || say(status === 401 ? "expired" : "failed"));
    this.status = status;
    this.code = code;
  }

  /** Whether nothing else will be answered either. */
  get isRefusal() {
    return this.status === 401 || this.code === "not-allowed";
  }
}

async function ask(method, path, body) {
  let response;
  try {
    response = await fetch(`api/${path}`, {
      method,
      cache: "no-store",
      body: body && JSON.stringify(body),
      headers: {
        ...(initData && { Authorization: `tma ${initData}` }),
        ...(body && { "Content-Type": "application/json" }),
      },
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    if (response.ok) return response.status === 204 ? null : await response.json();
  } catch {
    throw new ApiError(0, "unreachable");
  }
  const { code, detail } = await response.json().catch(() => ({}));
  const error = new ApiError(response.status, code, detail);
  if (error.isRefusal) refusals.dispatchEvent(new CustomEvent("refused", { detail: error }));
  throw error;
}

const of = (id) => `pictures/${encodeURIComponent(id)}`;

/** @returns {Promise<{language: string, words: object}>} */
export const openSession = () => ask("GET", "session");

/** @returns {Promise<{pictures: object[], cursor: string}>} newest first; the cursor is empty at the end. */
export const listPictures = (cursor) => ask("GET", `pictures?${new URLSearchParams({ cursor })}`);

/** @returns {Promise<{picture: object, parent: object|null, children: object[]}>} */
export const showPicture = (id) => ask("GET", of(id));

export const setStar = (id, starred) => ask(starred ? "PUT" : "DELETE", `${of(id)}/star`);

export const deletePicture = (id) => ask("DELETE", of(id));

/** @param {string} request the press: sent again, it paints nothing more. */
export const paintFrom = (id, way, request) => ask("POST", `${of(id)}/children`, { way, request });

/** @returns {Promise<{id: string}>} what Telegram then sends. */
export const prepareShare = (id) => ask("POST", `${of(id)}/share`);
