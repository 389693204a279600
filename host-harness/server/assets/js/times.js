//! Owns: times in the reader's zone and language, kept fresh.
//! Does not own: what they are the times of.

const MINUTE = 60_000;
const language = document.documentElement.lang === "en" ? undefined : document.documentElement.lang;
const clock = new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const exact = new Intl.DateTimeFormat(language, { dateStyle: "full", timeStyle: "medium" });

// Tells the host the reader's zone, for the next page that it draws.
export function zone() {
  const offset = `offset=${-new Date().getTimezoneOffset()}`;
  if (!document.cookie.split("; ").includes(offset)) document.cookie = `${offset}; path=/; max-age=31536000; samesite=lax`;
}

// Puts the times below an element into the reader's zone.
export function times(root) {
  for (const time of root.querySelectorAll("time[data-time]")) {
    const at = new Date(time.dateTime);
    if (Number.isNaN(at.getTime())) continue;
    time.title = exact.format(at);
    const shown = time.dataset.time === "clock" && clock.format(at);
    // What is as it was is not laid out again.
    if (shown && shown !== time.textContent) time.textContent = shown;
  }
}

// Calls back when a minute has passed, but not while nobody looks; until the signal ends it.
export function everyMinute(call, signal) {
  const timer = setInterval(() => document.hidden || call(), MINUTE);
  signal?.addEventListener("abort", () => clearInterval(timer));
}
