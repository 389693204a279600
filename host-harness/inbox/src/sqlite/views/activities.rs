//! Owns: activities, one page at a time, alone and merged with the messages of a conversation.
//! Does not own: the messages (`timeline`).

use std::cmp::Reverse;

use rusqlite::{Connection, Row, params};
use serde_json::value::RawValue;

use super::timeline;
use crate::{
    error::InboxError,
    model::{ActivityFilter, ActivityId, ActivityView, ConversationEntry, ConversationId, MergedPlace, Page, Place},
    sqlite::columns::{collect, raw, with_one_more},
};

/// What [`activity`] reads.
const COLUMNS: &str = "n.id, a.channel, a.platform_id, n.conversation_id, iif(k.unnamed, NULL, k.platform_id), n.at,
    n.origin, n.kind, a.id, n.body, n.details
    FROM activity n JOIN account a ON a.id = n.account_id
    LEFT JOIN conversation c ON c.id = n.conversation_id LEFT JOIN contact k ON k.id = c.contact_id";

/// One activity.
pub(crate) fn one(connection: &Connection, activity: ActivityId) -> Result<ActivityView, InboxError> {
    let sql = format!("SELECT {COLUMNS} WHERE n.id = ?1");
    let found = collect(connection, &sql, params![activity], row)?.pop();
    found.map_or_else(|| Err(InboxError::NotFound { what: "activity", id: activity.to_string() }), complete)
}

/// The newest activities before `before`, newest first: one more than `limit`, if there are more.
pub(crate) fn activities(
    connection: &Connection,
    filter: &ActivityFilter,
    before: Place,
    limit: usize,
) -> Result<Vec<(ActivityView, Place)>, InboxError> {
    let ActivityFilter { workspace, account, conversation, kind, from, to } = filter;
    // Whatever is not before `to` is not before the place there either.
    let before = match to {
        Some(to) if *to <= before.at => Place { at: *to, seq: 0, id: i64::MIN },
        _ => before,
    };
    // Another text for each, so that their indexes are used.
    let of_conversation = if conversation.is_some() { "n.conversation_id = ?4" } else { "?4 IS NULL" };
    let of_account = if account.is_some() { "n.account_id = ?7" } else { "?7 IS NULL" };
    let sql = format!(
        "SELECT {COLUMNS}
         WHERE (n.at, n.id) < (?1, ?2) AND {of_conversation} AND {of_account}
           AND (?5 IS NULL OR n.kind = ?5) AND (?6 IS NULL OR a.workspace_id = ?6) AND n.at >= ?8
         ORDER BY n.at DESC, n.id DESC LIMIT ?3"
    );
    let values = params![
        before.at,
        before.id,
        with_one_more(limit),
        conversation,
        kind,
        workspace,
        account,
        from.unwrap_or(i64::MIN)
    ];
    let placed = collect(connection, &sql, values, row)?.into_iter().map(|found| {
        let activity = complete(found)?;
        let place = Place { at: activity.at, seq: 0, id: activity.id.get() };
        Ok((activity, place))
    });
    placed.collect()
}

/// An activity whose JSON is not parsed yet.
type Incomplete = (ActivityView, String, Option<String>);

fn row(row: &Row<'_>) -> rusqlite::Result<Incomplete> {
    Ok((activity(row)?, row.get(9)?, row.get(10)?))
}

fn complete((mut activity, body, details): Incomplete) -> Result<ActivityView, InboxError> {
    activity.body = RawValue::from_string(body)?;
    activity.details = raw(details)?;
    Ok(activity)
}

fn activity(row: &Row<'_>) -> rusqlite::Result<ActivityView> {
    Ok(ActivityView {
        id: row.get(0)?,
        account_id: row.get(8)?,
        channel: row.get(1)?,
        account: row.get(2)?,
        conversation: row.get(3)?,
        contact: row.get(4)?,
        at: row.get(5)?,
        origin: row.get(6)?,
        kind: row.get(7)?,
        body: RawValue::NULL.to_owned(),
        details: None,
    })
}

/// Messages and activities of a conversation before this cursor, in platform order. Of one time, activities come first:
/// they say how the customer came to write.
pub(crate) fn merged(
    connection: &Connection,
    conversation: ConversationId,
    before: MergedPlace,
    limit: usize,
) -> Result<Page<ConversationEntry, MergedPlace>, InboxError> {
    let of = ActivityFilter { conversation: Some(conversation), ..ActivityFilter::default() };
    let messages = timeline::placed(connection, conversation, before.messages, limit)?;
    let activities = activities(connection, &of, before.activities, limit)?;
    let messages = messages.into_iter().map(|(one, at)| (at, 1, ConversationEntry::Message(Box::new(one))));
    let activities = activities.into_iter().map(|(one, at)| (at, 0, ConversationEntry::Activity(Box::new(one))));
    let mut all: Vec<_> = messages.chain(activities).collect();
    // Stable: the order within each kind stays as it was read.
    all.sort_by_key(|(place, kind, _)| Reverse((place.at, *kind)));
    let more = all.len() > limit;
    all.truncate(limit);
    let mut next = before;
    let entries = all.into_iter().map(|(place, _, entry)| {
        match entry {
            ConversationEntry::Message(_) => next.messages = place,
            ConversationEntry::Activity(_) => next.activities = place,
        }
        entry
    });
    let mut entries: Vec<_> = entries.collect();
    entries.reverse();
    Ok(Page { entries, next: more.then_some(next) })
}
