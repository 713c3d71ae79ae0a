// Where people write: grows with the text, completes commands, sends with Enter.

import { make } from "./dom.js";

/** The command that is being typed, whatever its letters and its slash; null where it is none. */
const asked = (typed) => (/^[/／][^\s/]*$/u.test(typed) ? typed.toLowerCase().replace("／", "/") : null);

export class Composer {
  /** `onSend(text)` takes what was written; `onUp()` is the up key in an empty box. */
  constructor({ onSend, onUp }) {
    this.form = document.getElementById("composer");
    this.words = document.getElementById("words");
    this.list = document.getElementById("commands");
    this.note = document.getElementById("composer-note");
    this.commands = [];
    this.offered = [];
    this.chosen = -1;
    this.lengthMax = 4000;
    this.onSend = onSend;
    this.onUp = onUp;
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#send();
    });
    this.words.addEventListener("input", () => this.#changed());
    this.words.addEventListener("keydown", (event) => this.#key(event));
    this.words.addEventListener("blur", () => setTimeout(() => this.#offer([]), 150));
  }

  /** Put words into the box, ready to be sent or changed. */
  fill(text) {
    this.words.value = text;
    this.#changed();
    this.words.focus();
  }

  #send() {
    const text = this.words.value.trim();
    if (!text || this.#tooLong()) return;
    this.onSend(text);
    this.words.value = "";
    this.#changed();
    this.words.focus();
  }

  #changed() {
    this.words.style.height = "auto";
    this.words.style.height = `${this.words.scrollHeight + 2}px`;
    const typed = this.words.value;
    const name = asked(typed);
    this.#offer(name === null ? [] : this.commands.filter((c) => c.name.toLowerCase().startsWith(name)));
    const over = [...typed].length - this.lengthMax;
    this.note.textContent = over > 0 ? `${over} characters too many` : "";
  }

  #tooLong() {
    return [...this.words.value.trim()].length > this.lengthMax;
  }

  #offer(commands) {
    this.offered = commands;
    this.list.hidden = commands.length === 0;
    this.words.setAttribute("aria-expanded", String(commands.length > 0));
    this.list.replaceChildren(...commands.map((command, index) => make("div", {
      class: "command", role: "option", id: `command-${index}`, "aria-selected": "false",
      onmousedown: (event) => {
        event.preventDefault();
        this.#complete(command);
      },
    }, make("b", {}, command.name), make("span", {}, command.help))));
    this.#choose(commands.length ? 0 : -1);
  }

  #choose(index) {
    this.chosen = index;
    [...this.list.children].forEach((option, place) => {
      option.setAttribute("aria-selected", String(place === index));
      if (place === index) option.scrollIntoView({ block: "nearest" });
    });
    if (index < 0) this.words.removeAttribute("aria-activedescendant");
    else this.words.setAttribute("aria-activedescendant", `command-${index}`);
  }

  #complete(command) {
    this.fill(`${command.name} `);
  }

  #key(event) {
    // Enter that ends an input method's composition belongs to it.
    if (event.isComposing || event.keyCode === 229) return;
    if (this.offered.length && this.#keyInList(event)) {
      event.preventDefault();
      return;
    }
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      this.#send();
    } else if (event.key === "ArrowUp" && this.words.value === "") {
      event.preventDefault();
      this.onUp();
    }
  }

  #keyInList(event) {
    const count = this.offered.length;
    const command = this.offered[this.chosen];
    switch (event.key) {
      case "ArrowDown":
        this.#choose((this.chosen + 1) % count);
        return true;
      case "ArrowUp":
        this.#choose((this.chosen + count - 1) % count);
        return true;
      case "Escape":
        this.#offer([]);
        return true;
      case "Tab":
        if (event.shiftKey) return false;
        this.#complete(command);
        return true;
      case "Enter":
        // A command typed in full is sent; a half one is completed first.
        if (event.shiftKey || command.name.toLowerCase() === asked(this.words.value)) return false;
        this.#complete(command);
        return true;
      default:
        return false;
    }
  }
}
