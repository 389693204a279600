//! Owns: the promises of an inbox store, one trait per capability. Unless it says otherwise, a method is one
//! transaction: when it returns, either all of its changes are durable or none was made.
//! Does not own: any store (`sqlite` is one).

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

pub use accounts::Accounts;
pub use automations::Automations;
pub use channel_storage::{ChannelStorage, MAX_STORAGE_KEY, STORAGE_QUOTA};
pub use contact_views::ContactViews;
pub use contacts::Contacts;
pub use conversations::Conversations;
pub use counts::Counts;
pub use credentials::Credentials;
pub use deliveries::Deliveries;
pub use delivery_views::DeliveryViews;
pub use doubts::Doubts;
pub use feed::Feed;
pub use journal::Journal;
pub use lookups::Lookups;
pub use maintenance::Maintenance;
pub use media::MediaFiles;
pub use mentions::{MentionViews, Mentions};
pub use organisation::{MAX_LABELS, MAX_SHARED, Organisation, OrganisationViews};
pub use outbox::Outbox;
pub use people::People;
pub use saved_views::{MAX_VIEWS, SavedViewList, SavedViews};
pub use search::{SearchIndex, SearchViews};
pub use uploads::Uploads;
pub use users::Users;
pub use webhooks::Webhooks;

/// What a program that embeds a host may do: read everything, and mark a conversation as read.
pub trait Views:
    ContactViews
    + Conversations
    + Counts
    + DeliveryViews
    + Feed
    + Lookups
    + MentionViews
    + OrganisationViews
    + People
    + SavedViewList
    + SearchViews
{
}

impl<S> Views for S where
    S: ContactViews
        + Conversations
        + Counts
        + DeliveryViews
        + Feed
        + Lookups
        + MentionViews
        + OrganisationViews
        + People
        + SavedViewList
        + SearchViews
{
}

/// Everything that an inbox needs from a store. Implemented for every type with all capabilities.
pub trait Store:
    Accounts
    + Automations
    + ChannelStorage
    + Contacts
    + Credentials
    + Deliveries
    + Doubts
    + Journal
    + Maintenance
    + MediaFiles
    + Mentions
    + Organisation
    + Outbox
    + SavedViews
    + SearchIndex
    + Uploads
    + Webhooks
    + Users
    + Views
    + 'static
{
}

impl<S> Store for S where
    S: Accounts
        + Automations
        + ChannelStorage
        + Contacts
        + Credentials
        + Deliveries
        + Doubts
        + Journal
        + Maintenance
        + MediaFiles
        + Mentions
        + Organisation
        + Outbox
        + SavedViews
        + SearchIndex
        + Uploads
        + Webhooks
        + Users
        + Views
        + 'static
{
}
