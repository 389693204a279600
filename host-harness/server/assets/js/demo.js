//! Owns: the demo's phone without leaving the page: what the customer does, and what changes there.
//! Does not own: the inbox beside it (`live`).

import "./inbox.js";
import { loaded } from "./morph.js";
import { again } from "./renew.js";

demo();

function demo() {
  const inbox = document.querySelector("[data-demo]");
  if (!inbox) return;

  async function look() {
    const body = await loaded(`/demo/phone${location.search}`);
    for (const id of ["phone", "clock"]) {
      const [old, next] = [document.getElementById(id), body?.querySelector(`#${id}`)];
      if (old && next && !old.isEqualNode(next)) put(old, next);
    }
  }

  // What is typed, what has the focus and what is looked at stay.
  function put(old, next) {
    const at = old.contains(document.activeElement) ? document.activeElement : null;
    const scroll = old.querySelector(".scroll")?.scrollTop;
    const [typed, field] = [old, next].map((one) => one.querySelector("#phone-text"));
    if (field && typed) field.value = typed.value;
    for (const { name, value } of next.attributes) old.setAttribute(name, value);
    old.replaceChildren(...next.childNodes);
    if (scroll) old.querySelector(".scroll").scrollTop = scroll;
    if (at) again(old, at)?.focus({ preventScroll: true });
  }

  // Without a connection nothing changes here; the inbox says so.
  const looks = () => look().catch(() => {});

  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (!form.matches("form[data-phone]")) return;
    event.preventDefault();
    const fields = new URLSearchParams(new FormData(form, event.submitter));
    const writes = fields.get("do") === "text";
    if (form.dataset.sending === `${fields}`) return;
    form.dataset.sending = fields;
    const field = () => document.getElementById("phone-text");
    try {
      if (writes) field().value = "";
      await fetch(form.action, { method: "POST", body: fields, redirect: "manual" });
      // With the clock everything changes that depends on time; what is being written is in the draft.
      if (fields.has("hours")) location.reload();
      else await looks();
    } catch {
      // It was not said: it stands where it was written, and a switch is as it was.
      if (writes) field().value ||= fields.get("text");
      else event.target.reset();
      document.getElementById("offline")?.removeAttribute("hidden");
    } finally {
      delete form.dataset.sending;
    }
  });
  document.addEventListener("change", (event) => event.target.closest("[data-instant-act]")?.requestSubmit());
  document.addEventListener("changed", () => {
    looks();
    // The first message makes the conversation.
    if (!inbox.dataset.live) location.reload();
  });
  setInterval(() => document.hidden || looks(), 2000);
}
