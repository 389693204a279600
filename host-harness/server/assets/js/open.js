//! Owns: opening another conversation beside the list that stays: what belongs to one of them begins and ends with it.
//! Does not own: what begins (`inbox`). Where a browser cannot do this, or the list would be another one, pages are loaded.

import { part } from "./morph.js";
import { times } from "./times.js";

const PLACE = /^\/inbox(?:\/(cnv_[^/]+))?$/;

// `begin` gets a signal that ends what belongs to a conversation.
export function conversations(log, begin) {
  let shown = new AbortController();
  begin(shown.signal);
  const inbox = document.querySelector(".inbox[data-live]");
  if (!window.navigation || !inbox.querySelector("#rows")) return;
  let address = here(location);
  let latest = null;

  navigation.addEventListener("navigate", (event) => {
    const to = new URL(event.destination.url);
    const leads = event.canIntercept && !event.hashChange && !event.formData && event.downloadRequest === null;
    if (!leads || event.navigationType === "reload" || !PLACE.test(to.pathname) || here(to) === address) return;
    // Another list.
    if (inbox.dataset.kept.split(" ").some((name) => given(to, name) !== given(location, name))) return;
    latest = event;
    event.intercept({ focusReset: "manual", handler: () => open(to, event) });
  });

  async function open(to, event) {
    const query = new URLSearchParams(to.search);
    query.set("part", "open");
    // Seen at once, however slow the line is.
    mark(to.pathname, true);
    const found = await part(`${to.pathname}?${query}`, { signal: event.signal }).catch(() => null);
    if (!found) return stays(event);
    const next = found.ok && found.body.querySelector(".inbox[data-live]");
    // Signed out, gone, or of another version: the page itself says so.
    if (!next) return location.reload();
    shown.abort();
    shown = new AbortController();
    // Another way to write in the same conversation, unless it is a message that is looked for.
    const writes = place(address) === to.pathname && !given(to, "at");
    address = here(to);
    put(next);
    (document.getElementById(writes ? "text" : "log-scroll") ?? document.getElementById("main")).focus({ preventScroll: true });
    begin(shown.signal);
    log.opened();
    // A message that was searched for is in view already.
    if (to.hash) event.scroll();
  }

  // What is open stays open: there is no connection, or somebody went elsewhere or does not want to wait.
  async function stays(event) {
    if (!event.signal.aborted) {
      history.replaceState(null, "", address);
      log.lost();
    }
    await new Promise((done) => setTimeout(done));
    if (latest === event) mark(place(address), false);
  }

  function put(next) {
    inbox.dataset.live = next.dataset.live;
    document.body.dataset.pane = next.dataset.live ? "thread" : "list";
    document.title = next.dataset.title;
    for (const id of ["main", "contact"]) {
      const [old, wanted] = [document.getElementById(id), next.querySelector(`#${id}`)];
      if (wanted) times(wanted);
      if (old && wanted) old.replaceWith(wanted);
      else if (wanted) document.getElementById("main").after(wanted);
      else old?.remove();
    }
  }

  // Shows in the list which conversation is open, and whether it is on its way.
  function mark(path, comes) {
    for (const link of inbox.querySelectorAll("#rows > :is([id^=c-], [id^=p-]) > a")) {
      if (link.pathname === path) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
    document.getElementById("main").setAttribute("aria-busy", comes);
  }
}

const here = ({ pathname, search }) => pathname + search;
const place = (address) => address.split("?")[0];
const given = (url, name) => new URLSearchParams(url.search).get(name) ?? "";
