/** Times as a messenger writes them, in the browser's format if the page speaks its language. */

import { LOCALE, say } from "./words.js";

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const clockFormat = new Intl.DateTimeFormat(LOCALE, { hour: "numeric", minute: "2-digit" });
const weekdayFormat = new Intl.DateTimeFormat(LOCALE, { weekday: "short" });
const dateFormat = new Intl.DateTimeFormat(LOCALE, { day: "numeric", month: "short" });
const dayFormat = new Intl.DateTimeFormat(LOCALE, { weekday: "long", day: "numeric", month: "long" });
const yearFormat = new Intl.DateTimeFormat(LOCALE, { dateStyle: "long" });
const fullFormat = new Intl.DateTimeFormat(LOCALE, { dateStyle: "full", timeStyle: "medium" });
const relativeFormat = new Intl.RelativeTimeFormat(LOCALE, { numeric: "auto" });

const date = (unix) => new Date(unix * 1000);
const secondsSince = (unix) => Math.max(0, Date.now() / 1000 - unix);

/** Whole days between the message's day and today, by the calendar. */
function daysSince(unix) {
  const midnight = (moment) => new Date(moment).setHours(0, 0, 0, 0);
  return Math.round((midnight(Date.now()) - midnight(date(unix))) / (DAY * 1000));
}

export const clock = (unix) => clockFormat.format(date(unix));

/** For a list of chats: a minute ago, the time, the weekday, the date. */
export function brief(unix) {
  const seconds = secondsSince(unix);
  if (seconds < MINUTE) return say("now");
  if (seconds < HOUR) return say("{count} min", { count: Math.floor(seconds / MINUTE) });
  const days = daysSince(unix);
  if (days === 0) return clock(unix);
  return days < 7 ? weekdayFormat.format(date(unix)) : dateFormat.format(date(unix));
}

/** For the line between two days. */
export function day(unix) {
  const days = daysSince(unix);
  if (days < 2) return say(days === 0 ? "Today" : "Yesterday");
  const sameYear = date(unix).getFullYear() === new Date().getFullYear();
  return (sameYear ? dayFormat : yearFormat).format(date(unix));
}

/** How long ago, and when exactly. */
export function full(unix) {
  const seconds = secondsSince(unix);
  const [unit, size] =
    seconds < MINUTE ? ["second", 1]
    : seconds < HOUR ? ["minute", MINUTE]
    : seconds < DAY ? ["hour", HOUR]
    : ["day", DAY];
  const ago = relativeFormat.format(-Math.floor(seconds / size), unit);
  return `${ago}, ${fullFormat.format(date(unix))}`;
}
