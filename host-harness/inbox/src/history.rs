//! How far the platform's archive has been read for each account. Belongs here: the marks alone; what is
//! read goes through the journal like everything else.

use rusqlite::params;

use crate::{
    Inbox, InboxError, NewDelivery,
    accounts::is_current,
    journal::{DeliveryRow, as_millis, from_millis},
};

/// An account whose archive is to be read.
#[derive(Clone, Debug)]
pub struct DueHistory {
    /// The account's row.
    pub account: i64,
    /// The platform's id of the account.
    pub platform_id: String,
    /// Messages before this are not wanted.
    pub from: u64,
    /// Where reading stopped.
    pub cursor: Option<String>,
    /// See [`crate::AccountRow::connection`].
    pub connection: i64,
}

/// How reading goes on.
#[derive(Clone, Debug)]
pub struct HistoryMark {
    /// Where it stopped; none at the end.
    pub cursor: Option<String>,
    /// How far back the next round reads.
    pub from: u64,
    /// When it goes on; none when it is not to.
    pub next: Option<u64>,
}

impl Inbox {
    /// Accounts whose archive is to be read now.
    pub async fn due_history(&self, now: u64) -> Result<Vec<DueHistory>, InboxError> {
        self.readers
            .read(move |connection| {
                crate::read::collect(
                    connection,
                    "SELECT id, platform_id, coalesce(history_from, 0), history_cursor, connection
                     FROM account
                     WHERE history_at <= ?1 AND state = 'connected' ORDER BY history_at",
                    params![as_millis(now)],
                    |row| {
                        Ok(DueHistory {
                            account: row.get(0)?,
                            platform_id: row.get(1)?,
                            from: from_millis(row.get(2)?),
                            cursor: row.get(3)?,
                            connection: row.get(4)?,
                        })
                    },
                )
            })
            .await
    }

    /// Writes what was read into the journal, and how reading goes on: both or neither. Nothing where the account was
    /// connected or disconnected since `connection`: that reading begins anew, or has ended.
    pub async fn note_history(
        &self,
        account: i64,
        connection: i64,
        items: Vec<NewDelivery>,
        mark: HistoryMark,
    ) -> Result<(), InboxError> {
        let row = |new| Ok((self.arrivals.next_id(), DeliveryRow::of(new)?));
        let rows = items.into_iter().map(row).collect::<Result<Vec<_>, InboxError>>()?;
        self.writer
            .write(move |tx| {
                if !is_current(tx, account, connection)? {
                    return Ok(());
                }
                for (id, row) in &rows {
                    row.insert(tx, *id)?;
                }
                tx.prepare_cached(
                    "UPDATE account SET history_cursor = ?2, history_from = ?3, history_at = ?4 WHERE id = ?1",
                )?
                .execute(params![
                    account,
                    mark.cursor,
                    as_millis(mark.from),
                    mark.next.map(as_millis)
                ])?;
                Ok(())
            })
            .await
    }
}
