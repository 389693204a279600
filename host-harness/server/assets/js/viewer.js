//! Owns: looking at photos and documents without leaving the conversation: a dialog, its keys; a frame that is loaded when
//! it is opened.
//! Does not own: where they are.

export function viewer() {
  const dialog = document.getElementById("viewer");
  if (!dialog) return;
  // `toggle` does not bubble.
  const load = ({ target }) => {
    const frame = target.open && target.matches(".pdf") && target.querySelector("iframe:not([src])");
    if (frame) frame.src = frame.dataset.src;
  };
  document.addEventListener("toggle", load, true);
  const [image, count, open] = ["img", "[data-count]", "a"].map((one) => dialog.querySelector(one));
  let all = [];
  let at = 0;

  function show(index) {
    at = Math.max(0, Math.min(all.length - 1, index));
    const link = all[at];
    image.src = link.href;
    image.alt = link.querySelector("img")?.alt ?? "";
    open.href = link.href;
    count.textContent = `${at + 1} / ${all.length}`;
    dialog.querySelector("[data-step='-1']").disabled = at === 0;
    dialog.querySelector("[data-step='1']").disabled = at === all.length - 1;
  }

  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-viewer]");
    if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
      event.preventDefault();
      all = [...(link.closest("#log, #contact") ?? document).querySelectorAll("a[data-viewer]")];
      show(all.indexOf(link));
      dialog.showModal();
      return;
    }
    const step = event.target.closest("#viewer [data-step]");
    if (step) show(at + Number(step.dataset.step));
    // Beside the photo.
    else if (event.target === dialog || event.target.closest("#viewer [data-close]")) dialog.close();
  });
  dialog.addEventListener("keydown", (event) => {
    const forward = document.dir === "rtl" ? "ArrowLeft" : "ArrowRight";
    if (event.key === "ArrowLeft" || event.key === "ArrowRight") show(at + (event.key === forward ? 1 : -1));
  });
  // Focus goes back to the photo that was looked at last.
  dialog.addEventListener("close", () => [...document.querySelectorAll("a[data-viewer]")].find((link) => link.href === image.src)?.focus());
}
