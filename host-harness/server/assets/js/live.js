//! Owns: keeping the page as the host has it: following its events, when the log and the list are loaded, changes of the
//! conversation; what is shown while there is no connection.
//! Does not own: what is loaded (`log`, `rows`), the composer.

import { pick } from "./list.js";
import { log } from "./log.js";
import { parse, signedOut } from "./morph.js";
import { rows } from "./rows.js";
import { stream } from "./stream.js";
import { everyMinute } from "./times.js";
import { toast } from "./toast.js";

// Changes that come close together are loaded once: the first at once, the others after this time.
const PAUSE_MS = 200;
// A connection that comes back sooner than this was not lost.
const LOST_MS = 3000;
// What could not be loaded is loaded again after this time.
const RETRY_MS = 5000;

const byId = (id) => document.getElementById(id);

// Follows the host's events. Returns what others need: to load what changed now, to say that another conversation is
// open, or that there is no connection.
export function live() {
  const inbox = document.querySelector("[data-live]");
  // The conversation that is open, or nothing. What was asked for one is not put into another.
  const open = () => inbox.dataset.live;
  const query = () => inbox.dataset.query;
  const thread = log(open, query, announcer());
  const list = rows(open, query);
  // Whether the end of the log is wanted although somebody reads further up.
  let toEnd = false;
  const logs = loader(async () => {
    const end = toEnd;
    toEnd = false;
    await thread.load(end);
    watch();
  });
  // A list that is loaded beside the log would show as unread what is being marked as read.
  const lists = loader(async () => {
    await logs.loading();
    await list.load();
    watch();
  });

  // Loads what changed: the list, and with `log` the conversation that is open. With `sent` its end is shown, where what
  // was sent is.
  function refresh({ log = true, sent = false } = {}) {
    toEnd ||= sent;
    return Promise.all([log && logs.ask(), lists.ask()]);
  }

  function hears(kind, data) {
    if (kind === "change") {
      document.dispatchEvent(new CustomEvent("changed", { detail: data }));
      refresh({ log: data === "*" || data === open() });
    } else {
      document.dispatchEvent(new CustomEvent(kind, { detail: data }));
    }
  }
  document.addEventListener("visibilitychange", () => document.hidden || refresh());

  document.addEventListener("click", (event) => {
    const link = event.target.closest("[data-retry], a[data-earlier], a[data-later], a[data-more]");
    if (!link) return;
    event.preventDefault();
    if (link.matches("[data-retry]")) return refresh();
    turns(link.matches("[data-more]") ? "more" : link.matches("[data-later]") ? "later" : "earlier");
  });

  // Changes of the conversation are made without leaving the page.
  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (!form.matches("form[data-organise]")) return;
    event.preventDefault();
    const closes = event.submitter?.value === "closed" && !form.matches("#many");
    const fields = new URLSearchParams(new FormData(form, event.submitter));
    // Enter in a field is a change of it, and sends the form.
    if (form.dataset.sending === `${fields}`) return;
    form.dataset.sending = fields;
    // The next choice may be made before the answer to this one is here.
    const { if_assignee: expected } = form.elements;
    const before = expected?.value;
    if (expected && fields.has("assignee")) expected.value = fields.get("assignee");
    let ok = false;
    (event.submitter ?? form).closest("details")?.removeAttribute("open");
    try {
      const answer = await fetch(event.submitter?.getAttribute("formaction") || form.action, { method: "POST", body: fields });
      if (signedOut(answer)) return location.reload();
      ({ ok } = answer);
      if (ok) organised(form, fields);
      else toast(parse(await answer.text()).querySelector("h1")?.textContent ?? "");
      const next = closes ? nextRow() : null;
      await refresh();
      next?.focus();
    } catch {
      offline(true);
    } finally {
      if (expected && !ok) expected.value = before;
      delete form.dataset.sending;
    }
  });

  // It was done. The form stays on the page while somebody is in it.
  function organised(form, fields) {
    // Not `form.id`: the boxes are named so.
    if (form.matches("#many")) return pick("none");
    const { label_new: label } = form.elements;
    if (label?.value === fields.get("label_new")) label.value = "";
  }

  // A choice is made at once. By keyboard it is made with Enter, or by going on: the arrows pass what is not wanted.
  const passing = new WeakSet();
  const chooses = (event) => event.target.matches("select, [type=checkbox], #label") && event.target.closest("form[data-organise], form[data-instant]");
  document.addEventListener("keydown", (event) => {
    if (!event.target.matches("select") || !chooses(event)) return;
    if (event.key === "Enter") decide(event);
    else if (event.key.length === 1 || event.key.startsWith("Arrow")) passing.add(event.target);
  });
  document.addEventListener("change", (event) => {
    if (!passing.has(event.target)) chooses(event)?.requestSubmit();
    else event.target.dataset.passed = "";
  });
  document.addEventListener("focusout", (event) => passing.has(event.target) && decide(event));

  function decide(event) {
    passing.delete(event.target);
    if (!("passed" in event.target.dataset)) return;
    delete event.target.dataset.passed;
    chooses(event)?.requestSubmit();
  }

  const turns = (which) => (which === "more" ? list.older() : thread[which]()).then(watch, () => offline(true));

  // What is scrolled to is loaded without a click.
  const seen = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      seen.unobserve(entry.target);
      turns(entry.target.id);
    }
  });
  function watch() {
    for (const id of ["more", "earlier", "later"]) if (byId(id)) seen.observe(byId(id));
  }

  // Another conversation is open, or none. What came in while it was on its way is not in it.
  function opened() {
    toEnd = false;
    document.dispatchEvent(new CustomEvent("opened"));
    watch();
    // Behind the first frame, which shows what was opened.
    requestAnimationFrame(() => setTimeout(refresh));
  }

  retry = refresh;
  watch();
  stream(document.body.dataset.reader, hears, (does) => {
    follows(does);
    if (does) refresh();
  });
  everyMinute(() => refresh());
  return { refresh, opened, lost: () => offline(true) };
}

// Loads something each time it is asked to: at once, but once for all who ask while it loads, and for a while after.
function loader(load) {
  let [asked, running, loading, rested] = [false, null, null, null];
  async function run() {
    try {
      do {
        await rested;
        asked = false;
        await (loading = load());
        loading = null;
        rested = new Promise((done) => setTimeout(done, PAUSE_MS));
        offline(false);
      } while (asked);
    } catch {
      offline(true);
    } finally {
      running = loading = null;
    }
  }
  return {
    ask() {
      asked = true;
      return (running ??= run());
    },
    loading: () => loading,
  };
}

// The conversation after the one that is open.
function nextRow() {
  const row = document.querySelector(".row a[aria-current]")?.closest(".row");
  return (row?.nextElementSibling ?? row?.previousElementSibling)?.querySelector("a") ?? null;
}

// A bar while there is no connection: it goes when something was loaded, and the host tells of changes.
const told = { lost: null, isCut: false };
let [retry, retries] = [null, null];
function offline(is) {
  const bar = byId("offline");
  if (bar) bar.hidden = !(is || told.isCut);
  clearTimeout(retries);
  if (is) retries = setTimeout(() => retry?.(), RETRY_MS);
}

function follows(is) {
  if (is) {
    clearTimeout(told.lost);
    [told.lost, told.isCut] = [null, false];
  } else {
    told.lost ??= setTimeout(() => offline((told.isCut = true)), LOST_MS);
  }
}

// Reads out what the customer writes, when whoever listens is ready for it.
function announcer() {
  const place = document.createElement("div");
  place.className = "sr";
  place.setAttribute("aria-live", "polite");
  document.body.append(place);
  return (text) => (place.textContent = text);
}
