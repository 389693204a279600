//! Owns: the list of conversations: bringing it up to date, more of it as somebody scrolls, the number of unread messages.
//! Does not own: when it is loaded (`live`), choosing conversations in it (`list`).

import { preference } from "./look.js";
import { loaded, morph } from "./morph.js";
import { times } from "./times.js";

// So many conversations are brought up to date at most; the host draws no more at once.
const MOST = 200;

const byId = (id) => document.getElementById(id);

// `open` says which conversation is open, `query` what the list shows.
export function rows(open, query) {
  // Whether more was loaded than one page, and whether more is under way.
  let [more, turning] = [false, false];
  return { load, older };

  // The list's address, with what is chosen and what is open.
  function address(asked, many) {
    const wanted = new URLSearchParams(asked);
    if (open()) wanted.set("open", open());
    if (many) wanted.set("rows", many);
    return `/inbox/list?${wanted}`;
  }

  async function load() {
    const list = byId("rows");
    if (!list) return;
    const beside = open();
    const body = await loaded(address(query(), more && Math.min(list.querySelectorAll(".row").length, MOST)));
    if (!body || beside !== open()) return;
    const wanted = body.querySelector("#rows");
    if (more) below(list, wanted);
    // In the reader's zone already, so that what has not changed is found equal.
    times(wanted);
    morph(list, wanted);
    byId("nothing").hidden = body.querySelector("#nothing").hidden;
    badge(body.querySelector("#unread"));
    document.dispatchEvent(new CustomEvent("listed"));
    const [old, next] = [byId("mentions-unseen"), body.querySelector("#mentions-unseen")];
    if (old && next && !old.isEqualNode(next)) old.replaceWith(next);
  }

  // What stood below the last row that the host has drawn now was loaded before and stays. What stood above it, and was
  // not drawn, has left the list.
  function below(list, wanted) {
    const drawn = new Set([...wanted.children].map((row) => row.id));
    const last = [...wanted.querySelectorAll(".row")].at(-1)?.id;
    const at = [...list.children].findIndex((row) => row.id === last);
    const rest = at < 0 ? [] : [...list.children].slice(at + 1).filter((row) => row.matches(".row") && !drawn.has(row.id));
    if (!rest.length) return;
    wanted.querySelector("#more")?.remove();
    wanted.append(...rest.map((row) => row.cloneNode(true)));
    if (byId("more")) wanted.append(byId("more").cloneNode(true));
  }

  async function older() {
    const link = byId("more");
    if (!link || turning) return;
    turning = true;
    try {
      const body = await loaded(address(link.firstElementChild.search));
      if (!body || !link.isConnected) return;
      more = true;
      link.remove();
      byId("rows").append(...[...body.querySelector("#rows").children].filter((row) => !byId(row.id)));
      times(byId("rows"));
    } finally {
      turning = false;
    }
  }
}

// The number of unread messages, in the navigation and in the title.
function badge(next) {
  const old = byId("unread");
  if (old && !old.isEqualNode(next)) old.replaceWith(next);
  const title = document.title.replace(/^\(\d+\+?\) /, "");
  const count = Number(next.dataset.count);
  document.title = count && preference("title") !== "plain" ? `(${count > 99 ? "99+" : count}) ${title}` : title;
}
