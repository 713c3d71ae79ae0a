// The conversation on the screen. A message is placed by `seq` and replaced by a higher revision.

import { announce, dressFace, icon, linkified, make } from "./dom.js";
import { dateOf, dayKeyOf, dayNameOf, timeOf } from "./clock.js";
import { isPaying, showCard, spoken } from "./card.js";

const TOGETHER_S = 300;
const ANSWER_WAIT_MS = 10_000;
const NO_ANSWER = "No answer yet. If the tap arrived, its answer will come here.";
const NOT_TWICE = " Tapping again cannot charge you twice.";
const NOT_SENT = "Not sent: the line is down.";

export class Log {
  constructor({ onTap, onEarlier, dropTap }) {
    this.frame = document.getElementById("log");
    this.list = document.getElementById("messages");
    this.unsent = document.getElementById("unsent");
    this.newest = document.getElementById("newest");
    this.earlier = document.getElementById("earlier");
    this.onTap = onTap;
    this.dropTap = dropTap;
    this.shown = new Map(); // id → { message, node }
    this.presses = new Map(); // message id → { action, tapId, timer }
    this.notes = new Map();
    this.names = new Map(); // name → ids that use it
    this.me = null;
    this.atEnd = true;
    this.lastTop = 0;
    this.frame.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    this.newest.addEventListener("click", () => this.toEnd());
    this.earlier.addEventListener("click", () => {
      const first = this.list.firstElementChild;
      if (first) onEarlier(this.shown.get(first.dataset.id).message.seq);
    });
    // Pictures and folding keyboards change the height: whoever was at the end stays there.
    new ResizeObserver(() => { if (this.atEnd) this.toEnd(); }).observe(this.list);
    new ResizeObserver(() => { if (this.atEnd) this.toEnd(); }).observe(this.frame);
  }

  get isEmpty() {
    return this.shown.size === 0 && this.unsent.childElementCount === 0;
  }

  /** The greeting's messages: all there is (`fresh`), or what was missed. */
  greet(hello, botName) {
    this.botName = botName;
    if (hello.fresh) {
      this.frame.setAttribute("aria-live", "off");
      this.shown.clear();
      this.list.replaceChildren();
      this.earlier.hidden = !hello.more;
      this.atEnd = true;
    }
    this.me = hello.me;
    for (const message of hello.messages) this.put(message, { quiet: hello.fresh });
    // What was said before somebody came in is not read out; what comes from now on is.
    setTimeout(() => this.frame.setAttribute("aria-live", "polite"), 300);
  }

  /** Messages from before the first one on the screen, which stays where it is. */
  putEarlier({ messages, more }) {
    this.earlier.hidden = !more;
    this.frame.setAttribute("aria-live", "off");
    this.atEnd = false;
    const below = this.frame.scrollHeight - this.frame.scrollTop;
    for (const message of messages) this.put(message, { quiet: true });
    this.frame.scrollTop = this.frame.scrollHeight - below;
    setTimeout(() => this.frame.setAttribute("aria-live", "polite"), 300);
  }

  /** A message that is new or changed. */
  put(message, { quiet = false } = {}) {
    const known = this.shown.get(message.id);
    if (known && known.message.revision >= message.revision) return;
    this.#answered(message, known);
    if (known) {
      known.message = message;
      this.#redraw(known, { aloud: message.private });
      return;
    }
    this.dropUnsent(message.id.split(":").at(-1));
    const node = this.#build(message);
    const after = this.#placeOf(message.seq);
    this.list.insertBefore(node, after);
    this.shown.set(message.id, { message, node });
    this.#arrange(node);
    if (after) this.#arrange(after);
    if (this.atEnd || (message.person === this.me.id && !quiet)) this.toEnd();
    else if (!quiet && !after) this.newest.hidden = false;
  }

  /** Words on their way: shown at once, marked until they are kept. */
  putUnsent(id, text) {
    const bubble = make("div", { class: "bubble", dir: "auto" }, ...linkified(text));
    const mark = make("span", { class: "mark" }, "Sending…");
    this.unsent.append(make("article", { class: "message own pending", "data-frame": id },
      make("div", { class: "column" }, bubble, mark)));
    setTimeout(() => { mark.textContent = "Waiting for the line…"; }, 4000);
    this.toEnd();
  }

  dropUnsent(frameId) {
    this.#unsentNode(frameId)?.remove();
  }

  /** Words that the server will never take: they stay on the screen with the reason. */
  failUnsent(frameId, words) {
    const node = this.#unsentNode(frameId);
    if (!node) return;
    node.classList.replace("pending", "failed");
    node.querySelector(".mark").replaceWith(make("span", { class: "mark failed", role: "alert" }, words));
  }

  /** A tap that was refused: the button is a button again, with the reason under it. */
  refuseTap(tapId, words) {
    for (const [id, press] of this.presses) {
      if (press.tapId === tapId) this.#release(id, words);
    }
  }

  toEnd() {
    this.frame.scrollTop = this.frame.scrollHeight;
    this.lastTop = this.frame.scrollTop;
    this.atEnd = true;
    this.newest.hidden = true;
  }

  /** Put the focus on the last button in the conversation, if there is one. */
  focusLastButton() {
    const buttons = this.list.querySelectorAll(".card-actions button, .card-actions a");
    buttons[buttons.length - 1]?.focus();
  }

  #unsentNode(frameId) {
    return this.unsent.querySelector(`[data-frame="${CSS.escape(frameId)}"]`);
  }

  #placeOf(seq) {
    let node = this.list.lastElementChild;
    let after = null;
    while (node && this.shown.get(node.dataset.id).message.seq > seq) {
      after = node;
      node = node.previousElementSibling;
    }
    return after;
  }

  #build(message) {
    const kind = message.person === null ? "bot" : message.person === this.me.id ? "own" : "other";
    const name = kind === "bot" ? this.botName : message.name;
    const time = make("time", { datetime: new Date(message.at_s * 1000).toISOString(), title: dateOf(message.at_s) }, timeOf(message.at_s));
    const node = make("article", {
      class: `message ${kind}${message.private ? " private" : ""}`,
      "data-id": message.id,
      tabindex: "-1",
      "aria-label": `${kind === "own" ? "You" : name}, ${timeOf(message.at_s)}${message.private ? ", only you can see this" : ""}`,
    });
    const day = make("p", { class: "day", hidden: true }, make("span", {}, dayNameOf(message.at_s)));
    const face = make("span", { class: "face", "aria-hidden": "true" });
    if (kind === "bot") face.append(make("img", { src: "/static/mark.svg", alt: "", width: 36, height: 36 }));
    else dressFace(face, message.person, name);
    const head = make("p", { class: "head" }, make("bdi", { class: "name" }, name),
      ...this.#besides(kind, message), kind === "own" ? null : time);
    const content = make("div", { class: "content" });
    const column = make("div", { class: "column" }, head,
      message.private ? make("p", { class: "only-you" }, icon("lock"), "Only you can see this") : null,
      content, kind === "own" ? time : null);
    node.append(day, face, column);
    this.#fill(content, message);
    return node;
  }

  // The bot says that it is one; two people of one name are told apart by the end of their ids.
  #besides(kind, message) {
    if (kind === "bot") return [make("span", { class: "tag" }, "bot")];
    const ids = this.names.get(message.name) ?? new Set();
    this.names.set(message.name, ids.add(message.person));
    return ids.size > 1 ? [make("span", { class: "tag" }, message.person.slice(-4))] : [];
  }

  #fill(content, message) {
    if (!message.card) {
      content.replaceChildren(make("div", { class: "bubble", dir: "auto" }, ...linkified(message.text)));
      return;
    }
    content.replaceChildren(showCard(message, {
      pressed: this.presses.get(message.id)?.action ?? null,
      note: this.notes.get(message.id) ?? "",
      onTap: (button) => this.#press(message.id, button),
    }));
  }

  #redraw({ message, node }, { aloud = false } = {}) {
    // The live region would read the whole card again; what matters is said apart.
    node.setAttribute("aria-live", "off");
    const content = node.querySelector(".content");
    const held = content.contains(document.activeElement) ? document.activeElement : null;
    this.#fill(content, message);
    if (held) {
      const action = held.dataset?.action;
      const again = action && content.querySelector(`[data-action="${CSS.escape(action)}"]`);
      (again ?? node).focus({ preventScroll: true });
    }
    if (aloud && message.card) announce(spoken(message));
  }

  #press(id, button) {
    this.notes.delete(id);
    const tapId = this.onTap(id, button.action);
    const timer = setTimeout(() => {
      const arrived = this.dropTap(tapId);
      this.#release(id, arrived === false ? notSent(button.action) : noAnswer(button.action));
    }, ANSWER_WAIT_MS);
    this.presses.set(id, { action: button.action, tapId, timer });
    this.#redraw(this.shown.get(id));
  }

  // An edit of the pressed card answers it, and so does whatever the bot tells this person.
  #answered(message, known) {
    if (message.person !== null) return;
    if (known && this.presses.has(message.id)) this.#forgetPress(message.id);
    // What was said about a tap on a card is not true for ever: the card knows more by now.
    if (message.private) this.#forgetNote(message.id);
    if (message.reply_to && !this.presses.has(message.reply_to)) this.#forgetNote(message.reply_to);
    if (known || !(message.private || this.presses.has(message.reply_to))) return;
    const ids = this.presses.has(message.reply_to) ? [message.reply_to] : [...this.presses.keys()];
    for (const id of ids) this.#release(id, "");
  }

  #forgetPress(id) {
    clearTimeout(this.presses.get(id).timer);
    this.presses.delete(id);
    this.notes.delete(id);
  }

  #forgetNote(id) {
    if (!this.notes.delete(id)) return;
    const shown = this.shown.get(id);
    if (shown) this.#redraw(shown);
  }

  #release(id, note) {
    this.#forgetPress(id);
    if (note) this.notes.set(id, note);
    this.#redraw(this.shown.get(id));
  }

  // Day lines, and one name over what one person says in one go.
  #arrange(node) {
    const { message } = this.shown.get(node.dataset.id);
    const before = node.previousElementSibling && this.shown.get(node.previousElementSibling.dataset.id).message;
    const newDay = !before || dayKeyOf(before.at_s) !== dayKeyOf(message.at_s);
    node.querySelector(".day").hidden = !newDay;
    node.classList.toggle("goes-on", !newDay && before.person === message.person
      && before.private === message.private && !message.card && message.at_s - before.at_s < TOGETHER_S);
  }

  // Only going up leaves the end: a message that makes the page longer does not.
  #scrolled() {
    const { scrollTop, scrollHeight, clientHeight } = this.frame;
    if (scrollHeight - scrollTop - clientHeight < 60) this.atEnd = true;
    else if (scrollTop < this.lastTop) this.atEnd = false;
    this.lastTop = scrollTop;
    if (this.atEnd) this.newest.hidden = true;
  }
}

/** What holds where a tap never left the page: of an undo it would be false that nothing is charged. */
function notSent(action) {
  if (isPaying(action)) return `${NOT_SENT} Nothing was charged.`;
  if (/^undo/u.test(action)) return `${NOT_SENT} Nothing was undone: your payment stands.`;
  return `${NOT_SENT} Nothing was changed.`;
}

function noAnswer(action) {
  return isPaying(action) ? NO_ANSWER + NOT_TWICE : NO_ANSWER;
}
