//! Owns: queries for display: contexts, replies, timelines.
//! Does not own: the types that they return (`model`).

pub(crate) mod activities;
pub(crate) mod context;
pub(crate) mod conversations;
pub(crate) mod downloads;
pub(crate) mod media;
pub(crate) mod replies;
pub(crate) mod search;
mod sent;
pub(crate) mod timeline;
