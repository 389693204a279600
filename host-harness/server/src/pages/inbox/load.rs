//! Owns: reading from the inbox what a page shows: the list, an opened conversation.
//! Does not own: showing it.

use std::{collections::HashMap, sync::Arc};

use harness_contract::{
    ChannelCapabilities, ConversationContext, FallbackPolicy, OutboundMessage, OutboundPart, Sender, SenderKind,
    Severity, Violation, names::violation_code,
};
use harness_engine::{Host, HostError, LoadedChannel};
use harness_inbox::{
    AccountRow, ActivityView, ConversationFilter, ConversationId, ConversationSummary, InboxError, MessageId, NoteView,
    PublicId as _, TimelineEntry,
};

use super::{
    asked::Asked,
    list::{List, Row, name},
    team::Team,
    thread::said,
};
use crate::pages::reader::Reader;

/// Conversations on one page of the list.
const ROWS: usize = 40;
/// Messages on one page of the log.
const MESSAGES: usize = 50;
/// Activities that are looked at for one page of the log.
const ACTIVITIES: usize = 200;
/// Other conversations of the same person that are shown.
const OTHERS: usize = 6;
/// How far back a message that was not sent is searched for.
const REACH: usize = 500;

/// The name of a channel, or its id if it is not loaded.
fn channel_name(host: &Host, id: &str) -> String {
    host.channel(id).map_or_else(|_| id.to_owned(), |loaded| loaded.channel.manifest().channel.name.clone())
}

/// The channels that are loaded: ids and names.
pub(super) fn channels(host: &Host) -> Vec<(String, String)> {
    let identity = |loaded: &Arc<LoadedChannel>| loaded.channel.manifest().channel.clone();
    host.channels().iter().map(identity).map(|identity| (identity.id, identity.name)).collect()
}

/// A page of the list. An unknown place begins at the newest.
pub(super) async fn list(host: &Host, asked: &Asked, before: Option<&str>, reader: &Reader) -> Result<List, HostError> {
    let inbox = host.inbox();
    let before = before.and_then(|place| place.parse().ok());
    let page = inbox.conversations_of(asked.filter(reader), before, ROWS).await?;
    let newest = inbox.newest_messages(page.entries.iter().map(|one| one.id).collect()).await?;
    let mut windows = host.windows(&page.entries).await?;
    let rows = page.entries.into_iter().zip(newest).map(|(summary, latest)| Row {
        channel_name: channel_name(host, &summary.channel),
        window: windows.remove(&summary.id),
        latest,
        summary,
    });
    Ok(List { rows: rows.collect(), next: page.next.map(|place| place.to_string()) })
}

/// A conversation with a page of its messages.
pub(in crate::pages) struct Opened {
    pub(super) summary: ConversationSummary,
    pub(super) name: String,
    pub(super) channel_name: String,
    pub(super) account: AccountRow,
    /// `None` where the channel is not loaded.
    pub(super) context: Option<ConversationContext>,
    pub(super) capabilities: Option<Arc<ChannelCapabilities>>,
    /// Oldest first.
    pub(super) messages: Vec<TimelineEntry>,
    pub(super) activities: Vec<ActivityView>,
    pub(super) notes: Vec<NoteView>,
    pub(super) earlier: Option<String>,
    /// What is said in messages, by the platform's ids.
    pub(super) said: HashMap<String, String>,
    pub(super) team: Team,
    /// Other conversations with the same person.
    pub(super) others: Vec<ConversationSummary>,
    pub(super) largest_file: u64,
}

impl Opened {
    pub(super) async fn load(
        host: &Host,
        summary: ConversationSummary,
        before: Option<&str>,
        reader: &Reader,
    ) -> Result<Self, HostError> {
        let (inbox, id) = (host.inbox(), summary.id);
        let account = inbox.account_row(summary.account_id).await?;
        let channel_name = channel_name(host, &summary.channel);
        let messages = inbox.timeline_before(id, before.and_then(|place| place.parse().ok()), MESSAGES).await?;
        let activities = inbox.activities_before(None, Some(id), None, None, ACTIVITIES).await?.entries;
        let same = ConversationFilter {
            workspace: Some(reader.workspace),
            contact: Some(summary.contact_id),
            ..ConversationFilter::default()
        };
        let mut others = inbox.conversations_of(same, None, OTHERS).await?.entries;
        others.retain(|other| other.id != id);
        Ok(Self {
            name: name(&summary, &channel_name, reader),
            said: said(&messages.entries, reader, &channel_name),
            context: host.context(id).await.ok(),
            capabilities: host.capabilities(id).await.ok(),
            earlier: messages.next.map(|place| place.to_string()),
            notes: inbox.notes_before(id, None, ACTIVITIES).await?.entries,
            team: Team::load(host, reader).await?,
            messages: messages.entries,
            largest_file: host.largest_file(),
            summary,
            channel_name,
            account,
            activities,
            others,
        })
    }
}

/// An empty composer was sent.
pub(super) fn nothing_to_send(reader: &Reader) -> Violation {
    Violation {
        severity: Severity::Error,
        code: violation_code::EMPTY_MESSAGE.to_owned(),
        path: "parts[0]".to_owned(),
        message: reader.words.message_is_empty.to_string(),
        limit: None,
        actual: None,
        accepted: Vec::new(),
        split_at: None,
    }
}

/// Queues the part of a message that was not sent as a new reply. Returns why it cannot be sent.
pub(super) async fn write_again(
    host: &Host,
    conversation: ConversationId,
    message: MessageId,
    reader: &Reader,
) -> Result<Vec<Violation>, HostError> {
    let messages = host.inbox().timeline(conversation, REACH).await?;
    let missing = || InboxError::NotFound { what: "message", id: message.to_string() };
    let row = messages.into_iter().find(|row| row.id == message).ok_or_else(missing)?;
    let part: OutboundPart =
        row.part.as_ref().and_then(|part| serde_json::from_str(part.get()).ok()).ok_or_else(missing)?;
    // Pressed twice, it is one reply.
    let key = format!("again-{}", message.public());
    let message = OutboundMessage {
        id: String::new(),
        sender: Sender { kind: SenderKind::Human, id: reader.name.to_string(), name: None, picture_url: None },
        parts: vec![part],
        quick_replies: Vec::new(),
        reply_to: None,
        private_reply_to: None,
        fallback: FallbackPolicy::Usual,
        try_anyway: false,
        options: Vec::new(),
        native: None,
    };
    match host.reply_as(reader.user, conversation, &key, message).await {
        Ok(_) => Ok(Vec::new()),
        Err(HostError::NotSendable(violations)) => Ok(violations),
        Err(error) => Err(error),
    }
}
