//! Owns: an emoji for what is written or for a reaction: opening the choices, what becomes of the chosen one.
//! Does not own: the list of emoji (`picker`), which reactions there are (the host).

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
      const { picker } = await import("./picker.js");
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
