//! Owns: what a store of an inbox promises, a trait for each capability. A method is a transaction, unless it says
//! otherwise: its changes are durable together when it returns, or none of them was made.
//! Does not own: any store (`sqlite` is one).

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

pub use accounts::Accounts;
pub use channel_storage::{ChannelStorage, MAX_STORAGE_KEY, STORAGE_QUOTA};
pub use contacts::Contacts;
pub use conversations::Conversations;
pub use counts::Counts;
pub use credentials::Credentials;
pub use deliveries::Deliveries;
pub use doubts::Doubts;
pub use feed::Feed;
pub use journal::Journal;
pub use lookups::Lookups;
pub use maintenance::Maintenance;
pub use media::MediaFiles;
pub use outbox::Outbox;
pub use uploads::Uploads;

/// What whoever embeds a host reads, and that a conversation was read. Nothing else changes through it.
pub trait Views: Conversations + Counts + Feed + Lookups {}

impl<S: Conversations + Counts + Feed + Lookups> Views for S {}

/// Everything that an inbox needs of a store. Implemented for whatever has all capabilities.
pub trait Store:
    Accounts
    + ChannelStorage
    + Contacts
    + Credentials
    + Deliveries
    + Doubts
    + Journal
    + Maintenance
    + MediaFiles
    + Outbox
    + Uploads
    + Views
    + 'static
{
}

impl<S> Store for S where
    S: Accounts
        + ChannelStorage
        + Contacts
        + Credentials
        + Deliveries
        + Doubts
        + Journal
        + Maintenance
        + MediaFiles
        + Outbox
        + Uploads
        + Views
        + 'static
{
}
