// The chat's page: one room, put together from its parts.

import { announce, copy } from "./dom.js";
import { setServerTime } from "./clock.js";
import { Composer } from "./composer.js";
import { Line } from "./line.js";
import { Log } from "./log.js";
import { Side } from "./side.js";
import { showWelcome } from "./welcome.js";

const QUIET_MS = 1200; // a short break is not worth a word

const room = location.pathname.split("/")[2];
const byId = (id) => document.getElementById(id);
let welcome = {};
let troubleTimer;

const say = (text) => {
  log.putUnsent(line.send({ type: "say", text }), text);
  updateWelcome();
};

const log = new Log({
  onTap: (message, action) => line.send({ type: "tap", message, action }),
  dropTap: (id) => line.drop(id),
  onEarlier: (before) => line.ask({ type: "earlier", before }),
});
const composer = new Composer({ onSend: say, onUp: () => log.focusLastButton() });
const side = new Side({ room, onRename: (name) => line.send({ type: "name", name }) });

const line = new Line(room, {
  hello(frame) {
    setServerTime(frame.now_s);
    if (side.me && side.me.id !== frame.me.id) {
      // The cookie is another one now: nothing on this page is this person's.
      location.reload();
      return;
    }
    ({ welcome } = frame);
    side.setMe(frame.me);
    side.setShop(welcome.shop_url);
    composer.commands = frame.commands;
    composer.lengthMax = frame.text_length_max;
    log.greet(frame, frame.bot_name);
    showPeople(frame.people);
    updateWelcome();
  },
  message(frame) {
    log.put(frame.message);
    updateWelcome();
  },
  page: (frame) => log.putEarlier(frame),
  people: (frame) => showPeople(frame.count),
  renamed: (frame) => side.setMe({ ...side.me, name: frame.name }),
  tick: (frame) => setServerTime(frame.now_s),
  refused(frame) {
    if (frame.retry_after_s !== null) return;
    log.refuseTap(frame.id, frame.words);
    log.failUnsent(frame.id, frame.words);
    side.refuseName(frame.id, frame.words);
    announce(frame.words);
  },
  state: showState,
});

// What was written before a reload and is not known to have arrived.
for (const [id, { frame }] of line.outbox) log.putUnsent(id, frame.text);

byId("room-title").textContent = room;
document.title = `#${room} · Payontap`;
if (matchMedia("(pointer: fine)").matches) byId("words").focus();

byId("invite").addEventListener("click", async () => {
  const words = byId("invite").querySelector("span");
  const copied = await copy(location.href);
  words.textContent = copied ? "Link copied" : location.href;
  announce(copied ? "The room's link is copied" : location.href);
  setTimeout(() => { words.textContent = "Invite"; }, 2000);
});

byId("how").addEventListener("click", () => {
  const dialog = byId("how-dialog");
  byId("how-body").replaceChildren(...showWelcome({ welcome, titleId: "how-title", onTry: (text) => {
    dialog.close();
    composer.fill(text);
  } }));
  dialog.showModal();
});

function updateWelcome() {
  const panel = byId("welcome");
  const wanted = side.me !== undefined && log.isEmpty;
  if (wanted && panel.hidden) panel.append(...showWelcome({ welcome, onTry: (text) => composer.fill(text) }));
  if (!wanted) panel.replaceChildren();
  panel.hidden = !wanted;
}

function showPeople(count) {
  byId("people").textContent = count === 1 ? "only you here" : `${count} people here`;
}

function showState(name, words) {
  const state = byId("state");
  state.dataset.state = name;
  state.textContent = words;
  clearTimeout(troubleTimer);
  const trouble = byId("trouble");
  if (name === "connected") {
    trouble.hidden = true;
    return;
  }
  troubleTimer = setTimeout(() => {
    trouble.textContent = name === "stopped" ? words
      : `${words.replace(/\w$/u, "$&.")} What you write is kept and sent as soon as the line is back.`;
    trouble.hidden = false;
  }, name === "stopped" ? 0 : QUIET_MS);
}
