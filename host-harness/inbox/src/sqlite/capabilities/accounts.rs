//! Owns: accounts and the progress of reading their histories, in SQLite.
//! Does not own: their credentials (`credentials`), their channels' key-value storage (`channel_storage`).

use async_trait::async_trait;
use harness_contract::{EntryPoints, Setting};
use rusqlite::{Transaction, params};

use crate::{
    error::InboxError,
    model::{
        AccountId, AccountState, ChangeKind, DueHistory, FromDialog, HistoryMark, NewAccount, NewDelivery,
        SealedCredential, WorkspaceId,
    },
    sqlite::{
        arrivals::DeliveryRow,
        columns::{as_millis, collect, from_millis, next_after},
        rows::{
            accounts::{forget, is_current, mark, note_deleted, of_workspace, put_credential},
            changes::{Concerns, note},
            deliveries::requeue_account,
            erasure::delete_contents,
        },
        store::SqliteStore,
    },
    store::Accounts,
};

#[async_trait]
impl Accounts for SqliteStore {
    async fn connect_account(&self, new: NewAccount) -> Result<AccountId, InboxError> {
        let settings = serde_json::to_string(&new.settings)?;
        self.writer
            .write(move |tx| {
                if let Some(workspace) = new.workspace {
                    of_workspace(tx, &new.channel, &new.platform_id, workspace)?;
                }
                // An account of a configuration is connected again at every start, which must change nothing.
                let id = tx
                    .prepare_cached(
                        "INSERT INTO account (channel, platform_id, name, settings, connected_at, workspace_id)
                         VALUES (?1, ?2, ?3, ?4, ?5, ?7)
                         ON CONFLICT (channel, platform_id) DO UPDATE SET name = ?3, settings = ?4,
                             connected_at = iif(?6 AND state = 'connected' AND connected_at > 0, connected_at, ?5),
                             state = 'connected', problem = NULL, connection = connection + 1
                         RETURNING id",
                    )?
                    .query_row(
                        params![
                            new.channel,
                            new.platform_id,
                            new.name,
                            settings,
                            as_millis(new.now),
                            new.dialog.is_none(),
                            new.workspace.unwrap_or(WorkspaceId::FIRST)
                        ],
                        |row| row.get(0),
                    )?;
                if let Some(dialog) = &new.dialog {
                    keep(tx, id, &new, dialog)?;
                }
                requeue_account(tx, id)?;
                note(tx, ChangeKind::AccountUpdated, Concerns::account(id), new.now)?;
                Ok(id)
            })
            .await
    }

    async fn mark_account(
        &self,
        account: AccountId,
        connection: i64,
        state: AccountState,
        problem: Option<String>,
        now: u64,
    ) -> Result<bool, InboxError> {
        self.writer
            .write(move |tx| {
                if !is_current(tx, account, connection)? {
                    return Ok(false);
                }
                mark(tx, account, state, problem.as_deref())?;
                note(tx, ChangeKind::AccountUpdated, Concerns::account(account), now)?;
                Ok(true)
            })
            .await
    }

    async fn note_entry_points(
        &self,
        account: AccountId,
        entry_points: &EntryPoints,
        now: u64,
    ) -> Result<(), InboxError> {
        let entry_points = serde_json::to_string(entry_points)?;
        self.writer
            .write(move |tx| {
                tx.prepare_cached("UPDATE account SET entry_points = ?2 WHERE id = ?1")?
                    .execute(params![account, entry_points])?;
                note(tx, ChangeKind::AccountUpdated, Concerns::account(account), now)
            })
            .await
    }

    async fn due_refreshes(&self, now: u64) -> Result<Vec<AccountId>, InboxError> {
        self.readers
            .read(move |connection| {
                let sql =
                    "SELECT id FROM account WHERE refresh_at <= ?1 AND state <> 'disconnected' ORDER BY refresh_at";
                collect(connection, sql, params![as_millis(now)], |row| row.get(0))
            })
            .await
    }

    async fn next_refresh(&self, after: u64) -> Result<Option<u64>, InboxError> {
        self.readers
            .read(move |connection| {
                next_after(
                    connection,
                    "SELECT min(refresh_at) FROM account WHERE refresh_at > ?1 AND state <> 'disconnected'",
                    after,
                )
            })
            .await
    }

    async fn note_refresh(
        &self,
        account: AccountId,
        connection: i64,
        refresh_before: Option<u64>,
        refresh_at: Option<u64>,
    ) -> Result<(), InboxError> {
        self.writer
            .write(move |tx| {
                if is_current(tx, account, connection)? {
                    tx.prepare_cached("UPDATE account SET refresh_before = ?2, refresh_at = ?3 WHERE id = ?1")?
                        .execute(params![account, refresh_before.map(as_millis), refresh_at.map(as_millis)])?;
                }
                Ok(())
            })
            .await
    }

    async fn disconnect_account(
        &self,
        account: AccountId,
        delete_conversations: bool,
        now: u64,
    ) -> Result<(), InboxError> {
        self.writer
            .write(move |tx| {
                if delete_conversations {
                    delete_contents(tx, account, None, now)?;
                    note_deleted(tx, account, as_millis(now))?;
                }
                forget(tx, account, "Somebody disconnected it.")?;
                note(tx, ChangeKind::AccountUpdated, Concerns::account(account), now)
            })
            .await
    }

    async fn note_settings(
        &self,
        account: AccountId,
        connection: i64,
        changed: Vec<Setting>,
        now: u64,
    ) -> Result<(), InboxError> {
        self.writer
            .write(move |tx| {
                if !is_current(tx, account, connection)? {
                    return Ok(());
                }
                let settings: String = tx
                    .prepare_cached("SELECT settings FROM account WHERE id = ?1")?
                    .query_row(params![account], |row| row.get(0))?;
                let mut settings: Vec<Setting> = serde_json::from_str(&settings)?;
                settings.retain(|known| changed.iter().all(|setting| setting.key != known.key));
                settings.extend(changed);
                tx.prepare_cached("UPDATE account SET settings = ?2 WHERE id = ?1")?
                    .execute(params![account, serde_json::to_string(&settings)?])?;
                note(tx, ChangeKind::AccountUpdated, Concerns::account(account), now)
            })
            .await
    }

    async fn due_history(&self, now: u64) -> Result<Vec<DueHistory>, InboxError> {
        self.readers
            .read(move |connection| {
                collect(
                    connection,
                    "SELECT id, platform_id, coalesce(history_from, 0), history_cursor, connection, channel
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
                            channel: row.get(5)?,
                        })
                    },
                )
            })
            .await
    }

    async fn next_history(&self, after: u64) -> Result<Option<u64>, InboxError> {
        self.readers
            .read(move |connection| {
                next_after(
                    connection,
                    "SELECT min(history_at) FROM account WHERE history_at > ?1 AND state = 'connected'",
                    after,
                )
            })
            .await
    }

    async fn read_history_again(
        &self,
        account: AccountId,
        connection: i64,
        from: u64,
        now: u64,
    ) -> Result<(), InboxError> {
        self.writer
            .write(move |tx| {
                if is_current(tx, account, connection)? {
                    // A cursor belongs to the time from which its listing began.
                    tx.prepare_cached(
                        "UPDATE account SET history_at = ?2, history_from = iif(history_cursor IS NULL,
                             min(coalesce(history_from, ?3), ?3), history_from)
                         WHERE id = ?1 AND history_at IS NOT NULL",
                    )?
                    .execute(params![account, as_millis(now), as_millis(from)])?;
                }
                Ok(())
            })
            .await
    }

    async fn note_history(
        &self,
        account: AccountId,
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

fn keep(tx: &Transaction<'_>, id: AccountId, new: &NewAccount, dialog: &FromDialog) -> Result<(), InboxError> {
    let NewAccount { channel, platform_id, .. } = new;
    let picture = dialog.picture.as_ref().map(serde_json::to_string).transpose()?;
    tx.prepare_cached(
        "UPDATE account SET username = ?2, picture = ?3, authorized_by = ?4, refresh_before = ?5, refresh_at = ?6,
             history_from = ?7, history_cursor = NULL, history_at = ?8, login = ?9 WHERE id = ?1",
    )?
    .execute(params![
        id,
        dialog.username,
        picture,
        dialog.authorized_by,
        dialog.refresh_before.map(as_millis),
        dialog.refresh_at.map(as_millis),
        dialog.history_from.map(as_millis),
        dialog.history_from.map(|_| as_millis(new.now)),
        dialog.login,
    ])?;
    tx.prepare_cached("DELETE FROM account_alias WHERE account_id = ?1")?.execute(params![id])?;
    for alias in &dialog.aliases {
        // An alias that moved to another account belongs to that account now: at the platform an id is unique.
        tx.prepare_cached(
            "INSERT INTO account_alias (channel, alias, account_id) VALUES (?1, ?2, ?3)
             ON CONFLICT DO UPDATE SET account_id = ?3",
        )?
        .execute(params![channel, alias, id])?;
    }
    tx.prepare_cached("DELETE FROM credential WHERE channel = ?1 AND account = ?2")?
        .execute(params![channel, platform_id])?;
    for (slot, sealed) in &dialog.credentials {
        let (channel, account) = (channel.clone(), platform_id.clone());
        put_credential(
            tx,
            &SealedCredential { channel, account: Some(account), slot: slot.clone(), sealed: sealed.clone() },
        )?;
    }
    for (key, value) in &dialog.storage {
        tx.prepare_cached(
            "INSERT INTO channel_kv (account_id, key, value) VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET value = ?3",
        )?
        .execute(params![id, key, value])?;
    }
    Ok(())
}
