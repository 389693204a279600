//! Owns: why work that was begun has no result: it was overtaken, interrupted, or the account is not there any more.
//! Does not own: what the work was.

/// Nothing is asked of the platform for an account that is disconnected.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the account {0} is disconnected: connect it again first")]
pub struct Disconnected(pub String);

/// The account was connected or disconnected while this was under way, so its result counts no more.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the account was connected again or disconnected meanwhile, so what came of this was thrown away")]
pub struct Overtaken;

/// The work ended in a panic, or the host is stopping.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("this was interrupted in the middle: look at how things stand before trying again")]
pub struct Interrupted;
