//! Owns: the loaded channels: which component answers for an id, replacing one while it runs, and when one is left alone.
//! Does not own: what channels are asked, and when.

pub(crate) mod circuit_breaker;
pub(crate) mod rollout;
