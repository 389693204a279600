//! Owns: reading from the inbox what a page shows: the list, an opened conversation.
//! Does not own: showing it.

use std::{collections::HashMap, sync::Arc};

use harness_contract::{
    ChannelCapabilities, ConversationContext, FallbackPolicy, OutboundMessage, OutboundPart, Sender, SenderKind,
    Severity, Violation, names::violation_code,
};
use harness_engine::{Host, HostError};
use harness_inbox::{
    AccountRow, ActivityView, ConversationId, ConversationSummary, InboxError, MessageId, TimelineEntry,
};

use super::{
    list::{List, Row, name},
    thread::said,
};
use crate::pages::reader::Reader;

/// Conversations on one page of the list.
const ROWS: usize = 40;
/// Messages on one page of the log.
const MESSAGES: usize = 50;
/// Activities that are looked at for one page of the log.
const ACTIVITIES: usize = 200;
/// How far the list is searched for a conversation.
const REACH: usize = 500;

/// The name of a channel, or its id if it is not loaded.
fn channel_name(host: &Host, id: &str) -> String {
    host.channel(id).map_or_else(|_| id.to_owned(), |loaded| loaded.channel.manifest().channel.name.clone())
}

/// A page of the list. An unknown place begins at the newest.
pub(super) async fn list(host: &Host, before: Option<&str>) -> Result<List, HostError> {
    let inbox = host.inbox();
    let page = inbox.conversations_before(before.and_then(|place| place.parse().ok()), ROWS).await?;
    let mut rows = Vec::with_capacity(page.entries.len());
    for summary in page.entries {
        let latest = inbox.timeline(summary.id, 1).await?.pop();
        // A channel that is not loaded has no rules.
        let window = host.context(summary.id).await.ok().map(|context| context.window);
        rows.push(Row { channel_name: channel_name(host, &summary.channel), latest, window, summary });
    }
    Ok(List { rows, next: page.next.map(|place| place.to_string()) })
}

/// A conversation with a page of its messages.
pub(super) struct Opened {
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
    pub(super) earlier: Option<String>,
    /// What is said in messages, by the platform's ids.
    pub(super) said: HashMap<String, String>,
    pub(super) largest_file: u64,
}

impl Opened {
    pub(super) async fn load(
        host: &Host,
        id: ConversationId,
        before: Option<&str>,
        reader: &Reader,
    ) -> Result<Self, HostError> {
        let inbox = host.inbox();
        let account = inbox.account_row(inbox.account_of(id).await?).await?;
        let summary = summary(host, id).await?;
        let channel_name = channel_name(host, &summary.channel);
        let messages = inbox.timeline_before(id, before.and_then(|place| place.parse().ok()), MESSAGES).await?;
        let activities = inbox.activities_before(None, Some(id), None, None, ACTIVITIES).await?.entries;
        Ok(Self {
            name: name(&summary, &channel_name, reader),
            said: said(&messages.entries, reader, &channel_name),
            context: host.context(id).await.ok(),
            capabilities: host.capabilities(id).await.ok(),
            earlier: messages.next.map(|place| place.to_string()),
            messages: messages.entries,
            largest_file: host.largest_file(),
            summary,
            channel_name,
            account,
            activities,
        })
    }
}

/// One conversation's entry in the list.
async fn summary(host: &Host, id: ConversationId) -> Result<ConversationSummary, HostError> {
    let mut before = None;
    loop {
        let page = host.inbox().conversations_before(before, REACH).await?;
        if let Some(found) = page.entries.into_iter().find(|one| one.id == id) {
            return Ok(found);
        }
        let missing = || InboxError::NotFound { what: "conversation", id: id.to_string() };
        before = Some(page.next.ok_or_else(missing)?);
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
    let key = format!("again-{message}");
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
