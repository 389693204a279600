//! Owns: account rows and credentials.
//! Does not own: when they change.

use harness_contract::AccountSettings;
use rusqlite::{Row, Transaction, params};

use crate::{
    error::InboxError,
    model::{AccountId, AccountRow, AccountState, SealedCredential, WorkspaceId},
    sqlite::columns::{from_millis, json_column},
};

pub(crate) const COLUMNS: &str =
    "id, channel, platform_id, name, username, picture, state, problem, connected_at, refresh_before,
                       connection, conversations_deleted_at, workspace_id, login, settings, entry_points, when_closed,
                       refresh_at, history_at";

/// Reads [`COLUMNS`].
pub(crate) fn read_account(row: &Row<'_>) -> rusqlite::Result<AccountRow> {
    Ok(AccountRow {
        id: row.get(0)?,
        workspace: row.get(12)?,
        channel: row.get(1)?,
        platform_id: row.get(2)?,
        name: row.get(3)?,
        username: row.get(4)?,
        // A picture that this version cannot parse must not hide the account.
        picture: row.get::<_, Option<String>>(5)?.and_then(|json| serde_json::from_str(&json).ok()),
        state: row.get(6)?,
        problem: row.get(7)?,
        connected_at: from_millis(row.get(8)?),
        refresh_before: row.get::<_, Option<i64>>(9)?.map(from_millis),
        refresh_at: row.get::<_, Option<i64>>(17)?.map(from_millis),
        history_at: row.get::<_, Option<i64>>(18)?.map(from_millis),
        connection: row.get(10)?,
        login: row.get(13)?,
        settings: json_column(row, 14).unwrap_or_default(),
        entry_points: row.get::<_, Option<String>>(15)?.and_then(|json| serde_json::from_str(&json).ok()),
        conversations_deleted_at: row.get::<_, Option<i64>>(11)?.map(from_millis),
        when_closed: row.get(16)?,
    })
}

/// Fails if the account belongs to another workspace than this one. Whoever proved to a platform that an account is
/// theirs may not thereby read what another team wrote with it.
pub(crate) fn of_workspace(
    tx: &Transaction<'_>,
    channel: &str,
    platform_id: &str,
    workspace: WorkspaceId,
) -> Result<(), InboxError> {
    let elsewhere = tx
        .prepare_cached("SELECT 1 FROM account WHERE channel = ?1 AND platform_id = ?2 AND workspace_id <> ?3")?
        .exists(params![channel, platform_id, workspace])?;
    if elsewhere { Err(InboxError::OtherWorkspace) } else { Ok(()) }
}

/// Whether an account is connected, and was not reconnected since `connection`.
pub(crate) fn is_current(tx: &Transaction<'_>, account: AccountId, connection: i64) -> Result<bool, InboxError> {
    Ok(tx
        .prepare_cached("SELECT 1 FROM account WHERE id = ?1 AND connection = ?2 AND state <> 'disconnected'")?
        .exists(params![account, connection])?)
}

/// Sets the state of an account. A disconnected one stays so until [`crate::store::Accounts::connect_account`] is
/// called.
pub(crate) fn mark(
    tx: &Transaction<'_>,
    account: AccountId,
    state: AccountState,
    problem: Option<&str>,
) -> Result<(), InboxError> {
    tx.prepare_cached("UPDATE account SET state = ?2, problem = ?3 WHERE id = ?1 AND state <> 'disconnected'")?
        .execute(params![account, state.name(), problem])?;
    Ok(())
}

/// Records that the account's conversations were deleted.
pub(crate) fn note_deleted(tx: &Transaction<'_>, account: AccountId, now: i64) -> Result<(), InboxError> {
    tx.prepare_cached("UPDATE account SET conversations_deleted_at = ?2 WHERE id = ?1")?
        .execute(params![account, now])?;
    Ok(())
}

/// Deletes everything that allows calls to the platform on the account's behalf.
pub(crate) fn forget(tx: &Transaction<'_>, account: AccountId, reason: &str) -> Result<(), InboxError> {
    tx.prepare_cached("UPDATE account SET state = ?2, problem = ?3, connection = connection + 1 WHERE id = ?1")?
        .execute(params![account, AccountState::Disconnected.name(), reason])?;
    for sql in [
        "UPDATE account SET refresh_before = NULL, refresh_at = NULL, history_at = NULL, authorized_by = NULL
         WHERE id = ?1",
        "DELETE FROM credential WHERE (channel, account) IN
             (SELECT channel, platform_id FROM account WHERE id = ?1)",
        "DELETE FROM account_alias WHERE account_id = ?1",
        "DELETE FROM channel_kv WHERE account_id = ?1",
    ] {
        tx.prepare_cached(sql)?.execute(params![account])?;
    }
    Ok(())
}

/// What stands in the place of an account's id with a credential of the whole channel.
const NO_ACCOUNT: &str = "";

/// Reads channel, account, slot and sealed credential.
pub(crate) fn read_credential(row: &Row<'_>) -> rusqlite::Result<SealedCredential> {
    let account: String = row.get(1)?;
    let account = (account != NO_ACCOUNT).then_some(account);
    Ok(SealedCredential { channel: row.get(0)?, account, slot: row.get(2)?, sealed: row.get(3)? })
}

pub(crate) fn put_credential(tx: &Transaction<'_>, credential: &SealedCredential) -> Result<(), InboxError> {
    tx.prepare_cached(
        "INSERT INTO credential (channel, account, slot, sealed) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT DO UPDATE SET sealed = ?4",
    )?
    .execute(params![
        credential.channel,
        credential.account.as_deref().unwrap_or(NO_ACCOUNT),
        credential.slot,
        credential.sealed
    ])?;
    Ok(())
}

/// The account as a channel sees it.
pub(crate) fn account_settings(id: String, settings: &str) -> Result<AccountSettings, InboxError> {
    Ok(AccountSettings { id, settings: serde_json::from_str(settings)?, webhook_url: None })
}
