//! Owns: choosing an emoji for what is written or for a reaction: the picker, the choice beside a message, their keys.
//! Does not own: the emoji and their names, which reactions there are (the host).

import { parse } from "./morph.js";

// Space between the button and what it opens, in pixels.
const GAP = 6;

export function emoji(form, on) {
  let field = null;
  let forReaction = false;
  on("focusin", (event) => {
    const typed = event.target.matches("textarea, input:not([type]), input[type=text]");
    if (typed && form().contains(event.target)) field = event.target;
  });

  on("click", async (event) => {
    const opens = event.target.closest("[data-emoji-open]");
    const reacts = event.target.closest("a[data-react]");
    const chosen = event.target.closest("[data-emoji]");
    if (reacts && document.getElementById("reactions")?.popover) {
      event.preventDefault();
      const box = document.getElementById("reactions");
      box.elements.message.value = reacts.dataset.react;
      open(box, reacts);
      box.querySelector("button").focus();
    } else if (opens) {
      forReaction = opens.dataset.emojiOpen === "reactions";
      const near = opens.getBoundingClientRect();
      const box = await picker();
      open(box, opens, near);
      box.querySelector("input").focus();
    } else if (chosen) {
      choose(chosen.dataset.emoji);
    }
  });

  on("submit", (event) => {
    if (event.target.id === "reactions" && event.target.matches(":popover-open")) event.target.hidePopover();
  });

  function choose(what) {
    document.getElementById("emoji").hidePopover();
    if (forReaction) {
      const box = document.getElementById("reactions");
      const value = Object.assign(document.createElement("input"), { type: "hidden", name: "what", value: what });
      box.append(value);
      box.requestSubmit();
      value.remove();
      return;
    }
    if (!field?.isConnected) field = form().elements.text;
    field.setRangeText(what, field.selectionStart, field.selectionEnd, "end");
    field.focus();
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }

  async function picker() {
    const known = document.getElementById("emoji");
    if (known) return known;
    const answer = await fetch("/inbox/emoji");
    const box = parse(await answer.text()).querySelector("#emoji");
    document.body.append(box);
    const search = box.querySelector("input");
    search.addEventListener("input", () => find(box, search.value));
    box.addEventListener("keydown", (event) => move(event, box, search));
    return box;
  }
}

// Shows a box beside what opened it, within the page.
function open(box, from, near = from.getBoundingClientRect()) {
  box.showPopover();
  const { width, height } = box.getBoundingClientRect();
  const above = near.top - height - GAP;
  box.style.top = `${Math.max(GAP, above < GAP ? Math.min(near.bottom + GAP, innerHeight - height - GAP) : above)}px`;
  box.style.left = `${Math.max(GAP, Math.min(near.left, innerWidth - width - GAP))}px`;
  box.addEventListener("toggle", (event) => event.newState === "closed" && from.isConnected && !document.activeElement?.closest("#composer") && from.focus(), { once: true });
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
  let next = null;
  if (event.key === "Enter" && event.target === search) shown[0]?.click();
  else if (event.key === "ArrowDown") next = at < 0 ? shown[0] : shown[Math.min(at + row(), shown.length - 1)];
  else if (event.key === "ArrowUp" && at >= 0) next = shown[at - row()] ?? search;
  else if (event.key === "ArrowRight" && at >= 0) next = shown[Math.min(at + 1, shown.length - 1)];
  else if (event.key === "ArrowLeft" && at >= 0) next = shown[Math.max(at - 1, 0)];
  else return;
  event.preventDefault();
  next?.focus();
}
