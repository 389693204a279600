//! Owns: the rows that a decision of the automation writes: placing a conversation, notes, open turns.
//! Does not own: the decision.

use rusqlite::{OptionalExtension as _, Transaction, params};

use crate::{
    error::InboxError,
    model::{
        AccountId, ConversationChange, ConversationId, HandOverNote, LabelChange, NewDecision, NewNote, NoteId,
        Placement, TurnChange, UserId,
    },
    sqlite::{columns::as_millis, rows::organisation},
};

/// The author of the automation's notes.
const AUTHOR: &str = "Assistant";
const COLLECTION: &str = "SELECT 1 FROM collection c JOIN account a ON a.workspace_id = c.workspace_id
     WHERE c.id = ?1 AND a.id = ?2";
const LABEL: &str =
    "SELECT 1 FROM label l JOIN account a ON a.workspace_id = l.workspace_id WHERE l.id = ?1 AND a.id = ?2";

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

/// Puts a conversation where a rule says. What was deleted since the rule was written is left out.
fn place(
    tx: &Transaction<'_>,
    account: AccountId,
    conversation: ConversationId,
    placement: &Placement,
    now: u64,
) -> Result<(), InboxError> {
    let exists = |sql: &str, id: i64| tx.prepare_cached(sql)?.exists(params![id, account]);
    let collection = match placement.collection {
        Some(collection) if exists(COLLECTION, collection.get())? => Some(Some(collection)),
        _ => None,
    };
    let assigned: Option<UserId> = tx
        .prepare_cached("SELECT assignee_id FROM conversation WHERE id = ?1")?
        .query_row(params![conversation], |row| row.get(0))?;
    // Whoever has it keeps it.
    let assignee = match assigned {
        None => next_in_round(tx, account, &placement.assign)?.map(Some),
        Some(_) => None,
    };
    organisation::change(tx, conversation, ConversationChange { collection, assignee, ..Default::default() }, now)?;
    let mut labels = Vec::new();
    for label in &placement.labels {
        if exists(LABEL, label.get())? {
            labels.push(*label);
        }
    }
    if !labels.is_empty() {
        match organisation::change_labels(tx, conversation, &LabelChange::Add(labels), now) {
            // A conversation that is full of labels is placed all the same.
            Ok(_) | Err(InboxError::TooMany { .. }) => {}
            Err(error) => return Err(error),
        }
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
    let new = NewNote { conversation, user: None, author: AUTHOR.into(), text: hand_over.text.clone(), key: None, now };
    let id = organisation::add_note(tx, &new)?;
    tx.prepare_cached("INSERT INTO automation_note (note_id, brief) VALUES (?1, ?2)")?
        .execute(params![id, hand_over.brief])?;
    Ok(())
}

/// Takes what customers wrote out of the automation's notes of a conversation.
pub(crate) fn forget_summaries(tx: &Transaction<'_>, conversation: ConversationId, now: u64) -> Result<(), InboxError> {
    let summaries = {
        let mut statement = tx.prepare_cached(
            "SELECT n.id, b.brief FROM note n JOIN automation_note b ON b.note_id = n.id
             WHERE n.conversation_id = ?1 AND n.text <> b.brief",
        )?;
        let found = statement.query_map(params![conversation], |row| Ok((row.get(0)?, row.get(1)?)))?;
        found.collect::<Result<Vec<(NoteId, String)>, _>>()?
    };
    for (id, brief) in summaries {
        organisation::change_note(tx, id, Some(&brief), now)?;
    }
    Ok(())
}
