//! Owns: everything about a conversation that sending to it depends on.
//! Does not own: computing the window.

use harness_contract::{
    ConversationContext, EventBody, KnownComment, MessageRef, Thread, Window, WindowPolicy, WindowState,
};
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::{
    error::InboxError,
    model::ConversationId,
    sqlite::{
        columns::{as_millis, collect, from_millis},
        rows::{
            accounts::account_settings,
            continued::{self, EARLIER},
        },
    },
    window,
};

pub(crate) fn context(
    connection: &Connection,
    conversation: ConversationId,
    policy: &WindowPolicy,
    now: u64,
) -> Result<ConversationContext, InboxError> {
    // A reply that waits in an earlier conversation goes to the same thread and has the same window.
    let conversation = continued::current(connection, conversation)?;
    let (mut context, closed) = bare_context(connection, conversation, now)?;
    context.window = window_of(connection, conversation, policy, (context.window.refused_at, closed), now)?;
    Ok(context)
}

/// The windows of conversations, all under one policy. One that does not exist is left out.
pub(crate) fn windows(
    connection: &Connection,
    conversations: &[ConversationId],
    policy: &WindowPolicy,
    now: u64,
) -> Result<Vec<(ConversationId, Window)>, InboxError> {
    let mut statement = connection.prepare_cached("SELECT refused_at, closed FROM conversation WHERE id = ?1")?;
    let mut windows = Vec::with_capacity(conversations.len());
    for conversation in conversations {
        let state = |row: &rusqlite::Row<'_>| Ok((row.get::<_, Option<i64>>(0)?.map(from_millis), row.get(1)?));
        let current = continued::current(connection, *conversation)?;
        if let Some(known) = statement.query_row(params![current], state).optional()? {
            windows.push((*conversation, window_of(connection, current, policy, known, now)?));
        }
    }
    Ok(windows)
}

/// The window of a conversation of which it is known when the platform refused, and whether it is closed for good.
fn window_of(
    connection: &Connection,
    conversation: ConversationId,
    policy: &WindowPolicy,
    (refused_at, closed): (Option<u64>, bool),
    now: u64,
) -> Result<Window, InboxError> {
    let openings = collect(
        connection,
        "SELECT opener, at FROM window_opening WHERE conversation_id = ?1",
        params![conversation],
        |row| Ok((row.get::<_, String>(0)?, from_millis(row.get(1)?))),
    )?;
    let mut window = window::compute(policy, &openings, refused_at, now);
    if let (Some(allowed), Some(opened_at)) = (window.replies_left, window.opened_at) {
        let left = allowed.saturating_sub(sent_since(connection, conversation, opened_at)?);
        window.replies_left = Some(left);
        if left == 0 {
            window.state = WindowState::Closed;
        }
    }
    if closed {
        window.state = WindowState::Closed;
    }
    Ok(window)
}

/// How many messages the business has sent since `since`: in this conversation, and what still waited in earlier ones.
fn sent_since(connection: &Connection, conversation: ConversationId, since: u64) -> Result<u32, InboxError> {
    Ok(connection
        .prepare_cached(&format!(
            "WITH RECURSIVE {EARLIER}
             SELECT count(*) FROM message WHERE direction = 'outbound' AND at >= ?2
               AND conversation_id IN (SELECT ?1 UNION ALL SELECT id FROM earlier)
               AND (reply_id IS NULL OR step IS NOT NULL)"
        ))?
        .query_row(params![conversation, as_millis(since)], |row| row.get(0))?)
}

/// The first event about a comment: where it was made, and when.
pub(crate) fn known_comment(
    connection: &Connection,
    conversation: ConversationId,
    comment: &str,
) -> Result<Option<KnownComment>, InboxError> {
    let found = connection
        .prepare_cached(
            "SELECT n.body, n.at FROM activity n JOIN conversation c ON c.account_id = n.account_id
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

/// The context without its window, except for the platform's refusal.
fn bare_context(
    connection: &Connection,
    conversation: ConversationId,
    now: u64,
) -> Result<(ConversationContext, bool), InboxError> {
    type Named = Option<String>;
    type Bytes = Option<Vec<u8>>;
    type Raw = ((String, String), Named, Named, (Named, Bytes), Option<i64>, Bytes, bool);
    let raw: Option<Raw> = connection
        .prepare_cached(
            "SELECT a.platform_id, a.settings, iif(k.unnamed, NULL, k.platform_id), c.thread, c.last_inbound,
                 (SELECT m.context FROM message m WHERE m.account_id = c.account_id AND m.platform_id = c.last_inbound),
                 c.refused_at, c.reply_context, c.closed
             FROM conversation c JOIN account a ON a.id = c.account_id JOIN contact k ON k.id = c.contact_id
             WHERE c.id = ?1",
        )?
        .query_row(params![conversation], |row| {
            let of_account = (row.get(0)?, row.get(1)?);
            let last = (row.get(4)?, row.get(5)?);
            Ok((of_account, row.get(2)?, row.get(3)?, last, row.get(6)?, row.get(7)?, row.get(8)?))
        })
        .optional()?;
    let Some(((account, settings), contact, thread, (last_inbound, last_context), refused_at, reply_context, closed)) =
        raw
    else {
        return Err(InboxError::no_conversation(conversation));
    };
    let context = ConversationContext {
        account: account_settings(account, &settings)?,
        contact,
        address: None,
        thread: thread.as_deref().map(serde_json::from_str::<Thread>).transpose()?,
        last_inbound: last_inbound.map(|id| MessageRef { id, context: last_context }),
        window: Window {
            state: WindowState::Unknown,
            opened_by: None,
            opened_at: None,
            closes_at: None,
            human_closes_at: None,
            replies_left: None,
            refused_at: refused_at.map(from_millis),
        },
        comment: None,
        now,
        reply_context,
    };
    Ok((context, closed))
}
