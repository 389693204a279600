//! Owns: telling somebody who looks at something else that a customer wrote, if they chose that on this browser.
//! Does not own: loading the list (`live`), the preference (`look`), the browser's permission (`permission`).

import { preference } from "./look.js";

export function notify() {
  if (!document.getElementById("rows")) return;
  let before = seen();
  document.addEventListener("listed", () => {
    const now = seen();
    const newest = Math.max(0, ...[...before.values()].map((row) => row.at));
    for (const [id, row] of now) {
      const old = before.get(id);
      // A row that came from further down the list is no news.
      // Nor is one that a colleague marked as unread.
      if (old ? row.unread > old.unread && row.at > old.at : row.unread && row.at > newest) tell(id, row);
    }
    before = now;
  });
}

// What the list shows: how much is unread, and since when.
function seen() {
  const rows = [...document.querySelectorAll("#rows > .row[id^='c-']")];
  const text = (row, selector) => row.querySelector(selector)?.textContent.trim() ?? "";
  return new Map(
    rows.map((row) => [
      row.id.slice(2),
      {
        unread: parseInt(text(row, ".badge"), 10) || 0,
        at: Date.parse(row.querySelector("time")?.dateTime) || 0,
        name: text(row, ".name bdi"),
        preview: text(row, ".preview .cut"),
      },
    ]),
  );
}

function tell(id, { name, preview }) {
  if (!document.hidden || preference("notify") !== "on" || window.Notification?.permission !== "granted") return;
  const icon = document.querySelector("link[rel=icon]")?.href;
  try {
    // One for each conversation, in however many tabs.
    const shown = new Notification(name, { body: preview, tag: id, icon });
    shown.addEventListener("click", () => {
      window.focus();
      shown.close();
      location.href = `/inbox/${id}`;
    });
  } catch {
    // Some browsers show notifications of installed applications alone.
  }
}
