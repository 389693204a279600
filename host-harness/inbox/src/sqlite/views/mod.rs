//! Owns: queries behind what is shown: contexts, replies, timelines.
//! Does not own: the shapes that they return (`model`).

pub(crate) mod context;
pub(crate) mod media;
pub(crate) mod replies;
mod sent;
pub(crate) mod timeline;
