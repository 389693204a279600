//! Owns: the log of the conversation that is open: bringing it up to date, earlier and later pages of it, when it was read.
//! Does not own: when it is loaded (`live`), what the host draws.

import { loaded, morph } from "./morph.js";
import { renew } from "./renew.js";
import { times } from "./times.js";

const byId = (id) => document.getElementById(id);

// `open` says which conversation is open. `announce` reads out what the customer writes.
export function log(open, query, announce) {
  // The log of which another page is under way, and the conversation in which something was shown and not read yet.
  let [turning, unread] = [null, null];
  return { load, earlier, later };

  // Brings it to what the host has now. Whoever reads in the middle stays there, unless they want to see its end.
  async function load(toEnd) {
    const asked = open();
    if (!asked) return;
    const body = await loaded(`/inbox/${asked}/log${query()}`);
    const log = byId("log");
    if (!body || !log || asked !== open()) return;
    for (const id of ["head", "contact"]) renew(byId(id), body.querySelector(`#${id}`));
    // The name may have become known meanwhile.
    const { writeTo } = byId("composer")?.dataset ?? {};
    const name = document.querySelector("#head h1")?.textContent.trim();
    if (writeTo && name) byId("text").placeholder = writeTo.replace("{name}", () => name);
    const jumps = Boolean(log.dataset.later);
    if (jumps && !toEnd) return;
    const scroll = byId("log-scroll");
    const wanted = body.querySelector("#log");
    const first = wanted.dataset.earlier && wanted.querySelector(".item");
    const goesOn = Boolean(first && log.contains(byId(first.id)));
    // What stands over the newest page stays, and where the page before it begins.
    if (goesOn) continues(byId(first.id), first, wanted);
    else place(log, "earlier", wanted);
    place(log, "later", wanted);
    times(wanted);
    const added = morph(log, wanted, goesOn);
    if (byId("goes-on") && !byId("continued")) document.dispatchEvent(new CustomEvent("continued"));
    const said = added.filter((item) => item.matches('.item[data-from="customer"]'));
    if (said.length) document.dispatchEvent(new CustomEvent("said"));
    if (said.length) announce(said.map((item) => item.innerText).join(". "));
    if (jumps || said.length || added.some((item) => item.querySelector(".mention[data-me]"))) unread = asked;
    // `column-reverse`: 0 is the end. Whoever reads further up stays there.
    if (toEnd || (added.length && Math.abs(scroll.scrollTop) < 80)) scroll.scrollTop = 0;
    await read();
  }

  // Makes the newest page begin with its first message, which may stand together with the one above.
  function continues(old, first, wanted) {
    while (wanted.firstElementChild !== first) wanted.firstElementChild.remove();
    if (!old.matches(".cont")) return;
    first.classList.add("cont");
    for (const part of first.querySelectorAll(":scope > :is(.avatar, .who)")) part.remove();
  }

  // What is shown is read as soon as somebody looks.
  async function read() {
    if (document.hidden || !unread || unread !== open()) return;
    const answer = await fetch(`/inbox/${unread}/read`, { method: "POST" });
    if (answer.ok) unread = null;
  }

  // Where the page before this one begins, or the one after it.
  function place(log, name, found) {
    if (found.dataset[name]) log.dataset[name] = found.dataset[name];
    else delete log.dataset[name];
  }

  // Loads the page before or after what is there; one at a time.
  async function turn(name, query, put) {
    const log = byId("log");
    const from = log?.dataset[name];
    if (!from || turning === log) return;
    turning = log;
    try {
      const body = await loaded(`/inbox/${open()}/log?${query}=${from}`);
      // Another conversation is open, or the log was brought to another place meanwhile.
      if (!body || !log.isConnected || log.dataset[name] !== from) return;
      const found = body.querySelector("#log");
      put(log, found);
      place(log, name, found);
      times(log);
    } finally {
      if (turning === log) turning = null;
    }
  }

  function unknown(found) {
    return [...found.children].filter((child) => !byId(child.id));
  }

  // Earlier messages are put before those that are there; what is looked at stays where it is.
  function earlier() {
    return turn("earlier", "before", (log, found) => {
      const days = new Set([...found.children].map((child) => child.id));
      for (const child of [...log.children]) if (child.matches(".day") && days.has(child.id)) child.remove();
      byId("earlier")?.remove();
      log.prepend(...unknown(found));
    });
  }

  // Later messages come after those that are there, which stay where they are, too. Who is at the end has read them.
  async function later() {
    const asked = open();
    await turn("later", "after", (log, found) => {
      const [scroll, mark] = [byId("log-scroll"), byId("later")];
      const last = mark?.previousElementSibling;
      const top = () => last?.getBoundingClientRect().top ?? 0;
      const before = top();
      mark?.remove();
      log.append(...unknown(found));
      scroll.scrollTop += top() - before;
      if (!found.dataset.later) unread = asked;
    });
    await read();
  }
}
