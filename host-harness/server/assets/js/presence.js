//! Owns: telling the host that this page has a conversation open, and showing who else has.
//! Does not own: the messages (`live`).

import { parse } from "./morph.js";

const EVERY_MS = 10000;
const WRITES_MS = 6000;

export function presence(signal) {
  const conversation = document.querySelector("[data-live]")?.dataset.live;
  if (!conversation || !document.getElementById("presence")) return;
  const tab = crypto.randomUUID?.() ?? String(Math.random()).slice(2);
  let writing = 0;
  let idle;

  async function say() {
    const fields = new URLSearchParams({ tab });
    const note = document.getElementById("composer")?.hasAttribute("data-note");
    if (writing > performance.now()) fields.set("writes", note ? "note" : "reply");
    try {
      const answer = await fetch(`/inbox/${conversation}/here`, { method: "POST", body: fields, signal });
      const drawn = answer.ok && parse(await answer.text()).querySelector("#presence");
      const place = document.getElementById("presence");
      if (drawn && place && !drawn.isEqualNode(place)) place.replaceWith(drawn);
    } catch {
      // The stream says that there is no connection. Or another conversation is open.
    }
  }

  document.addEventListener("input", (event) => {
    if (event.target.id !== "text") return;
    const began = writing < performance.now();
    writing = performance.now() + WRITES_MS;
    clearTimeout(idle);
    idle = setTimeout(say, WRITES_MS + 100);
    if (began) say();
  }, { signal });
  document.addEventListener("submit", (event) => {
    if (event.target.id !== "composer" || !writing) return;
    writing = 0;
    say();
  }, { signal });
  document.addEventListener("present", (event) => (event.detail === "*" || event.detail === conversation) && say(), { signal });
  const again = setInterval(() => document.hidden || say(), EVERY_MS);
  const gone = () => navigator.sendBeacon(`/inbox/${conversation}/here`, new URLSearchParams({ tab, gone: "1" }));
  addEventListener("pagehide", gone, { signal });
  signal.addEventListener("abort", () => {
    clearInterval(again);
    clearTimeout(idle);
    gone();
  });
  say();
}
