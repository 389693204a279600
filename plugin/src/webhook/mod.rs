//! Incoming webhooks: the bytes of a delivery become events, in Meta's order.
//! What belongs here is parsing. Nothing is fetched or stored, and only deliveries that are not Instagram's are
//! refused.
//!
//! The data flows `envelope` → `change` or `item` → `message` → `attachment` → `collect`. Pages of the history flow
//! `envelope` → `archive` → `collect`, other callbacks of the platform `envelope` → `callback`.

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
