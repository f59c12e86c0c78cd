/** What the bot says of itself. */

import { botAvatar } from "./avatars.js";
import { element, iconButton } from "./dom.js";
import { say } from "./words.js";

/** A text of the profile in a person's language; empty if the bot has set none. */
export function profileText(bot, field, me) {
  const texts = bot.profile[field];
  return texts[me.language_code] ?? texts[""] ?? "";
}

/** Opens the bot's profile. */
export function openProfile(bot, me) {
  const paragraph = (field) => {
    const text = profileText(bot, field, me);
    return text && element("p", { class: `profile-${field.replace("_", "-")}`, dir: "auto" }, text);
  };
  const { first_name: name, username } = bot.user;
  const dialog = element(
    "dialog",
    { class: "dialog profile", "aria-labelledby": "profile-name" },
    iconButton("close", say("Close"), () => dialog.close(), { class: "icon-button profile-close", autofocus: true }),
    botAvatar(bot),
    element("h2", { id: "profile-name" }, name),
    element("p", { class: "profile-username" }, `@${username}`),
    paragraph("short_description"),
    paragraph("description"),
  );
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close();
  });
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}
