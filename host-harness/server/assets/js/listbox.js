//! Owns: what is offered while somebody types: saved replies after `/`, colleagues after `@`, by keyboard and mouse.
//! Does not own: the replies and what is filled into them, the colleagues (the host).

const LISTS = [
  { id: "canned", starts: /(?:^|\s)\/(\S*)$/, words: (line) => `${line.dataset.shortcut} ${line.textContent}`, value: filled },
  { id: "mentions", starts: /(?:^|\s)@([^@\n]{0,40})$/, words: (line) => line.dataset.mention, value: async (line) => `@${line.dataset.mention} ` },
];

async function filled(line, form) {
  const answer = await fetch(`/inbox/${form.dataset.conversation}/canned/${line.dataset.canned}`);
  return answer.ok ? answer.text() : null;
}

// Returns what is to be done with a key in the text: whether it was for a list.
export function listboxes(form, text, on) {
  const offered = LISTS.map((list) => listbox(list, form, text, on));
  return (event) => event.target === text() && offered.some((takes) => takes(event));
}

function listbox({ id, starts, words, value }, form, text, on) {
  const list = () => form().querySelector(`#${id}`);
  const shown = () => [...list().children].filter((line) => !line.hidden);
  const marked = () => list().querySelector("[aria-selected=true]");
  const typed = () => starts.exec(text().value.slice(0, text().selectionStart));

  function mark(line) {
    for (const other of list().children) other.setAttribute("aria-selected", other === line);
    if (line) text().setAttribute("aria-activedescendant", line.id);
    line?.scrollIntoView({ block: "nearest" });
  }

  function hide() {
    list().hidden = true;
    text().removeAttribute("aria-activedescendant");
  }

  async function choose(line) {
    hide();
    const put = await value(line, form());
    const found = typed();
    if (put === null || !found) return;
    const end = text().selectionStart;
    text().setRangeText(put, end - found[1].length - 1, end, "end");
    text().dispatchEvent(new Event("input", { bubbles: true }));
    text().focus();
  }

  on("input", (event) => {
    if (event.target !== text() || !list()) return;
    const found = typed();
    hide();
    if (!found) return;
    const wanted = found[1].toLowerCase();
    for (const line of list().children) line.hidden = !words(line).toLowerCase().includes(wanted);
    if (!shown().length) return;
    list().hidden = false;
    mark(shown()[0]);
  });

  on("mousedown", (event) => {
    const line = event.target.closest(`#${id} [role=option]`);
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
    else if (event.key === "Tab" || (event.key === "Enter" && !event.ctrlKey && !event.metaKey)) choose(lines[Math.max(at, 0)]);
    else if (event.key === "Escape") hide();
    else return false;
    event.preventDefault();
    event.stopPropagation();
    return true;
  };
}
