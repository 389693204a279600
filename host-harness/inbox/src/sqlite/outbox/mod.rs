//! Owns: replies in the outbox: idempotency keys, scheduling, the outcomes of attempts, ambiguous steps.
//! Does not own: sending, rows that events change too (`rows::replies`).

pub(crate) mod attempts;
pub(crate) mod doubts;
pub(crate) mod pauses;
pub(crate) mod queue;
pub(crate) mod turns;
