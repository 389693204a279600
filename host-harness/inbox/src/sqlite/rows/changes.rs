//! Owns: rows of the change feed: writing them in the transaction that makes the change, and reading them.
//! Does not own: waking the readers (`writer`), what is a change.

use rusqlite::{Connection, Transaction, params};

use crate::{
    error::InboxError,
    model::{
        AccountId, ActivityId, Change, ChangeKind, Changes, ConversationId, DeliveryId, MessageId, ReplyId, WorkspaceId,
    },
    sqlite::columns::{as_millis, collect, from_millis},
};

/// The rows that a change concerns. What a conversation or an account implies is looked up.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Concerns {
    pub(crate) workspace: Option<WorkspaceId>,
    pub(crate) account: Option<AccountId>,
    pub(crate) conversation: Option<ConversationId>,
    pub(crate) message: Option<MessageId>,
    pub(crate) reply: Option<ReplyId>,
    pub(crate) activity: Option<ActivityId>,
    pub(crate) delivery: Option<DeliveryId>,
    pub(crate) object: Option<i64>,
}

impl Concerns {
    pub(crate) fn conversation(conversation: ConversationId) -> Self {
        Self { conversation: Some(conversation), ..Self::default() }
    }

    pub(crate) fn account(account: AccountId) -> Self {
        Self { account: Some(account), ..Self::default() }
    }
}

/// Writes a change. It is told once the transaction is committed.
pub(crate) fn note(tx: &Transaction<'_>, kind: ChangeKind, concerns: Concerns, now: u64) -> Result<(), InboxError> {
    let Concerns { workspace, account, conversation, message, reply, activity, delivery, object } = concerns;
    tx.prepare_cached(
        "INSERT INTO change (at, kind, account_id, workspace_id, conversation_id, message_id, reply_id, activity_id,
             delivery_id, object_id)
         SELECT ?1, ?2, owner.id, coalesce(?3, (SELECT workspace_id FROM account WHERE id = owner.id)), ?5, ?6, ?7, ?8, ?9,
             ?10
         FROM (SELECT coalesce(?4, (SELECT account_id FROM conversation WHERE id = ?5)) AS id) owner",
    )?
    .execute(params![
        as_millis(now),
        kind.name(),
        workspace,
        account,
        conversation,
        message,
        reply,
        activity,
        delivery,
        object
    ])?;
    Ok(())
}

/// The newest change's number, 0 if there was none.
pub(crate) fn newest(connection: &Connection) -> rusqlite::Result<u64> {
    let newest: i64 = connection
        .prepare_cached("SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'change'), 0)")?
        .query_row([], |row| row.get(0))?;
    Ok(from_millis(newest))
}

/// At most `limit` changes after this one, of one workspace or of all.
pub(crate) fn after(
    connection: &Connection,
    after: u64,
    workspace: Option<WorkspaceId>,
    limit: usize,
) -> Result<Changes, InboxError> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let oldest: Option<i64> =
        connection.prepare_cached("SELECT min(seq) FROM change")?.query_row([], |row| row.get(0))?;
    let oldest = match oldest {
        Some(oldest) => from_millis(oldest),
        None => newest(connection)?.saturating_add(1),
    };
    let changes = collect(
        connection,
        "SELECT seq, at, kind, workspace_id, account_id, conversation_id, message_id, reply_id, activity_id,
             delivery_id, object_id
         FROM change WHERE seq > ?1 AND (?2 IS NULL OR workspace_id = ?2) ORDER BY seq LIMIT ?3",
        params![as_millis(after), workspace, limit],
        |row| {
            let kind: String = row.get(2)?;
            let Some(kind) = ChangeKind::from_name(&kind) else { return Ok(None) };
            Ok(Some(Change {
                seq: from_millis(row.get(0)?),
                at: from_millis(row.get(1)?),
                kind,
                workspace: row.get(3)?,
                account: row.get(4)?,
                conversation: row.get(5)?,
                message: row.get(6)?,
                reply: row.get(7)?,
                activity: row.get(8)?,
                delivery: row.get(9)?,
                object: row.get(10)?,
            }))
        },
    )?;
    Ok(Changes { changes: changes.into_iter().flatten().collect(), missed: after.saturating_add(1) < oldest })
}
