//! Owns: turning translated events into conversations and messages, each exactly once, in the order of their
//! deliveries.
//! Does not own: translating deliveries, sending.

mod accounts;
mod anew;
mod batch;
mod cache;
mod conversations;
mod echoes;
mod event;
mod media;
mod messages;
mod parking;
mod place;

pub(crate) use batch::apply_batch;
