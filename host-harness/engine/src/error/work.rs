//! Owns: why work that started has no result: it was overtaken or interrupted, or its account is disconnected.
//! Does not own: the work.

/// The account is disconnected, so the platform is not asked.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the account {0} is disconnected: connect it again first")]
pub struct Disconnected(pub String);

/// The account was connected or disconnected meanwhile, so the result was discarded.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the account was connected again or disconnected meanwhile, so what came of this was thrown away")]
pub struct Overtaken;

/// The work ended in a panic, or the host is stopping.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("this was interrupted in the middle: look at how things stand before trying again")]
pub struct Interrupted;
