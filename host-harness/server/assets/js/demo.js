//! Owns: the demo's phone without leaving the page: what the customer does, and what changes there.
//! Does not own: the inbox beside it (`live`).

import "./inbox.js";
import { part } from "./morph.js";

demo();

function demo() {
  const inbox = document.querySelector("[data-demo]");
  if (!inbox) return;

  async function look() {
    const { ok, body } = await part(`/demo/phone${location.search}`);
    if (!ok) return;
    for (const id of ["phone", "clock"]) {
      const [old, next] = [document.getElementById(id), body.querySelector(`#${id}`)];
      if (old.isEqualNode(next)) continue;
      const field = next.querySelector("#phone-text");
      const typed = document.getElementById("phone-text");
      const focused = old.contains(document.activeElement) ? document.activeElement : null;
      if (field && typed) field.value = typed.value;
      old.replaceWith(next);
      if (focused?.id) document.getElementById(focused.id)?.focus();
    }
  }

  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (!form.matches("form[data-phone]")) return;
    event.preventDefault();
    const fields = new URLSearchParams(new FormData(form, event.submitter));
    const text = form.querySelector("#phone-text");
    if (text && fields.get("do") === "text") text.value = "";
    await fetch(form.action, { method: "POST", body: fields, redirect: "manual" });
    // With the clock everything changes that depends on time; what is being written is in the draft.
    if (fields.has("hours")) location.reload();
    else await look();
  });
  document.addEventListener("change", (event) => event.target.closest("[data-instant-act]")?.requestSubmit());
  document.addEventListener("changed", () => {
    look();
    // The first message makes the conversation.
    if (!inbox.dataset.live) location.reload();
  });
  setInterval(() => document.hidden || look(), 2000);
}
