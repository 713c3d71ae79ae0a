// The server's clock, and how times are written.

let skewMs = 0;

/** Learn how far this machine's clock is from the server's. */
export function setServerTime(nowS) {
  skewMs = nowS * 1000 - Date.now();
}

/** The server's time now, seconds since the epoch. */
export function serverNowS() {
  return (Date.now() + skewMs) / 1000;
}

const hourMinute = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const fullDate = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "medium" });
const dayOfYear = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });
const dayWithYear = new Intl.DateTimeFormat(undefined, { dateStyle: "long" });

export const timeOf = (atS) => hourMinute.format(new Date(atS * 1000));
export const dateOf = (atS) => fullDate.format(new Date(atS * 1000));
export const dayKeyOf = (atS) => new Date(atS * 1000).toDateString();

/** "Today", "Yesterday", or the date. */
export function dayNameOf(atS) {
  const day = new Date(atS * 1000);
  const now = new Date(serverNowS() * 1000);
  if (day.toDateString() === now.toDateString()) return "Today";
  const yesterday = new Date(now.getFullYear(), now.getMonth(), now.getDate() - 1);
  if (day.toDateString() === yesterday.toDateString()) return "Yesterday";
  return (day.getFullYear() === now.getFullYear() ? dayOfYear : dayWithYear).format(day);
}
