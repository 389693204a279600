//! Owns: the list's own controls: choosing many conversations.
//! Does not own: loading the list (`live`).

export function list() {
  const pane = document.getElementById("list");
  if (!pane) return;
  document.addEventListener("listed", count);
  pane.addEventListener("change", (event) => event.target.matches(".pick") && count());
  pane.addEventListener("click", (event) => {
    const button = event.target.closest("[data-pick]");
    if (button) pick(button.dataset.pick);
    // With Shift, everything between the last one and this one is chosen.
    const box = event.target.closest(".pick");
    if (!box) return;
    const boxes = picks();
    const [from, to] = [boxes.indexOf(list.last), boxes.indexOf(box)].sort((a, b) => a - b);
    if (event.shiftKey && box.checked && from >= 0) for (const one of boxes.slice(from, to + 1)) one.checked = true;
    list.last = box;
    count();
  });
}

const picks = () => [...document.querySelectorAll(".pick")];

// Chooses all that are shown, or none.
export function pick(which) {
  for (const box of picks()) box.checked = which === "all";
  count();
}

function count() {
  const words = document.getElementById("selected");
  const chosen = picks().filter((box) => box.checked).length;
  if (words && chosen) words.textContent = words.dataset.words.replace("{n}", chosen);
}
