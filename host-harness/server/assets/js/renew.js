//! Owns: replacing a part of the page that is different now, without taking what somebody chooses, types or looks at.
//! Does not own: lists, which are brought up to date row by row (`morph`).

import { times } from "./times.js";

// The element itself stays, with what its address and its focus mean; what is in it is replaced.
export function renew(old, next) {
  if (!old || !next || old.isEqualNode(next)) return;
  const at = old.contains(document.activeElement) ? document.activeElement : null;
  if (at?.matches("select") || (at?.matches("input") && at.value) || old.querySelector("details[open]")) return;
  const scroll = old.querySelector(".scroll")?.scrollTop;
  times(next);
  for (const { name, value } of next.attributes) old.setAttribute(name, value);
  old.replaceChildren(...next.childNodes);
  if (at) (again(old, at) ?? old).focus({ preventScroll: true });
  if (scroll) old.querySelector(".scroll").scrollTop = scroll;
}

// The same control drawn anew, or the next one of its kind where it is gone: a label that was removed leaves the one beside
// it.
export function again(place, at) {
  const named = at.name && `[name="${at.name}"]`;
  const beside = at.form?.elements.kind && `form:has([name=kind][value="${at.form.elements.kind.value}"]) ${named}`;
  const names = [at.id && `[id="${at.id}"]`, named && beside, named && `${named}[value="${CSS.escape(at.value)}"]:not([tabindex="-1"])`, named];
  for (const name of names) {
    const found = name && place.querySelector(name);
    if (found) return found;
  }
  return null;
}
