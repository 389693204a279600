//! Owns: where attached files come from: choosing, pasting, dropping; the buttons beside them.
//! Does not own: what becomes of them (`upload`).

import { toast } from "./toast.js";

export function files(form, drafts, on) {
  let loaded = null;
  async function loadedFor(call) {
    try {
      const { uploads } = await import("./upload.js");
      loaded ??= uploads(form, drafts);
    } catch {
      return toast(form().dataset.uploadFailed);
    }
    call(loaded);
  }
  // The list of a field or of a transfer is gone before the module has come.
  function all(list) {
    const given = [...list];
    loadedFor((to) => to.all(given));
  }

  on("change", (event) => {
    const [file] = event.target.files ?? [];
    if (event.target.matches("[data-card-picture]")) return loadedFor((to) => to.picture(file));
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
    const line = button?.closest("li");
    if (button?.matches("[data-move-file]")) loadedFor((to) => to.moveUp(line, button));
    else if (button) loadedFor((to) => to.remove(line));
  });
}
