//! Owns: whose file is downloaded next: channels by turns, in each its accounts by turns, in each its conversations.
//! Does not own: downloading, how a download ended.

use std::collections::{HashMap, HashSet};

use harness_contract::Media;
use rusqlite::{Connection, Row, params};

use crate::{
    error::InboxError,
    model::{AccountId, DueMedia, MediaId, MediaPlace},
    sqlite::columns::{as_millis, collect, json_column},
};

const NEXT_ACCOUNT: &str = "SELECT min(account_id) FROM media WHERE state = 'remote' AND account_id > ?1";
const NEXT_TURN: &str = "SELECT min(turn) FROM media WHERE state = 'remote' AND account_id = ?1 AND turn > ?2";
const FILES_OF_TURN: &str = "SELECT f.id, a.channel, f.account_id, m.conversation_id, f.kind, f.url, f.attempts,
        f.described, f.next_attempt_at
    FROM media f INDEXED BY media_turn CROSS JOIN message m ON m.id = f.message_id
        CROSS JOIN account a ON a.id = f.account_id
    WHERE f.state = 'remote' AND f.account_id = ?1 AND f.turn = ?2 AND f.next_attempt_at <= ?3
    ORDER BY f.next_attempt_at, f.id LIMIT ?4";

/// A file with when it became due.
struct Due {
    file: DueMedia,
    at: i64,
}

/// The files that are due, apart from those in `except`. Looks at no more than it returns, of each account with waiting
/// files, however many wait: the worker asks again after every download.
pub(crate) fn due(
    connection: &Connection,
    now: u64,
    except: &HashSet<MediaId>,
    limit: usize,
) -> Result<Vec<DueMedia>, InboxError> {
    let mut channels: HashMap<String, Vec<(usize, Due)>> = HashMap::new();
    let mut account = AccountId::new(0);
    while let Some(next) = next_account(connection, account)? {
        account = next;
        for (nth, due) in of_account(connection, account, now, except, limit)?.into_iter().enumerate() {
            channels.entry(due.file.channel.clone()).or_default().push((nth, due));
        }
    }
    let mut by_turns: Vec<(usize, Due)> = Vec::new();
    for mut of_channel in channels.into_values() {
        of_channel.sort_by_key(|(nth, due)| (*nth, due.at, due.file.id));
        by_turns.extend(of_channel.into_iter().enumerate().map(|(nth, (_, due))| (nth, due)));
    }
    by_turns.sort_by_key(|(nth, due)| (*nth, due.at, due.file.id));
    Ok(by_turns.into_iter().take(limit).map(|(_, due)| due.file).collect())
}

/// The first account after `account` with files that wait.
fn next_account(connection: &Connection, account: AccountId) -> Result<Option<AccountId>, InboxError> {
    Ok(connection.prepare_cached(NEXT_ACCOUNT)?.query_row(params![account], |row| row.get(0))?)
}

/// The next files of an account: the first of each conversation, then the second of each.
fn of_account(
    connection: &Connection,
    account: AccountId,
    now: u64,
    except: &HashSet<MediaId>,
    limit: usize,
) -> Result<Vec<Due>, InboxError> {
    let mut found = Vec::new();
    let mut turn = -1;
    while found.len() < limit
        && let Some(next) = connection.prepare_cached(NEXT_TURN)?.query_row(params![account, turn], |row| row.get(0))?
    {
        turn = next;
        // Those in progress are among them.
        let most = i64::try_from(limit.saturating_add(except.len())).unwrap_or(i64::MAX);
        let rows = collect(connection, FILES_OF_TURN, params![account, turn, as_millis(now), most], read)?;
        found.extend(rows.into_iter().filter(|due| !except.contains(&due.file.id)));
    }
    found.truncate(limit);
    Ok(found)
}

fn read(row: &Row<'_>) -> rusqlite::Result<Due> {
    let id: MediaId = row.get(0)?;
    let file = DueMedia {
        id,
        channel: row.get(1)?,
        account: row.get(2)?,
        conversation: row.get(3)?,
        kind: row.get(4)?,
        at: place_of(row)?,
        attempts: row.get(6)?,
        key: format!("inbound/{id}"),
    };
    Ok(Due { file, at: row.get(8)? })
}

/// Reads `url` and `described`, the sixth and eighth columns.
fn place_of(row: &Row<'_>) -> rusqlite::Result<MediaPlace> {
    if let Some(url) = row.get(5)? {
        return Ok(MediaPlace::Url(url));
    }
    let media: Media = json_column(row, 7)?;
    let in_delivery = media.inline.is_some();
    let media = Box::new(media);
    Ok(if in_delivery { MediaPlace::Delivery(media) } else { MediaPlace::Channel(media) })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;
    use crate::sqlite::schema;

    /// Two shops of one channel and one of another. In the first shop one customer has sent 20,000 photos and another
    /// one after them; each other shop waits for two.
    const MANY: &str = "
        INSERT INTO account (id, channel, platform_id, name, settings)
            VALUES (1, 'one', 'a', 'A', '[]'), (2, 'one', 'b', 'B', '[]'), (3, 'two', 'c', 'C', '[]');
        INSERT INTO contact (id, account_id, platform_id) VALUES (1, 1, 'p'), (2, 1, 'q'), (3, 2, 'r'), (4, 3, 's');
        INSERT INTO conversation (id, account_id, contact_id, key, last_at)
            SELECT id, account_id, id, platform_id, id FROM contact;
        INSERT INTO message (id, account_id, conversation_id, direction, author, at, received_at, origin)
            SELECT id, account_id, id, 'inbound', '', 1, 1, 'live' FROM conversation;
        WITH RECURSIVE n (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM n WHERE n < 19999)
            INSERT INTO media (message_id, account_id, conversation_id, attachment, kind, url, state, next_attempt_at, turn)
            SELECT 1, 1, 1, n, 'image', 'https://platform.example/' || n, 'remote', 1, min(n, 63) FROM n;
        INSERT INTO media (id, message_id, account_id, conversation_id, attachment, kind, url, state, next_attempt_at, turn)
            VALUES (30001, 2, 1, 2, 0, 'image', 'u', 'remote', 9, 0), (30002, 3, 2, 3, 0, 'image', 'u', 'remote', 9, 0),
                (30003, 3, 2, 3, 1, 'image', 'u', 'remote', 9, 1), (30004, 4, 3, 4, 0, 'image', 'u', 'remote', 9, 0),
                (30005, 4, 3, 4, 1, 'image', 'u', 'remote', 9, 1);";

    #[test]
    fn a_customer_with_thousands_of_photos_holds_up_nobody_and_they_are_not_looked_at() {
        let connection = schema::empty(schema::known_schema()).unwrap();
        connection.execute_batch(MANY).unwrap();
        let ids = |due: Vec<DueMedia>| due.into_iter().map(|file| file.id.get()).collect::<Vec<_>>();
        let next = ids(due(&connection, 9, &HashSet::new(), 6).unwrap());
        assert_eq!(next, [1, 30_004, 30_002, 30_005, 30_001, 30_003], "by channel, account and conversation");
        let taken = next.into_iter().map(MediaId::new).collect();
        assert_eq!(ids(due(&connection, 9, &taken, 3).unwrap()), [2, 3, 4], "nothing else is left");
        connection.execute("UPDATE media SET next_attempt_at = 99 WHERE id < 20001", []).unwrap();
        assert_eq!(ids(due(&connection, 9, &HashSet::new(), 2).unwrap()), [30_001, 30_004], "the first ones wait");
        for statement in [FILES_OF_TURN, NEXT_TURN, NEXT_ACCOUNT] {
            // The numbers of the parameters do for their values.
            let plan = format!("EXPLAIN QUERY PLAN {}", statement.replace('?', ""));
            let mut prepared = connection.prepare(&plan).unwrap();
            let lines: Vec<String> = prepared.query_map([], |row| row.get(3)).unwrap().map(Result::unwrap).collect();
            let by_index = |line: &String| line.contains("SEARCH") && line.contains("media_turn");
            let by_id = |line: &String| line.contains("USING INTEGER PRIMARY KEY");
            let (first, others) = lines.split_first().unwrap();
            assert!(by_index(first) && others.iter().all(by_id), "{lines:?}");
        }
    }
}
