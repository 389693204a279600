//! Owns: copying a value that is shown in a field, and bringing what a page has to say into view and focus.
//! Does not own: the values.

export function copy() {
  document.querySelector(".page > .tabs [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
  // Browsers do this by themselves only for the first page that they load.
  document.querySelector("[autofocus]:not(dialog *)")?.focus();
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    const field = document.getElementById(button.dataset.copy);
    field.select();
    try {
      await navigator.clipboard.writeText(field.value);
      button.querySelector("span").textContent = button.dataset.copied;
    } catch {
      // Not allowed here: the value is selected, and can be copied by hand.
      field.focus();
    }
  });
}
