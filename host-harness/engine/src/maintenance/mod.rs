//! Owns: what a host does for itself: retention, noticing a clock that was set back, backups, files that others can read.
//! Does not own: what is removed, and how (the inbox).

pub mod backup;
pub(crate) mod exposed;
pub(crate) mod retention;
