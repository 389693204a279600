//! Owns: bringing a list on the page to what the host has drawn anew, touching only what is different.
//! Does not own: loading it.

// Markup of this host, as elements. Nothing in it is run: the page's policy allows no inline script, and the host escapes
// what people write.
export function parse(markup) {
  return new DOMParser().parseFromString(markup, "text/html").body;
}

// Loads a part of a page.
export async function part(address, options = {}) {
  const answer = await fetch(address, { credentials: "same-origin", ...options });
  if (signedOut(answer)) location.reload();
  return { ok: answer.ok, status: answer.status, body: parse(await answer.text()) };
}

// The same, or nothing where it is gone. A host that cannot answer now is as no connection.
export async function loaded(address) {
  const { ok, status, body } = await part(address);
  if (status >= 500) throw new Error(`the host answered ${status}`);
  return ok ? body : null;
}

// Whether the answer leads to signing in, in place of what was asked for. The page itself does that, and comes back.
export const signedOut = (answer) => answer.redirected && new URL(answer.url).pathname === "/sign-in";

// Makes the children of `list` those of `wanted`. Children have ids; one that has not changed is left alone, with its
// focus, its selection and whatever plays in it. With `keep`, children before the first wanted one stay.
export function morph(list, wanted, keep = false) {
  const added = [];
  const known = new Map([...list.children].map((child) => [child.id, child]));
  const first = wanted.firstElementChild && known.get(wanted.firstElementChild.id);
  let at = keep && first ? first : list.firstElementChild;
  for (const next of [...wanted.children]) {
    const old = known.get(next.id);
    known.delete(next.id);
    if (!old) {
      list.insertBefore(next, at);
      added.push(next);
    } else if (old.isEqualNode(next) || same(old, next)) {
      if (old === at) at = at.nextElementSibling;
      else list.insertBefore(old, at);
    } else {
      if (old === at) at = at.nextElementSibling;
      const focused = old.contains(document.activeElement);
      // What somebody has chosen stays chosen.
      const box = old.querySelector(":scope > .pick:checked") && next.querySelector(":scope > .pick");
      if (box) box.checked = true;
      old.replaceWith(next);
      if (next.nextElementSibling !== at) list.insertBefore(next, at);
      if (focused) (next.querySelector("a, button") ?? next).focus();
    }
  }
  const ids = new Set([...wanted.children].map((child) => child.id));
  let before = keep && first ? true : false;
  for (const child of [...list.children]) {
    if (first && child.id === first.id) before = false;
    if (!before && known.has(child.id) && !ids.has(child.id)) child.remove();
  }
  return added;
}

// Whether two elements differ in nothing but times, which the page keeps fresh by itself.
function same(old, next) {
  const plain = (element) => {
    const copy = element.cloneNode(true);
    for (const time of copy.querySelectorAll("time")) time.textContent = "";
    // What somebody looks at stays open.
    for (const open of copy.querySelectorAll(".pdf[open]")) open.removeAttribute("open");
    for (const frame of copy.querySelectorAll(".pdf iframe")) frame.removeAttribute("src");
    return copy;
  };
  return plain(old).isEqualNode(plain(next));
}
