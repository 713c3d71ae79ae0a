// A card of the bot. What it says is the card's; this file only lays it out, by each line's role.

import { copyButton, draw, icon, make, webAddress } from "./dom.js";
import { serverNowS } from "./clock.js";

const LINE_CLASSES = new Set(["text", "price", "seller", "stock", "status", "warning", "hint", "code"]);
const TONES = { good: "tick", bad: "bang", waiting: "clock" };
const RING = 2 * Math.PI * 10;

/**
 * The card as an element. `pressed` is the action that was pressed and not yet answered, `note`
 * what to say under the buttons, `onTap(button)` is called for a press.
 */
export function showCard(message, { pressed = null, note = "", onTap }) {
  const { card } = message;
  const element = make("div", {
    class: `card tone-${card.tone ?? "neutral"}${card.picture ? " product" : ""}`,
  });
  if (card.picture) element.append(showPicture(card));
  const body = make("div", { class: "card-body" });
  body.append(...showTitle(card), ...(card.lines ?? []).map(showLine));
  const actions = make("div", { class: "card-actions" });
  const buttons = (card.buttons ?? []).map((button) => showButton(button, pressed, onTap));
  actions.append(...buttons);
  if (card.countdown_until_s !== null && card.countdown_until_s !== undefined) {
    countDown(message, actions);
  }
  if (actions.childNodes.length) body.append(actions);
  body.append(make("p", { class: "card-note", role: "status" }, note));
  element.append(body);
  return element;
}

/** Whether a button takes money from whoever presses it. */
export const isPaying = (action) => /^pay(by)?:/u.test(action);

function showPicture({ picture }) {
  const sized = picture.width_px > 0 && picture.height_px > 0;
  const image = make("img", {
    src: `/pictures/${encodeURIComponent(picture.digest)}`,
    alt: picture.alt,
    width: sized ? picture.width_px : 4,
    height: sized ? picture.height_px : 3,
    decoding: "async",
    draggable: "false",
  });
  const frame = make("div", { class: "picture" }, image);
  image.addEventListener("error", () => frame.classList.add("missing"));
  return frame;
}

function showTitle(card) {
  if (!card.title) return [];
  const url = card.link_url ? webAddress(card.link_url) : null;
  const tone = TONES[card.tone];
  const words = url
    ? make("a", { href: url, target: "_blank", rel: "noopener noreferrer", dir: "auto" }, card.title)
    : make("span", { dir: "auto" }, card.title);
  return [make("h3", { class: "card-title" }, tone ? icon(tone, "glyph badge") : null, words)];
}

function showLine({ text, role = "text" }) {
  const kind = LINE_CLASSES.has(role) ? role : "text";
  if (kind === "code") return showCode(text);
  const line = make("p", { class: `line ${kind}` });
  // The bot marks a verified seller with a tick of its own; a seller's name never begins with one.
  const verified = kind === "seller" && /^[✓✔]\ufe0f?\s*/u.exec(text);
  if (verified) line.append(icon("tick", "glyph verified"), make("span", { class: "unseen" }, "Verified: "));
  else if (kind === "seller") line.append(icon("shop"));
  else if (kind === "warning") line.append(icon("bang"));
  const words = verified ? text.slice(verified[0].length) : text;
  line.append(make("span", { dir: "auto" }, ...breakable(words)));
  return line;
}

/** A list of choices (`open|host|verify`) may break between them, and not within a word. */
function breakable(words) {
  const parts = words.split(/(?<=\|)/u);
  return parts.flatMap((part, place) => (place ? [make("wbr"), part] : [part]));
}

/** What is for machines: a window on it that can be scrolled, and a button that takes it whole. */
function showCode(text) {
  return make("div", { class: "line code" },
    make("code", { dir: "ltr", tabindex: "0", role: "region", "aria-label": "Text to copy" }, text),
    copyButton("Copy the text", text, "plain", "Select it to copy it"));
}

function showButton(button, pressed, onTap) {
  const style = button.style === "pay" ? "pay" : button.style === "danger" ? "plain danger" : "plain";
  const url = button.url ? webAddress(button.url) : null;
  if (url) {
    return make("a", { class: style, href: url, target: "_blank", rel: "noopener noreferrer" },
      make("span", { dir: "auto" }, button.label), icon("out"));
  }
  const busy = pressed !== null && pressed === button.action;
  const words = busy && isPaying(button.action) ? "Paying…" : button.label;
  return make("button", {
    class: style + (busy ? " busy" : ""),
    type: "button",
    "data-action": button.action,
    // Not `disabled`: the keyboard's focus stays where it is.
    "aria-disabled": pressed !== null && "true",
    "aria-busy": busy && "true",
    onclick: () => { if (pressed === null) onTap(button); },
  }, busy ? make("span", { class: "spinner", "aria-hidden": "true" }) : null,
  make("span", { dir: "auto" }, words));
}

/** Run the seconds down beside the buttons; at zero both are gone. */
function countDown(message, actions) {
  const { card } = message;
  const untilS = card.countdown_until_s;
  const wholeS = Math.max(1, untilS - message.changed_at_s);
  const left = () => untilS - serverNowS();
  if (left() <= 0) {
    actions.replaceChildren();
    return;
  }
  const hand = draw("circle", { class: "hand", cx: 12, cy: 12, r: 10, "stroke-dasharray": RING });
  const seconds = make("span", { class: "seconds" });
  actions.append(make("span", { class: "countdown", role: "timer", "aria-live": "off" },
    draw("svg", { viewBox: "0 0 24 24", "aria-hidden": "true" },
      draw("circle", { class: "track", cx: 12, cy: 12, r: 10 }), hand),
    seconds, make("span", { class: "unseen" }, " seconds left")));
  const step = () => {
    const leftS = left();
    if (leftS <= 0) {
      // Somebody at the keyboard stands on the button that goes: the card takes the focus.
      const article = actions.contains(document.activeElement) ? actions.closest(".message") : null;
      actions.replaceChildren();
      article?.focus({ preventScroll: true });
      return;
    }
    // A clock learnt over a slow line may be a little behind: never more than there ever was.
    seconds.textContent = String(Math.ceil(Math.min(leftS, wholeS)));
    hand.setAttribute("stroke-dashoffset", String(RING * (1 - Math.min(1, leftS / wholeS))));
    setTimeout(() => { if (actions.isConnected) step(); }, Math.min(200, leftS * 1000 + 5));
  };
  step();
}

/** The card as one string, for people who listen. */
export function spoken({ card }) {
  const lines = (card.lines ?? []).filter((line) => line.role !== "code");
  const said = [card.title, ...lines.map((line) => line.text)].filter(Boolean);
  return said.map((text) => (/[.!?…。！？]$/u.test(text) ? text : `${text}.`)).join(" ");
}
