//! Owns: the view of a reply with the outcomes of its steps.
//! Does not own: determining the outcomes.

use rusqlite::{Connection, OptionalExtension as _, params};

use crate::{
    error::InboxError,
    model::{ReplyId, ReplyState, ReplyVerdict, ReplyView, StepState, StepView},
    sqlite::columns::{collect, from_millis, json_column, raw},
};

pub(crate) fn reply_view(connection: &Connection, reply: ReplyId) -> Result<ReplyView, InboxError> {
    let found = connection
        .prepare_cached(
            "SELECT conversation_id, key, state, violations, degradations, created_at FROM reply WHERE id = ?1",
        )?
        .query_row(params![reply], |row| {
            let json = |at| row.get::<_, Option<String>>(at);
            Ok((row.get(0)?, row.get(1)?, row.get::<_, ReplyState>(2)?, json(3)?, json(4)?, from_millis(row.get(5)?)))
        })
        .optional()?;
    let Some((conversation, key, state, violations, degradations, created_at)) = found else {
        return Err(InboxError::NotFound { what: "reply", id: reply.to_string() });
    };
    let rows = collect(
        connection,
        "SELECT parts, kind, state, attempts, outcome FROM step WHERE reply_id = ?1 ORDER BY step",
        params![reply],
        |row| Ok((json_column(row, 0)?, row.get(1)?, row.get::<_, StepState>(2)?, row.get(3)?, row.get(4)?)),
    )?;
    let steps: Vec<StepView> = rows
        .into_iter()
        .map(|(parts, kind, state, attempts, outcome)| {
            Ok(StepView { parts, kind, state, attempts, outcome: raw(outcome)? })
        })
        .collect::<Result<_, InboxError>>()?;
    let violations = violations.as_deref().map(serde_json::from_str).transpose()?.unwrap_or_default();
    let degradations = degradations.as_deref().map(serde_json::from_str).transpose()?.unwrap_or_default();
    let verdict = ReplyVerdict::of(state, steps.iter().map(|step| (step.kind.as_str(), step.state)));
    Ok(ReplyView { id: reply, conversation, key, created_at, state, verdict, violations, degradations, steps })
}
