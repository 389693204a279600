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

// One that stays until somebody presses something in it, as the host drew it. There is one of each kind.
export function stays(drawn, kind) {
  document.querySelector(`body > [${kind}]`)?.remove();
  const line = document.importNode(drawn, true);
  line.hidden = false;
  line.addEventListener("click", (event) => event.target.closest("a, button") && line.remove());
  document.body.append(line);
}
