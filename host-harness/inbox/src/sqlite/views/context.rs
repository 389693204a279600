//! Owns: everything about a conversation that a message depends on.
//! Does not own: the window's computation.

use harness_contract::{
    ConversationContext, EventBody, KnownComment, Thread, Window, WindowOpener, WindowPolicy, WindowState,
};
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::{
    error::InboxError,
    model::ConversationId,
    sqlite::{
        columns::{collect, from_millis},
        rows::accounts::account_settings,
    },
    window,
};

pub(crate) fn context(
    connection: &Connection,
    conversation: ConversationId,
    policy: &WindowPolicy,
    now: u64,
) -> Result<ConversationContext, InboxError> {
    let mut context = bare_context(connection, conversation, now)?;
    let openings = collect(
        connection,
        "SELECT opener, at FROM window_opening WHERE conversation_id = ?1",
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

/// The context without its window, of which only the platform's refusal is filled in.
fn bare_context(
    connection: &Connection,
    conversation: ConversationId,
    now: u64,
) -> Result<ConversationContext, InboxError> {
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
