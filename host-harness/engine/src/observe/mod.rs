//! Owns: what an operator sees of a running host: recordings of calls, the last hour, readiness.
//! Does not own: counters (`base`), serving them over HTTP, exporting traces.

pub(crate) mod history;
pub(crate) mod readiness;
pub(crate) mod recorder;
