//! Owns: replies in the outbox: the key that makes asking twice one reply, whose turn it is, how attempts end, what is
//! in doubt.
//! Does not own: sending, and the rows that events change too (`rows::replies`).

pub(crate) mod attempts;
pub(crate) mod doubts;
pub(crate) mod pauses;
pub(crate) mod queue;
pub(crate) mod turns;
