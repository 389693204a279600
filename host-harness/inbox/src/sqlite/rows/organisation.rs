//! Owns: what a team makes of a conversation: state, assignee, collection, labels, notes.
//! Does not own: the collections and labels themselves (`shared`), the lists (`views::conversations`).

use rusqlite::{OptionalExtension as _, Transaction, params};
use sha2::{Digest as _, Sha256};

use super::{
    changes::{Concerns, note},
    continued,
    mentions::mention,
    shared::{COLLECTIONS, LABELS, check_in_workspace},
    turns::hand_back,
};
use crate::{
    error::InboxError,
    model::{
        ChangeKind, CollectionId, ConversationChange, ConversationId, ConversationState, LabelChange, NewNote,
        NewState, NoteId, Organised, UserId, WorkspaceId,
    },
    sqlite::columns::{as_millis, collect},
    store::MAX_LABELS,
};

/// What a conversation's row says of its place among the others.
struct Kept {
    workspace: WorkspaceId,
    state: ConversationState,
    snoozed_until: Option<i64>,
    closed_at: Option<i64>,
    assignee: Option<UserId>,
    collection: Option<CollectionId>,
}

fn kept(tx: &Transaction<'_>, conversation: ConversationId) -> Result<Kept, InboxError> {
    tx.prepare_cached(
        "SELECT workspace_id, state, snoozed_until, closed_at, assignee_id, collection_id FROM conversation WHERE id = ?1",
    )?
    .query_row(params![conversation], |row| {
        Ok(Kept {
            workspace: row.get(0)?,
            state: row.get(1)?,
            snoozed_until: row.get(2)?,
            closed_at: row.get(3)?,
            assignee: row.get(4)?,
            collection: row.get(5)?,
        })
    })
    .optional()?
    .ok_or_else(|| InboxError::no_conversation(conversation))
}

/// Changes a conversation, unless somebody else was first.
pub(crate) fn change(
    tx: &Transaction<'_>,
    conversation: ConversationId,
    change: ConversationChange,
    now: u64,
) -> Result<Organised, InboxError> {
    let Kept { workspace, state, snoozed_until, closed_at, assignee, collection } = kept(tx, conversation)?;
    if change.if_assignee.is_some_and(|expected| expected != assignee) {
        return Ok(Organised::AssignedBefore(assignee));
    }
    if let Some(Some(user)) = change.assignee.filter(|new| *new != assignee) {
        let sql = "SELECT 1 FROM user WHERE id = ?1 AND workspace_id = ?2 AND disabled_at IS NULL";
        if !tx.prepare_cached(sql)?.exists(params![user, workspace])? {
            return Err(InboxError::NotFound { what: "user", id: user.to_string() });
        }
    }
    if let Some(Some(new)) = change.collection.filter(|new| *new != collection) {
        check_in_workspace(tx, COLLECTIONS.what(), new.get(), workspace)?;
    }
    let new_state = change.state.map_or(state, NewState::state);
    let new_until = match change.state {
        Some(NewState::Snoozed(until)) => Some(as_millis(until)),
        Some(_) => None,
        None => snoozed_until,
    };
    let new_closed = match (new_state, state) {
        (ConversationState::Closed, ConversationState::Closed) => closed_at,
        (ConversationState::Closed, _) => Some(as_millis(now)),
        _ => None,
    };
    let (new_assignee, new_collection) = (change.assignee.unwrap_or(assignee), change.collection.unwrap_or(collection));
    if (new_state, new_until, new_assignee, new_collection) == (state, snoozed_until, assignee, collection) {
        return Ok(Organised::Unchanged);
    }
    if new_state != ConversationState::Closed {
        continued::only_current(tx, conversation)?;
    }
    tx.prepare_cached(
        "UPDATE conversation SET state = ?2, snoozed_until = ?3, closed_at = ?4, assignee_id = ?5, collection_id = ?6
         WHERE id = ?1",
    )?
    .execute(params![conversation, new_state.name(), new_until, new_closed, new_assignee, new_collection])?;
    if new_closed.is_some() && new_closed != closed_at {
        // The matter is over, and with it the silence of the assistant.
        hand_back(tx, conversation, now)?;
    }
    note(tx, ChangeKind::ConversationUpdated, Concerns::conversation(conversation), now)?;
    Ok(Organised::Changed)
}

/// Whether the team has put a conversation away, until a time or for good.
pub(crate) fn is_put_away(tx: &Transaction<'_>, conversation: ConversationId) -> Result<bool, InboxError> {
    let sql = "SELECT 1 FROM conversation WHERE id = ?1 AND state IN ('closed', 'snoozed')";
    Ok(tx.prepare_cached(sql)?.exists(params![conversation])?)
}

/// Opens a conversation in which the customer has written, if the team had put it away.
pub(crate) fn reopen(tx: &Transaction<'_>, conversation: ConversationId, now: u64) -> Result<(), InboxError> {
    let opened = tx
        .prepare_cached(
            "UPDATE conversation SET state = 'open', snoozed_until = NULL, closed_at = NULL
             WHERE id = ?1 AND state IN ('closed', 'snoozed') AND continued_in IS NULL",
        )?
        .execute(params![conversation])?;
    if opened > 0 {
        note(tx, ChangeKind::ConversationUpdated, Concerns::conversation(conversation), now)?;
    }
    Ok(())
}

/// Opens conversations that were snoozed until now.
pub(crate) fn open_snoozed(tx: &Transaction<'_>, now: u64, limit: usize) -> Result<usize, InboxError> {
    let due: Vec<ConversationId> = collect(
        tx,
        "SELECT id FROM conversation WHERE state = 'snoozed' AND snoozed_until <= ?1 ORDER BY snoozed_until LIMIT ?2",
        params![as_millis(now), i64::try_from(limit).unwrap_or(i64::MAX)],
        |row| row.get(0),
    )?;
    for conversation in &due {
        reopen(tx, *conversation, now)?;
    }
    Ok(due.len())
}

/// Changes the labels of a conversation.
pub(crate) fn change_labels(
    tx: &Transaction<'_>,
    conversation: ConversationId,
    change: &LabelChange,
    now: u64,
) -> Result<bool, InboxError> {
    let workspace = kept(tx, conversation)?.workspace;
    let (LabelChange::Set(labels) | LabelChange::Add(labels) | LabelChange::Remove(labels)) = change;
    for label in labels {
        check_in_workspace(tx, LABELS.what(), label.get(), workspace)?;
    }
    let listed = serde_json::to_string(labels)?;
    let mut changed = 0;
    let gone = match change {
        LabelChange::Set(_) => Some("NOT IN"),
        LabelChange::Add(_) => None,
        LabelChange::Remove(_) => Some("IN"),
    };
    if let Some(gone) = gone {
        let sql = format!(
            "DELETE FROM conversation_label
             WHERE conversation_id = ?1 AND label_id {gone} (SELECT value FROM json_each(?2))"
        );
        changed += tx.prepare_cached(&sql)?.execute(params![conversation, listed])?;
    }
    if !matches!(change, LabelChange::Remove(_)) {
        changed += tx
            .prepare_cached(
                "INSERT INTO conversation_label (conversation_id, label_id, state, last_at)
                 SELECT c.id, l.value, c.state, c.last_at FROM json_each(?2) l JOIN conversation c ON c.id = ?1
                 WHERE 1 ON CONFLICT DO NOTHING",
            )?
            .execute(params![conversation, listed])?;
    }
    let count: i64 = tx
        .prepare_cached("SELECT count(*) FROM conversation_label WHERE conversation_id = ?1")?
        .query_row(params![conversation], |row| row.get(0))?;
    if usize::try_from(count).unwrap_or(usize::MAX) > MAX_LABELS {
        return Err(InboxError::TooMany { what: "labels", most: MAX_LABELS });
    }
    if changed > 0 {
        note(tx, ChangeKind::ConversationUpdated, Concerns::conversation(conversation), now)?;
    }
    Ok(changed > 0)
}

/// Writes a note.
pub(crate) fn add_note(tx: &Transaction<'_>, new: &NewNote) -> Result<NoteId, InboxError> {
    let workspace = kept(tx, new.conversation)?.workspace;
    if let Some(user) = new.user {
        check_in_workspace(tx, "user", user.get(), workspace)?;
    }
    tx.prepare_cached(
        "INSERT INTO note (conversation_id, user_id, author, at, text, key, digest) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?
    .execute(params![new.conversation, new.user, new.author, as_millis(new.now), new.text, new.key, digest(new)])?;
    let id = NoteId::new(tx.last_insert_rowid());
    note_note(tx, ChangeKind::NoteCreated, (new.conversation, id), new.now)?;
    Ok(id)
}

/// Writes a note of the team, and whom it mentions. What a customer wrote mentions nobody, wherever it is quoted.
pub(crate) fn add_note_of_team(tx: &Transaction<'_>, new: &NewNote) -> Result<NoteId, InboxError> {
    if let Some(id) = written_before(tx, new)? {
        return Ok(id);
    }
    let id = add_note(tx, new)?;
    mention(tx, (new.conversation, id), new.user, &new.text, new.now)?;
    Ok(id)
}

/// What tells the text that a key was given with from another one, also once the note was edited.
fn digest(new: &NewNote) -> Option<[u8; 32]> {
    new.key.as_ref().map(|_| Sha256::digest(&new.text).into())
}

/// The note that was written under the same key, if it is the same.
fn written_before(tx: &Transaction<'_>, new: &NewNote) -> Result<Option<NoteId>, InboxError> {
    let Some(key) = &new.key else { return Ok(None) };
    let found: Option<(NoteId, bool)> = tx
        .prepare_cached("SELECT id, digest = ?3 FROM note WHERE conversation_id = ?1 AND key = ?2")?
        .query_row(params![new.conversation, key, digest(new)], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    match found {
        Some((_, false)) => Err(InboxError::KeyReused(key.clone())),
        same => Ok(same.map(|(id, _)| id)),
    }
}

/// Changes the text of a note of the team, and whom it mentions.
pub(crate) fn edit_note_of_team(tx: &Transaction<'_>, id: NoteId, text: &str, now: u64) -> Result<(), InboxError> {
    change_note(tx, id, Some(text), now)?;
    let of_program = "SELECT 1 FROM automation_note WHERE note_id = ?1";
    if tx.prepare_cached(of_program)?.exists(params![id])? {
        return Ok(());
    }
    let (conversation, author) = tx
        .prepare_cached("SELECT conversation_id, user_id FROM note WHERE id = ?1")?
        .query_row(params![id], |row| Ok((row.get(0)?, row.get(1)?)))?;
    mention(tx, (conversation, id), author, text, now)
}

/// Changes the text of a note, or deletes the note where there is none.
pub(crate) fn change_note(tx: &Transaction<'_>, id: NoteId, text: Option<&str>, now: u64) -> Result<(), InboxError> {
    let conversation = tx
        .prepare_cached("SELECT conversation_id FROM note WHERE id = ?1")?
        .query_row(params![id], |row| row.get(0))
        .optional()?;
    let Some(conversation) = conversation else {
        return Err(InboxError::NotFound { what: "note", id: id.to_string() });
    };
    match text {
        Some(text) => {
            let changed = tx
                .prepare_cached("UPDATE note SET text = ?2, edited_at = ?3 WHERE id = ?1 AND text <> ?2")?
                .execute(params![id, text, as_millis(now)])?;
            if changed == 0 { Ok(()) } else { note_note(tx, ChangeKind::NoteUpdated, (conversation, id), now) }
        }
        None => {
            tx.prepare_cached("DELETE FROM note WHERE id = ?1")?.execute(params![id])?;
            note_note(tx, ChangeKind::NoteDeleted, (conversation, id), now)
        }
    }
}

fn note_note(
    tx: &Transaction<'_>,
    kind: ChangeKind,
    (conversation, id): (ConversationId, NoteId),
    now: u64,
) -> Result<(), InboxError> {
    note(tx, kind, Concerns { object: Some(id.get()), ..Concerns::conversation(conversation) }, now)
}
