//! Owns: opening another conversation beside the list that stays: what belongs to one of them begins and ends with it.
//! Does not own: what begins (`inbox`). Where a browser cannot do this, or the list would be another one, pages are loaded.

import { part } from "./morph.js";
import { times } from "./times.js";

// What of an address says which list is shown.
const OF_LIST = ["view", "channel", "label", "unread", "q"];
const PLACE = /^\/inbox(?:\/(cnv_[^/]+))?$/;

// `begin` gets a signal that ends what belongs to a conversation.
export function conversations(log, begin) {
  let shown = new AbortController();
  begin(shown.signal);
  const inbox = document.querySelector(".inbox[data-live]");
  if (!window.navigation || !inbox?.querySelector("#rows")) return;
  let address = here(location);

  navigation.addEventListener("navigate", (event) => {
    const to = new URL(event.destination.url);
    const leads = event.canIntercept && !event.hashChange && !event.formData && event.downloadRequest === null;
    if (!leads || event.navigationType === "reload" || !PLACE.test(to.pathname) || here(to) === address) return;
    if (OF_LIST.some((name) => given(to, name) !== given(location, name))) return;
    event.intercept({ focusReset: "manual", handler: () => open(to, event) });
  });

  async function open(to, event) {
    const query = new URLSearchParams(to.search);
    query.set("part", "open");
    try {
      const { ok, body } = await part(`${to.pathname}?${query}`, { signal: event.signal });
      const next = ok && body.querySelector(".inbox[data-live]");
      // Signed out, gone, or of another version: the page itself says so.
      if (!next) return location.reload();
      shown.abort();
      shown = new AbortController();
      address = here(to);
      put(next, to);
      begin(shown.signal);
      log.opened();
      // A message that was searched for is in view already.
      if (to.hash) event.scroll();
    } catch (error) {
      if (event.signal.aborted) return;
      // There is no connection: what is open stays open.
      if (!(error instanceof TypeError)) throw error;
      history.replaceState(null, "", address);
      log.lost();
    }
  }

  function put(next, to) {
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
    for (const link of inbox.querySelectorAll("#rows > :is([id^=c-], [id^=p-]) > a")) {
      if (!next.dataset.live || new URL(link.href).pathname !== to.pathname) link.removeAttribute("aria-current");
      else link.setAttribute("aria-current", "true");
    }
    (document.getElementById("log-scroll") ?? document.getElementById("main")).focus({ preventScroll: true });
  }
}

const here = ({ pathname, search }) => pathname + search;
const given = (url, name) => new URLSearchParams(url.search).get(name) ?? "";
