//! Owns: the store's capabilities in SQLite: one file per trait, one transaction per method.
//! Does not own: the changes in a transaction (`apply`, `outbox`, `rows`), larger queries (`views`).

mod accounts;
mod automations;
mod channel_storage;
mod contact_views;
mod contacts;
mod conversations;
mod counts;
mod credentials;
mod deliveries;
mod delivery_views;
mod doubts;
mod feed;
mod journal;
mod lookups;
mod maintenance;
mod media;
mod mentions;
mod organisation;
mod outbox;
mod people;
mod saved_views;
mod search;
mod uploads;
mod users;
mod webhooks;

#[cfg(fuzzing)]
pub(crate) use deliveries::waiting;
