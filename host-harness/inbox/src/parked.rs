//! Deliveries that wait for an account which is not connected here. Belongs here: parking them by account, taking up
//! those of an account that came, and the bounds of what waits. That an account is missing finds `apply.rs`.

use std::collections::{BTreeSet, HashMap};

use rusqlite::{Transaction, params};

use crate::{Inbox, InboxError, journal::as_millis, read::collect};

/// How many deliveries may wait for accounts that are not connected. Beyond it the oldest are emptied.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ParkingBounds {
    /// For one account.
    pub per_account: u64,
    /// For all accounts of one channel.
    pub per_channel: u64,
}

/// What is said of a delivery that waited for nothing.
const TOO_MANY: &str = "more deliveries waited for its account than are kept, and this was the oldest";
const TOO_OLD: &str = "its account was not connected within the time for which deliveries are kept";

/// How many wait, as far as one transaction has counted.
#[derive(Default)]
pub(crate) struct Parking {
    accounts: HashMap<(String, String), u64>,
    channels: HashMap<String, u64>,
    /// Deliveries that were emptied for others.
    pub(crate) expired: usize,
}

impl Parking {
    /// Parks a delivery until one of these accounts is connected.
    pub(crate) fn park(
        &mut self,
        tx: &Transaction<'_>,
        bounds: ParkingBounds,
        (channel, delivery): (&str, i64),
        accounts: &BTreeSet<&str>,
        problem: &str,
    ) -> Result<(), InboxError> {
        tx.prepare_cached(
            "UPDATE delivery SET state = 'unrouted', attempts = attempts + 1, problem = ?2 WHERE id = ?1",
        )?
        .execute(params![delivery, problem])?;
        for account in accounts {
            let added = tx
                .prepare_cached(
                    "INSERT INTO awaited (channel, account, delivery_id) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
                )?
                .execute(params![channel, account, delivery])?;
            self.keep_within(tx, bounds, channel, account, u64::try_from(added).unwrap_or_default())?;
        }
        Ok(())
    }

    fn keep_within(
        &mut self,
        tx: &Transaction<'_>,
        bounds: ParkingBounds,
        channel: &str,
        account: &str,
        added: u64,
    ) -> Result<(), InboxError> {
        let key = (channel.to_owned(), account.to_owned());
        let of_account = match self.accounts.get(&key) {
            Some(count) => count + added,
            None => tx
                .prepare_cached("SELECT count(*) FROM awaited WHERE channel = ?1 AND account = ?2")?
                .query_row(params![channel, account], |row| row.get::<_, i64>(0))?
                .unsigned_abs(),
        };
        let of_channel = match self.channels.get(channel) {
            Some(count) => count + added,
            None => tx
                .prepare_cached("SELECT count(*) FROM awaited WHERE channel = ?1")?
                .query_row(params![channel], |row| row.get::<_, i64>(0))?
                .unsigned_abs(),
        };
        let mut gone = 0;
        if of_account > bounds.per_account {
            gone = of_account - bounds.per_account;
            self.expired += drop_oldest(tx, channel, Some(account), gone)?;
        }
        self.accounts.insert(key, of_account - gone);
        let mut left = of_channel - gone;
        if left > bounds.per_channel {
            // Some more than needed: finding the oldest of a whole channel reads all of its rows.
            let more = left - bounds.per_channel + bounds.per_channel / 16;
            self.expired += drop_oldest(tx, channel, None, more)?;
            left -= more.min(left);
            // Whose they were is not known here.
            self.accounts.clear();
        }
        self.channels.insert(channel.to_owned(), left);
        Ok(())
    }
}

/// The oldest do not wait any more, and are emptied if they wait for no other account. Returns how many were.
fn drop_oldest(tx: &Transaction<'_>, channel: &str, account: Option<&str>, count: u64) -> Result<usize, InboxError> {
    let oldest: Vec<(String, i64)> = {
        let mut statement = tx.prepare_cached(
            "SELECT account, delivery_id FROM awaited WHERE channel = ?1 AND (?2 IS NULL OR account = ?2)
             ORDER BY delivery_id LIMIT ?3",
        )?;
        let limit = i64::try_from(count).unwrap_or(i64::MAX);
        let rows = statement.query_map(params![channel, account, limit], |row| Ok((row.get(0)?, row.get(1)?)))?;
        rows.collect::<Result<_, _>>()?
    };
    let mut emptied = 0;
    for (account, delivery) in oldest {
        tx.prepare_cached("DELETE FROM awaited WHERE channel = ?1 AND account = ?2 AND delivery_id = ?3")?
            .execute(params![channel, account, delivery])?;
        emptied += tx
            .prepare_cached(
                "UPDATE delivery SET state = 'redacted', headers = '[]', body = x'', problem = ?2
                 WHERE id = ?1 AND state = 'unrouted' AND NOT EXISTS (SELECT 1 FROM awaited WHERE delivery_id = ?1)",
            )?
            .execute(params![delivery, TOO_MANY])?;
    }
    Ok(emptied)
}

/// Puts what waits for this account, under its id or an alias, back into the queue; events that were applied before
/// are recognised.
pub(crate) fn take_up_account(tx: &Transaction<'_>, account: i64) -> Result<usize, InboxError> {
    const OF_ACCOUNT: &str = "SELECT delivery_id FROM awaited WHERE (channel, account) IN (
         SELECT channel, platform_id FROM account WHERE id = ?1
         UNION ALL SELECT channel, alias FROM alias WHERE account_id = ?1)";
    let ids: Vec<i64> = {
        let mut statement = tx.prepare_cached(OF_ACCOUNT)?;
        statement.query_map(params![account], |row| row.get(0))?.collect::<Result<_, _>>()?
    };
    let ids = serde_json::to_string(&ids)?;
    let taken = tx
        .prepare_cached(
            "UPDATE delivery SET state = 'received'
             WHERE state = 'unrouted' AND id IN (SELECT value FROM json_each(?1))",
        )?
        .execute(params![ids])?;
    // Whoever else it waits for is noted again when it has been read.
    tx.prepare_cached("DELETE FROM awaited WHERE delivery_id IN (SELECT value FROM json_each(?1))")?
        .execute(params![ids])?;
    Ok(taken)
}

/// Puts what waits for the channel itself back into the queue: it is loaded now.
pub(crate) fn take_up_channel(tx: &Transaction<'_>, channel: &str) -> Result<usize, InboxError> {
    Ok(tx
        .prepare_cached(
            "UPDATE delivery SET state = 'received' WHERE state = 'unrouted' AND channel = ?1
               AND NOT EXISTS (SELECT 1 FROM awaited WHERE delivery_id = delivery.id)",
        )?
        .execute(params![channel])?)
}

/// Deliveries of a channel that wait for accounts, or waited in vain.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct ParkedCounts {
    /// They wait for accounts that are not connected here.
    pub parked: u64,
    /// They waited too long, or with too many others, and were emptied; since the inbox was made.
    pub expired: u64,
}

impl Inbox {
    /// How many deliveries wait for accounts, and how many did in vain, by channel.
    pub async fn parked_counts(&self) -> Result<HashMap<String, ParkedCounts>, InboxError> {
        self.readers
            .read(|connection| {
                let mut counts: HashMap<String, ParkedCounts> = HashMap::new();
                let row = |row: &rusqlite::Row<'_>| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?));
                let parked = "SELECT channel, count(*) FROM delivery WHERE state = 'unrouted' GROUP BY channel";
                for (channel, count) in collect(connection, parked, [], row)? {
                    counts.entry(channel).or_default().parked = count.unsigned_abs();
                }
                let expired = "SELECT channel, count(*) FROM delivery INDEXED BY delivery_expired
                               WHERE state = 'redacted' AND problem IS NOT NULL AND problem IN (?1, ?2) GROUP BY channel";
                for (channel, count) in collect(connection, expired, params![TOO_MANY, TOO_OLD], row)? {
                    counts.entry(channel).or_default().expired = count.unsigned_abs();
                }
                Ok(counts)
            })
            .await
    }

    /// Empties deliveries that came before this time and whose account is still not connected: at most so many, the
    /// oldest first. Returns how many those were.
    pub async fn expire_parked(&self, before: u64, limit: usize) -> Result<usize, InboxError> {
        self.writer
            .write(move |tx| {
                let ids: Vec<i64> = {
                    let mut statement = tx.prepare_cached(
                        "SELECT id FROM (SELECT id, received_at FROM delivery WHERE state = 'unrouted'
                                         ORDER BY id LIMIT ?2) WHERE received_at < ?1",
                    )?;
                    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
                    let rows = statement.query_map(params![as_millis(before), limit], |row| row.get(0))?;
                    rows.collect::<Result<_, _>>()?
                };
                for id in &ids {
                    tx.prepare_cached(
                        "UPDATE delivery SET state = 'redacted', headers = '[]', body = x'', problem = ?2 WHERE id = ?1",
                    )?
                    .execute(params![id, TOO_OLD])?;
                    tx.prepare_cached("DELETE FROM awaited WHERE delivery_id = ?1")?.execute(params![id])?;
                }
                Ok(ids.len())
            })
            .await
    }
}
