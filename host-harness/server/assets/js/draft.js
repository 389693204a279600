//! Owns: keeping what somebody writes in a conversation, in this browser: over reloads and in other tabs.
//! Does not own: the composer's form.

// Fields that are not part of what is written.
const NOT_KEPT = new Set(["key", "change", "sticker", "anyway", "card_shown"]);
// What the browser did not take, being full or told to keep nothing: it is here until the page is left.
const unkept = new Map();

// What somebody else wrote in this browser is not for whoever is signed in now.
export function own(reader) {
  try {
    const before = localStorage.getItem("drafts-of") ?? reader;
    if (before !== reader) for (const key of Object.keys(localStorage)) if (key.startsWith("draft-")) localStorage.removeItem(key);
    localStorage.setItem("drafts-of", reader);
  } catch {
    // Nothing is kept at all.
  }
}

export function draft(conversation) {
  const key = `draft-${conversation}`;
  // Browsers tell other tabs alone.
  const tell = () => dispatchEvent(new StorageEvent("storage", { key }));
  const kept = () => {
    if (unkept.has(key)) return unkept.get(key);
    try {
      return localStorage.getItem(key);
    } catch {
      return null;
    }
  };
  const set = (values) => {
    unkept.delete(key);
    try {
      if (values === null) localStorage.removeItem(key);
      else localStorage.setItem(key, values);
    } catch {
      unkept.set(key, values);
      // What stood there before is of another time: sent again without its key, it would be another message.
      try {
        localStorage.removeItem(key);
      } catch {
        // Nothing is kept at all.
      }
    }
  };
  // `undrawn` is of the draft too, and not in the form yet.
  const written = (form, undrawn) => {
    const all = [...new FormData(form), ...(undrawn ?? [])];
    const values = new URLSearchParams(all.filter(([name, value]) => value !== "" && !NOT_KEPT.has(name)));
    if (![...values].length) return null;
    // It may have arrived, although the answer did not: with its key it stays one reply.
    if ("tried" in form.dataset) values.set("key", form.elements.key.value);
    return `${values}`;
  };
  return {
    kept,
    keep: (form, undrawn) => set(written(form, undrawn)),
    // What was sent is no draft any more. What was written since stays, as another message, and is returned.
    taken(sent) {
      const before = [...new URLSearchParams(sent ?? "")].map(String);
      const rest = [...new URLSearchParams(kept() ?? "")].filter((one) => one[0] !== "key" && !before.includes(String(one)));
      set(rest.length ? `${new URLSearchParams(rest)}` : null);
      return kept();
    },
    // What was not sent is what the form says now, if nothing was written since.
    settle(sent, form, undrawn) {
      if (kept() === sent) set(written(form, undrawn));
    },
    // Where the conversation is open again, its composer is as another tab.
    tell,
    // Adds a field to what is kept, also where the conversation is not open any more, or is open again.
    add(name, value) {
      const values = new URLSearchParams(kept() ?? "");
      values.append(name, value);
      set(`${values}`);
      tell();
    },
    // Calls back when it changes in another tab, or in another place of this one (`isHere`).
    elsewhere(call, signal) {
      addEventListener("storage", (event) => event.key === key && call(!event.isTrusted), { signal });
    },
  };
}
