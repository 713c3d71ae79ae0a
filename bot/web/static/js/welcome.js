// What a newcomer is told: three steps and something to try at once.

import { copyButton, icon, make, webAddress } from "./dom.js";

/** The steps as elements. `onTry(text)` puts something into the message box. */
export function showWelcome({ welcome, titleId = null, onTry }) {
  const shop = welcome.shop_url && webAddress(welcome.shop_url);
  const sample = welcome.sample_url && webAddress(welcome.sample_url);
  return [
    make("img", { src: "/static/mark.svg", alt: "", width: 64, height: 64 }),
    make("h2", { id: titleId }, "Share a link. Tap once. Paid."),
    make("p", { class: "lead" }, "Paste the link of a product, by itself or in the middle of a sentence. The bot answers with a card, and one tap on it pays."),
    make("ol", { class: "steps" }, findStep(shop), pasteStep(sample, onTry), tapStep()),
    ...suggestions(welcome.suggestions, onTry),
  ];
}

function findStep(shop) {
  return make("li", {}, make("b", {}, "Find something"),
    make("span", {}, shop ? "The demo shop sells a few nice things for play money." : "Any page of a shop that sells through this bot."),
    shop && make("a", { class: "plain", href: shop, target: "_blank", rel: "noopener noreferrer" }, "Open the shop ↗"));
}

function pasteStep(sample, onTry) {
  const step = make("li", {}, make("b", {}, "Paste its link here"),
    make("span", {}, sample ? "Or begin with this one:" : "Alone, or with a few words."));
  if (sample) {
    step.append(make("code", { class: "sample", dir: "ltr" }, decodeURI(sample)),
      make("div", { class: "pair" },
        make("button", { class: "pay", type: "button", onclick: () => onTry(sample) }, "Try this link"),
        copyButton("Copy link", sample)));
  }
  return step;
}

function tapStep() {
  return make("li", {}, make("b", {}, "Tap Pay"),
    make("span", {}, "Only you see that you paid, and can undo it for some seconds. The others see how often it was bought."),
    make("span", { class: "sketch", "aria-hidden": "true" }, icon("tick", "glyph"), "Paid", make("i", {}), "Undo", make("em", {}, "8")));
}

function suggestions(commands, onTry) {
  if (!commands?.length) return [];
  return [
    make("p", { class: "lead" }, "Or ask the bot something. Its answer is for you alone:"),
    make("div", { class: "chips" }, ...commands.map((command) =>
      make("button", { class: "plain", type: "button", onclick: () => onTry(command) }, command))),
  ];
}
