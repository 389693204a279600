//! Owns: parking deliveries whose account is not connected, within bounds.
//! Does not own: detecting the missing account (`batch`), requeueing (`rows::deliveries`).

use std::collections::{BTreeSet, HashMap};

use rusqlite::{Transaction, params};

use crate::{error::InboxError, model::DeliveryId, model::ParkingBounds, sqlite::rows::deliveries::TOO_MANY};

/// The numbers of parked deliveries that one transaction has counted so far.
#[derive(Default)]
pub(crate) struct Parking {
    accounts: HashMap<(String, String), u64>,
    channels: HashMap<String, u64>,
    /// Deliveries emptied to make room.
    pub(crate) expired: usize,
}

impl Parking {
    /// Parks a delivery until one of these accounts is connected.
    pub(crate) fn park(
        &mut self,
        tx: &Transaction<'_>,
        bounds: ParkingBounds,
        (channel, delivery): (&str, DeliveryId),
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
            // Drops some extra, because finding the oldest of a whole channel reads all of its rows.
            let more = left - bounds.per_channel + bounds.per_channel / 16;
            self.expired += drop_oldest(tx, channel, None, more)?;
            left -= more.min(left);
            // The accounts of the dropped deliveries are not known here.
            self.accounts.clear();
        }
        self.channels.insert(channel.to_owned(), left);
        Ok(())
    }
}

/// Ends the wait of the oldest entries, and empties deliveries that wait for no other account. Returns the number
/// emptied.
fn drop_oldest(tx: &Transaction<'_>, channel: &str, account: Option<&str>, count: u64) -> Result<usize, InboxError> {
    let oldest: Vec<(String, DeliveryId)> = {
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
                "UPDATE delivery SET state = 'purged', headers = '[]', body = x'', problem = ?2
                 WHERE id = ?1 AND state = 'unrouted' AND NOT EXISTS (SELECT 1 FROM awaited WHERE delivery_id = ?1)",
            )?
            .execute(params![delivery, TOO_MANY])?;
    }
    Ok(emptied)
}
