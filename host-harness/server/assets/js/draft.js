//! Owns: keeping what somebody writes in a conversation, in this browser: over reloads and in other tabs.
//! Does not own: the composer's form.

// Fields that are not part of what is written.
const NOT_KEPT = new Set(["key", "change", "sticker", "anyway"]);

export function draft(conversation) {
  const key = `draft-${conversation}`;
  return {
    kept: () => localStorage.getItem(key),
    forget: () => localStorage.removeItem(key),
    keep(form) {
      const values = new URLSearchParams([...new FormData(form)].filter(([name, value]) => value !== "" && !NOT_KEPT.has(name)));
      values.delete("card_shown");
      if ([...values].length) localStorage.setItem(key, values);
      else localStorage.removeItem(key);
    },
    // Adds a field to what is kept, also where the conversation is not open any more, or is open again.
    add(name, value) {
      const values = new URLSearchParams(localStorage.getItem(key) ?? "");
      values.append(name, value);
      localStorage.setItem(key, values);
      dispatchEvent(new StorageEvent("storage", { key, newValue: `${values}` }));
    },
    // Calls back with the draft when it changes in another tab; with nothing when it is gone.
    elsewhere(call, signal) {
      addEventListener("storage", (event) => event.key === key && call(event.newValue), { signal });
    },
  };
}
