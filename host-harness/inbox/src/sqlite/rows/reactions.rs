//! Owns: the rows of reactions, of customers and of the business.
//! Does not own: where they come from (`apply`, `outbox`).

use harness_contract::{OutboundMessage, OutboundPart, OutboundReaction, ReactionAction};
use rusqlite::{OptionalExtension as _, Transaction, params};

use super::{messages, replies::Attempt};
use crate::{
    error::InboxError,
    model::{AccountId, ChangeKind},
    sqlite::columns::as_millis,
};

/// The actor of what the business does itself.
pub(crate) const BUSINESS: &str = "business";

/// The state of a reaction.
pub(crate) struct Reacted<'r> {
    pub(crate) target: &'r str,
    /// The contact's platform id, or [`BUSINESS`].
    pub(crate) actor: &'r str,
    pub(crate) emoji: Option<&'r str>,
    pub(crate) name: Option<&'r str>,
    pub(crate) removed: bool,
    pub(crate) at: i64,
}

/// Stores the newest state of a reaction. Removals are stored as well, so that a late "added" does not undo one.
pub(crate) fn put(tx: &Transaction<'_>, account: AccountId, reacted: &Reacted<'_>) -> Result<(), InboxError> {
    let Reacted { target, actor, emoji, name, removed, at } = reacted;
    tx.prepare_cached(
        "INSERT INTO reaction (account_id, target, actor, emoji, name, removed, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
         ON CONFLICT DO UPDATE SET emoji = ?4, name = ?5, removed = ?6, at = ?7 WHERE ?7 >= at",
    )?
    .execute(params![account, target, actor, emoji, name, removed, at])?;
    Ok(())
}

/// Stores the reactions of a step that was sent: platforms bring no echo of them.
pub(crate) fn note_sent(tx: &Transaction<'_>, at: &Attempt) -> Result<(), InboxError> {
    let found: Option<(String, String)> = tx
        .prepare_cached(
            "SELECT r.message, s.parts FROM step s JOIN reply r ON r.id = s.reply_id
             WHERE s.reply_id = ?1 AND s.step = ?2 AND s.kind = 'action' AND r.message <> ''",
        )?
        .query_row(params![at.reply, at.step], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((message, parts)) = found else { return Ok(()) };
    let message: OutboundMessage = serde_json::from_str(&message)?;
    let parts: Vec<usize> = serde_json::from_str(&parts)?;
    for part in parts.into_iter().filter_map(|part| message.parts.get(part)) {
        let OutboundPart::Reaction(OutboundReaction { target, action, emoji, name }) = part else { continue };
        let reacted = Reacted {
            target: &target.id,
            actor: BUSINESS,
            emoji: emoji.as_deref(),
            name: name.as_deref(),
            removed: *action == ReactionAction::Removed,
            at: as_millis(at.now),
        };
        put(tx, at.account, &reacted)?;
        if let Some(message) = messages::by_platform_id(tx, at.account, &target.id)? {
            at.owner().note_message(tx, ChangeKind::MessageReacted, message)?;
        }
    }
    Ok(())
}
