//! Owns: starting the modules of a page.
//! Does not own: what they do.

import { composer } from "./composer.js";
import { copy } from "./copy.js";
import { demo } from "./demo.js";
import { keys } from "./keys.js";
import { list } from "./list.js";
import { live } from "./live.js";
import { notify } from "./notify.js";
import { onward } from "./onward.js";
import { presence } from "./presence.js";
import { times } from "./times.js";
import { tryout } from "./tryout.js";
import { typing } from "./typing.js";
import { viewer } from "./viewer.js";

// The reader's zone, for the next page that the host draws.
const offset = -new Date().getTimezoneOffset();
if (!document.cookie.split("; ").includes(`offset=${offset}`)) {
  document.cookie = `offset=${offset}; path=/; max-age=31536000; samesite=lax`;
}

document.body.classList.add("has-script");
times(document);
const log = live();
composer(log);
list();
notify();
presence();
typing();
viewer();
keys();
demo();
copy();
tryout();
onward();
