/** Dialogs: an alert, a question, a new person, a new group. */

import { fileUrl } from "./api.js";
import { element } from "./dom.js";
import { say } from "./words.js";

/**
 * Opens a modal dialog with a form.
 * @param {string} title
 * @param {Node[]} content
 * @param {string} confirm what the button says.
 * @param {{danger?: boolean, cancel?: boolean}} [options]
 * @returns {Promise<FormData|null>} what was filled in; null if it was closed.
 */
function ask(title, content, confirm, { danger = false, cancel = true } = {}) {
  return new Promise((resolve) => {
    let answer = null;
    const heading = element("h2", { id: "dialog-title" }, title);
    const form = element(
      "form",
      { method: "dialog" },
      heading,
      ...content,
      element(
        "div",
        { class: "dialog-buttons" },
        cancel &&
          element("button", { type: "button", class: "quiet", on: { click: () => dialog.close() } }, say("Cancel")),
        element("button", { type: "submit", class: danger ? "danger" : "strong" }, confirm),
      ),
    );
    const dialog = element("dialog", { class: "dialog", "aria-labelledby": "dialog-title" }, form);
    form.addEventListener("submit", () => {
      answer = new FormData(form);
    });
    dialog.addEventListener("click", (event) => {
      if (event.target === dialog) dialog.close();
    });
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(answer);
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}

/** A message that waits to be read. */
export const tellAlert = (title, text) =>
  ask(title, [element("p", {}, text)], "OK", { cancel: false });

/** Whether the person is sure. */
export const isSure = async (title, text, confirm) =>
  (await ask(title, [element("p", {}, text)], confirm, { danger: true })) !== null;

function field(label, name, properties) {
  const input = element("input", { name, autocomplete: "off", ...properties });
  return element("label", { class: "field" }, label, input);
}

/**
 * Asks what to send of what the bot offers, and where.
 * @param {object[]} results each {id, content}, the content with a photo.
 * @param {{id: number, title: string}[]} chats
 * @returns {Promise<{chat: number, result: string}|null>}
 */
export async function askShare(results, chats) {
  const pictures = results.map(({ id, content }, at) =>
    element(
      "label",
      { class: "choice" },
      element("input", { type: "radio", name: "result", value: id, checked: at === 0 }),
      element("img", { src: fileUrl(content.photo[0].file_id), alt: "", class: "choice-image" }),
      content.caption ?? say("Photo"),
    ),
  );
  const options = chats.map(({ id, title }) => element("option", { value: id }, title));
  const form = await ask(
    say("Share"),
    [
      element("fieldset", {}, element("legend", {}, say("Picture")), ...pictures),
      element("label", { class: "field" }, say("Chat"), element("select", { name: "chat" }, ...options)),
    ],
    say("Send"),
  );
  return form && { chat: Number(form.get("chat")), result: form.get("result") };
}

/** A name for a new person; null if the dialog was cancelled. */
export async function askPerson() {
  const form = await ask(
    say("New person"),
    [field(say("Name"), "name", { required: true, maxlength: 64, placeholder: "Ben", pattern: ".*\\S.*" })],
    say("Add"),
  );
  return form && form.get("name").trim();
}

/**
 * Asks for a new group.
 * @param {object[]} others people who can be chosen.
 * @returns {Promise<{title: string, members: number[], names: string[]}|null>}
 */
export async function askGroup(others) {
  const boxes = others.map((user) =>
    element(
      "label",
      { class: "choice" },
      element("input", { type: "checkbox", name: "member", value: user.id, checked: true }),
      user.first_name,
    ),
  );
  const form = await ask(
    say("New group"),
    [
      field(say("Name"), "title", { required: true, maxlength: 128, value: say("Friends"), pattern: ".*\\S.*" }),
      boxes.length > 0 &&
        element("fieldset", {}, element("legend", {}, say("Who is in it, with you and the bot")), ...boxes),
      field(say("New people, with commas between them"), "names", { placeholder: "Ben, Cleo", maxlength: 500 }),
    ].filter(Boolean),
    say("Create the group"),
  );
  if (form === null) return null;
  return {
    title: form.get("title").trim(),
    members: form.getAll("member").map(Number),
    names: form.get("names").split(",").map((name) => name.trim().slice(0, 64)).filter(Boolean),
  };
}
