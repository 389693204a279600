//! Owns: what a reader prefers in this browser, as the host put it on the document; changing it without a page of its own.
//! Does not own: which preferences there are (`/settings/appearance`).

const AGE = 31_536_000;

// A preference; `undefined` is the default.
export const preference = (name) => document.documentElement.dataset[name];

// Chooses a value, for this page and the next ones. An empty one is the default.
export function prefer(name, value) {
  document.cookie = `${name}=${value}; path=/; samesite=lax; max-age=${value ? AGE : 0}`;
  if (value) document.documentElement.dataset[name] = value;
  else delete document.documentElement.dataset[name];
}
