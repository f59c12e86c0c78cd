/** The bot's commands over the composer, while typing or by a button. */

import { byId, element } from "./dom.js";
import { say } from "./words.js";

/**
 * A list of commands that belongs to a text field, which keeps the focus. A textarea may not be a
 * combobox (W3C, ARIA in HTML), so it says what it controls as the textbox that it is.
 */
export class Completion {
  #options = [];
  #chosen = 0;

  /**
   * @param {HTMLTextAreaElement} field
   * @param {() => object[]} commands the menu of the open chat.
   * @param {(command: string) => void} send
   */
  constructor(field, commands, send) {
    this.field = field;
    this.commands = commands;
    this.send = send;
    this.list = element("ul", {
      class: "completion",
      id: "completion",
      role: "listbox",
      "aria-label": say("Commands"),
      hidden: true,
    });
    for (const [name, value] of Object.entries({
      "aria-autocomplete": "list",
      "aria-controls": "completion",
      "aria-haspopup": "listbox",
    })) {
      field.setAttribute(name, value);
    }
    field.addEventListener("blur", () => this.close());
  }

  get isOpen() {
    return !this.list.hidden;
  }

  /** Offers the commands that fit the text; none if it is no beginning of a command. */
  offer() {
    const match = /^\/(\w*)$/.exec(this.field.value);
    if (match) this.#open(this.commands().filter(({ command }) => command.startsWith(match[1])));
    else this.close();
  }

  /** Shows all commands, or hides them. */
  toggle() {
    this.field.focus();
    if (this.isOpen) this.close();
    else this.#open(this.commands());
  }

  close() {
    this.list.hidden = true;
    this.field.removeAttribute("aria-activedescendant");
  }

  /** Takes a key of the field; true if it was one for the list. */
  takeKey(event) {
    if (!this.isOpen) return false;
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (step) this.#choose((this.#chosen + step + this.#options.length) % this.#options.length);
    else if (event.key === "Enter") this.#send(this.#options[this.#chosen]);
    else if (event.key === "Tab") this.#complete();
    else if (event.key === "Escape") this.close();
    else return false;
    event.preventDefault();
    return true;
  }

  #open(options) {
    if (options.length === 0) {
      this.close();
      return;
    }
    this.#options = options;
    this.list.replaceChildren(
      ...options.map(({ command, description }, i) =>
        element(
          "li",
          {
            role: "option",
            id: `command-${i}`,
            class: "completion-item",
            on: {
              pointerdown: (event) => event.preventDefault(), // the field keeps the focus
              click: () => this.#send(options[i]),
              pointerenter: () => this.#choose(i),
            },
          },
          element("strong", {}, `/${command}`),
          element("span", {}, description),
        ),
      ),
    );
    this.list.hidden = false;
    this.#choose(0);
  }

  #choose(at) {
    this.#chosen = at;
    for (const [i, option] of [...this.list.children].entries()) {
      option.setAttribute("aria-selected", String(i === at));
    }
    this.field.setAttribute("aria-activedescendant", `command-${at}`);
    byId(`command-${at}`)?.scrollIntoView({ block: "nearest" });
  }

  #complete() {
    this.field.value = `/${this.#options[this.#chosen].command}`;
    this.close();
  }

  #send({ command }) {
    this.close();
    this.send(`/${command}`);
  }
}
