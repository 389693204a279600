//! Reading the inbox: contexts, replies, counts. Lists are in `lists.rs`. Readers have connections of their
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

pub(crate) fn raw(text: Option<String>) -> Result<Option<Box<RawValue>>, InboxError> {
    Ok(text.map(RawValue::from_string).transpose()?)
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
            "SELECT a.platform_id, a.settings, iif(k.unnamed, '', k.platform_id), c.thread, c.last_inbound, c.refused_at, c.reply_context
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
