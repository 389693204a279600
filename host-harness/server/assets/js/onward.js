//! Owns: a page that waits for something: it is brought up to date where it stands, without being loaded again.
//! Does not own: waiting (the host answers when something has changed). Without scripts the browser reloads the page.

import { part } from "./morph.js";

const AGAIN_MS = 5000;
const pause = (ms) => new Promise((done) => setTimeout(done, ms));

export async function onward() {
  const main = document.querySelector("main[data-goes-on]");
  while (main?.dataset.goesOn) {
    await pause(Number(main.dataset.after) * 1000);
    try {
      const answer = await part(main.dataset.goesOn);
      const next = answer.body.querySelector("main");
      // Another step may show pictures and lead to places that the policy of this page does not name.
      if (!next || next.dataset.stage !== main.dataset.stage) return location.replace(location.pathname);
      // What somebody has opened stays open.
      const opened = [...next.querySelectorAll("details")];
      for (const [at, old] of main.querySelectorAll("details").entries()) if (opened[at]) opened[at].open ||= old.open;
      if (!main.isEqualNode(next)) {
        main.replaceChildren(...next.childNodes);
        for (const name of ["goesOn", "after"]) {
          if (name in next.dataset) main.dataset[name] = next.dataset[name];
          else delete main.dataset[name];
        }
      }
    } catch {
      await pause(AGAIN_MS);
    }
  }
}
