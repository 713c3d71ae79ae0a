// Building the page from text nodes only: nothing that anybody wrote is ever read as HTML.

/** An element with attributes and children; strings become text. */
export function make(tag, attributes = {}, ...children) {
  return dress(document.createElement(tag), attributes, children);
}

const SVG = "http://www.w3.org/2000/svg";

/** An SVG element. */
export function draw(tag, attributes = {}, ...children) {
  return dress(document.createElementNS(SVG, tag), attributes, children);
}

function dress(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

const ICONS = {
  tick: "m5 12.500 4.500 4.500L19 7.500",
  lock: "M7 11V8a5 5 0 0 1 10 0v3M6 11h12v9H6z",
  bang: "M12 5v8.5M12 18.4v.2",
  clock: "M12 5.5V12l4 3",
  shop: "M4 9.500 5.500 4h13L20 9.500M5 11v9h14v-9M4 9.500h16",
  out: "M9 5h10v10M19 5 6 18",
};

/** One of the page's icons, for the eye only. */
export function icon(name, className = "glyph") {
  return draw("svg", { viewBox: "0 0 24 24", class: className, "aria-hidden": "true" },
    draw("path", { d: ICONS[name] }));
}

/** The address when it is an ordinary web address, else null. */
export function webAddress(text) {
  try {
    const url = new URL(text);
    return url.protocol === "http:" || url.protocol === "https:" ? url.href : null;
  } catch {
    return null;
  }
}

const LINK = /https?:\/\/[^\s<>"'“”‘’«»「」『』【】（）《》〈〉，。！？；：、…\u200b-\u200f\u202a-\u202e\u2066-\u2069]+/giu;

/** Text as nodes, with its web addresses as links that open beside the chat. */
export function linkified(text) {
  const nodes = [];
  let done = 0;
  for (const match of text.matchAll(LINK)) {
    const shown = trimmed(match[0]);
    const url = webAddress(shown);
    if (url === null) continue;
    nodes.push(text.slice(done, match.index));
    nodes.push(make("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, shown));
    done = match.index + shown.length;
  }
  nodes.push(text.slice(done));
  return nodes;
}

// A full stop or an unopened bracket after an address belongs to the sentence, not to it.
function trimmed(address) {
  let end = address.length;
  while (end > 0) {
    const last = address[end - 1];
    const rest = address.slice(0, end);
    const unopened = { ")": "(", "]": "[", "}": "{" }[last];
    if (unopened ? rest.split(unopened).length < rest.split(last).length : ".,;:!?*_~|".includes(last)) end -= 1;
    else break;
  }
  return address.slice(0, end);
}

/** A random UUID; `crypto.randomUUID` is missing on plain http outside this machine. */
export function uuid() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

/** Copy text; true when it worked. */
export async function copy(text) {
  if (navigator.clipboard) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      // No permission: the old way below needs none.
    }
  }
  const field = make("textarea", { class: "unseen", readonly: true, "aria-hidden": "true" });
  const focused = document.activeElement;
  field.value = text;
  document.body.append(field);
  field.select();
  const copied = document.execCommand("copy");
  field.remove();
  focused?.focus();
  return copied;
}

/** A button that copies and says so on itself for a moment, or `otherwise` where it cannot. */
export function copyButton(label, text, className = "plain", otherwise = text) {
  const words = make("span", {}, label);
  const button = make("button", { class: className, type: "button" }, words);
  button.addEventListener("click", async () => {
    words.textContent = (await copy(text)) ? "Copied ✓" : otherwise;
    setTimeout(() => { words.textContent = label; }, 1800);
  });
  return button;
}

/** Say something to people who listen to the page. */
export function announce(text) {
  const announcer = document.getElementById("announcer");
  announcer.textContent = "";
  requestAnimationFrame(() => { announcer.textContent = text; });
}

/** A colour (hue in degrees) that belongs to an id, and initials of a name, for a round face. */
export function dressFace(face, id, name) {
  let hash = 0;
  for (const sign of id) hash = (hash * 31 + sign.codePointAt(0)) >>> 0;
  face.style.setProperty("--hue", String(hash % 360));
  const parts = name.split(/\s+/u).filter(Boolean);
  face.textContent = parts.slice(0, 2).map((part) => [...part][0]).join("").toLocaleUpperCase();
}
