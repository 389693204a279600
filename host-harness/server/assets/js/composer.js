//! Owns: the composer: counting, checking while somebody types, sending without leaving the page, what is answered.
//! Does not own: drafts (`draft`), files (`files`), lists after `/` and `@` (`listbox`), emoji (`emoji`), whether the channel
//! takes the message (the host says so beside each field).

import { draft } from "./draft.js";
import { emoji } from "./emoji.js";
import { files } from "./files.js";
import { listboxes } from "./listbox.js";
import { prefer, preference } from "./look.js";
import { parse } from "./morph.js";
import { everyMinute } from "./times.js";
import { stays, toast } from "./toast.js";

const encoder = new TextEncoder();
// From this share of the limit on the counter says so.
const EARLY = 0.9;
// How long nothing is typed before the channel is asked, in milliseconds.
const PAUSE = 250;
// The longest time that a timer takes, in milliseconds.
const LONGEST = 2 ** 31 - 1;

// The length of a text in a channel's unit.
export function measure(text, unit) {
  if (unit === "bytes") return encoder.encode(text).length;
  if (unit === "utf16_units") return text.length;
  return [...text].length;
}

// The composer on the page, until the signal ends it. What is on its way then goes on: a reply, and a file into the draft.
export function composer(log, signal) {
  let form = document.getElementById("composer");
  if (!form?.matches("form")) return;
  const text = () => form.elements.text;
  const isNote = form.matches("[data-note]");
  const drafts = draft(form.dataset.conversation);
  const on = (kind, call) => document.addEventListener(kind, call, { signal });
  const inLists = listboxes(() => form, text, on);
  files(() => form, drafts, on);
  emoji(() => form, on);
  let checking = null;
  let timer = 0;
  let end = 0;
  let busy = false;
  // A key under which nothing was sent.
  let unused = "";
  drawn();
  restore(drafts.kept());

  // What a newly drawn composer needs.
  function drawn() {
    if (!("tried" in form.dataset)) unused = form.elements?.key?.value ?? "";
    count();
    const choice = form.querySelector("#enter-sends");
    if (choice) choice.checked = preference("enter") === "sends";
    watchEnd();
  }

  function put(found) {
    if ("tried" in form.dataset && found.elements?.key?.value === form.elements?.key?.value) found.dataset.tried = "";
    form.replaceWith(found);
    form = found;
    drawn();
  }

  // The channel is asked again when the window ends.
  function watchEnd() {
    clearTimeout(end);
    const left = Number(form.querySelector("#window")?.dataset.endsIn);
    if (left) end = setTimeout(check, Math.min(left + 500, LONGEST));
  }

  function count() {
    const counter = form.querySelector("#count");
    if (counter?.dataset.max) {
      const used = measure(text().value.trim(), counter.dataset.unit);
      counter.firstElementChild.textContent = counter.dataset.words.replace("{used}", used.toLocaleString());
      if (used > counter.dataset.max * EARLY) counter.dataset.tone = "closing";
      else delete counter.dataset.tone;
    }
    for (const field of form.querySelectorAll("input[data-max]")) {
      const counter = field.parentElement.querySelector("[data-counter]");
      const used = measure(field.value, field.dataset.unit);
      counter.firstElementChild.textContent = `${used}/${field.dataset.max}`;
      if (used > Number(field.dataset.max)) counter.dataset.tone = "fail";
      else delete counter.dataset.tone;
    }
  }

  // The customer wrote again after the conversation was closed: it goes on in another one.
  on("continued", () => isNote || check());

  const fields = (submitter) => new URLSearchParams(new FormData(form, submitter));

  // Asks the channel, through the host, what would become of what stands there. The newest question wins.
  async function check() {
    if (isNote || busy) return;
    clearTimeout(timer);
    checking?.abort();
    checking = new AbortController();
    const asked = form;
    try {
      const options = { method: "POST", body: fields(), signal: checking.signal };
      const answer = await fetch(`${form.action}?part=check`, options);
      const found = parse(await answer.text()).querySelector("#composer");
      if (answer.ok && found && asked === form) renew(found);
    } catch {
      // It is asked again with the next letter, and before anything is sent.
    }
  }

  function later() {
    clearTimeout(timer);
    timer = setTimeout(check, PAUSE);
  }

  // Brings what the host says about the message up to date. What somebody types into stays as it is.
  function renew(found) {
    const closed = (one) => one.querySelector(".closedbox")?.id;
    if (closed(form) !== closed(found)) return put(found);
    for (const old of form.querySelectorAll("[data-live]")) {
      const next = found.querySelector(`#${old.id}`);
      if (next && !old.isEqualNode(next) && !old.contains(document.activeElement)) old.replaceWith(next);
    }
    for (const field of form.querySelectorAll("[id][aria-describedby]")) {
      const wrong = found.querySelector(`#${field.id}`)?.getAttribute("aria-invalid");
      if (wrong) field.setAttribute("aria-invalid", wrong);
      else field.removeAttribute("aria-invalid");
    }
    watchEnd();
  }

  // Puts a draft back: one of text alone at once, one of more as the host draws it.
  async function restore(kept) {
    if (!kept) return;
    const values = new URLSearchParams(kept);
    const tried = values.get("key");
    values.delete("key");
    if (tried) {
      form.elements.key.value = tried;
      form.dataset.tried = "";
    }
    const rest = [...values.keys()].some((name) => name !== "text");
    if (!rest || isNote) {
      if (!text().value) text().value = values.get("text") ?? "";
      count();
      return later();
    }
    await draw(values, form.elements.key.value);
  }

  // What was written here was sent somewhere else.
  async function empty() {
    text().value = "";
    count();
    if (isNote) return;
    delete form.dataset.tried;
    form.elements.key.value = unused;
    await draw(new URLSearchParams(), unused);
  }

  async function draw(values, key) {
    values.set("key", key);
    // Without a connection what can be shown is there, and the rest is in the draft.
    await send("check", values, null).catch(() => {});
  }

  // Sends the form and puts the answer in its place. Says whether it was taken.
  async function send(part, values, submitter) {
    const asked = form;
    const before = text().value;
    const answer = await fetch(`${form.action}?part=${part}`, { method: "POST", body: values });
    const page = parse(await answer.text());
    const found = page.querySelector("#composer");
    if (asked !== form) return false;
    if (!found) {
      if (part === "composer" && !signal.aborted) refused(answer, page);
      return false;
    }
    const now = text().value;
    put(found);
    // A heart is sent by itself; what was being written stays, and so does what was typed meanwhile.
    if (submitter?.name === "sticker" && answer.ok) text().value = now;
    else if (now !== before) text().value = now;
    count();
    return answer.ok;
  }

  // Not a word about the message. It is in the draft.
  function refused(answer, page) {
    // Signed out: the page itself says so.
    if (answer.redirected) location.reload();
    else toast(page.querySelector("h1")?.textContent);
  }

  on("input", (event) => {
    if (!form.contains(event.target)) return;
    count();
    drafts.keep(form);
    later();
  });
  on("change", (event) => {
    if (event.target.id === "enter-sends") prefer("enter", event.target.checked ? "sends" : "");
    else if (form.contains(event.target) && event.target.matches("select")) later();
  });
  // What is written in another tab is here too, once it pauses there.
  let elsewhere = 0;
  drafts.elsewhere(() => {
    clearTimeout(elsewhere);
    elsewhere = setTimeout(() => {
      const kept = drafts.kept();
      if (!kept) return empty();
      text().value = "";
      restore(kept);
    }, PAUSE);
  }, signal);

  on("keydown", (event) => {
    if (event.isComposing || event.keyCode === 229 || !form.contains(event.target)) return;
    const tool = event.altKey && !event.ctrlKey && { q: "#tool-quick", b: "#tool-buttons", c: "#tool-cards" }[event.key.toLowerCase()];
    if (tool) {
      event.preventDefault();
      form.querySelector(tool)?.click();
      return;
    }
    if (inLists(event) || event.key !== "Enter") return;
    if (event.target.name === "quick" && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      form.querySelector("#add-quick")?.click();
      return;
    }
    const enter = event.target === text() && preference("enter") === "sends" && !event.shiftKey;
    if (event.ctrlKey || event.metaKey || enter) {
      event.preventDefault();
      form.requestSubmit(form.querySelector("#send"));
    }
  });

  on("submit", async (event) => {
    if (event.target !== form) return;
    event.preventDefault();
    if (busy) return;
    busy = true;
    clearTimeout(timer);
    checking?.abort();
    const submitter = event.submitter;
    const changes = submitter?.name === "change";
    form.setAttribute("aria-busy", "true");
    const notSent = form.querySelector("[data-not-sent]");
    if (!changes) {
      if (!isNote) form.dataset.tried = "";
      drafts.keep(form);
    }
    const sent = drafts.kept();
    let taken = false;
    try {
      taken = isNote ? await add() : await send("composer", fields(submitter), submitter);
      document.getElementById("offline")?.setAttribute("hidden", "");
      const all = taken && !changes && submitter?.name !== "sticker";
      // Elsewhere meanwhile, or back again, where something else may have been written since.
      if (signal.aborted || isNote) all && drafts.sent(sent);
      else if (all && !text().value) drafts.forget();
      else drafts.keep(form);
      const next = changes ? form.dataset.next && document.getElementById(form.dataset.next) : form.querySelector('[aria-invalid="true"]');
      (next || text()).focus();
      // Not waited for: the next thing may be done before the log is drawn.
      if (!changes) log.refresh();
    } catch {
      // Nothing is lost: the text is in the field and in the draft, and the same key makes it one reply.
      document.getElementById("offline")?.removeAttribute("hidden");
    } finally {
      busy = false;
      form.removeAttribute("aria-busy");
      // Somebody is in another conversation by now, and would not see it.
      if (signal.aborted && !taken && !changes && notSent) stays(notSent, "data-not-sent");
    }
  });

  // Adds a note. It is in the log then, beside the composer for answers. Says whether it was taken.
  async function add() {
    const answer = await fetch(form.action, { method: "POST", body: fields() });
    const taken = answer.ok && form.action === `${answer.url.split(/[?#]/)[0]}/notes`;
    if (signal.aborted) return taken;
    if (taken) location.assign(answer.url);
    else refused(answer, parse(await answer.text()));
    return taken;
  }

  // What is answered: a message of the log, or a comment in private. What starts a list.
  on("click", (event) => {
    const comment = event.target.closest("[data-comment]");
    const forget = event.target.closest("[data-forget]");
    const types = event.target.closest("[data-type]");
    const answers = event.target.closest("[data-answer]");
    if (comment) {
      event.preventDefault();
      answer({ comment: comment.dataset.comment }, form.querySelector("#answered")?.dataset.private);
    } else if (answers) {
      event.preventDefault();
      answers.dispatchEvent(new CustomEvent("answer", { bubbles: true }));
    } else if (forget && form.contains(forget)) {
      event.preventDefault();
      answer({}, "");
    } else if (types && form.contains(types)) {
      const field = text();
      const before = field.value.slice(0, field.selectionStart);
      field.setRangeText((/\S$/.test(before) ? " " : "") + types.dataset.type, field.selectionStart, field.selectionEnd, "end");
      field.focus();
      field.dispatchEvent(new Event("input", { bubbles: true }));
    }
  });

  function answer({ message = "", comment = "" }, words) {
    const line = form.querySelector("#answered");
    if (!line) return;
    line.querySelector("[name=reply_to]").value = message;
    line.querySelector("[name=comment]").value = comment;
    line.querySelector(".cut").textContent = words;
    line.hidden = !message && !comment;
    text().focus();
    drafts.keep(form);
    later();
  }

  on("answer", (event) => {
    const item = event.target.closest(".item[data-message]");
    const line = form.querySelector("#answered");
    if (!item || !line) return;
    const said = item.querySelector(".bubble")?.innerText ?? "";
    answer({ message: item.dataset.message }, line.dataset.words.replace("{text}", said.slice(0, 120)));
  });

  // The window opens when the customer writes, and time passes.
  on("changed", (event) => {
    if (event.detail === form.dataset.conversation || event.detail === "*") later();
  });
  everyMinute(check, signal);
  signal.addEventListener("abort", () => {
    for (const one of [timer, end, elsewhere]) clearTimeout(one);
    checking?.abort();
  });
}
