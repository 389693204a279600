//! Owns: rows of the change feed: writing them in the transaction that makes the change, and reading them.
//! Does not own: waking the readers (`writer`), what is a change.

use rusqlite::{Connection, Row, Transaction, params};

use crate::{
    error::InboxError,
    model::{
        AccountId, ActivityId, Change, ChangeKind, Changes, ContactId, ConversationId, DeliveryId, MessageId, ReplyId,
        WorkspaceId,
    },
    sqlite::columns::{as_millis, collect, from_millis},
};

/// The rows that a change concerns. What is left out of account and workspace is looked up by the conversation, which
/// costs more than the row itself: say what is known.
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
    let known = if account.is_some() { workspace.is_some() } else { conversation.is_none() };
    let sql = if known {
        "INSERT INTO change (at, kind, account_id, workspace_id, conversation_id, message_id, reply_id, activity_id,
             delivery_id, object_id)
         VALUES (?1, ?2, ?4, ?3, ?5, ?6, ?7, ?8, ?9, ?10)"
    } else {
        "INSERT INTO change (at, kind, account_id, workspace_id, conversation_id, message_id, reply_id, activity_id,
             delivery_id, object_id)
         SELECT ?1, ?2, owner.id, coalesce(?3, (SELECT workspace_id FROM account WHERE id = owner.id)), ?5, ?6, ?7, ?8, ?9,
             ?10
         FROM (SELECT coalesce(?4, (SELECT account_id FROM conversation WHERE id = ?5)) AS id) owner"
    };
    let values = params![
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
    ];
    tx.prepare_cached(sql)?.execute(values)?;
    Ok(())
}

/// Whose rows are written, and when: for changes that are noted where the rows are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Owner {
    pub(crate) account: AccountId,
    /// Looked up if it is not known.
    pub(crate) workspace: Option<WorkspaceId>,
    pub(crate) now: u64,
}

impl Owner {
    /// The concerns of a change in a conversation of this owner.
    fn within(&self, conversation: Option<ConversationId>) -> Concerns {
        let Self { account, workspace, .. } = *self;
        Concerns { account: Some(account), workspace, conversation, ..Concerns::default() }
    }

    /// Writes a change of a conversation.
    pub(crate) fn note(
        &self,
        tx: &Transaction<'_>,
        kind: ChangeKind,
        conversation: ConversationId,
    ) -> Result<(), InboxError> {
        note(tx, kind, self.within(Some(conversation)), self.now)
    }

    /// Writes a change of a message.
    pub(crate) fn note_message(
        &self,
        tx: &Transaction<'_>,
        kind: ChangeKind,
        (message, conversation): (MessageId, ConversationId),
    ) -> Result<(), InboxError> {
        let concerns = Concerns { message: Some(message), ..self.within(Some(conversation)) };
        note(tx, kind, concerns, self.now)
    }

    /// Writes that a contact changed, in each of its conversations.
    pub(crate) fn note_contact(&self, tx: &Transaction<'_>, contact: ContactId) -> Result<(), InboxError> {
        let conversations: Vec<ConversationId> =
            collect(tx, "SELECT id FROM conversation WHERE contact_id = ?1", params![contact], |row| row.get(0))?;
        let write = |conversation| {
            let concerns = Concerns { object: Some(contact.get()), ..self.within(conversation) };
            note(tx, ChangeKind::ContactUpdated, concerns, self.now)
        };
        if conversations.is_empty() {
            return write(None);
        }
        conversations.into_iter().try_for_each(|conversation| write(Some(conversation)))
    }
}

/// Writes a change of a reply.
pub(crate) fn note_reply(tx: &Transaction<'_>, kind: ChangeKind, reply: ReplyId, now: u64) -> Result<(), InboxError> {
    tx.prepare_cached(
        "INSERT INTO change (at, kind, account_id, workspace_id, conversation_id, reply_id)
         SELECT ?1, ?2, a.id, a.workspace_id, r.conversation_id, r.id
         FROM reply r JOIN account a ON a.id = r.account_id WHERE r.id = ?3",
    )?
    .execute(params![as_millis(now), kind.name(), reply])?;
    Ok(())
}

/// The newest change's number, 0 if there was none.
pub(crate) fn newest(connection: &Connection) -> rusqlite::Result<u64> {
    let newest: i64 = connection
        .prepare_cached("SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'change'), 0)")?
        .query_row([], |row| row.get(0))?;
    Ok(from_millis(newest))
}

/// The oldest change that is still kept; the number of the next one if none is.
fn oldest(connection: &Connection) -> Result<u64, InboxError> {
    let oldest: Option<i64> =
        connection.prepare_cached("SELECT min(seq) FROM change")?.query_row([], |row| row.get(0))?;
    Ok(match oldest {
        Some(oldest) => from_millis(oldest),
        None => newest(connection)?.saturating_add(1),
    })
}

/// What [`change`] reads.
const COLUMNS: &str = "seq, at, kind, workspace_id, account_id, conversation_id, message_id, reply_id, activity_id,
    delivery_id, object_id";

/// A change and its number; the number alone if another version wrote it.
fn change(row: &Row<'_>) -> rusqlite::Result<(u64, Option<Change>)> {
    let seq = from_millis(row.get(0)?);
    let kind: String = row.get(2)?;
    let Some(kind) = ChangeKind::from_name(&kind) else { return Ok((seq, None)) };
    let change = Change {
        seq,
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
    };
    Ok((seq, Some(change)))
}

/// The oldest changes that a delivery made: at most `limit`.
pub(crate) fn of_delivery(
    connection: &Connection,
    delivery: DeliveryId,
    limit: usize,
) -> Result<Vec<Change>, InboxError> {
    let sql = format!("SELECT {COLUMNS} FROM change WHERE delivery_id = ?1 ORDER BY seq LIMIT ?2");
    let rows = collect(connection, &sql, params![delivery, i64::try_from(limit).unwrap_or(i64::MAX)], change)?;
    Ok(rows.into_iter().filter_map(|(_, change)| change).collect())
}

/// At most `limit` changes after this one, of one workspace or of all.
pub(crate) fn after(
    connection: &Connection,
    after: u64,
    workspace: Option<WorkspaceId>,
    limit: usize,
) -> Result<Changes, InboxError> {
    // Before the changes themselves: what is committed in between is read now or the next time.
    let newest = newest(connection)?;
    if after > newest {
        return Ok(Changes { changes: Vec::new(), position: newest, missed: true });
    }
    let missed = after.saturating_add(1) < oldest(connection)?;
    let rows = collect(
        connection,
        &format!(
            "SELECT {COLUMNS} FROM change WHERE seq > ?1 AND (?2 IS NULL OR workspace_id = ?2) ORDER BY seq LIMIT ?3"
        ),
        params![as_millis(after), workspace, i64::try_from(limit).unwrap_or(i64::MAX)],
        change,
    )?;
    let last = rows.last().map_or(after, |(seq, _)| *seq);
    let position = if rows.len() < limit { last.max(newest) } else { last };
    Ok(Changes { changes: rows.into_iter().filter_map(|(_, change)| change).collect(), position, missed })
}

/// Removes the changes before the first one that is as young as `before`: at most `limit`, oldest first. Returns how
/// many. A clock that was set back makes later changes look older than they are, and nothing may be missing between
/// two that are kept.
pub(crate) fn expire(tx: &Transaction<'_>, before: u64, limit: usize) -> Result<usize, InboxError> {
    Ok(tx
        .prepare_cached(
            "WITH oldest AS MATERIALIZED (SELECT seq, at FROM change ORDER BY seq LIMIT ?2)
             DELETE FROM change WHERE seq IN (SELECT seq FROM oldest
               WHERE seq < coalesce((SELECT min(seq) FROM oldest WHERE at >= ?1), (SELECT max(seq) + 1 FROM oldest)))",
        )?
        .execute(params![as_millis(before), i64::try_from(limit).unwrap_or(i64::MAX)])?)
}
