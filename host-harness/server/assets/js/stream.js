//! Owns: hearing what the host tells, over one connection for all tabs of this browser.
//! Does not own: what it means (`live`).

// A browser has six connections to a host that speaks HTTP/1, and a stream keeps one: the seventh tab would wait for ever.
const KINDS = ["change", "present", "typing"];
// A stream that the host refused is asked for again after this time.
const AGAIN_MS = 3000;

// Calls `hears(kind, data)` for what the host tells, `follows(true)` when it begins to, and `follows(false)` when it ends.
export function stream(reader, hears, follows) {
  const name = `events-${reader}`;
  // Elsewhere than at `localhost`, browsers lock nothing without TLS: there each tab has its own.
  if (!navigator.locks || !window.BroadcastChannel) return alone(hears, follows);
  const others = new BroadcastChannel(name);
  let leads = null;
  others.onmessage = ({ data: [kind, data] }) => {
    if (kind === "asks") leads?.readyState === EventSource.OPEN && others.postMessage(["follows", true]);
    else if (kind === "follows") follows(data);
    else hears(kind, data);
  };
  // Whoever has the lock listens for all, until its tab is gone; then the next one does.
  navigator.locks.request(name, () => new Promise(() => {
    const told = (call, kind) => (...data) => {
      call(...data);
      others.postMessage(kind ? [kind, ...data] : data);
    };
    alone(told(hears), told(follows, "follows"), (events) => (leads = events));
  }));
  others.postMessage(["asks"]);
}

function alone(hears, follows, opened = () => {}) {
  let events = null;
  function connect() {
    events = new EventSource("/inbox/events");
    opened(events);
    events.onopen = () => follows(true);
    for (const kind of KINDS) events.addEventListener(kind, (event) => hears(kind, event.data));
    // A stream ends now and then, and comes back by itself.
    events.onerror = () => {
      follows(false);
      if (events.readyState === EventSource.CLOSED) setTimeout(connect, AGAIN_MS);
    };
  }
  connect();
  addEventListener("pagehide", () => events.close());
  // The browser had kept the page.
  addEventListener("pageshow", (event) => event.persisted && connect());
}
