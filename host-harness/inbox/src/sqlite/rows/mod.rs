//! Owns: changes of rows that more than one room makes: events, replies, and what is deleted.
//! Does not own: why they change.

pub(crate) mod accounts;
pub(crate) mod conversations;
pub(crate) mod deliveries;
pub(crate) mod erasure;
pub(crate) mod media;
pub(crate) mod messages;
pub(crate) mod people;
pub(crate) mod replies;
pub(crate) mod threads;
