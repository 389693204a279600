//! Owns: the composer: counting, checking while somebody types, sending without leaving the page, what is answered.
//! Does not own: drafts (`draft`), files (`files`), lists after `/` and `@` (`listbox`), emoji (`emoji`), whether the channel
//! takes the message (the host says so beside each field).

import { draft } from "./draft.js";
import { emoji } from "./emoji.js";
import { files } from "./files.js";
import { listboxes } from "./listbox.js";
import { prefer, preference } from "./look.js";
import { parse } from "./morph.js";
import { redraw, standing } from "./redraw.js";
import { everyMinute } from "./times.js";
import { looksAt, notSent, toast } from "./toast.js";

const encoder = new TextEncoder();
// From this share of the limit on the counter says so.
const EARLY = 0.9;
// How long nothing is typed before the channel is asked, in milliseconds.
const PAUSE = 250;
// How long a heart that is pressed again is the one whose answer was lost, in milliseconds.
const SAME_HEART = 60_000;
// The longest time that a timer takes, in milliseconds.
const LONGEST = 2 ** 31 - 1;

// The length of a text in a channel's unit.
export function measure(text, unit) {
  if (unit === "bytes") return encoder.encode(text).length;
  if (unit === "utf16_units") return text.length;
  return [...text].length;
}

// A key under which nothing was sent: the same one again is the same message.
const newKey = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");

// The composer on the page, until the signal ends it. What is on its way then goes on: a reply, and a file into the draft.
export function composer(log, signal) {
  let form = document.getElementById("composer");
  if (!form?.matches("form")) return;
  looksAt(form.action.replace(/\/reply$/, "").replace(/\/notes$/, "?mode=note"));
  const text = () => form.elements.text;
  const isNote = form.matches("[data-note]");
  const drafts = draft(form.dataset.conversation);
  const on = (kind, call) => document.addEventListener(kind, call, { signal });
  const inLists = listboxes(() => form, text, on);
  const isUploading = files(() => form, drafts, on);
  emoji(() => form, on);
  let checking = null;
  let timer = 0;
  let end = 0;
  // What is on its way: "send", or "other" for a heart and for a change of the form.
  let busy = "";
  let sendsNext = false;
  // Whether another tab has changed what stands here while that is on its way.
  let replaced = false;
  // What is in the draft besides the text, until the host has drawn it.
  let undrawn = null;
  let keyOfHeart = newKey();
  drawn();
  restore(drafts.kept());

  // What a newly drawn composer needs.
  function drawn() {
    count();
    const choice = form.querySelector("#enter-sends");
    if (choice) choice.checked = preference("enter") === "sends";
    watchEnd();
  }

  function put(found, before) {
    redraw(form, found, before);
    undrawn = null;
    form = found;
    drawn();
  }

  // In the place of a composer that is none any more only the text stands, and the draft is more.
  const keep = () => form.querySelector("#continued") || drafts.keep(form, undrawn);

  // From here on it is another message, or one that was tried under a key before.
  function anew(tried) {
    form.elements.key.value = tried || newKey();
    if (tried) form.dataset.tried = "";
    else delete form.dataset.tried;
  }

  // The channel is asked again when the window ends.
  function watchEnd() {
    clearTimeout(end);
    const left = Number(form.querySelector("#window")?.dataset.endsIn);
    if (left && !signal.aborted) end = setTimeout(check, Math.min(left + 500, LONGEST));
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

  function fields(submitter) {
    const all = [...new FormData(form, submitter)];
    if (!undrawn) return new URLSearchParams(all);
    // What is blank here is not drawn yet.
    return new URLSearchParams([...all.filter(([, value]) => value !== ""), ...undrawn]);
  }

  // The form in what was answered, if there is one.
  const formIn = (page) => page.querySelector("form#composer");

  // Asks the channel, through the host, what would become of what stands there. The newest question wins.
  async function check() {
    if (isNote || busy) return;
    clearTimeout(timer);
    checking?.abort();
    checking = new AbortController();
    try {
      const options = { method: "POST", body: fields(), signal: checking.signal };
      const answer = await fetch(`${form.action}?part=check`, options);
      const found = formIn(parse(await answer.text()));
      if (answer.ok && found && !busy) renew(found);
    } catch {
      // It is asked again with the next letter, and before anything is sent.
    }
  }

  function later() {
    clearTimeout(timer);
    // It would answer for what stood there before.
    checking?.abort();
    timer = setTimeout(check, PAUSE);
  }

  // Brings what the host says about the message up to date. What somebody types into stays as it is.
  function renew(found) {
    const closed = (one) => one.querySelector(".closedbox")?.id;
    // Nobody's field is closed while they are in it.
    const waits = closed(found) === "shut" && form.contains(document.activeElement);
    if (undrawn || (closed(form) !== closed(found) && !waits)) return put(found);
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

  // Puts a draft back: its text at once, the rest as the host draws it. With `whole`, what stands here goes.
  function restore(kept, whole) {
    const values = new URLSearchParams(kept ?? "");
    const [tried, written] = [values.get("key"), values.get("text") ?? ""];
    for (const name of ["key", "text"]) values.delete(name);
    anew(tried);
    if (whole || !text().value) text().value = written;
    count();
    if (isNote) return;
    if (!whole && ![...values].length) return text().value ? later() : undefined;
    for (const field of form.querySelectorAll("[name]:not(button, #text, [name=key], [name=anyway])")) {
      field.value = "";
      field.checked = false;
    }
    undrawn = values;
    check();
  }

  // Sends the form and puts the answer in its place. Says whether it was taken; `null`: there is no telling.
  async function send(submitter, changes, isHeart) {
    const shifts = changes && /\.(remove|up|first|unbutton|unpicture)(\.|$)/.test(submitter.value);
    const [before, values, { key }] = [standing(form, shifts), fields(submitter), form.elements];
    if (isHeart) values.set("key", keyOfHeart);
    const answer = await fetch(`${form.action}?part=composer`, { method: "POST", body: values });
    const page = parse(await answer.text());
    const found = formIn(page);
    if (!found) {
      if (!signal.aborted) refused(answer, page);
      return null;
    }
    // A heart is sent by itself: what is being written stays as it is.
    if (isHeart) {
      keyOfHeart = newKey();
      if (answer.ok) return true;
      found.elements.key.value = key.value;
    }
    const isTaken = answer.ok && !changes;
    put(found, isTaken || replaced ? null : before);
    if (replaced && !isTaken && !signal.aborted) restore(drafts.kept(), true);
    return answer.ok;
  }

  // Not a word about the message. It is in the draft.
  function refused(answer, page) {
    // Signed out: the page itself says so.
    if (answer.redirected) location.reload();
    else toast(page.querySelector("h1, #composer")?.textContent || form.querySelector("#no-answer")?.textContent);
  }

  on("input", (event) => {
    if (!form.contains(event.target)) return;
    // A note that is changed is another one; of a message the host says whether it may be.
    if (isNote && "tried" in form.dataset) anew();
    count();
    keep();
    later();
  });
  on("change", (event) => {
    if (event.target.id === "enter-sends") prefer("enter", event.target.checked ? "sends" : "");
    else if (form.contains(event.target) && event.target.matches("select")) later();
  });
  // What is written in another tab is here too, once it pauses there.
  let elsewhere = 0;
  function replace() {
    replaced = true;
    restore(drafts.kept(), true);
  }
  drafts.elsewhere((isHere) => {
    clearTimeout(elsewhere);
    // Nothing is typed in between.
    if (isHere) replace();
    else elsewhere = setTimeout(replace, PAUSE);
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
    const submitter = event.submitter;
    const changes = submitter?.name === "change";
    const isHeart = submitter?.name === "sticker";
    const isMessage = !changes && !isHeart;
    if (busy) {
      sendsNext ||= isMessage && busy === "other";
      return;
    }
    // A card's picture that is under way is put where the card was.
    const movesCards = changes && /^card\.\d+\.(remove|first)$/.test(submitter.value);
    if ((isMessage || movesCards) && (isUploading() || form.querySelector("#files progress"))) return toast(form.dataset.stillUploading);
    busy = isMessage ? "send" : "other";
    replaced = false;
    clearTimeout(timer);
    checking?.abort();
    form.setAttribute("aria-busy", "true");
    const elsewhereSaid = form.querySelector("[data-not-sent]");
    if (isMessage) {
      noAnswer(false);
      form.dataset.tried = "";
      keep();
    }
    const sent = drafts.kept();
    let [taken, lost] = [false, false];
    try {
      const answered = isNote ? await add() : await send(submitter, changes, isHeart);
      [taken, lost] = [answered === true, answered === null];
      const wrote = drafts.kept() !== sent;
      if (taken && isMessage) begin(drafts.taken(sent));
      else if (!signal.aborted) keep();
      else if (!isHeart && !form.querySelector("#continued")) drafts.settle(sent, form, undrawn);
      if (signal.aborted && !isHeart) drafts.tell();
      const next = changes ? form.dataset.next && document.getElementById(form.dataset.next) : form.querySelector('[aria-invalid="true"]');
      // Whoever works in another part of the page, or types already, goes on there.
      const at = document.activeElement;
      const types = (wrote || isHeart) && at?.matches("input, textarea, select");
      if (!signal.aborted && !types && (at === document.body || form.contains(at))) (next || text()).focus();
      // Not waited for: the next thing may be done before the log is drawn.
      if (!changes) log.refresh({ sent: taken && !signal.aborted });
    } catch {
      // Nothing is lost: the text is in the field and in the draft, and the same key makes it one message.
      log.lost();
      lost = true;
      if (isMessage) noAnswer(true);
      // Pressed again by then, it is another one.
      if (isHeart) setTimeout(() => (keyOfHeart = newKey()), SAME_HEART);
    } finally {
      busy = "";
      form.removeAttribute("aria-busy");
      // Somebody is in another conversation by now, or on the way there, and would not see it.
      if (!taken && !changes && elsewhereSaid && (signal.aborted || leaves() || (isHeart && lost))) notSent(elsewhereSaid, lost, isMessage);
      if (undrawn && !signal.aborted) check();
      const waits = sendsNext;
      sendsNext = false;
      if (waits && signal.aborted && elsewhereSaid) notSent(elsewhereSaid, false, true);
      else if (waits && !(changes && lost)) form.requestSubmit(form.querySelector("#send"));
    }
  });

  // The next message, of which this may have been written while the last one was on its way.
  function begin(rest) {
    if (signal.aborted) return;
    if (rest) return restore(rest, true);
    text().value = "";
    // Not for somebody who is on the way to another conversation.
    if (isNote && !leaves()) location.assign(form.action.replace(/\/notes$/, ""));
  }

  // Whether another conversation is being opened.
  const leaves = () => document.getElementById("main")?.ariaBusy === "true";

  // Whether it arrived is not known, also once there is a connection again.
  function noAnswer(is) {
    const line = form.querySelector("#no-answer");
    if (line) line.hidden = !is;
  }

  // Adds a note. It is in the log then, beside the composer for answers. Says whether it was taken, as `send` does.
  async function add() {
    const answer = await fetch(form.action, { method: "POST", body: fields() });
    if (answer.ok && form.action === `${answer.url.split(/[?#]/)[0]}/notes`) return true;
    if (!signal.aborted) refused(answer, parse(await answer.text()));
    return null;
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
    for (const name of ["reply_to", "comment"]) undrawn?.delete(name);
    line.querySelector(".cut").textContent = words;
    line.hidden = !message && !comment;
    text().focus();
    keep();
    later();
  }

  on("answer", (event) => {
    const item = event.target.closest(".item[data-message]");
    const line = form.querySelector("#answered");
    if (!item || !line) return;
    const said = item.querySelector(".bubble")?.innerText ?? "";
    answer({ message: item.dataset.message }, line.dataset.words.replace("{text}", () => said.slice(0, 120)));
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
