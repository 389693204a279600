//! Owns: starting the modules of a page on which nobody reads or answers messages.
//! Does not own: what they do; the inbox, the demo and the settings (`inbox`).

import { copy } from "./copy.js";
import { keys } from "./keys.js";
import { onward } from "./onward.js";
import { times } from "./times.js";
import { tryout } from "./tryout.js";

document.body.classList.add("has-script");
times(document);
keys();
copy();
tryout();
onward();
