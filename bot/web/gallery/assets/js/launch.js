/** What Telegram has put into the page's address. It stays there, so that a reload finds it again. */

const given = new URLSearchParams(location.hash.slice(1));

/** Signed by Telegram; goes to the bot's server as it is, and to nobody else. Empty elsewhere. */
export const initData = given.get("tgWebAppData") ?? "";

/** The version of the Bot API that this Telegram's Mini Apps speak, as [major, minor]. */
const version = (given.get("tgWebAppVersion") ?? "6.0").split(".").map(Number);

/** Whether this Telegram knows what came with a version of the Bot API. */
export const knows = (major, minor) =>
  version[0] > major || (version[0] === major && (version[1] ?? 0) >= minor);

/** Telegram's theme when the page was opened: colours by their names. */
export const themeParams = parsed(given.get("tgWebAppThemeParams")) ?? {};

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
