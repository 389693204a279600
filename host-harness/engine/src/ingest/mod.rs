//! Owns: deliveries: verifying and receiving webhooks and callbacks, the bounds of what waits, translation into the inbox.
//! Does not own: HTTP, what an event changes (the inbox).

pub(crate) mod backlog;
pub(crate) mod callbacks;
pub(crate) mod translate;
pub(crate) mod verify;
