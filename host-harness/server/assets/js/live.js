//! Owns: keeping the page as the host has it: new messages, outcomes, the list; earlier messages and older conversations
//! as somebody scrolls; what is shown while there is no connection.
//! Does not own: the composer.

import { pick } from "./list.js";
import { preference } from "./look.js";
import { morph, parse, part } from "./morph.js";
import { everyMinute, times } from "./times.js";
import { toast } from "./toast.js";

// Changes that come close together are loaded once: the first at once, the others after this time.
const PAUSE_MS = 200;
// A connection that comes back sooner than this was not lost.
const LOST_MS = 3000;

const byId = (id) => document.getElementById(id);

// Follows the host's events. Returns what others need: to load what changed now, to say that another conversation is
// open, or that there is no connection.
export function live() {
  const inbox = document.querySelector("[data-live]");
  // The conversation that is open, or nothing. What was asked for one is not put into another.
  const open = () => inbox.dataset.live;
  const announce = announcer();
  const state = { older: false, earlier: false, lost: null };
  const logs = loader(loadLog);
  // A list that is loaded beside the log would show as unread what is being marked as read.
  const lists = loader(async () => {
    await logs.loading();
    await loadList();
  });

  async function loadList() {
    const rows = byId("rows");
    if (!rows) return;
    const beside = open();
    const { ok, body } = await part(listed());
    if (!ok || beside !== open()) return;
    const wanted = body.querySelector("#rows");
    // Pages that were loaded by scrolling stay; what moved up from them is not shown twice.
    if (state.older) {
      const fresh = new Set([...wanted.children].map((row) => row.id));
      for (const row of [...rows.children]) if (!fresh.has(row.id) && row.id !== "more") wanted.append(row.cloneNode(true));
      wanted.querySelector("#more")?.remove();
      const more = byId("more");
      if (more) wanted.append(more.cloneNode(true));
    }
    // In the reader's zone already, so that what has not changed is found equal.
    times(wanted);
    morph(rows, wanted);
    byId("nothing").hidden = body.querySelector("#nothing").hidden;
    badge(rows);
    document.dispatchEvent(new CustomEvent("listed"));
    renew(byId("mentions-unseen"), body.querySelector("#mentions-unseen"));
  }

  // The list's address, with what is chosen and what is open.
  function listed(more = "") {
    const query = new URLSearchParams(more || inbox.dataset.query);
    if (open()) query.set("open", open());
    return `/inbox/list?${query}`;
  }

  async function loadLog() {
    const asked = open();
    if (!asked) return;
    const { ok, body } = await part(`/inbox/${asked}/log${inbox.dataset.query}`);
    const log = byId("log");
    if (!ok || !log || asked !== open()) return;
    const scroll = byId("log-scroll");
    for (const id of ["head", "contact"]) renew(byId(id), body.querySelector(`#${id}`));
    // The name may have become known meanwhile.
    const { writeTo } = byId("composer")?.dataset ?? {};
    const name = document.querySelector("#head h1")?.textContent.trim();
    if (writeTo && name) byId("text").placeholder = writeTo.replace("{name}", name);
    // Whoever reads in the middle stays there: what is new comes when they are at the end.
    if (log.dataset.later) return;
    const wanted = body.querySelector("#log");
    // Pages that were loaded by scrolling stay: what stands over the newest one is theirs.
    while (state.earlier && (wanted.firstElementChild?.id === "earlier" || (wanted.firstElementChild?.matches(".day") && byId(wanted.firstElementChild.id))))
      wanted.firstElementChild.remove();
    times(wanted);
    const added = morph(log, wanted, state.earlier);
    if (byId("goes-on") && !byId("continued")) document.dispatchEvent(new CustomEvent("continued"));
    const said = added.filter((item) => item.matches('.item[data-from="customer"]'));
    if (said.length) document.dispatchEvent(new CustomEvent("said"));
    if (said.length) announce(said.map((item) => item.innerText).join(". "));
    const mentioned = added.some((item) => item.querySelector(".mention[data-me]"));
    if ((said.length || mentioned) && !document.hidden) await fetch(`/inbox/${asked}/read`, { method: "POST" });
    // `column-reverse`: 0 is the end. Whoever reads further up stays there.
    if (added.length && Math.abs(scroll.scrollTop) < 80) scroll.scrollTop = 0;
  }

  // Loads what changed: the list, and with `log` the conversation that is open.
  const refresh = ({ log = true } = {}) => Promise.all([log && logs.ask(), lists.ask()]);

  function connect() {
    const events = new EventSource("/inbox/events");
    events.onopen = () => {
      clearTimeout(state.lost);
      state.lost = null;
      refresh();
    };
    events.addEventListener("change", (event) => {
      document.dispatchEvent(new CustomEvent("changed", { detail: event.data }));
      refresh({ log: event.data === "*" || event.data === open() });
    });
    events.addEventListener("present", (event) => document.dispatchEvent(new CustomEvent("present", { detail: event.data })));
    events.addEventListener("typing", (event) => document.dispatchEvent(new CustomEvent("typing", { detail: event.data })));
    // A stream ends now and then, and comes back by itself.
    events.onerror = () => {
      state.lost ??= setTimeout(() => offline(true), LOST_MS);
      if (events.readyState === EventSource.CLOSED) setTimeout(connect, LOST_MS);
    };
    addEventListener("pagehide", () => events.close());
  }

  document.addEventListener("click", async (event) => {
    const link = event.target.closest("[data-retry], a[data-earlier], a[data-later], a[data-more]");
    if (!link) return;
    event.preventDefault();
    if (link.matches("[data-retry]")) await refresh();
    else if (link.matches("[data-more]")) await older();
    else if (link.matches("[data-later]")) await later();
    else await earlier();
  });

  // Changes of the conversation are made without leaving the page.
  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (!form.matches("form[data-organise]")) return;
    event.preventDefault();
    const closes = event.submitter?.value === "closed" && !form.matches("#many");
    const fields = new URLSearchParams(new FormData(form, event.submitter));
    (event.submitter ?? form).closest("details")?.removeAttribute("open");
    try {
      const answer = await fetch(event.submitter?.getAttribute("formaction") || form.action, { method: "POST", body: fields });
      // Not `form.id`: the boxes are named so.
      if (form.matches("#many")) pick("none");
      if (!answer.ok) toast(parse(await answer.text()).querySelector("h1")?.textContent ?? "");
      const next = closes ? nextRow() : null;
      await refresh();
      next?.focus();
    } catch {
      offline(true);
    }
  });
  document.addEventListener("change", (event) => {
    const form = event.target.closest("form[data-organise], form[data-instant]");
    if (form && event.target.matches("select, [type=checkbox], #label")) form.requestSubmit();
  });

  // Earlier messages are put before those that are there; what is looked at stays where it is.
  async function earlier() {
    const log = byId("log");
    const before = log.dataset.earlier;
    if (!before) return;
    const { ok, body } = await part(`/inbox/${open()}/log?before=${before}`);
    if (!ok || !log.isConnected) return;
    const found = body.querySelector("#log");
    state.earlier = true;
    byId("earlier")?.remove();
    const days = new Set([...found.children].map((child) => child.id));
    for (const child of [...log.children]) if (child.matches(".day") && days.has(child.id)) child.remove();
    log.prepend(...found.children);
    if (found.dataset.earlier) log.dataset.earlier = found.dataset.earlier;
    else delete log.dataset.earlier;
    times(log);
    watch();
  }

  // Later messages come after those that are there, which stay where they are, too.
  async function later() {
    const [log, scroll, mark] = [byId("log"), byId("log-scroll"), byId("later")];
    if (!mark) return;
    const { ok, body } = await part(`/inbox/${open()}/log?after=${log.dataset.later}`);
    if (!ok || !log.isConnected) return;
    const found = body.querySelector("#log");
    const last = mark.previousElementSibling;
    const top = last?.getBoundingClientRect().top ?? 0;
    mark.remove();
    for (const child of [...found.children]) if (!byId(child.id)) log.append(child);
    if (found.dataset.later) log.dataset.later = found.dataset.later;
    else delete log.dataset.later;
    state.earlier = true;
    times(log);
    scroll.scrollTop += (last?.getBoundingClientRect().top ?? 0) - top;
    watch();
  }

  async function older() {
    const more = byId("more");
    if (!more) return;
    const { ok, body } = await part(listed(more.firstElementChild.search));
    if (!ok) return;
    state.older = true;
    const rows = byId("rows");
    more.remove();
    for (const row of [...body.querySelector("#rows").children]) if (!byId(row.id)) rows.append(row);
    times(rows);
    watch();
  }

  // What is scrolled to is loaded without a click.
  const seen = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      seen.unobserve(entry.target);
      if (entry.target.id === "more") older().catch(() => offline(true));
      else if (entry.target.id === "later") later().catch(() => offline(true));
      else earlier().catch(() => offline(true));
    }
  });
  function watch() {
    for (const id of ["more", "earlier", "later"]) if (byId(id)) seen.observe(byId(id));
  }

  // Another conversation is open, or none.
  function opened() {
    state.earlier = false;
    document.dispatchEvent(new CustomEvent("opened"));
    watch();
    refresh({ log: false });
  }

  watch();
  connect();
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

// Replaces a part of the page that is different now. What somebody is choosing or typing in it stays.
function renew(old, next) {
  if (!old || !next || old.isEqualNode(next)) return;
  const at = old.contains(document.activeElement) ? document.activeElement : null;
  if (at?.matches("select, input") || old.querySelector("details[open]")) return;
  const scroll = old.querySelector(".scroll")?.scrollTop;
  old.replaceWith(next);
  times(next);
  const name = at?.id || null;
  if (name) byId(name)?.focus();
  if (scroll) next.querySelector(".scroll").scrollTop = scroll;
}

// The number of unread messages, in the navigation and in the title.
function badge(rows) {
  const count = [...rows.querySelectorAll(".badge")].reduce((sum, one) => sum + (parseInt(one.textContent, 10) || 0), 0);
  const title = document.title.replace(/^\(\d+\) /, "");
  document.title = count && preference("title") !== "plain" ? `(${count}) ${title}` : title;
  const place = byId("unread");
  const first = rows.querySelector(".badge");
  if (!place) return;
  place.replaceChildren();
  if (count && first) {
    const copy = first.cloneNode(true);
    copy.firstChild.textContent = count > 99 ? "99+" : count;
    place.append(copy);
  }
}

// A bar while there is no connection.
function offline(is) {
  const bar = byId("offline");
  if (bar) bar.hidden = !is;
}

// Reads out what the customer writes, when whoever listens is ready for it.
function announcer() {
  const place = document.createElement("div");
  place.className = "sr";
  place.setAttribute("aria-live", "polite");
  document.body.append(place);
  return (text) => (place.textContent = text);
}
