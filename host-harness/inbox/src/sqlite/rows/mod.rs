//! Owns: row changes shared between modules: events, replies and deletion.
//! Does not own: the reasons for the changes.

pub(crate) mod accounts;
pub(crate) mod automation;
pub(crate) mod changes;
pub(crate) mod continued;
pub(crate) mod conversations;
pub(crate) mod deliveries;
pub(crate) mod erasure;
pub(crate) mod media;
pub(crate) mod mentions;
pub(crate) mod messages;
pub(crate) mod organisation;
pub(crate) mod people;
pub(crate) mod reactions;
pub(crate) mod replies;
pub(crate) mod saved_views;
pub(crate) mod shared;
pub(crate) mod threads;
pub(crate) mod turns;
pub(crate) mod unread;
pub(crate) mod users;
pub(crate) mod webhooks;
