// The line to the server: connects, comes back after any break, catches up, sends what waits.

import { uuid } from "./dom.js";

const SILENCE_MS = 50_000; // the server speaks every 20 s
const TAP_LIFE_MS = 10_000;
const WAITS_MS = [300, 1000, 2000, 4000, 8000];

/**
 * `on` has a function for each frame type and `state(name, words)`. Frames stay in the outbox
 * until the server acknowledges them, and are sent again under the same id after a break. Words
 * survive a reload too; a tap is only kept for seconds, since nobody expects an old one to pay.
 */
export class Line {
  constructor(room, on) {
    this.room = room;
    this.on = on;
    this.revision = null;
    this.outbox = new Map();
    this.tries = 0;
    this.stopped = false;
    this.storeKey = `payontap.unsent.${room}`;
    this.#restore();
    addEventListener("online", () => this.#now());
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden) this.#now();
    });
    addEventListener("offline", () => this.socket?.close());
    this.#connect();
  }

  /** Send a frame, now or when the line is back. Gives its id. */
  send(frame) {
    const id = uuid();
    this.outbox.set(id, { frame: { ...frame, id }, written: false, madeMs: Date.now() });
    this.#save();
    this.#write(id);
    return id;
  }

  /** Ask for something that is not worth keeping. */
  ask(frame) {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(frame));
  }

  /** Forget a frame; tells whether it may have reached the server. One already gone surely did. */
  drop(id) {
    const written = this.outbox.get(id)?.written ?? true;
    this.outbox.delete(id);
    this.#save();
    return written;
  }

  #connect() {
    clearTimeout(this.timer);
    const url = new URL("/ws", location.href);
    url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    url.searchParams.set("room", this.room);
    if (this.revision !== null) url.searchParams.set("after", this.revision);
    const socket = new WebSocket(url);
    const turn = (this.turn = (this.turn ?? 0) + 1);
    this.socket = socket;
    this.ready = false;
    this.afterMs = null;
    socket.addEventListener("message", (event) => {
      if (turn === this.turn) this.#take(JSON.parse(event.data));
    });
    socket.addEventListener("close", () => {
      if (turn === this.turn) this.#lost();
    });
    this.#watch();
  }

  #take(frame) {
    this.#watch();
    if (frame.type === "hello") this.#greeted(frame);
    if (frame.type === "message") this.revision = Math.max(this.revision, frame.message.revision);
    if (frame.type === "ack") this.drop(frame.id);
    if (frame.type === "refused") this.#refused(frame);
    if (frame.type === "reconnect") {
      if (frame.after_s === null) {
        this.stopped = true;
        this.on.state("stopped", frame.words);
      } else this.afterMs = frame.after_s * 1000;
    }
    this.on[frame.type]?.(frame);
  }

  #greeted(hello) {
    this.ready = true;
    this.tries = 0;
    this.revision = Math.max(hello.fresh ? 0 : this.revision, hello.revision);
    this.on.state("connected", "Connected");
    // After the page has taken the greeting in, so that what waits finds its place.
    queueMicrotask(() => {
      for (const id of [...this.outbox.keys()]) this.#write(id);
    });
  }

  #refused(frame) {
    if (frame.retry_after_s === null) this.drop(frame.id);
    else setTimeout(() => this.#write(frame.id), frame.retry_after_s * 1000 + 100);
  }

  #write(id) {
    const kept = this.outbox.get(id);
    if (!kept || !this.ready || this.socket.readyState !== WebSocket.OPEN) return;
    if (kept.frame.type === "tap" && Date.now() - kept.madeMs > TAP_LIFE_MS) {
      this.drop(id);
      return;
    }
    kept.written = true;
    this.socket.send(JSON.stringify(kept.frame));
  }

  #lost() {
    this.ready = false;
    clearTimeout(this.watchdog);
    if (this.stopped) return;
    this.on.state(navigator.onLine ? "connecting" : "offline",
      navigator.onLine ? "Reconnecting…" : "Offline");
    const waitMs = this.afterMs ?? WAITS_MS[Math.min(this.tries, WAITS_MS.length - 1)];
    this.tries += 1;
    this.timer = setTimeout(() => this.#connect(), waitMs * (0.7 + Math.random() * 0.6));
  }

  #now() {
    if (this.stopped || this.ready || this.socket.readyState === WebSocket.CONNECTING) return;
    this.#connect();
  }

  #watch() {
    clearTimeout(this.watchdog);
    this.watchdog = setTimeout(() => {
      // A dead line may take minutes to close by itself: what it still says is not heard.
      this.turn += 1;
      this.socket.close();
      this.#lost();
    }, SILENCE_MS);
  }

  #save() {
    const words = [...this.outbox.values()].map((kept) => kept.frame).filter((f) => f.type === "say");
    try {
      if (words.length) sessionStorage.setItem(this.storeKey, JSON.stringify(words));
      else sessionStorage.removeItem(this.storeKey);
    } catch {
      // Storage switched off or full: the outbox then lives as long as the page.
    }
  }

  #restore() {
    try {
      for (const frame of JSON.parse(sessionStorage.getItem(this.storeKey) ?? "[]")) {
        this.outbox.set(frame.id, { frame, written: true, madeMs: Date.now() });
      }
    } catch {
      // Nothing that can be read was kept.
    }
  }
}
