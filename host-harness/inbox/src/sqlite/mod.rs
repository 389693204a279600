//! Owns: the inbox in one SQLite file.
//! Does not own: the promises of every store (`store`).

mod apply;
mod arrivals;
mod backup;
mod capabilities;
mod checkpoint;
mod columns;
mod connection;
mod contract_0_1;
mod copier;
mod failure;
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing;
mod ids;
mod integrity;
mod outbox;
mod readers;
mod rows;
mod schema;
mod shape;
mod store;
mod views;
mod writer;

pub use backup::{Claim, Copied, copy_file, note_missing, verify_copy};
pub use integrity::{NamedFile, check_file, named_files};
pub use schema::known_schema;
pub(crate) use store::SqliteStore;
