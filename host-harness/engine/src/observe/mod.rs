//! Owns: what an operator sees of a running host: counters, recordings of calls, readiness.
//! Does not own: the text form over HTTP, traces' way to a collector.

pub(crate) mod metrics;
pub(crate) mod recorder;
