//! Accounts: which ones there are, in what state, with which credentials (sealed) and until when.
//! Belongs here: connecting, disconnecting, forgetting. Talking to the platform is the gateway's.

use harness_contract::{Media, Setting};
use rusqlite::{OptionalExtension as _, Row, Transaction, params};
use serde::Serialize;

use crate::{
    Inbox, InboxError, SealedCredential, Update, credentials,
    gone::delete_contents,
    journal::{as_millis, from_millis},
    parked::take_up_account,
};

/// Whether an account can be used.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountState {
    /// It is.
    Connected,
    /// What comes in is taken; what goes out waits until somebody connects it again.
    NeedsReconnect,
    /// Somebody disconnected it. Its conversations may still be here.
    Disconnected,
}

impl AccountState {
    fn name(self) -> &'static str {
        match self {
            Self::Connected => "connected",
            Self::NeedsReconnect => "needs_reconnect",
            Self::Disconnected => "disconnected",
        }
    }

    fn from_name(name: &str) -> Self {
        match name {
            "needs_reconnect" => Self::NeedsReconnect,
            "disconnected" => Self::Disconnected,
            _ => Self::Connected,
        }
    }
}

/// An account.
#[derive(Clone, Debug, Serialize)]
pub struct AccountRow {
    /// Its row.
    pub id: i64,
    /// The channel's id.
    pub channel: String,
    /// The platform's id.
    pub platform_id: String,
    /// For people.
    pub name: String,
    /// The platform's handle, where it has one.
    pub username: Option<String>,
    /// Its picture at the platform.
    pub picture: Option<Media>,
    /// Whether it can be used.
    pub state: AccountState,
    /// Why not, in a sentence.
    pub problem: Option<String>,
    /// Since when.
    pub connected_at: u64,
    /// When its credentials end, where they do.
    pub refresh_before: Option<u64>,
    /// When its conversations were deleted last, where they were: what was said until then does not come back.
    pub conversations_deleted_at: Option<u64>,
    /// Counts up with every connecting and disconnecting. Whoever has begun something for the account hands this in
    /// with the result: what belongs to an earlier connection is thrown away.
    #[serde(skip)]
    pub connection: i64,
}

const COLUMNS: &str = "id, channel, platform_id, name, username, picture, state, problem, connected_at, refresh_before,
                       connection, conversations_deleted_at";

impl AccountRow {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            channel: row.get(1)?,
            platform_id: row.get(2)?,
            name: row.get(3)?,
            username: row.get(4)?,
            // A picture that this version cannot read is no reason to hide the account.
            picture: row.get::<_, Option<String>>(5)?.and_then(|json| serde_json::from_str(&json).ok()),
            state: AccountState::from_name(&row.get::<_, String>(6)?),
            problem: row.get(7)?,
            connected_at: from_millis(row.get(8)?),
            refresh_before: row.get::<_, Option<i64>>(9)?.map(from_millis),
            connection: row.get(10)?,
            conversations_deleted_at: row.get::<_, Option<i64>>(11)?.map(from_millis),
        })
    }
}

/// An account that is to be connected.
#[derive(Clone, Debug, Default)]
pub struct NewAccount {
    /// The channel's id.
    pub channel: String,
    /// The platform's id.
    pub platform_id: String,
    /// For people.
    pub name: String,
    /// Values for the manifest's settings.
    pub settings: Vec<Setting>,
    /// What the platform's dialog gave. None for an account whose credentials stand in a configuration: what
    /// is known of it from elsewhere stays.
    pub dialog: Option<FromDialog>,
    /// The present.
    pub now: u64,
}

/// What connecting over a platform's dialog gives.
#[derive(Clone, Debug, Default)]
pub struct FromDialog {
    /// The platform's handle.
    pub username: Option<String>,
    /// Its picture.
    pub picture: Option<Media>,
    /// Other ids under which the platform names it.
    pub aliases: Vec<String>,
    /// The person who permitted it, by the platform's id.
    pub authorized_by: Option<String>,
    /// When the credentials end.
    pub refresh_before: Option<u64>,
    /// When they are renewed.
    pub refresh_at: Option<u64>,
    /// Sealed credentials by slot. They take the place of all that were there.
    pub credentials: Vec<(String, Vec<u8>)>,
    /// What the channel wants to remember.
    pub storage: Vec<(String, Vec<u8>)>,
    /// How far back the archive is to be read; none when it is not.
    pub history_from: Option<u64>,
}

impl Inbox {
    /// Makes an account known, or renews it: the id decides, so that it keeps its conversations whatever
    /// page or login it comes through. Deliveries that waited for it are translated again.
    pub async fn connect_account(&self, new: NewAccount) -> Result<i64, InboxError> {
        let settings = serde_json::to_string(&new.settings)?;
        let id = self
            .writer
            .write(move |tx| {
                // An account of a configuration is connected anew at every start, which changes nothing.
                let id = tx
                    .prepare_cached(
                        "INSERT INTO account (channel, platform_id, name, settings, connected_at)
                         VALUES (?1, ?2, ?3, ?4, ?5)
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
                            new.dialog.is_none()
                        ],
                        |row| row.get(0),
                    )?;
                if let Some(dialog) = &new.dialog {
                    keep(tx, id, &new, dialog)?;
                }
                take_up_account(tx, id)?;
                Ok(id)
            })
            .await?;
        self.announce([Update::Account { account: id }]);
        Ok(id)
    }

    /// All accounts.
    pub async fn accounts(&self) -> Result<Vec<AccountRow>, InboxError> {
        self.readers
            .read(|connection| {
                let sql = format!("SELECT {COLUMNS} FROM account ORDER BY id");
                crate::read::collect(connection, &sql, [], AccountRow::read)
            })
            .await
    }

    /// One account.
    pub async fn account_row(&self, account: i64) -> Result<AccountRow, InboxError> {
        let found = self.readers.read(move |connection| {
            let sql = format!("SELECT {COLUMNS} FROM account WHERE id = ?1");
            Ok(connection.prepare_cached(&sql)?.query_row(params![account], AccountRow::read).optional()?)
        });
        found.await?.ok_or_else(|| InboxError::NotFound { what: "account", id: account.to_string() })
    }

    /// Notes whether an account can be used, and why not; nothing where it was connected or disconnected since
    /// `connection`: only connecting ends that an account is disconnected. Returns whether it was noted.
    pub async fn mark_account(
        &self,
        account: i64,
        connection: i64,
        state: AccountState,
        problem: Option<String>,
    ) -> Result<bool, InboxError> {
        let marked = self
            .writer
            .write(move |tx| {
                if !is_current(tx, account, connection)? {
                    return Ok(false);
                }
                mark(tx, account, state, problem.as_deref())?;
                Ok(true)
            })
            .await?;
        if marked {
            self.announce([Update::Account { account }]);
        }
        Ok(marked)
    }

    /// Accounts whose credentials are to be renewed now.
    pub async fn due_refreshes(&self, now: u64) -> Result<Vec<i64>, InboxError> {
        self.readers
            .read(move |connection| {
                let sql =
                    "SELECT id FROM account WHERE refresh_at <= ?1 AND state <> 'disconnected' ORDER BY refresh_at";
                crate::read::collect(connection, sql, params![as_millis(now)], |row| row.get(0))
            })
            .await
    }

    /// Notes when an account's credentials end and when they are renewed next, if it is still connected as it was
    /// under `connection`.
    pub async fn note_refresh(
        &self,
        account: i64,
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

    /// Forgets an account's credentials and what its channel remembers of it. Its conversations stay, or go where the
    /// present is given.
    pub async fn disconnect_account(&self, account: i64, delete_conversations: Option<u64>) -> Result<(), InboxError> {
        self.writer
            .write(move |tx| {
                if let Some(now) = delete_conversations {
                    delete_contents(tx, account, None)?;
                    note_deleted(tx, account, as_millis(now))?;
                }
                forget(tx, account, "Somebody disconnected it.")?;
                Ok(())
            })
            .await?;
        self.announce([Update::Account { account }]);
        Ok(())
    }
}

fn keep(tx: &Transaction<'_>, id: i64, new: &NewAccount, dialog: &FromDialog) -> Result<(), InboxError> {
    let NewAccount { channel, platform_id, .. } = new;
    let picture = dialog.picture.as_ref().map(serde_json::to_string).transpose()?;
    tx.prepare_cached(
        "UPDATE account SET username = ?2, picture = ?3, authorized_by = ?4, refresh_before = ?5, refresh_at = ?6,
             history_from = ?7, history_cursor = NULL, history_at = ?8 WHERE id = ?1",
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
    ])?;
    tx.prepare_cached("DELETE FROM alias WHERE account_id = ?1")?.execute(params![id])?;
    for alias in &dialog.aliases {
        // An id that came to another account is that account's now: the platform never has it twice.
        tx.prepare_cached(
            "INSERT INTO alias (channel, alias, account_id) VALUES (?1, ?2, ?3)
             ON CONFLICT DO UPDATE SET account_id = ?3",
        )?
        .execute(params![channel, alias, id])?;
    }
    tx.prepare_cached("DELETE FROM credential WHERE channel = ?1 AND account = ?2")?
        .execute(params![channel, platform_id])?;
    for (slot, sealed) in &dialog.credentials {
        let (channel, account) = (channel.clone(), platform_id.clone());
        credentials::put(tx, &SealedCredential { channel, account, slot: slot.clone(), sealed: sealed.clone() })?;
    }
    for (key, value) in &dialog.storage {
        tx.prepare_cached(
            "INSERT INTO storage (account_id, key, value) VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET value = ?3",
        )?
        .execute(params![id, key, value])?;
    }
    Ok(())
}

/// Whether an account is connected, and still as it was under this connection.
pub(crate) fn is_current(tx: &Transaction<'_>, account: i64, connection: i64) -> Result<bool, InboxError> {
    Ok(tx
        .prepare_cached("SELECT 1 FROM account WHERE id = ?1 AND connection = ?2 AND state <> 'disconnected'")?
        .exists(params![account, connection])?)
}

/// Notes the state of an account. One that is disconnected stays so: [`Inbox::connect_account`] alone ends it.
pub(crate) fn mark(
    tx: &Transaction<'_>,
    account: i64,
    state: AccountState,
    problem: Option<&str>,
) -> Result<(), InboxError> {
    tx.prepare_cached("UPDATE account SET state = ?2, problem = ?3 WHERE id = ?1 AND state <> 'disconnected'")?
        .execute(params![account, state.name(), problem])?;
    Ok(())
}

/// Notes that the account's conversations were deleted.
pub(crate) fn note_deleted(tx: &Transaction<'_>, account: i64, now: i64) -> Result<(), InboxError> {
    tx.prepare_cached("UPDATE account SET conversations_deleted_at = ?2 WHERE id = ?1")?
        .execute(params![account, now])?;
    Ok(())
}

/// Everything with which the platform could be spoken to in the account's name goes.
pub(crate) fn forget(tx: &Transaction<'_>, account: i64, reason: &str) -> Result<(), InboxError> {
    tx.prepare_cached("UPDATE account SET state = ?2, problem = ?3, connection = connection + 1 WHERE id = ?1")?
        .execute(params![account, AccountState::Disconnected.name(), reason])?;
    for sql in [
        "UPDATE account SET refresh_before = NULL, refresh_at = NULL, history_at = NULL, authorized_by = NULL
         WHERE id = ?1",
        "DELETE FROM credential WHERE (channel, account) IN
             (SELECT channel, platform_id FROM account WHERE id = ?1)",
        "DELETE FROM alias WHERE account_id = ?1",
        "DELETE FROM storage WHERE account_id = ?1",
    ] {
        tx.prepare_cached(sql)?.execute(params![account])?;
    }
    Ok(())
}
