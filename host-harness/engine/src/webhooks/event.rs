//! Owns: the form in which a change is told to others: an event in JSON, with the API's ids and times.
//! Does not own: which changes there are (the inbox), how they are carried.

use harness_inbox::{Change, ChangeKind, ContactId, MediaId, NoteId, PublicId, UserId, WebhookId};
use jiff::Timestamp;
use serde::Serialize;

/// A change as others are told it. What it does not concern is left out. It refers to objects of the API and holds none:
/// by the time it is read they may have changed again.
#[derive(Clone, Debug, Serialize)]
pub struct Event {
    object: &'static str,
    /// The number of the change: ascending, never used twice.
    pub id: String,
    /// The kind of change.
    pub r#type: &'static str,
    /// RFC 3339, with milliseconds.
    pub created_at: String,
    /// The ids of what it concerns.
    #[serde(flatten)]
    pub concerns: Concerns,
}

/// The ids of what an event concerns.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Concerns {
    #[serde(skip_serializing_if = "Option::is_none")]
    workspace_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    account_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    conversation_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reply_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    activity_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    contact_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    media_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    delivery_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    webhook_id: Option<String>,
}

/// The kind of an event that says that changes were removed before they were read.
pub const MISSED: &str = "feed.missed";
/// The kind of an event that somebody sends to try an address.
pub(super) const TEST: &str = "webhook.test";

impl Event {
    fn new(id: u64, kind: &'static str, at: u64, concerns: Concerns) -> Self {
        Self { object: "event", id: id.to_string(), r#type: kind, created_at: time(at), concerns }
    }

    /// The event of a change.
    pub fn of(change: &Change) -> Self {
        let mut concerns = Concerns {
            workspace_id: change.workspace.map(PublicId::public),
            account_id: change.account.map(PublicId::public),
            conversation_id: change.conversation.map(PublicId::public),
            message_id: change.message.map(PublicId::public),
            reply_id: change.reply.map(PublicId::public),
            activity_id: change.activity.map(PublicId::public),
            delivery_id: change.delivery.map(PublicId::public),
            ..Concerns::default()
        };
        if let Some(object) = change.object {
            match change.kind {
                ChangeKind::ContactUpdated => concerns.contact_id = Some(ContactId::new(object).public()),
                ChangeKind::MessageMedia => concerns.media_id = Some(MediaId::new(object).public()),
                ChangeKind::NoteCreated | ChangeKind::NoteUpdated | ChangeKind::NoteDeleted => {
                    concerns.note_id = Some(NoteId::new(object).public());
                }
                ChangeKind::MentionCreated | ChangeKind::MentionSeen => {
                    concerns.user_id = Some(UserId::new(object).public());
                }
                _ => {}
            }
        }
        Self::new(change.seq, change.kind.name(), change.at, concerns)
    }

    /// Says that changes up to some point are gone and the inbox has to be read again; what follows comes after
    /// `position`.
    pub fn missed(position: u64, now: u64) -> Self {
        Self::new(position, MISSED, now, Concerns::default())
    }

    /// Tries an address.
    pub(super) fn test(webhook: WebhookId, now: u64) -> Self {
        let concerns = Concerns { webhook_id: Some(webhook.public()), ..Concerns::default() };
        Self::new(0, TEST, now, concerns)
    }
}

fn time(at: u64) -> String {
    let at = i64::try_from(at).ok().and_then(|at| Timestamp::from_millisecond(at).ok());
    format!("{:.3}", at.unwrap_or(Timestamp::UNIX_EPOCH))
}
