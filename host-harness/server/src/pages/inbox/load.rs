//! Owns: reading from the inbox what a page shows: the list, an opened conversation.
//! Does not own: showing it.

use std::{collections::HashMap, ops::RangeInclusive, sync::Arc};

use harness_contract::{
    ChannelCapabilities, ConversationContext, EventBody, Severity, Violation, names::violation_code,
};
use harness_engine::{Host, HostError, LoadedChannel};
use harness_inbox::{
    AccountRow, ActivityFilter, ActivityView, Around, ConversationFilter, ConversationId, ConversationSummary,
    InboxError, MessageId, NoteView, Place, TimelineEntry,
};

use super::{
    asked::Asked,
    list::{List, Row, name},
    search::Found,
    team::Team,
    thread::said,
};
use crate::pages::reader::Reader;

/// Conversations on one page of the list.
const ROWS: usize = 40;
/// The most conversations that a scrolled list is renewed with.
const MOST_ROWS: usize = 200;
/// Unread messages that are counted. The number that is shown ends before.
const MOST_UNREAD: i64 = 1000;
/// Messages on one page of the log.
const MESSAGES: usize = 50;
/// Activities that are looked at for one page of the log.
const ACTIVITIES: usize = 200;
/// Other conversations of the same person that are shown.
const OTHERS: usize = 6;
/// Activities among which posts of the business's own are looked for.
const OF_POSTS: usize = 100;
/// The most posts that are offered.
const POSTS: usize = 20;

/// The name of a channel, or its id if it is not loaded.
pub(super) fn channel_name(host: &Host, id: &str) -> String {
    host.channel(id).map_or_else(|_| id.to_owned(), |loaded| loaded.channel.manifest().channel.name.clone())
}

/// The channels that are loaded: ids and names.
pub(super) fn channels(host: &Host) -> Vec<(String, String)> {
    let identity = |loaded: &Arc<LoadedChannel>| loaded.channel.manifest().channel.clone();
    host.channels().iter().map(identity).map(|identity| (identity.id, identity.name)).collect()
}

/// The team's unread messages, counted up to a limit.
pub(super) async fn unread(host: &Host, reader: &Reader) -> Result<i64, HostError> {
    Ok(host.inbox().unread(reader.workspace, MOST_UNREAD).await?)
}

/// A page of the list, the team, and the number of unread messages.
pub(super) async fn with_team(host: &Host, asked: &Asked, reader: &Reader) -> Result<(List, Team, i64), HostError> {
    let (list, team, unread) = tokio::join!(
        list(host, asked, asked.before.as_deref(), reader),
        Team::load(host, reader),
        unread(host, reader)
    );
    Ok((list?, team?, unread?))
}

/// A page of the list. An unknown place begins at the newest.
pub(super) async fn list(host: &Host, asked: &Asked, before: Option<&str>, reader: &Reader) -> Result<List, HostError> {
    let inbox = host.inbox();
    if let Some(words) = asked.search() {
        let found = Found::load(host, words, before, reader).await?;
        return Ok(List { rows: Vec::new(), next: None, found: Some(found) });
    }
    let before = before.and_then(|place| place.parse().ok());
    let page = inbox.conversations_of(asked.filter(reader), before, asked.rows(ROWS, MOST_ROWS)).await?;
    let (newest, windows) = tokio::join!(
        inbox.newest_messages(page.entries.iter().map(|one| one.id).collect()),
        host.windows(&page.entries),
    );
    let (newest, mut windows) = (newest?, windows?);
    let rows = page.entries.into_iter().zip(newest).map(|(summary, latest)| Row {
        channel_name: channel_name(host, &summary.channel),
        window: windows.remove(&summary.id),
        latest,
        summary,
    });
    Ok(List { rows: rows.collect(), next: page.next.map(|place| place.to_string()), found: None })
}

/// A part of a conversation's log.
#[derive(Clone, Copy)]
pub(in crate::pages) enum Part {
    Newest,
    Before(Place),
    After(Place),
    Around(MessageId),
}

/// The messages of a part, oldest first, and where those before and after it are.
async fn messages(host: &Host, id: ConversationId, part: Part) -> Result<Around, InboxError> {
    let inbox = host.inbox();
    let before = match part {
        Part::After(place) => {
            let page = inbox.timeline_after(id, place, MESSAGES).await?;
            return Ok(Around { entries: page.entries, earlier: None, later: page.next });
        }
        Part::Around(message) => match inbox.timeline_around(id, message, MESSAGES / 2).await? {
            Some(around) => return Ok(around),
            None => None,
        },
        Part::Before(place) => Some(place),
        Part::Newest => None,
    };
    let page = inbox.timeline_before(id, before, MESSAGES).await?;
    Ok(Around { entries: page.entries, earlier: page.next, later: None })
}

/// The times of everything that a page of the log shows, in milliseconds: between two pages nothing is missing, and
/// nothing stands on both.
fn span(part: Part, page: &Around) -> RangeInclusive<i64> {
    let first = page.entries.first().filter(|_| page.earlier.is_some());
    let last = page.entries.last().filter(|_| page.later.is_some());
    let from = match part {
        Part::After(place) => place.time().saturating_add(1),
        _ => first.map_or(i64::MIN, |row| row.at),
    };
    let to = match part {
        Part::Before(place) => place.time().saturating_sub(1),
        _ => last.map_or(i64::MAX, |row| row.at),
    };
    from..=to
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
    /// The times of what the page of the log shows.
    pub(super) span: RangeInclusive<i64>,
    pub(super) activities: Vec<ActivityView>,
    pub(super) notes: Vec<NoteView>,
    pub(super) earlier: Option<String>,
    pub(super) later: Option<String>,
    /// What is said in messages, by the platform's ids.
    pub(super) said: HashMap<String, String>,
    pub(super) team: Team,
    /// The conversation in which this one goes on, if it does.
    pub(super) goes_on_in: Option<ConversationId>,
    /// Other conversations with the same person.
    pub(super) others: Vec<ConversationSummary>,
    pub(super) largest_file: u64,
    /// Whether platforms can fetch uploaded files from this host.
    pub(super) links_files: bool,
    /// Posts of the business's own that are known here: ids, and what somebody wrote about them.
    pub(super) posts: Vec<(String, String)>,
}

impl Opened {
    pub(super) async fn load(
        host: &Host,
        summary: ConversationSummary,
        part: Part,
        reader: &Reader,
    ) -> Result<Self, HostError> {
        let (inbox, id) = (host.inbox(), summary.id);
        let channel_name = channel_name(host, &summary.channel);
        let same = ConversationFilter {
            workspace: Some(reader.workspace),
            contact: Some(summary.contact_id),
            ..ConversationFilter::default()
        };
        let of_conversation = ActivityFilter { conversation: Some(id), ..ActivityFilter::default() };
        let messages = messages(host, id, part).await?;
        let span = span(part, &messages);
        let until = Some(Place::until(*span.end()));
        // None of them needs another, and each waits for a thread.
        let (account, activities, others, notes, team, context, capabilities) = tokio::join!(
            inbox.account_row(summary.account_id),
            inbox.activities_before(of_conversation, until, ACTIVITIES),
            inbox.conversations_of(same, None, OTHERS),
            inbox.notes_before(id, until, ACTIVITIES),
            Team::load(host, reader),
            host.context(id),
            host.capabilities(id),
        );
        let mut others = others?.entries;
        others.retain(|other| other.id != id);
        let goes_on_in = if summary.continued_in.is_some() { inbox.goes_on_in(id).await? } else { None };
        Ok(Self {
            name: name(&summary, &channel_name, reader),
            said: said(&messages.entries, reader, &channel_name),
            context: context.ok(),
            capabilities: capabilities.ok(),
            earlier: messages.earlier.map(|place| place.to_string()),
            later: messages.later.map(|place| place.to_string()),
            notes: notes?.entries,
            team: team?,
            messages: messages.entries,
            span,
            largest_file: host.largest_file(),
            links_files: host.is_public_over_tls(),
            posts: Vec::new(),
            summary,
            channel_name,
            account: account?,
            activities: activities?.entries,
            goes_on_in,
            others,
        })
    }
}

impl Opened {
    /// The same with the posts that are known here, for whoever wants to share one.
    pub(super) async fn with_posts(mut self, host: &Host, wanted: bool) -> Result<Self, InboxError> {
        if wanted {
            self.posts = posts(host, &self.summary).await?;
        }
        Ok(self)
    }
}

/// The posts of an account that customers commented on, newest first.
async fn posts(host: &Host, summary: &ConversationSummary) -> Result<Vec<(String, String)>, InboxError> {
    let comments = ActivityFilter {
        account: Some(summary.account_id),
        kind: Some("comment".to_owned()),
        ..ActivityFilter::default()
    };
    let page = host.inbox().activities_before(comments, None, OF_POSTS).await?;
    let mut posts: Vec<(String, String)> = Vec::new();
    for activity in &page.entries {
        let Ok(EventBody::Comment(comment)) = serde_json::from_str(activity.body.get()) else { continue };
        let Some(id) = comment.media_id else { continue };
        if posts.len() < POSTS && posts.iter().all(|(known, _)| *known != id) {
            posts.push((id, comment.text.unwrap_or_default().chars().take(60).collect()));
        }
    }
    Ok(posts)
}

/// An empty composer was sent.
pub(super) fn nothing_to_send(reader: &Reader) -> Violation {
    violation(violation_code::EMPTY_MESSAGE, "parts[0]", &reader.words.message_is_empty)
}

/// The code of [`sent_before`].
pub(super) const SENT_BEFORE: &str = "sent_before";

/// What stood in the composer before was sent already, and something else stands there now.
pub(super) fn sent_before(reader: &Reader) -> Violation {
    violation(SENT_BEFORE, "", &reader.words.composer.sent_before)
}

/// What the host itself says about a message.
fn violation(code: &str, path: &str, message: &str) -> Violation {
    Violation {
        severity: Severity::Error,
        code: code.to_owned(),
        path: path.to_owned(),
        message: message.to_owned(),
        limit: None,
        actual: None,
        accepted: Vec::new(),
        split_at: None,
    }
}
