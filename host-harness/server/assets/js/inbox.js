//! Owns: starting the modules of the inbox.
//! Does not own: what they do.

import { composer } from "./composer.js";
import { own } from "./draft.js";
import { keys } from "./keys.js";
import { list } from "./list.js";
import { live } from "./live.js";
import { notify } from "./notify.js";
import { conversations } from "./open.js";
import { presence } from "./presence.js";
import { times, zone } from "./times.js";
import { typing } from "./typing.js";
import { viewer } from "./viewer.js";

zone();
times(document);
own(document.body.dataset.reader);
const log = live();
conversations(log, (signal) => {
  composer(log, signal);
  presence(signal);
});
list();
notify();
typing();
viewer();
keys();
// For those who wait until the page is at work.
document.body.classList.add("has-script");
