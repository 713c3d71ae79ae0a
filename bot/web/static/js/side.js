// The side: rooms, the way to the shop, and the name one goes by. On a phone it slides in.

import { dressFace, make } from "./dom.js";

const ROOMS_KEY = "payontap.rooms";
const ROOMS_MAX = 30;

export class Side {
  constructor({ room, onRename }) {
    this.side = document.getElementById("side");
    this.main = document.getElementById("main");
    this.veil = document.getElementById("veil");
    this.opener = document.getElementById("side-open");
    this.onRename = onRename;
    this.#rooms(room);
    this.#drawer();
    this.#naming();
  }

  /** Who the server says one is. */
  setMe({ id, name }) {
    this.me = { id, name };
    document.getElementById("me-name").textContent = name;
    dressFace(document.getElementById("me-face"), id, name);
  }

  /** Where product links can be had; null when nowhere is known. */
  setShop(url) {
    const link = document.getElementById("shop");
    link.hidden = url === null;
    if (url !== null) link.href = url;
  }

  /** A name that the server does not take: the field is open again, with the reason. */
  refuseName(frameId, words) {
    if (frameId !== this.naming) return;
    document.getElementById("me-edit").click();
    const field = document.getElementById("me-input");
    field.value = this.wanted;
    field.setCustomValidity(words);
    field.reportValidity();
  }

  #rooms(room) {
    const visited = readRooms().filter((name) => name !== room && name !== "lobby");
    const rooms = ["lobby", ...(room === "lobby" ? [] : [room]), ...visited].slice(0, ROOMS_MAX);
    try {
      localStorage.setItem(ROOMS_KEY, JSON.stringify(rooms));
    } catch {
      // Storage switched off: the list is this room and the lobby.
    }
    document.getElementById("rooms").replaceChildren(...rooms.map((name) => make("li", {},
      make("a", { href: `/r/${name}`, "aria-current": name === room && "page" },
        make("span", { "aria-hidden": "true" }, "#"), name))));
    const field = document.getElementById("room-name");
    document.getElementById("room-new").addEventListener("submit", (event) => {
      event.preventDefault();
      const slug = slugOf(field.value);
      if (slug) location.assign(`/r/${slug}`);
      else field.focus();
    });
  }

  #drawer() {
    const narrow = matchMedia("(max-width: 760px)");
    const set = (open) => {
      const over = narrow.matches && open;
      this.side.classList.toggle("open", over);
      this.side.inert = narrow.matches && !open;
      this.main.inert = over;
      this.veil.hidden = !over;
      this.opener.setAttribute("aria-expanded", String(over));
    };
    const close = () => {
      set(false);
      this.opener.focus();
    };
    set(false);
    narrow.addEventListener("change", () => set(false));
    this.opener.addEventListener("click", () => {
      set(true);
      document.getElementById("side-close").focus();
    });
    document.getElementById("side-close").addEventListener("click", close);
    this.veil.addEventListener("click", close);
    this.side.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && this.side.classList.contains("open")) close();
    });
  }

  #naming() {
    const [edit, form, field] = ["me-edit", "me-form", "me-input"].map((id) => document.getElementById(id));
    const show = (editing) => {
      form.hidden = !editing;
      edit.hidden = editing;
    };
    edit.addEventListener("click", () => {
      show(true);
      field.setCustomValidity("");
      field.value = this.me?.name ?? "";
      field.select();
      field.focus();
    });
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.wanted = field.value;
      this.naming = this.onRename(field.value);
      show(false);
      edit.focus();
    });
    field.addEventListener("input", () => field.setCustomValidity(""));
    form.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      show(false);
      edit.focus();
    });
  }
}

/** A room's name as it stands in its address; empty when nothing of it can. */
export function slugOf(name) {
  return name.normalize("NFKD").toLowerCase().replace(/[\u0300-\u036f]/gu, "")
    .replace(/[^a-z0-9]+/gu, "-").replace(/^-+|-+$/gu, "").slice(0, 64);
}

function readRooms() {
  try {
    const rooms = JSON.parse(localStorage.getItem(ROOMS_KEY) ?? "[]");
    return Array.isArray(rooms) ? rooms.filter((name) => /^[a-z0-9-]{1,64}$/u.test(name)) : [];
  } catch {
    return [];
  }
}
