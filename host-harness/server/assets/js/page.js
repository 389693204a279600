//! Owns: starting the modules of a page on which nobody reads or answers messages.
//! Does not own: what they do; the inbox (`inbox`) and the demo (`demo`).

import { copy } from "./copy.js";
import { keys } from "./keys.js";
import { onward } from "./onward.js";
import { permission } from "./permission.js";
import { times, zone } from "./times.js";
import { tryout } from "./tryout.js";

zone();
times(document);
keys();
copy();
permission();
tryout();
onward();
// For those who wait until the page is at work.
document.body.classList.add("has-script");
