//! Owns: the rows that a decision of the automation writes: placing a conversation, notes, open turns.
//! Does not own: the decision.

use rusqlite::{OptionalExtension as _, Transaction, params};

use crate::{
    error::InboxError,
    model::{AccountId, ChangeKind, ConversationId, HandOverNote, NewDecision, Placement, TurnChange, UserId},
    sqlite::{
        columns::as_millis,
        rows::changes::{Concerns, note},
    },
};

/// The author of the automation's notes.
const AUTHOR: &str = "Assistant";

pub(crate) fn decide(tx: &Transaction<'_>, new: &NewDecision) -> Result<bool, InboxError> {
    let recorded = tx
        .prepare_cached(
            "INSERT INTO automation_decision (account_id, conversation_id, seq, at, consumer, decision)
             SELECT account_id, id, ?2, ?3, ?4, ?5 FROM conversation WHERE id = ?1
             ON CONFLICT (consumer, seq) DO NOTHING",
        )?
        .execute(params![new.conversation, as_millis(new.seq), as_millis(new.now), new.consumer, new.decision])?;
    if recorded == 0 {
        return Ok(false);
    }
    if let Some(state) = &new.state {
        set_state(tx, new.conversation, new.consumer, state)?;
    }
    if let Some(placement) = &new.placement {
        place(tx, new.account, new.conversation, placement, new.now)?;
    }
    if let Some(hand_over) = &new.note {
        leave_note(tx, new.conversation, hand_over, new.now)?;
    }
    match new.turn {
        Some(TurnChange::Wrote { pause, longest }) => {
            tx.prepare_cached(
                "INSERT INTO automation_turn (conversation_id, account_id, first_seq, seq, began_at, due_at)
                 VALUES (?1, ?2, ?3, ?3, ?4, ?4 + ?5)
                 ON CONFLICT (conversation_id) DO UPDATE
                 SET seq = ?3, attempts = 0, due_at = max(?4, min(?4 + ?5, began_at + ?6))",
            )?
            .execute(params![
                new.conversation,
                new.account,
                as_millis(new.seq),
                as_millis(new.now),
                as_millis(pause),
                as_millis(longest)
            ])?;
        }
        Some(TurnChange::Ended(seq)) => {
            tx.prepare_cached("DELETE FROM automation_turn WHERE conversation_id = ?1 AND seq <= ?2")?
                .execute(params![new.conversation, as_millis(seq)])?;
        }
        None => {}
    }
    Ok(true)
}

pub(crate) fn set_state(
    tx: &Transaction<'_>,
    conversation: ConversationId,
    consumer: &str,
    state: &str,
) -> Result<(), InboxError> {
    tx.prepare_cached(
        "INSERT INTO automation_state (conversation_id, consumer, state) SELECT id, ?2, ?3 FROM conversation WHERE id = ?1
         ON CONFLICT (conversation_id, consumer) DO UPDATE SET state = ?3",
    )?
    .execute(params![conversation, consumer, state])?;
    Ok(())
}

fn place(
    tx: &Transaction<'_>,
    account: AccountId,
    conversation: ConversationId,
    placement: &Placement,
    now: u64,
) -> Result<(), InboxError> {
    let mut changed = 0;
    if let Some(collection) = placement.collection {
        changed += tx
            .prepare_cached(
                "UPDATE conversation SET collection_id = ?2 WHERE id = ?1 AND collection_id IS NOT ?2
                   AND (SELECT workspace_id FROM collection WHERE id = ?2)
                     = (SELECT workspace_id FROM account WHERE id = conversation.account_id)",
            )?
            .execute(params![conversation, collection])?;
    }
    for label in &placement.labels {
        changed += tx
            .prepare_cached(
                "INSERT INTO conversation_label (conversation_id, label_id)
                 SELECT ?1, l.id FROM label l JOIN account a ON a.workspace_id = l.workspace_id
                 WHERE l.id = ?2 AND a.id = ?3 ON CONFLICT DO NOTHING",
            )?
            .execute(params![conversation, label, account])?;
    }
    if let Some(user) = next_in_round(tx, account, &placement.assign)? {
        changed += tx
            .prepare_cached("UPDATE conversation SET assignee_id = ?2 WHERE id = ?1 AND assignee_id IS NULL")?
            .execute(params![conversation, user])?;
    }
    if changed > 0 {
        note(tx, ChangeKind::ConversationUpdated, Concerns::conversation(conversation), now)?;
    }
    Ok(())
}

fn next_in_round(tx: &Transaction<'_>, account: AccountId, people: &[UserId]) -> Result<Option<UserId>, InboxError> {
    let mut there = Vec::new();
    for user in people {
        let found: Option<UserId> = tx
            .prepare_cached(
                "SELECT u.id FROM user u JOIN account a ON a.workspace_id = u.workspace_id
                 WHERE u.id = ?1 AND a.id = ?2 AND u.disabled_at IS NULL",
            )?
            .query_row(params![user, account], |row| row.get(0))
            .optional()?;
        there.extend(found);
    }
    if there.is_empty() {
        return Ok(None);
    }
    let round: i64 = tx
        .prepare_cached("UPDATE automation SET round = round + 1 WHERE account_id = ?1 RETURNING round - 1")?
        .query_row(params![account], |row| row.get(0))
        .optional()?
        .unwrap_or(0);
    let next = usize::try_from(round).unwrap_or(0).checked_rem(there.len()).unwrap_or(0);
    Ok(there.get(next).copied())
}

fn leave_note(
    tx: &Transaction<'_>,
    conversation: ConversationId,
    hand_over: &HandOverNote,
    now: u64,
) -> Result<(), InboxError> {
    tx.prepare_cached("INSERT INTO note (conversation_id, author, at, text) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![conversation, AUTHOR, as_millis(now), hand_over.text])?;
    let id = tx.last_insert_rowid();
    tx.prepare_cached("INSERT INTO automation_note (note_id, brief) VALUES (?1, ?2)")?
        .execute(params![id, hand_over.brief])?;
    note(tx, ChangeKind::NoteCreated, Concerns { object: Some(id), ..Concerns::conversation(conversation) }, now)
}

/// Takes what customers wrote out of the automation's notes of a conversation.
pub(crate) fn forget_summaries(tx: &Transaction<'_>, conversation: ConversationId, now: u64) -> Result<(), InboxError> {
    let mut statement = tx.prepare_cached(
        "UPDATE note SET text = (SELECT brief FROM automation_note WHERE note_id = note.id), edited_at = ?2
         WHERE conversation_id = ?1 AND id IN (SELECT note_id FROM automation_note)
           AND text <> (SELECT brief FROM automation_note WHERE note_id = note.id) RETURNING id",
    )?;
    let ids = statement.query_map(params![conversation, as_millis(now)], |row| row.get(0))?;
    for id in ids.collect::<Result<Vec<i64>, _>>()? {
        let concerns = Concerns { object: Some(id), ..Concerns::conversation(conversation) };
        note(tx, ChangeKind::NoteUpdated, concerns, now)?;
    }
    Ok(())
}
