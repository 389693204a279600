//! Reading the inbox: conversations, timelines, replies, counts. Readers have connections of their
//! own and never wait for the writer. Belongs here: queries, and the shapes that they return.

use std::{
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use harness_contract::{
    AccountSettings, ConversationContext, Degradation, EventBody, KnownComment, Thread, Violation, Window,
    WindowOpener, WindowPolicy, WindowState,
};
use rusqlite::{Connection, OptionalExtension as _, Row, params};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::{
    Inbox, InboxError, integrity,
    journal::from_millis,
    media::{self, MediaView},
    outbox::{StepState, account_settings},
    verdict::ReplyVerdict,
    window,
};

/// Connections that only read; one is opened whenever all are in use.
pub(crate) struct Readers {
    path: PathBuf,
    idle: Mutex<Vec<Connection>>,
}

impl Readers {
    pub(crate) fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), idle: Mutex::new(Vec::new()) }
    }

    /// Queries are short and local, so they run where they are asked for.
    pub(crate) async fn read<T>(
        &self,
        query: impl FnOnce(&Connection) -> Result<T, InboxError>,
    ) -> Result<T, InboxError> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let connection = match idle {
            Some(connection) => connection,
            None => integrity::open(&self.path)?,
        };
        let result = query(&connection);
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
        result
    }
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
    /// The platform's id of the customer.
    pub contact: String,
    /// The customer's name, where it is known.
    pub name: Option<String>,
    /// The newest thing in it, by platform time.
    pub last_at: i64,
    /// Messages of the customer since the last reply.
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
    /// The contract's `message`, for what came in.
    pub body: Option<Box<RawValue>>,
    /// The contract's `outbound-part`, for what was sent from here.
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

/// Where a reply stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ReplyState {
    /// Waits for its turn.
    Queued,
    /// Some of it is still to be sent.
    Sending,
    /// Every step has its end.
    Done,
    /// The channel says that it cannot be sent.
    Refused,
}

/// A reply with the ends of its steps.
#[derive(Clone, Debug, Serialize)]
pub struct ReplyView {
    /// Its row.
    pub id: i64,
    /// The conversation's row.
    pub conversation: i64,
    /// Under which it was asked for.
    pub key: String,
    /// Where it stands in the outbox.
    #[serde(skip)]
    pub state: ReplyState,
    /// Where it stands, or how it ended.
    #[serde(rename = "state")]
    pub verdict: ReplyVerdict,
    /// Why it was refused, or what the agent should know.
    pub violations: Vec<Violation>,
    /// What the customer will not see as it was asked for.
    pub degradations: Vec<Degradation>,
    /// Its steps in order.
    pub steps: Vec<StepView>,
}

/// One step of a reply.
#[derive(Clone, Debug, Serialize)]
pub struct StepView {
    /// The part of the message that it belongs to.
    pub part: u32,
    /// `message`, `action` or `upload`.
    pub kind: String,
    /// Where it stands.
    pub state: StepState,
    /// How often it was tried.
    pub attempts: u32,
    /// The contract's `send-result`.
    pub outcome: Option<Box<RawValue>>,
}

/// The journal in numbers.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
pub struct DeliveryCounts {
    /// Waiting to be translated.
    pub received: u64,
    /// Translated and applied.
    pub applied: u64,
    /// Waiting for an account that is not connected.
    pub unrouted: u64,
    /// Applied, and emptied since something in them was taken back.
    pub redacted: u64,
    /// Not translatable by this version of the channel.
    pub failed: u64,
}

impl Inbox {
    /// The newest conversations.
    pub async fn conversations(&self, limit: usize) -> Result<Vec<ConversationSummary>, InboxError> {
        self.readers
            .read(move |connection| {
                collect(
                    connection,
                    "SELECT c.id, a.channel, a.platform_id, k.platform_id, coalesce(k.name, k.username), c.last_at,
                         c.unread, c.seen_message,
                         (SELECT text FROM message m WHERE m.conversation_id = c.id ORDER BY at DESC, id DESC LIMIT 1)
                     FROM conversation c JOIN account a ON a.id = c.account_id JOIN contact k ON k.id = c.contact_id
                     ORDER BY c.last_at DESC, c.id DESC LIMIT ?1",
                    params![i64::try_from(limit).unwrap_or(i64::MAX)],
                    |row| {
                        Ok(ConversationSummary {
                            id: row.get(0)?,
                            channel: row.get(1)?,
                            account: row.get(2)?,
                            contact: row.get(3)?,
                            name: row.get(4)?,
                            last_at: row.get(5)?,
                            unread: row.get(6)?,
                            seen_message: row.get(7)?,
                            preview: row.get(8)?,
                        })
                    },
                )
            })
            .await
    }

    /// The newest messages of a conversation, in platform order.
    pub async fn timeline(&self, conversation: i64, limit: usize) -> Result<Vec<TimelineEntry>, InboxError> {
        self.readers.read(move |connection| timeline(connection, conversation, limit)).await
    }

    /// An account as its channel sees it, with the channel's id.
    pub async fn account(&self, account: i64) -> Result<(String, AccountSettings), InboxError> {
        let found = self.readers.read(move |connection| {
            Ok(connection
                .prepare_cached("SELECT channel, platform_id, settings FROM account WHERE id = ?1")?
                .query_row(params![account], |row| Ok((row.get(0)?, row.get(1)?, row.get::<_, String>(2)?)))
                .optional()?)
        });
        let not_found = || InboxError::NotFound { what: "account", id: account.to_string() };
        let (channel, id, settings) = found.await?.ok_or_else(not_found)?;
        Ok((channel, account_settings(id, &settings)?))
    }

    /// Everything about a conversation that a message depends on, under the channel's policy.
    pub async fn context(
        &self,
        conversation: i64,
        policy: &WindowPolicy,
        now: u64,
    ) -> Result<ConversationContext, InboxError> {
        self.readers.read(|connection| context(connection, conversation, policy, now)).await
    }

    /// What is known of a public comment on what a conversation's account published; none where it never came.
    pub async fn known_comment(&self, conversation: i64, comment: &str) -> Result<Option<KnownComment>, InboxError> {
        let comment = comment.to_owned();
        self.readers.read(move |connection| known_comment(connection, conversation, &comment)).await
    }

    /// The channel that a conversation belongs to.
    pub async fn channel_of(&self, conversation: i64) -> Result<String, InboxError> {
        self.readers
            .read(move |connection| {
                connection
                    .prepare_cached(
                        "SELECT a.channel FROM conversation c JOIN account a ON a.id = c.account_id WHERE c.id = ?1",
                    )?
                    .query_row(params![conversation], |row| row.get(0))
                    .optional()?
                    .ok_or(InboxError::NotFound { what: "conversation", id: conversation.to_string() })
            })
            .await
    }

    /// The account's row that a conversation belongs to.
    pub async fn account_of(&self, conversation: i64) -> Result<i64, InboxError> {
        self.readers
            .read(move |connection| {
                connection
                    .prepare_cached("SELECT account_id FROM conversation WHERE id = ?1")?
                    .query_row(params![conversation], |row| row.get(0))
                    .optional()?
                    .ok_or(InboxError::NotFound { what: "conversation", id: conversation.to_string() })
            })
            .await
    }

    /// A reply and the ends of its steps.
    pub async fn reply(&self, reply: i64) -> Result<ReplyView, InboxError> {
        self.readers.read(move |connection| reply_view(connection, reply)).await
    }

    /// The journal in numbers.
    pub async fn delivery_counts(&self) -> Result<DeliveryCounts, InboxError> {
        let arriving = self.arrivals.waiting();
        self.readers
            .read(move |connection| {
                let mut counts = DeliveryCounts { received: arriving, ..DeliveryCounts::default() };
                let rows = collect(connection, "SELECT state, count(*) FROM delivery GROUP BY state", [], |row| {
                    Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?))
                })?;
                for (state, count) in rows {
                    let count = from_millis(count);
                    match state.as_str() {
                        "received" => counts.received += count,
                        "applied" => counts.applied = count,
                        "unrouted" => counts.unrouted = count,
                        "redacted" => counts.redacted = count,
                        _ => counts.failed += count,
                    }
                }
                Ok(counts)
            })
            .await
    }

    /// Deliveries that could not be applied, with the reason, newest first.
    pub async fn problems(&self, limit: usize) -> Result<Vec<(i64, String)>, InboxError> {
        self.readers
            .read(move |connection| {
                collect(
                    connection,
                    "SELECT id, coalesce(problem, state) FROM delivery WHERE state IN ('failed', 'unrouted')
                     ORDER BY id DESC LIMIT ?1",
                    params![i64::try_from(limit).unwrap_or(i64::MAX)],
                    |row| Ok((row.get(0)?, row.get(1)?)),
                )
            })
            .await
    }
}

pub(crate) fn collect<T>(
    connection: &Connection,
    sql: &str,
    params: impl rusqlite::Params,
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> Result<Vec<T>, InboxError> {
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map(params, read)?;
    Ok(rows.collect::<rusqlite::Result<Vec<T>>>()?)
}

fn raw(text: Option<String>) -> Result<Option<Box<RawValue>>, InboxError> {
    Ok(text.map(RawValue::from_string).transpose()?)
}

fn timeline(connection: &Connection, conversation: i64, limit: usize) -> Result<Vec<TimelineEntry>, InboxError> {
    type Raw = (TimelineEntry, i64, String, Option<String>, Option<String>, Option<String>);
    let rows: Vec<Raw> = collect(
        connection,
        "SELECT m.id, m.platform_id, m.direction, m.at, m.origin, m.late, m.text, m.deleted_at, m.revision, m.reply_id,
             s.state, m.account_id, m.author, m.body, s.outcome, m.part
         FROM message m LEFT JOIN step s ON s.reply_id = m.reply_id AND s.step = m.step
         WHERE m.conversation_id = ?1 ORDER BY m.at DESC, m.id DESC LIMIT ?2",
        params![conversation, i64::try_from(limit).unwrap_or(i64::MAX)],
        |row| {
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
            Ok((entry, row.get(11)?, row.get(12)?, row.get(13)?, row.get(14)?, row.get(15)?))
        },
    )?;
    let mut entries = Vec::with_capacity(rows.len());
    for (mut entry, account, author, body, outcome, part) in rows.into_iter().rev() {
        entry.author = RawValue::from_string(author)?;
        entry.body = raw(body)?;
        entry.media = media::of_message(connection, entry.id)?;
        entry.part = raw(part)?;
        entry.outcome = raw(outcome)?;
        entry.reactions = collect(
            connection,
            "SELECT actor, emoji FROM reaction WHERE account_id = ?1 AND target = ?2 AND removed = 0 ORDER BY at",
            params![account, entry.platform_id],
            |row| Ok(ReactionView { actor: row.get(0)?, emoji: row.get(1)? }),
        )?;
        entries.push(entry);
    }
    Ok(entries)
}

fn context(
    connection: &Connection,
    conversation: i64,
    policy: &WindowPolicy,
    now: u64,
) -> Result<ConversationContext, InboxError> {
    let mut context = bare_context(connection, conversation, now)?;
    let openings = collect(
        connection,
        "SELECT opener, at FROM opening WHERE conversation_id = ?1",
        params![conversation],
        |row| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?)),
    )?;
    let openings: Vec<_> = openings
        .into_iter()
        .filter_map(|(opener, at)| Some((WindowOpener::from_name(&opener)?, from_millis(at))))
        .collect();
    context.window = window::compute(policy, &openings, context.window.refused_at, now);
    Ok(context)
}

/// The first word on a comment: where it stands, and when it was written.
fn known_comment(
    connection: &Connection,
    conversation: i64,
    comment: &str,
) -> Result<Option<KnownComment>, InboxError> {
    let found = connection
        .prepare_cached(
            "SELECT n.body, n.at FROM notice n JOIN conversation c ON c.account_id = n.account_id
             WHERE c.id = ?1 AND n.kind = 'comment' AND json_extract(n.body, '$.comment.id') = ?2
             ORDER BY n.at LIMIT 1",
        )?
        .query_row(params![conversation, comment], |row| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?)))
        .optional()?;
    let Some((body, at)) = found else { return Ok(None) };
    Ok(match serde_json::from_str(&body)? {
        EventBody::Comment(comment) => Some(KnownComment { place: comment.place, at: Some(from_millis(at)) }),
        _ => None,
    })
}

/// The context without its window, of which only the platform's refusal is filled in.
fn bare_context(connection: &Connection, conversation: i64, now: u64) -> Result<ConversationContext, InboxError> {
    type Raw = (String, String, String, Option<String>, Option<String>, Option<i64>, Option<Vec<u8>>);
    let raw: Option<Raw> = connection
        .prepare_cached(
            "SELECT a.platform_id, a.settings, k.platform_id, c.thread, c.last_inbound, c.refused_at, c.reply_context
             FROM conversation c JOIN account a ON a.id = c.account_id JOIN contact k ON k.id = c.contact_id
             WHERE c.id = ?1",
        )?
        .query_row(params![conversation], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?, row.get(6)?))
        })
        .optional()?;
    let Some((account, settings, contact, thread, last_inbound, refused_at, reply_context)) = raw else {
        return Err(InboxError::NotFound { what: "conversation", id: conversation.to_string() });
    };
    Ok(ConversationContext {
        account: account_settings(account, &settings)?,
        contact,
        thread: thread.as_deref().map(serde_json::from_str::<Thread>).transpose()?,
        last_inbound,
        window: Window {
            state: WindowState::Unknown,
            opened_by: None,
            opened_at: None,
            closes_at: None,
            human_closes_at: None,
            refused_at: refused_at.map(from_millis),
        },
        comment: None,
        now,
        reply_context,
    })
}

fn reply_view(connection: &Connection, reply: i64) -> Result<ReplyView, InboxError> {
    let found = connection
        .prepare_cached("SELECT conversation_id, key, state, violations, degradations FROM reply WHERE id = ?1")?
        .query_row(params![reply], |row| {
            let json = |at| row.get::<_, Option<String>>(at);
            Ok((row.get(0)?, row.get(1)?, row.get::<_, String>(2)?, json(3)?, json(4)?))
        })
        .optional()?;
    let Some((conversation, key, state, violations, degradations)) = found else {
        return Err(InboxError::NotFound { what: "reply", id: reply.to_string() });
    };
    let rows = collect(
        connection,
        "SELECT part, kind, state, attempts, outcome FROM step WHERE reply_id = ?1 ORDER BY step",
        params![reply],
        |row| Ok((row.get(0)?, row.get(1)?, row.get::<_, String>(2)?, row.get(3)?, row.get(4)?)),
    )?;
    let steps: Vec<StepView> = rows
        .into_iter()
        .map(|(part, kind, state, attempts, outcome)| {
            Ok(StepView { part, kind, state: StepState::from_name(&state), attempts, outcome: raw(outcome)? })
        })
        .collect::<Result<_, InboxError>>()?;
    let state = match state.as_str() {
        "queued" => ReplyState::Queued,
        "sending" => ReplyState::Sending,
        "refused" => ReplyState::Refused,
        _ => ReplyState::Done,
    };
    let violations = violations.as_deref().map(serde_json::from_str).transpose()?.unwrap_or_default();
    let degradations = degradations.as_deref().map(serde_json::from_str).transpose()?.unwrap_or_default();
    let verdict = ReplyVerdict::of(state, steps.iter().map(|step| (step.kind.as_str(), step.state)));
    Ok(ReplyView { id: reply, conversation, key, state, verdict, violations, degradations, steps })
}
