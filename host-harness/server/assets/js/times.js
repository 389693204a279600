//! Owns: times in the reader's zone and language, kept fresh.
//! Does not own: what they are the times of.

const MINUTE = 60_000;
const language = document.documentElement.lang === "en" ? undefined : document.documentElement.lang;
const clock = new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const exact = new Intl.DateTimeFormat(language, { dateStyle: "full", timeStyle: "medium" });

// Puts the times below an element into the reader's zone.
export function times(root) {
  for (const time of root.querySelectorAll("time[data-time]")) {
    const at = new Date(time.dateTime);
    if (Number.isNaN(at.getTime())) continue;
    time.title = exact.format(at);
    if (time.dataset.time === "clock") time.textContent = clock.format(at);
  }
}

// Calls back when a minute has passed, but not while nobody looks.
export function everyMinute(call) {
  setInterval(() => document.hidden || call(), MINUTE);
}
