//! Owns: the keys: moving through the list and the messages, going to pages. `/help` lists them.
//! Does not own: what happens on the pages.

import { preference } from "./look.js";

// Where `G` and another letter lead.
const PLACES = { i: "/inbox", c: "/channels", b: "/bot", p: "/plugins", s: "/settings" };

export function keys() {
  let gone = -Infinity;
  document.addEventListener("keydown", (event) => {
    // A dialog has keys of its own, and so have what opens over the page and a list of choices.
    if (document.querySelector("dialog[open], :popover-open")) return;
    const field = event.target.closest?.("input, textarea, select, [contenteditable]");
    if (event.key === "Escape") return escape(field);
    if (event.altKey && (event.key === "ArrowUp" || event.key === "ArrowDown") && !field?.matches("select, input")) return step(event);
    if (event.ctrlKey || event.metaKey || event.altKey || field) return;
    if (preference("keys") === "off") return;
    const key = event.key.toLowerCase();
    const inMessage = event.target.closest?.(".item[data-message]");
    if (performance.now() - gone < 1000 && key in PLACES) go(PLACES[key]);
    else if (key === "g") gone = performance.now();
    else if (event.key === "?") location.href = "/help";
    else if (key === "j" || event.key === "ArrowDown" && inList(event)) move(1);
    else if (key === "k" || event.key === "ArrowUp" && inList(event)) move(-1);
    else if (key === "r" && inMessage) inMessage.dispatchEvent(new CustomEvent("answer", { bubbles: true }));
    else if (key === "+" && inMessage) inMessage.querySelector("[data-react]")?.click();
    else if (key === "r") document.getElementById("text")?.focus();
    else if (key === "n") document.getElementById("note")?.click();
    else if (key === "e") document.getElementById("close")?.click();
    else if (key === "a") document.getElementById("assignee")?.focus();
    else if (key === "l") document.getElementById("label")?.focus();
    else if (key === "x") (event.target.closest?.(".row") ?? document.querySelector(".row:has([aria-current])"))?.querySelector(".pick")?.dispatchEvent(new MouseEvent("click", { bubbles: true, shiftKey: event.shiftKey }));
    else if (key === "u") document.getElementById("mark-unread")?.click();
    else if (key === "/") document.getElementById("search")?.focus();
    else if (key === "i") location.hash = location.hash === "#contact" ? "#main" : "#contact";
    else return;
    event.preventDefault();
  });
}

// Only to what the navigation has for whoever is signed in.
const go = (place) => document.querySelector(`.rail a[href="${place}"]:not(.brand)`)?.click();

const inList = (event) => event.target.closest?.(".list");

function escape(field) {
  if (field) field.blur();
  else if (location.hash === "#contact") location.hash = "#main";
  else (document.querySelector(".row a[aria-current]") ?? document.querySelector(".row a"))?.focus();
}

// The next or the previous conversation.
function move(by) {
  const rows = [...document.querySelectorAll(".row > a")];
  if (!rows.length) return;
  const now = rows.indexOf(document.activeElement) >= 0 ? rows.indexOf(document.activeElement) : rows.findIndex((row) => row.ariaCurrent);
  rows[Math.max(0, Math.min(rows.length - 1, now + by))].focus();
}

// The next or the previous message.
function step(event) {
  const items = [...document.querySelectorAll("#log .item")];
  if (!items.length) return;
  event.preventDefault();
  const at = items.indexOf(document.activeElement?.closest(".item"));
  const next = at < 0 ? items.length - 1 : at + (event.key === "ArrowUp" ? -1 : 1);
  items[Math.max(0, Math.min(items.length - 1, next))].focus();
}
