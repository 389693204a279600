//! Owns: the list of emoji, loaded when somebody wants it: finding one by its name, its keys.
//! Does not own: the emoji and their names (the host), what becomes of the chosen one (`emoji`).

import { parse } from "./morph.js";

export async function picker() {
  const known = () => document.getElementById("emoji");
  if (known()) return known();
  const answer = await fetch("/inbox/emoji");
  const box = parse(await answer.text()).querySelector("#emoji");
  // It was pressed twice.
  if (known()) return known();
  document.body.append(box);
  const search = box.querySelector("input");
  search.addEventListener("input", () => find(box, search.value));
  box.addEventListener("keydown", (event) => move(event, box, search));
  return box;
}

const named = (button) => `${button.title} ${button.dataset.words}`.toLowerCase();

function find(box, typed) {
  const wanted = typed.trim().toLowerCase().split(/\s+/);
  const buttons = [...box.querySelectorAll("[data-emoji]")];
  for (const button of buttons) button.hidden = !wanted.every((word) => named(button).includes(word));
  for (const head of box.querySelectorAll("h3")) head.hidden = wanted[0] !== "";
  box.querySelector("#no-emoji").hidden = buttons.some((button) => !button.hidden);
}

function move(event, box, search) {
  if (event.key === "Escape") {
    event.preventDefault();
    event.stopPropagation();
    box.hidePopover();
    return;
  }
  const shown = [...box.querySelectorAll("[data-emoji]:not([hidden])")];
  const at = shown.indexOf(document.activeElement);
  const row = () => shown.filter((one) => one.offsetTop === shown[0].offsetTop).length || 1;
  const [onward, back] = document.dir === "rtl" ? ["ArrowLeft", "ArrowRight"] : ["ArrowRight", "ArrowLeft"];
  let next = null;
  if (event.key === "Enter" && event.target === search) shown[0]?.click();
  else if (event.key === "ArrowDown") next = at < 0 ? shown[0] : shown[Math.min(at + row(), shown.length - 1)];
  else if (event.key === "ArrowUp" && at >= 0) next = shown[at - row()] ?? search;
  else if (event.key === onward && at >= 0) next = shown[Math.min(at + 1, shown.length - 1)];
  else if (event.key === back && at >= 0) next = shown[Math.max(at - 1, 0)];
  else return;
  event.preventDefault();
  next?.focus();
}
