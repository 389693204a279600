//! Owns: offering saved replies after `/`, by keyboard and mouse.
//! Does not own: the replies and what is filled into them (the host).

// Returns what is to be done with a key in the text: whether it was for the list.
export function canned(form, text, changed) {
  const list = () => form().querySelector("#canned");
  const shown = () => [...list().children].filter((line) => !line.hidden);
  const marked = () => list().querySelector("[aria-selected=true]");

  function mark(line) {
    for (const other of list().children) other.setAttribute("aria-selected", other === line);
    text().setAttribute("aria-activedescendant", line?.id ?? "");
  }

  async function choose(line) {
    list().hidden = true;
    const answer = await fetch(`/inbox/${form().dataset.conversation}/canned/${line.dataset.canned}`);
    if (!answer.ok) return;
    text().value = await answer.text();
    text().dispatchEvent(new Event("input", { bubbles: true }));
    text().focus();
    changed();
  }

  document.addEventListener("input", (event) => {
    if (!list() || event.target !== text()) return;
    const typed = /^\/(\S*)$/.exec(text().value);
    list().hidden = true;
    if (!typed) return;
    const wanted = typed[1].toLowerCase();
    for (const line of list().children) {
      line.hidden = !`${line.dataset.shortcut} ${line.textContent}`.toLowerCase().includes(wanted);
    }
    list().hidden = !shown().length;
    mark(shown()[0]);
  });

  document.addEventListener("mousedown", (event) => {
    const line = event.target.closest("#canned [data-canned]");
    if (!line) return;
    event.preventDefault();
    choose(line);
  });

  return (event) => {
    if (!list() || list().hidden) return false;
    const lines = shown();
    const at = lines.indexOf(marked());
    if (event.key === "ArrowDown") mark(lines[(at + 1) % lines.length]);
    else if (event.key === "ArrowUp") mark(lines[(at + lines.length - 1) % lines.length]);
    else if (event.key === "Enter" || event.key === "Tab") choose(lines[Math.max(at, 0)]);
    else if (event.key === "Escape") list().hidden = true;
    else return false;
    event.preventDefault();
    event.stopPropagation();
    return true;
  };
}
