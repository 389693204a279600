//! Owns: short sentences at the bottom of the page, about what happened elsewhere.
//! Does not own: the words, which the host gives.

const SHOWN_MS = 8000;

// A sentence that goes by itself.
export function toast(text) {
  if (!text) return;
  const line = document.createElement("div");
  line.className = "toast";
  line.setAttribute("role", "alert");
  line.textContent = text;
  document.body.append(line);
  setTimeout(() => line.remove(), SHOWN_MS);
}

// One about a message that was not sent, as the host drew it, which stays until somebody presses something in it. There is
// one for each conversation.
export function notSent(drawn, isLost, isKept) {
  const line = document.importNode(drawn, true);
  const words = line.querySelector("span");
  if (isLost) words.textContent = words.dataset.lost;
  if (!isKept) line.querySelector("[data-kept]")?.remove();
  looksAt(line.querySelector("a").href);
  line.hidden = false;
  line.addEventListener("click", (event) => event.target.closest("a, button") && line.remove());
  const all = document.querySelector("body > .toasts") ?? document.createElement("div");
  all.className = "toasts";
  all.append(line);
  document.body.append(all);
}

// Somebody looks at the draft at this address, and needs not be told of it.
export function looksAt(address) {
  for (const line of document.querySelectorAll(".toasts > *")) if (line.querySelector("a").href === address) line.remove();
}
