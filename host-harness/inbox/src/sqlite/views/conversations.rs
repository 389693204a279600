//! Owns: the list of conversations: every filter is a range of an index, in the order of the list.
//! Does not own: the filter's meaning (`model::organisation`).

use rusqlite::{Connection, OptionalExtension as _, Row, ToSql, params_from_iter};

use super::search;
use crate::{
    error::InboxError,
    model::{ConversationFilter, ConversationId, ConversationState, ConversationSummary, Page, Place, WorkspaceId},
    sqlite::columns::{as_millis, collect, from_millis, json_column, with_one_more},
};

/// The columns of an entry, for a conversation `c`. Unread messages are counted as far as anybody looks.
const COLUMNS: &str = "c.id, c.workspace_id, a.id, k.id, a.channel, a.platform_id, iif(k.unnamed, NULL, k.platform_id),
    coalesce(json_extract(c.thread, '$.title'), k.name, k.username), c.last_at,
    (SELECT count(*) FROM (SELECT 1 FROM unread u WHERE u.conversation_id = c.id LIMIT 1000)), c.seen_message,
    (SELECT text FROM message m WHERE m.conversation_id = c.id ORDER BY at DESC, seq DESC, id DESC LIMIT 1),
    c.thread, c.state, c.snoozed_until, c.closed_at, c.assignee_id, c.collection_id,
    (SELECT json_group_array(l.label_id) FROM conversation_label l WHERE l.conversation_id = c.id), k.username,
    (SELECT e.id FROM conversation e WHERE e.continued_in = c.id ORDER BY e.closed_at DESC, e.id DESC LIMIT 1), c.continued_in
    FROM conversation c JOIN account a ON a.id = c.account_id JOIN contact k ON k.id = c.contact_id";

fn summary(row: &Row<'_>) -> rusqlite::Result<ConversationSummary> {
    Ok(ConversationSummary {
        id: row.get(0)?,
        workspace: row.get(1)?,
        account_id: row.get(2)?,
        contact_id: row.get(3)?,
        channel: row.get(4)?,
        account: row.get(5)?,
        contact: row.get(6)?,
        name: row.get(7)?,
        last_at: row.get(8)?,
        unread: row.get(9)?,
        seen_message: row.get(10)?,
        preview: row.get(11)?,
        thread: row.get::<_, Option<String>>(12)?.map(|_| json_column(row, 12)).transpose()?,
        state: row.get(13)?,
        snoozed_until: row.get::<_, Option<i64>>(14)?.map(from_millis),
        closed_at: row.get::<_, Option<i64>>(15)?.map(from_millis),
        assignee: row.get(16)?,
        collection: row.get(17)?,
        labels: json_column(row, 18)?,
        username: row.get(19)?,
        continues: row.get(20)?,
        continued_in: row.get(21)?,
    })
}

/// One conversation.
pub(crate) fn one(
    connection: &Connection,
    conversation: ConversationId,
) -> Result<Option<ConversationSummary>, InboxError> {
    let sql = format!("SELECT {COLUMNS} WHERE c.id = ?1");
    Ok(connection.prepare_cached(&sql)?.query_row([conversation], summary).optional()?)
}

/// The unread messages of a workspace's open and pending conversations, counted up to `most`.
pub(crate) fn unread(connection: &Connection, workspace: WorkspaceId, most: i64) -> Result<i64, InboxError> {
    let sql = "SELECT count(*) FROM (SELECT 1 FROM conversation d INDEXED BY conversation_unread
        JOIN unread u ON u.conversation_id = d.id
        WHERE d.workspace_id = ?1 AND d.state IN ('open', 'pending') AND d.has_unread = 1 LIMIT ?2)";
    Ok(connection.prepare_cached(sql)?.query_row(rusqlite::params![workspace, most], |row| row.get(0))?)
}

/// A page of the list.
pub(crate) fn list(
    connection: &Connection,
    filter: &ConversationFilter,
    before: Option<Place>,
    limit: usize,
) -> Result<Page<ConversationSummary>, InboxError> {
    let among = filter.text.as_deref().map(|text| search::conversations_with(connection, filter.workspace, text));
    let (sql, values) = query(filter, among.transpose()?, before.unwrap_or(Place::FIRST), limit);
    let rows = collect(connection, &sql, params_from_iter(values), |row| {
        let summary = summary(row)?;
        let place = Place { at: summary.last_at, seq: 0, id: summary.id.get() };
        Ok((summary, place))
    })?;
    Ok(Page::of(rows, limit))
}

/// SQL in the making, and the values of its parameters.
#[derive(Default)]
struct Conditions {
    sql: String,
    values: Vec<Box<dyn ToSql>>,
}

impl Conditions {
    /// A parameter with this value.
    fn value(&mut self, value: impl ToSql + 'static) -> String {
        self.values.push(Box::new(value));
        format!("?{}", self.values.len())
    }

    fn and(&mut self, condition: &str) {
        self.sql.push_str(" AND ");
        self.sql.push_str(condition);
    }

    fn and_is(&mut self, column: &str, value: impl ToSql + 'static) {
        let value = self.value(value);
        self.and(&format!("{column} IS {value}"));
    }
}

/// Where the conversations are looked for: the ranges of an index that together hold all that the filter lets through.
struct Ranges {
    /// One row for each range.
    each: &'static str,
    /// The table and its index, as `d`.
    table: &'static str,
    /// The columns of the id and of the order.
    id: &'static str,
    at: &'static str,
    /// What makes a row belong to the range.
    key: &'static str,
}

const BY_WORKSPACE: &str = "workspace w, json_each(?1) s";
const BY_ACCOUNT: &str = "account o, json_each(?1) s";

/// The index of the condition that lets the fewest conversations through, as far as that can be told beforehand.
fn ranges(filter: &ConversationFilter) -> Ranges {
    let of = |each, table, key| Ranges { each, table, id: "d.id", at: "d.last_at", key };
    if filter.text.is_some() {
        // They are named one by one.
        let key = "d.state IN (SELECT value FROM json_each(?1))";
        return of("(SELECT 1)", "conversation d NOT INDEXED", key);
    }
    if filter.mentioned.is_some() {
        let key = "d.state IN (SELECT value FROM json_each(?1))";
        return of("(SELECT 1)", "conversation d NOT INDEXED", key);
    }
    if filter.contact.is_some() {
        return of("json_each(?1) s", "conversation d INDEXED BY conversation_contact", "d.state = s.value");
    }
    if filter.unread == Some(true) {
        let key = "d.workspace_id = w.id AND d.state = s.value AND d.has_unread = 1";
        return of(BY_WORKSPACE, "conversation d INDEXED BY conversation_unread", key);
    }
    if filter.label.is_some() {
        return Ranges {
            each: "json_each(?1) s",
            table: "conversation_label l INDEXED BY conversation_label_recent JOIN conversation d ON d.id = l.conversation_id",
            id: "l.conversation_id",
            at: "l.last_at",
            key: "l.state = s.value",
        };
    }
    let in_workspace = "d.workspace_id = w.id AND d.state = s.value";
    match filter {
        ConversationFilter { collection: Some(Some(_)), .. } => {
            of(BY_WORKSPACE, "conversation d INDEXED BY conversation_collection", in_workspace)
        }
        ConversationFilter { assignee: Some(Some(_)), .. } => {
            of(BY_WORKSPACE, "conversation d INDEXED BY conversation_assignee", in_workspace)
        }
        ConversationFilter { account: Some(_), .. } | ConversationFilter { channel: Some(_), .. } => {
            let key = "d.account_id = o.id AND d.state = s.value";
            of(BY_ACCOUNT, "conversation d INDEXED BY conversation_account", key)
        }
        ConversationFilter { assignee: Some(None), .. } => {
            of(BY_WORKSPACE, "conversation d INDEXED BY conversation_assignee", in_workspace)
        }
        ConversationFilter { collection: Some(None), .. } => {
            of(BY_WORKSPACE, "conversation d INDEXED BY conversation_collection", in_workspace)
        }
        _ => of(BY_WORKSPACE, "conversation d INDEXED BY conversation_recent", in_workspace),
    }
}

/// The newest of each range, and of those the newest.
fn query(
    filter: &ConversationFilter,
    among: Option<Vec<ConversationId>>,
    before: Place,
    limit: usize,
) -> (String, Vec<Box<dyn ToSql>>) {
    let Ranges { each, table, id, at, key } = ranges(filter);
    let states = if filter.states.is_empty() { &ConversationState::ALL[..] } else { &filter.states };
    let names: Vec<&str> = states.iter().map(|state| state.name()).collect();
    let mut inner = Conditions::default();
    inner.values.push(Box::new(serde_json::Value::from(names).to_string()));
    let mut place = before;
    if let Some(to) = filter.to.map(as_millis).filter(|to| *to <= place.at) {
        place = Place { at: to, seq: 0, id: i64::MIN };
    }
    let limit = inner.value(with_one_more(limit));
    let (place_at, place_id) = (inner.value(place.at), inner.value(place.id));
    inner.and(&format!("({at}, {id}) < ({place_at}, {place_id})"));
    if let Some(among) = among {
        let ids: Vec<i64> = among.into_iter().map(ConversationId::get).collect();
        let ids = inner.value(serde_json::Value::from(ids).to_string());
        inner.and(&format!("d.id IN (SELECT value FROM json_each({ids}))"));
    }
    if let Some(from) = filter.from {
        let from = inner.value(as_millis(from));
        inner.and(&format!("{at} >= {from}"));
    }
    if let Some(label) = filter.label {
        let label = inner.value(label);
        inner.and(&if table.starts_with("conversation_label") {
            format!("l.label_id = {label}")
        } else {
            format!(
                "EXISTS (SELECT 1 FROM conversation_label x WHERE x.conversation_id = d.id AND x.label_id = {label})"
            )
        });
    }
    if let Some(user) = filter.mentioned {
        let user = inner.value(user);
        inner.and(&format!(
            "d.id IN (SELECT n.conversation_id FROM mention x JOIN note n ON n.id = x.note_id WHERE x.user_id = {user})"
        ));
    }
    if let Some(contact) = filter.contact {
        inner.and_is("d.contact_id", contact);
    }
    if let Some(assignee) = filter.assignee {
        inner.and_is("d.assignee_id", assignee);
    }
    if let Some(collection) = filter.collection {
        inner.and_is("d.collection_id", collection);
    }
    if let Some(unread) = filter.unread.filter(|unread| !unread || !key.contains("has_unread")) {
        inner.and_is("d.has_unread", unread);
    }
    // What names ranges is a condition of them, so that no range is looked into in vain; the others are conditions of
    // the conversations.
    let mut outer = Conditions { sql: String::new(), values: std::mem::take(&mut inner.values) };
    if let Some(workspace) = filter.workspace {
        let workspace = outer.value(workspace);
        match each {
            BY_WORKSPACE => outer.and(&format!("w.id = {workspace}")),
            BY_ACCOUNT => outer.and(&format!("o.workspace_id = {workspace}")),
            _ => inner.and(&format!("d.workspace_id = {workspace}")),
        }
    }
    if let Some(account) = filter.account {
        let account = outer.value(account);
        if each == BY_ACCOUNT {
            outer.and(&format!("o.id = {account}"));
        } else {
            inner.and(&format!("d.account_id = {account}"));
        }
    }
    if let Some(channel) = &filter.channel {
        let channel = outer.value(channel.clone());
        if each == BY_ACCOUNT {
            outer.and(&format!("o.channel = {channel}"));
        } else {
            inner.and(&format!("d.account_id IN (SELECT id FROM account WHERE channel = {channel})"));
        }
    }
    let sql = format!(
        "SELECT {COLUMNS} WHERE c.id IN (
             SELECT e.id FROM {each} CROSS JOIN conversation e ON e.id IN (
                 SELECT {id} FROM {table} WHERE {key}{} ORDER BY {at} DESC, {id} DESC LIMIT {limit})
             WHERE 1{} ORDER BY e.last_at DESC, e.id DESC LIMIT {limit})
         ORDER BY c.last_at DESC, c.id DESC",
        inner.sql, outer.sql
    );
    (sql, outer.values)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

    use rusqlite::StatementStatus;

    use super::*;
    use crate::{
        model::{AccountId, CollectionId, ContactId, LabelId, UserId, WorkspaceId},
        sqlite::schema,
    };

    /// Conversations of an old inbox: nearly all are closed, read, unassigned, and in no collection.
    const MANY: &str = "
        INSERT INTO workspace (id, name, created_at) VALUES (2, 'Other', 0);
        INSERT INTO user (id, workspace_id, email, name, role, created_at) VALUES (1, 1, 'a@b.example', 'Ada', 'agent', 0);
        INSERT INTO collection (id, workspace_id, name, created_at) VALUES (1, 1, 'Sales', 0);
        INSERT INTO label (id, workspace_id, name, color, created_at) VALUES (1, 1, 'Urgent', 'red', 0);
        INSERT INTO account (id, channel, platform_id, name, settings)
            VALUES (1, 'one', 'shop', 'Shop', '[]'), (2, 'two', 'shop', 'Shop', '[]');
        WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 20000)
            INSERT INTO contact (id, account_id, platform_id) SELECT n, 1 + (n % 1000 = 0), 'p' || n FROM n;
        INSERT INTO conversation (id, account_id, contact_id, key, last_at, state, assignee_id, collection_id)
            SELECT id, account_id, id, platform_id, id, iif(id % 1000 = 7, 'open', 'closed'),
                iif(id % 1000 = 8, 1, NULL), iif(id % 1000 = 9, 1, NULL) FROM contact;
        INSERT INTO conversation_label (conversation_id, label_id, state, last_at)
            SELECT id, 1, state, last_at FROM conversation WHERE id % 1000 = 10;
        INSERT INTO note (id, conversation_id, author, at, text)
            SELECT id, id, 'Kim', id, '@Ada' FROM conversation WHERE id % 1000 = 12;
        INSERT INTO mention (user_id, note_id) SELECT 1, id FROM note;
        INSERT INTO message (account_id, conversation_id, direction, author, at, received_at, origin)
            SELECT account_id, id, 'inbound', '', 1, 1, 'live' FROM conversation WHERE id % 1000 = 11;
        INSERT INTO unread (conversation_id, message_id) SELECT conversation_id, id FROM message;
        UPDATE conversation SET has_unread = 1 WHERE id IN (SELECT conversation_id FROM unread);
        ANALYZE;";

    #[test]
    fn each_filter_reads_what_it_shows_however_many_conversations_there_are() {
        let connection = schema::empty(schema::known_schema()).unwrap();
        connection.execute_batch(MANY).unwrap();
        let any = ConversationFilter::default;
        let team = Some(WorkspaceId::FIRST);
        let open = vec![ConversationState::Open];
        let filters = [
            ("all", any()),
            ("workspace", ConversationFilter { workspace: team, ..any() }),
            ("another workspace", ConversationFilter { workspace: Some(WorkspaceId::new(2)), ..any() }),
            ("state", ConversationFilter { workspace: team, states: open.clone(), ..any() }),
            ("account", ConversationFilter { account: Some(AccountId::new(2)), ..any() }),
            (
                "account and state",
                ConversationFilter { account: Some(AccountId::new(1)), states: open.clone(), ..any() },
            ),
            ("channel", ConversationFilter { workspace: team, channel: Some("two".into()), ..any() }),
            ("contact", ConversationFilter { contact: Some(ContactId::new(5)), ..any() }),
            ("assignee", ConversationFilter { workspace: team, assignee: Some(Some(UserId::new(1))), ..any() }),
            ("nobody", ConversationFilter { workspace: team, assignee: Some(None), states: open.clone(), ..any() }),
            ("mentioned", ConversationFilter { workspace: team, mentioned: Some(UserId::new(1)), ..any() }),
            ("collection", ConversationFilter { collection: Some(Some(CollectionId::new(1))), ..any() }),
            ("no collection", ConversationFilter { collection: Some(None), states: open, ..any() }),
            ("label", ConversationFilter { label: Some(LabelId::new(1)), ..any() }),
            ("unread", ConversationFilter { workspace: team, unread: Some(true), ..any() }),
            ("time", ConversationFilter { workspace: team, from: Some(9000), to: Some(9010), ..any() }),
        ];
        for (name, filter) in filters {
            for before in [Place::FIRST, Place { at: 9000, seq: 0, id: 0 }] {
                let (sql, values) = query(&filter, None, before, 10);
                let mut statement = connection.prepare(&sql).unwrap();
                let mut rows = statement.query(params_from_iter(values)).unwrap();
                let mut shown = 0;
                while rows.next().unwrap().is_some() {
                    shown += 1;
                }
                drop(rows);
                let steps = statement.get_status(StatementStatus::VmStep);
                assert!(steps < 6000, "{name}: {steps} steps for {shown} entries");
                let plan = format!("EXPLAIN QUERY PLAN {sql}");
                let (_, values) = query(&filter, None, before, 10);
                let plan =
                    collect(&connection, &plan, params_from_iter(values), |row| row.get::<_, String>(3)).unwrap();
                let scans = ["SCAN c", "SCAN d", "SCAN e", "SCAN k", "SCAN l"];
                assert!(!plan.iter().any(|line| scans.contains(&&**line)), "{name}: {plan:#?}");
            }
        }
    }
}
