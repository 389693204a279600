//! Owns: files in both directions: downloads, uploads, where their bytes lie, and what a file is.
//! Does not own: which files there are (the inbox), which hosts they come from (egress).

pub(crate) mod files;
pub(crate) mod incoming;
pub(crate) mod sniff;
pub(crate) mod store;
pub(crate) mod stored;
pub(crate) mod worker;
