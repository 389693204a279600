//! Owns: where attached files come from: choosing, pasting, dropping; the buttons beside them.
//! Does not own: what becomes of them (`upload`).

import { toast } from "./toast.js";

// How many are under way in each conversation, whichever is open.
const underWay = new Map();

// Returns whether any are under way in this one.
export function files(form, drafts, on) {
  const { conversation } = form().dataset;
  const count = (by) => underWay.set(conversation, (underWay.get(conversation) ?? 0) + by).get(conversation);
  let uploads = null;
  async function loaded(call) {
    count(1);
    try {
      uploads ??= (await import("./upload.js")).uploads(form, drafts, cleared, changed);
      await call(uploads);
    } catch {
      toast(form().dataset.uploadFailed);
    } finally {
      count(-1);
    }
  }

  // Without what was said about files before.
  function cleared() {
    const place = form().querySelector("#files");
    place.querySelector("#refused-files").replaceChildren();
    place.hidden = !place.querySelector("li");
  }

  // What is attached is part of what is checked and kept.
  function changed() {
    form().elements.text.dispatchEvent(new Event("input", { bubbles: true }));
  }

  function all(list) {
    // The list of a field or of a transfer is gone before the module has come.
    const given = [...list];
    if (form().querySelector("#files")) loaded((to) => to.all(given));
    else toast(form().dataset.noFiles);
  }

  on("change", (event) => {
    const [file] = event.target.files ?? [];
    if (event.target.matches("[data-card-picture]")) return loaded((to) => to.picture(file));
    if (event.target.id !== "choose") return;
    all(event.target.files);
    event.target.value = "";
  });
  on("paste", (event) => {
    const pasted = event.clipboardData?.files ?? [];
    if (!pasted.length || !form().contains(event.target)) return;
    event.preventDefault();
    all(pasted);
  });
  const pane = document.querySelector(".thread");
  pane?.addEventListener("dragover", (event) => {
    if (![...event.dataTransfer.types].includes("Files")) return;
    event.preventDefault();
    pane.dataset.drop = "";
  });
  pane?.addEventListener("dragleave", () => delete pane.dataset.drop);
  pane?.addEventListener("drop", (event) => {
    delete pane.dataset.drop;
    if (!event.dataTransfer.files.length) return;
    event.preventDefault();
    all(event.dataTransfer.files);
  });
  on("click", (event) => {
    const button = event.target.closest("[data-remove-file], [data-move-file]");
    if (!button) return;
    const line = button.closest("li");
    if (button.matches("[data-move-file]")) {
      line.previousElementSibling?.before(line);
      button.focus();
    } else {
      line.remove();
      cleared();
      form().elements.text.focus();
    }
    changed();
  });
  return () => count(0) > 0;
}
