//! Owns: the list's own controls: choosing many conversations, the reader's saved views.
//! Does not own: loading the list (`live`).

const VIEWS = "views";
const MOST = 20;

export function list() {
  const pane = document.getElementById("list");
  if (!pane) return;
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
  views();
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

// Views are kept in this browser: a name, and the query of the list.
function views() {
  const place = document.getElementById("saved-views");
  if (!place) return;
  const read = () => {
    try {
      return JSON.parse(localStorage.getItem(VIEWS)) ?? [];
    } catch {
      return [];
    }
  };
  const draw = () => {
    const all = read();
    document.getElementById("no-views").hidden = all.length > 0;
    place.replaceChildren(
      ...all.map(({ name, query }) => {
        const [line, link, remove] = ["li", "a", "button"].map((tag) => document.createElement(tag));
        line.className = "line";
        link.className = "btn quiet small";
        link.href = `/inbox${query}`;
        link.textContent = name;
        link.dir = "auto";
        remove.className = "btn icon small quiet";
        remove.type = "button";
        remove.setAttribute("aria-label", place.dataset.remove.replace("{name}", name));
        remove.textContent = "×";
        remove.addEventListener("click", () => write(read().filter((one) => one.name !== name)));
        line.append(link, remove);
        return line;
      }),
    );
  };
  const write = (all) => {
    localStorage.setItem(VIEWS, JSON.stringify(all.slice(-MOST)));
    draw();
  };
  document.getElementById("save-view").addEventListener("submit", (event) => {
    event.preventDefault();
    const name = event.target.elements.name.value.trim();
    const query = document.querySelector("[data-live]").dataset.query;
    if (name) write([...read().filter((one) => one.name !== name), { name, query }]);
    event.target.reset();
  });
  draw();
}
