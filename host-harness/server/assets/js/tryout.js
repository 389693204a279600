//! Owns: trying the bot's settings anew while somebody changes them.
//! Does not own: what it would do (the host).

import { part } from "./morph.js";

const PAUSE = 700;

export function tryout() {
  const form = document.querySelector("form[data-tryout]");
  if (!form?.querySelector("#tried")) return;
  let timer, running;
  const run = async () => {
    running?.abort();
    running = new AbortController();
    const fields = new URLSearchParams(new FormData(form));
    // A model costs money: it is asked by the button only.
    fields.delete("try_model");
    fields.delete("key");
    fields.set("do", "try");
    try {
      const answer = await part(form.action, { method: "POST", body: fields, signal: running.signal });
      const wanted = answer.body.querySelector("#tried");
      if (wanted) document.getElementById("tried").replaceChildren(...wanted.childNodes);
    } catch (error) {
      if (error.name !== "AbortError") throw error;
    }
  };
  const soon = (event) => {
    if (["key", "try_model"].includes(event.target.name)) return;
    clearTimeout(timer);
    timer = setTimeout(run, PAUSE);
  };
  form.addEventListener("input", soon);
  // What chooses for somebody, such as an assistive tool, may tell only of the change.
  form.addEventListener("change", soon);
  // Enter in a field of the try-out tries; it does not save.
  form.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !event.target.matches(".tryout input")) return;
    event.preventDefault();
    clearTimeout(timer);
    run();
  });
}
