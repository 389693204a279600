//! Owns: keeping what somebody writes in a conversation, in this browser: over reloads and in other tabs.
//! Does not own: the composer's form.

// Fields that are not part of what is written.
const NOT_KEPT = new Set(["key", "change", "sticker", "anyway"]);

export function draft(conversation) {
  const key = `draft-${conversation}`;
  // Browsers tell other tabs alone.
  const tell = (newValue) => dispatchEvent(new StorageEvent("storage", { key, newValue }));
  return {
    kept: () => localStorage.getItem(key),
    forget: () => localStorage.removeItem(key),
    keep(form) {
      const values = new URLSearchParams([...new FormData(form)].filter(([name, value]) => value !== "" && !NOT_KEPT.has(name)));
      values.delete("card_shown");
      if (![...values].length) return localStorage.removeItem(key);
      // It may have arrived, although the answer did not: with its key it stays one reply.
      if ("tried" in form.dataset) values.set("key", form.elements.key.value);
      localStorage.setItem(key, values);
    },
    // What was kept when it was sent is no draft any more, also where the conversation is open again. What was written since is.
    sent(values) {
      if (localStorage.getItem(key) !== values) return;
      localStorage.removeItem(key);
      tell(null);
    },
    // Adds a field to what is kept, also where the conversation is not open any more, or is open again.
    add(name, value) {
      const values = new URLSearchParams(localStorage.getItem(key) ?? "");
      values.append(name, value);
      localStorage.setItem(key, values);
      tell(`${values}`);
    },
    // Calls back when it changes in another tab.
    elsewhere(call, signal) {
      addEventListener("storage", (event) => event.key === key && call(), { signal });
    },
  };
}
