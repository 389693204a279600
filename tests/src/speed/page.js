//! Owns: what a page says of itself to whoever measures it. It runs in each document before the page's own modules.
//! Does not own: the page.

(() => {
  // By the machine's clock, in milliseconds: the same for one document and the next, and for programs beside the browser.
  const clock = () => performance.timeOrigin + performance.now();
  // The second frame begins when the first one, which has the change, was given to the screen.
  const drawn = (then) => requestAnimationFrame(() => requestAnimationFrame(() => then(clock())));
  // The same without the work that a page which has just been loaded does between two frames: the first task after the frame.
  const painted = (then) =>
    requestAnimationFrame(() => {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = () => then(clock());
      port2.postMessage(null);
    });
  const bench = (window.bench = { clock, thread: null, pressed: null, opened: false });

  // When somebody pressed what led here: the time of the event itself, which a busy page does not move.
  try {
    bench.pressed = Number(sessionStorage.getItem("pressed")) || null;
    sessionStorage.removeItem("pressed");
  } catch {
    return; // a document without an origin
  }
  for (const kind of ["click", "keydown"]) {
    // A click without a count is what the browser makes of a key.
    const note = (event) => {
      if (kind === "click" && !event.detail) return;
      bench.pressed = performance.timeOrigin + event.timeStamp;
      sessionStorage.setItem("pressed", bench.pressed);
    };
    addEventListener(kind, note, true);
  }

  // When another conversation stands beside the list, in the same document.
  const opens = new MutationObserver(() => {
    if (bench.opened || document.readyState !== "complete") return;
    bench.opened = true;
    sessionStorage.removeItem("pressed");
    painted((at) => (bench.thread = at));
  });
  opens.observe(document, { attributes: true, attributeFilter: ["data-live"], subtree: true });

  // When the newest messages and the composer behind them are parsed and painted.
  const parsed = new MutationObserver(() => {
    if (!document.querySelector("#log .item") || !document.querySelector("#composer")) return;
    parsed.disconnect();
    painted((at) => (bench.thread = at));
  });
  parsed.observe(document, { childList: true, subtree: true });
  addEventListener("load", () => parsed.disconnect());

  // When words appear below an element: put there, and drawn.
  bench.expect = (words, place) => {
    bench.seen = new Promise((done) => {
      const comes = new MutationObserver((records) => {
        const nodes = records.flatMap((record) => [...record.addedNodes]);
        if (!nodes.some((node) => node.textContent.includes(words))) return;
        comes.disconnect();
        const put = clock();
        drawn((at) => done([put, at]));
      });
      comes.observe(document.querySelector(place), { childList: true, subtree: true });
    });
  };

  // What is known of this document; `null` until all of it is.
  bench.said = (isThread) => {
    const paint = performance.getEntriesByName("first-contentful-paint")[0];
    const [page] = performance.getEntriesByType("navigation");
    if (!paint || !page?.responseEnd || (isThread && !bench.thread)) return null;
    const from = bench.pressed ?? performance.timeOrigin;
    const since = (at) => performance.timeOrigin + at - from;
    if (bench.opened) {
      const came = performance.getEntriesByType("resource").findLast((one) => one.name.includes("part=open"));
      const thread = bench.thread - from;
      return { came: came ? since(came.responseEnd) : thread, paint: thread, thread };
    }
    // Nothing is seen before the first paint, which counts until the screen has it.
    const thread = bench.thread && Math.max(bench.thread - from, since(paint.startTime));
    return { came: since(page.responseEnd), paint: since(paint.startTime), thread };
  };

  // Whether the page has loaded what it loads by itself when its stream of events is open.
  bench.rests = () =>
    document.body?.classList.contains("has-script") &&
    performance.getEntriesByType("resource").some((one) => one.name.includes("/inbox/list") && one.responseEnd > 0);
})();
