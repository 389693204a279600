//! Owns: replies: whose turn it is, one attempt step by step, and what became of what nobody answered.
//! Does not own: idempotency and states (the inbox), which request may leave (egress).

pub(crate) mod attempt;
pub(crate) mod dispatcher;
pub(crate) mod doubts;
pub(crate) mod unsent;
