//! Webhooks in: the bytes of one delivery become events, in the order in which Meta listed them.
//! What belongs here is reading; nothing is fetched, nothing remembered, and nothing is refused
//! but a delivery that is no Instagram delivery at all.
//!
//! The data goes `envelope` → `change` or `item` → `message` → `attachment` → `collect`. Pages of the
//! archive go `envelope` → `archive` → `collect`, other calls of the platform `envelope` → `callback`.

mod archive;
mod attachment;
mod callback;
mod change;
mod envelope;
mod id;
mod item;
mod kinds;
mod message;
mod mid;
mod referral;
mod template;

pub use envelope::parse;
