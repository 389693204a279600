//! Owns: the first stop of a delivery: an append-only file, with one fsync for all waiting deliveries, and the move of
//! deliveries from there into the journal's table.
//! Does not own: processing the rows.

mod log;
mod recovery;
mod row;
mod waiting;
mod worker;

#[cfg(fuzzing)]
pub(crate) use log::encode;
pub(crate) use log::{FILE, records};
pub(crate) use recovery::{add_missing, recover};
pub(crate) use row::{Arrival, DeliveryRow, proof_from, source_from};
pub(crate) use waiting::Load;
pub(crate) use worker::Arrivals;
