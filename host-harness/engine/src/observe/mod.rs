//! Owns: what an operator sees of a running host: recordings of calls, readiness.
//! Does not own: counters (`base`), their text form over HTTP, traces' way to a collector.

pub(crate) mod readiness;
pub(crate) mod recorder;
