//! Lists of the inbox, page by page: conversations, the messages of one, and notices. Belongs here: their queries, their
//! shapes, and the places where a page ends. Everything else that is read: `read.rs`.

use std::{fmt, str::FromStr};

use rusqlite::{Connection, Row, params};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::{
    Inbox, InboxError,
    media::{self, MediaView},
    outbox::StepState,
    read::{collect, raw},
    sent,
};

/// Where a page of a list ends, and the next one goes on. Opaque to whoever asks.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Place {
    at: i64,
    seq: i64,
    id: i64,
}

impl Place {
    /// In front of everything.
    const FIRST: Self = Self { at: i64::MAX, seq: i64::MAX, id: i64::MAX };
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}.{:x}.{:x}", self.at, self.seq, self.id)
    }
}

/// It is no place that a page ended at.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("this is no place at which a page ended")]
pub struct NoPlace;

impl FromStr for Place {
    type Err = NoPlace;

    fn from_str(text: &str) -> Result<Self, NoPlace> {
        // Negative numbers are written as their two's complement.
        let number = |part: Option<&str>| {
            let part = part.filter(|part| !part.starts_with('+')).ok_or(NoPlace)?;
            u64::from_str_radix(part, 16).map(u64::cast_signed).map_err(|_| NoPlace)
        };
        let mut parts = text.split('.');
        let place = Self { at: number(parts.next())?, seq: number(parts.next())?, id: number(parts.next())? };
        if parts.next().is_some() { Err(NoPlace) } else { Ok(place) }
    }
}

/// A part of a list.
#[derive(Clone, Debug)]
pub struct Page<T> {
    /// What is in it.
    pub entries: Vec<T>,
    /// Where what is older begins; none at the end.
    pub next: Option<Place>,
}

impl<T> Page<T> {
    /// From rows of which one more was asked for than the page holds.
    fn of(mut rows: Vec<(T, Place)>, limit: usize) -> Self {
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = rows.last().filter(|_| more).map(|(_, place)| *place);
        Self { entries: rows.into_iter().map(|(entry, _)| entry).collect(), next }
    }
}

fn with_one_more(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1)
}

/// One line of the list of conversations.
#[derive(Clone, Debug, Serialize)]
pub struct ConversationSummary {
    /// Its row.
    pub id: i64,
    /// The channel's id.
    pub channel: String,
    /// The platform's id of the account.
    pub account: String,
    /// The platform's id of the customer; none where the platform has named none yet. Such a conversation holds comments,
    /// and takes private replies to them alone.
    pub contact: Option<String>,
    /// The customer's name, where it is known.
    pub name: Option<String>,
    /// The newest thing in it, by platform time; never later than its receipt.
    pub last_at: i64,
    /// Messages of the customer since a person answered or marked the conversation as read.
    pub unread: i64,
    /// How far the customer has read: the platform's id of a message.
    pub seen_message: Option<String>,
    /// The text of the newest message.
    pub preview: Option<String>,
}

/// A reaction to a message.
#[derive(Clone, Debug, Serialize)]
pub struct ReactionView {
    /// The customer's platform id, or `business`.
    pub actor: String,
    /// The emoji.
    pub emoji: Option<String>,
}

/// A message as a conversation shows it.
#[derive(Clone, Debug, Serialize)]
pub struct TimelineEntry {
    /// Its row.
    pub id: i64,
    /// The platform's id.
    pub platform_id: Option<String>,
    /// `inbound` or `outbound`.
    pub direction: String,
    /// The contract's author of what came in, or sender of what was sent from here.
    pub author: Box<RawValue>,
    /// Platform time.
    pub at: i64,
    /// `live`, `standby`, `history` …
    pub origin: String,
    /// It arrived after something newer.
    pub late: bool,
    /// What it says.
    pub text: Option<String>,
    /// The contract's `message`, in either direction; none when it was taken back.
    pub body: Option<Box<RawValue>>,
    /// The contract's `outbound-part`, for what was sent from here: what was asked for.
    pub part: Option<Box<RawValue>>,
    /// When it was taken back.
    pub deleted_at: Option<i64>,
    /// How often it was edited.
    pub revision: Option<i64>,
    /// The reply that it belongs to.
    pub reply: Option<i64>,
    /// Where its sending stands.
    pub state: Option<StepState>,
    /// The contract's `send-result`.
    pub outcome: Option<Box<RawValue>>,
    /// What people put on it.
    pub reactions: Vec<ReactionView>,
    /// The files that it names, and what became of them.
    pub media: Vec<MediaView>,
}

/// Something that happened and is no message: a comment, a mention, a handover, a referral, an opt-in, a notice of the
/// platform's.
#[derive(Clone, Debug, Serialize)]
pub struct NoticeView {
    /// Its row.
    pub id: i64,
    /// The channel's id.
    pub channel: String,
    /// The platform's id of the account.
    pub account: String,
    /// The conversation's row, where it belongs to one. What is written there answers a comment in private, also where
    /// the platform gives its writer no id.
    pub conversation: Option<i64>,
    /// The platform's id of the customer, where it is known.
    pub contact: Option<String>,
    /// Platform time.
    pub at: i64,
    /// `live`, `standby`, `history` …
    pub origin: String,
    /// The kind of event by the contract's name, or `refused_event`.
    pub kind: String,
    /// The contract's `event-body`, with the ids by which it is answered.
    pub body: Box<RawValue>,
}

impl Inbox {
    /// The newest conversations.
    pub async fn conversations(&self, limit: usize) -> Result<Vec<ConversationSummary>, InboxError> {
        Ok(self.conversations_before(None, limit).await?.entries)
    }

    /// Conversations, the newest first, behind this place.
    pub async fn conversations_before(
        &self,
        before: Option<Place>,
        limit: usize,
    ) -> Result<Page<ConversationSummary>, InboxError> {
        let Place { at, id, .. } = before.unwrap_or(Place::FIRST);
        self.readers
            .read(move |connection| {
                let rows = collect(
                    connection,
                    "SELECT c.id, a.channel, a.platform_id, iif(k.unnamed, NULL, k.platform_id),
                         coalesce(k.name, k.username), c.last_at,
                         (SELECT count(*) FROM message m WHERE m.conversation_id = c.id AND m.unread = 1),
                         c.seen_message,
                         (SELECT text FROM message m WHERE m.conversation_id = c.id
                          ORDER BY at DESC, seq DESC, id DESC LIMIT 1)
                     FROM conversation c JOIN account a ON a.id = c.account_id JOIN contact k ON k.id = c.contact_id
                     WHERE (c.last_at, c.id) < (?1, ?2)
                     ORDER BY c.last_at DESC, c.id DESC LIMIT ?3",
                    params![at, id, with_one_more(limit)],
                    |row| {
                        let summary = ConversationSummary {
                            id: row.get(0)?,
                            channel: row.get(1)?,
                            account: row.get(2)?,
                            contact: row.get(3)?,
                            name: row.get(4)?,
                            last_at: row.get(5)?,
                            unread: row.get(6)?,
                            seen_message: row.get(7)?,
                            preview: row.get(8)?,
                        };
                        let place = Place { at: summary.last_at, seq: 0, id: summary.id };
                        Ok((summary, place))
                    },
                )?;
                Ok(Page::of(rows, limit))
            })
            .await
    }

    /// The newest messages of a conversation, in platform order.
    pub async fn timeline(&self, conversation: i64, limit: usize) -> Result<Vec<TimelineEntry>, InboxError> {
        Ok(self.timeline_before(conversation, None, limit).await?.entries)
    }

    /// Messages of a conversation before this place, in platform order: the newest of them.
    pub async fn timeline_before(
        &self,
        conversation: i64,
        before: Option<Place>,
        limit: usize,
    ) -> Result<Page<TimelineEntry>, InboxError> {
        let before = before.unwrap_or(Place::FIRST);
        self.readers.read(move |connection| timeline(connection, conversation, before, limit)).await
    }

    /// Notices, the newest first, behind this place: all, or those of a conversation, or of a kind.
    pub async fn notices_before(
        &self,
        conversation: Option<i64>,
        kind: Option<String>,
        before: Option<Place>,
        limit: usize,
    ) -> Result<Page<NoticeView>, InboxError> {
        let Place { at, id, .. } = before.unwrap_or(Place::FIRST);
        self.readers
            .read(move |connection| {
                let rows = collect(
                    connection,
                    "SELECT n.id, a.channel, a.platform_id, n.conversation_id, iif(k.unnamed, NULL, k.platform_id), n.at,
                         n.origin, n.kind, n.body
                     FROM notice n JOIN account a ON a.id = n.account_id
                     LEFT JOIN conversation c ON c.id = n.conversation_id LEFT JOIN contact k ON k.id = c.contact_id
                     WHERE (n.at, n.id) < (?1, ?2) AND (?4 IS NULL OR n.conversation_id = ?4)
                       AND (?5 IS NULL OR n.kind = ?5)
                     ORDER BY n.at DESC, n.id DESC LIMIT ?3",
                    params![at, id, with_one_more(limit), conversation, kind],
                    |row| {
                        let notice = NoticeView {
                            id: row.get(0)?,
                            channel: row.get(1)?,
                            account: row.get(2)?,
                            conversation: row.get(3)?,
                            contact: row.get(4)?,
                            at: row.get(5)?,
                            origin: row.get(6)?,
                            kind: row.get(7)?,
                            body: RawValue::NULL.to_owned(),
                        };
                        Ok((notice, row.get::<_, String>(8)?))
                    },
                )?;
                let placed = rows.into_iter().map(|(mut notice, body)| {
                    notice.body = RawValue::from_string(body)?;
                    let place = Place { at: notice.at, seq: 0, id: notice.id };
                    Ok((notice, place))
                });
                Ok(Page::of(placed.collect::<Result<_, InboxError>>()?, limit))
            })
            .await
    }
}

fn timeline(
    connection: &Connection,
    conversation: i64,
    before: Place,
    limit: usize,
) -> Result<Page<TimelineEntry>, InboxError> {
    let rows = collect(
        connection,
        "SELECT m.id, m.platform_id, m.direction, m.at, m.origin, m.late, m.text, m.deleted_at, m.revision, m.reply_id,
             s.state, m.account_id, m.author, m.body, s.outcome, m.part, m.seq
         FROM message m LEFT JOIN step s ON s.reply_id = m.reply_id AND s.step = m.step
         WHERE m.conversation_id = ?1 AND (m.at, m.seq, m.id) < (?3, ?4, ?5)
         ORDER BY m.at DESC, m.seq DESC, m.id DESC LIMIT ?2",
        params![conversation, with_one_more(limit), before.at, before.seq, before.id],
        entry,
    )?;
    let mut page = Page::of(rows, limit);
    page.entries.reverse();
    let entries = page.entries.into_iter().map(|row| complete(connection, row)).collect::<Result<_, _>>()?;
    Ok(Page { entries, next: page.next })
}

/// A row of the timeline whose JSON and files are still to be read.
struct Incomplete {
    entry: TimelineEntry,
    account: i64,
    author: String,
    body: Option<String>,
    outcome: Option<String>,
    part: Option<String>,
}

fn entry(row: &Row<'_>) -> rusqlite::Result<(Incomplete, Place)> {
    let entry = TimelineEntry {
        id: row.get(0)?,
        platform_id: row.get(1)?,
        direction: row.get(2)?,
        author: RawValue::NULL.to_owned(),
        at: row.get(3)?,
        origin: row.get(4)?,
        late: row.get(5)?,
        text: row.get(6)?,
        body: None,
        part: None,
        deleted_at: row.get(7)?,
        revision: row.get(8)?,
        reply: row.get(9)?,
        state: row.get::<_, Option<String>>(10)?.as_deref().map(StepState::from_name),
        outcome: None,
        reactions: Vec::new(),
        media: Vec::new(),
    };
    let place = Place { at: entry.at, seq: row.get(16)?, id: entry.id };
    let (account, author) = (row.get(11)?, row.get(12)?);
    Ok((Incomplete { entry, account, author, body: row.get(13)?, outcome: row.get(14)?, part: row.get(15)? }, place))
}

fn complete(connection: &Connection, row: Incomplete) -> Result<TimelineEntry, InboxError> {
    let Incomplete { mut entry, account, author, body, outcome, part } = row;
    entry.author = RawValue::from_string(author)?;
    entry.body = match (body, &part) {
        (None, Some(part)) => Some(sent::as_message(&entry, part)?),
        (body, _) => raw(body)?,
    };
    entry.media = media::of_message(connection, entry.id)?;
    entry.part = raw(part)?;
    entry.outcome = raw(outcome)?;
    entry.reactions = collect(
        connection,
        "SELECT actor, emoji FROM reaction WHERE account_id = ?1 AND target = ?2 AND removed = 0 ORDER BY at",
        params![account, entry.platform_id],
        |row| Ok(ReactionView { actor: row.get(0)?, emoji: row.get(1)? }),
    )?;
    Ok(entry)
}
