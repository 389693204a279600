//! Owns: what a store can do, in SQLite: one file for each of its traits, one method for each transaction.
//! Does not own: the changes that a transaction makes (`apply`, `outbox`, `rows`), and larger queries (`views`).

mod accounts;
mod channel_storage;
mod contacts;
mod conversations;
mod counts;
mod credentials;
mod deliveries;
mod doubts;
mod feed;
mod journal;
mod lookups;
mod maintenance;
mod media;
mod outbox;
mod uploads;

#[cfg(fuzzing)]
pub(crate) use deliveries::waiting;
