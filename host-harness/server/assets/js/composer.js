//! Owns: the composer: counting, sending without leaving the page, drafts, what is answered.
//! Does not own: files (`files`), whether the channel takes the message (the host says so beside each field).

import { canned } from "./canned.js";
import { files } from "./files.js";
import { parse } from "./morph.js";

const encoder = new TextEncoder();

// The length of a text in a channel's unit.
export function measure(text, unit) {
  if (unit === "bytes") return encoder.encode(text).length;
  if (unit === "utf16_units") return text.length;
  return [...text].length;
}

export function composer(log) {
  let form = document.getElementById("composer");
  if (!form?.matches("form")) return;
  const key = `draft-${form.dataset.conversation}`;
  const text = () => form.elements.text;
  if (!text().value) text().value = localStorage.getItem(key) ?? "";
  count();
  files(() => form);

  function count() {
    const counter = form.querySelector("#count");
    if (counter?.dataset.max) {
      const used = measure(text().value.trim(), counter.dataset.unit);
      const max = Number(counter.dataset.max);
      counter.firstElementChild.textContent = counter.dataset.words.replace("{used}", used.toLocaleString());
      if (used > max) counter.dataset.tone = "warn";
      else if (used > max * 0.9) counter.dataset.tone = "closing";
      else delete counter.dataset.tone;
      const split = form.querySelector("#split");
      split.hidden = used <= max;
      split.lastElementChild.textContent = form.dataset.split.replace("{n}", Math.ceil(used / max));
    }
    for (const field of form.querySelectorAll("input[name=quick]")) {
      const counter = field.nextElementSibling;
      if (!counter || !field.dataset.max) continue;
      const used = measure(field.value, field.dataset.unit);
      counter.firstElementChild.textContent = `${used}/${field.dataset.max}`;
      if (used > Number(field.dataset.max)) counter.dataset.tone = "fail";
      else delete counter.dataset.tone;
    }
    const preview = form.querySelector("#preview-text");
    if (preview) preview.textContent = text().value;
    const quick = form.querySelector("#preview-quick");
    quick?.replaceChildren(
      ...[...form.querySelectorAll("input[name=quick]")].filter((field) => field.value).map((field) => {
        const line = document.createElement("li");
        line.textContent = field.value;
        return line;
      }),
    );
  }

  document.addEventListener("input", (event) => {
    if (!form.contains(event.target)) return;
    count();
    if (text().value) localStorage.setItem(key, text().value);
    else localStorage.removeItem(key);
  });

  document.addEventListener("keydown", (event) => {
    if (event.target !== text() || event.isComposing || saved(event) || event.key !== "Enter") return;
    const enter = localStorage.getItem("enter-sends") === "yes" && !event.shiftKey;
    if (event.ctrlKey || event.metaKey || enter) {
      event.preventDefault();
      form.requestSubmit(form.querySelector("#send"));
    }
  });

  const saved = canned(() => form, text, count);
  let busy = false;
  document.addEventListener("submit", async (event) => {
    if (event.target !== form) return;
    // A note is a page of its own; the draft is gone when it is written.
    if (form.matches("[data-note]")) return localStorage.removeItem(key);
    event.preventDefault();
    if (busy) return;
    busy = true;
    const fields = new URLSearchParams(new FormData(form, event.submitter));
    const sticker = event.submitter?.name === "sticker";
    form.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(`${form.action}?part=composer`, { method: "POST", body: fields });
      const drawn = parse(await answer.text()).querySelector("#composer");
      if (drawn) {
        const typed = text().value;
        form.replaceWith(drawn);
        form = drawn;
        // A heart is sent by itself; what was being written stays.
        if (sticker && answer.ok) text().value = typed;
        else if (answer.ok) localStorage.removeItem(key);
        count();
      }
      document.getElementById("offline")?.setAttribute("hidden", "");
      const invalid = form.querySelector('[aria-invalid="true"]') ?? text();
      invalid.focus();
      await log.refresh();
    } catch {
      // Nothing is lost: the text is in the field and in the draft, and the same key makes it one reply.
      document.getElementById("offline")?.removeAttribute("hidden");
    } finally {
      busy = false;
      form.removeAttribute("aria-busy");
    }
  });

  // What is answered: a message of the log, or a comment in private.
  document.addEventListener("click", (event) => {
    const comment = event.target.closest("[data-comment]");
    const forget = event.target.closest("[data-forget]");
    if (comment) {
      event.preventDefault();
      answer({ comment: comment.dataset.comment }, form.querySelector("#answered").dataset.private);
    } else if (forget && form.contains(forget)) {
      event.preventDefault();
      answer({}, "");
    }
  });

  function answer({ message = "", comment = "" }, words) {
    const line = form.querySelector("#answered");
    line.querySelector("[name=reply_to]").value = message;
    line.querySelector("[name=comment]").value = comment;
    line.querySelector(".cut").textContent = words;
    line.hidden = !message && !comment;
    text().focus();
  }

  document.addEventListener("answer", (event) => {
    const item = event.target.closest(".item[data-message]");
    if (!item) return;
    const said = item.querySelector(".bubble")?.innerText ?? "";
    answer({ message: item.dataset.message }, form.querySelector("#answered").dataset.words.replace("{text}", said.slice(0, 120)));
  });
}
