//! Owns: what the automation stores, in SQLite.
//! Does not own: what a decision writes (`rows::automation`).

use async_trait::async_trait;
use rusqlite::{OptionalExtension as _, Row, Transaction, params};

use crate::{
    error::InboxError,
    model::{
        AccountId, AutomationRow, ChangeKind, ConversationId, DecisionView, NewDecision, OpenTurn, Page, Standing,
        WorkspaceId,
    },
    sqlite::{
        columns::{as_millis, collect, from_millis, next_after, with_one_more},
        rows::{
            automation,
            changes::{self, Concerns},
            continued::EARLIER,
            turns,
        },
        store::SqliteStore,
    },
    store::Automations,
};

/// In milliseconds.
const DAY: u64 = 24 * 3_600_000;
const SETTINGS: &str = "SELECT s.account_id, s.settings, s.since, s.model_key IS NOT NULL,
     EXISTS (SELECT 1 FROM automation_off o WHERE o.workspace_id = a.workspace_id)
     FROM automation s JOIN account a ON a.id = s.account_id";
const TURN: &str = "SELECT conversation_id, account_id, first_seq, seq, attempts FROM automation_turn";

fn settings(row: &Row<'_>) -> rusqlite::Result<AutomationRow> {
    Ok(AutomationRow {
        account: row.get(0)?,
        settings: row.get(1)?,
        since: from_millis(row.get(2)?),
        has_model_key: row.get(3)?,
        off: row.get(4)?,
    })
}

fn turn(row: &Row<'_>) -> rusqlite::Result<OpenTurn> {
    Ok(OpenTurn {
        conversation: row.get(0)?,
        account: row.get(1)?,
        first_seq: from_millis(row.get(2)?),
        seq: from_millis(row.get(3)?),
        attempts: row.get(4)?,
    })
}

fn settings_changed(tx: &Transaction<'_>, concerns: Concerns, now: u64) -> Result<(), InboxError> {
    changes::note(tx, ChangeKind::SettingsUpdated, concerns, now)
}

#[async_trait]
impl Automations for SqliteStore {
    async fn automations(&self) -> Result<Vec<AutomationRow>, InboxError> {
        self.readers.read(move |connection| collect(connection, SETTINGS, [], settings)).await
    }

    async fn automation(&self, account: AccountId) -> Result<Option<AutomationRow>, InboxError> {
        self.readers
            .read(move |connection| {
                let sql = format!("{SETTINGS} WHERE s.account_id = ?1");
                Ok(connection.prepare_cached(&sql)?.query_row([account], settings).optional()?)
            })
            .await
    }

    async fn set_automation(
        &self,
        account: AccountId,
        settings: String,
        begins: bool,
        now: u64,
    ) -> Result<(), InboxError> {
        self.writer
            .write(move |tx| {
                let newest = as_millis(changes::newest(tx)?);
                let stored = tx
                    .prepare_cached(
                        "INSERT INTO automation (account_id, settings, since) SELECT id, ?2, ?3 FROM account WHERE id = ?1
                         ON CONFLICT (account_id) DO UPDATE SET settings = ?2, since = iif(?4, ?3, since)",
                    )?
                    .execute(params![account, settings, newest, begins])?;
                if stored == 0 {
                    return Err(InboxError::NotFound { what: "account", id: account.to_string() });
                }
                settings_changed(tx, Concerns::account(account), now)
            })
            .await
    }

    async fn model_key(&self, account: AccountId) -> Result<Option<Vec<u8>>, InboxError> {
        self.readers
            .read(move |connection| {
                Ok(connection
                    .prepare_cached("SELECT model_key FROM automation WHERE account_id = ?1")?
                    .query_row([account], |row| row.get(0))
                    .optional()?
                    .flatten())
            })
            .await
    }

    async fn set_model_key(&self, account: AccountId, sealed: Option<Vec<u8>>, now: u64) -> Result<(), InboxError> {
        self.writer
            .write(move |tx| {
                let stored = tx
                    .prepare_cached("UPDATE automation SET model_key = ?2 WHERE account_id = ?1")?
                    .execute(params![account, sealed])?;
                if stored == 0 {
                    return Err(InboxError::NotFound { what: "automation of account", id: account.to_string() });
                }
                settings_changed(tx, Concerns::account(account), now)
            })
            .await
    }

    async fn automation_off(&self, workspace: WorkspaceId) -> Result<bool, InboxError> {
        self.readers
            .read(move |connection| {
                Ok(connection
                    .prepare_cached("SELECT EXISTS (SELECT 1 FROM automation_off WHERE workspace_id = ?1)")?
                    .query_row([workspace], |row| row.get(0))?)
            })
            .await
    }

    async fn set_automation_off(&self, workspace: WorkspaceId, off: bool, now: u64) -> Result<(), InboxError> {
        self.writer
            .write(move |tx| {
                let changed = if off {
                    tx.prepare_cached("INSERT INTO automation_off (workspace_id) VALUES (?1) ON CONFLICT DO NOTHING")?
                        .execute([workspace])?
                } else {
                    tx.prepare_cached("DELETE FROM automation_off WHERE workspace_id = ?1")?.execute([workspace])?
                };
                if changed == 0 {
                    return Ok(());
                }
                if !off {
                    tx.prepare_cached(
                        "UPDATE automation SET since = ?2
                         WHERE account_id IN (SELECT id FROM account WHERE workspace_id = ?1)",
                    )?
                    .execute(params![workspace, as_millis(changes::newest(tx)?)])?;
                }
                settings_changed(tx, Concerns { workspace: Some(workspace), ..Concerns::default() }, now)
            })
            .await
    }

    async fn automation_position(&self, consumer: &'static str) -> Result<Option<u64>, InboxError> {
        self.readers
            .read(move |connection| {
                let seq: Option<i64> = connection
                    .prepare_cached("SELECT seq FROM automation_position WHERE consumer = ?1")?
                    .query_row([consumer], |row| row.get(0))
                    .optional()?;
                Ok(seq.map(from_millis))
            })
            .await
    }

    async fn set_automation_position(&self, consumer: &'static str, seq: u64) -> Result<(), InboxError> {
        self.writer
            .write_in_background(move |tx| {
                tx.prepare_cached(
                    "INSERT INTO automation_position (consumer, seq) VALUES (?1, ?2)
                     ON CONFLICT (consumer) DO UPDATE SET seq = max(seq, ?2)",
                )?
                .execute(params![consumer, as_millis(seq)])?;
                Ok(())
            })
            .await
    }

    async fn automation_state(
        &self,
        conversation: ConversationId,
        consumer: &'static str,
    ) -> Result<Option<String>, InboxError> {
        self.readers
            .read(move |connection| {
                Ok(connection
                    .prepare_cached("SELECT state FROM automation_state WHERE conversation_id = ?1 AND consumer = ?2")?
                    .query_row(params![conversation, consumer], |row| row.get(0))
                    .optional()?)
            })
            .await
    }

    async fn hand_over(&self, conversation: ConversationId, state: String, now: u64) -> Result<(), InboxError> {
        self.writer
            .write(move |tx| {
                automation::set_state(tx, conversation, "assistant", &state)?;
                turns::drop_turn(tx, conversation)?;
                changes::note(tx, ChangeKind::ConversationUpdated, Concerns::conversation(conversation), now)
            })
            .await
    }

    async fn hand_back(&self, conversation: ConversationId, now: u64) -> Result<(), InboxError> {
        self.writer
            .write(move |tx| {
                turns::hand_back(tx, conversation, now)?;
                changes::note(tx, ChangeKind::ConversationUpdated, Concerns::conversation(conversation), now)
            })
            .await
    }

    async fn standing(&self, conversation: ConversationId) -> Result<Standing, InboxError> {
        self.readers
            .read(move |connection| {
                connection
                    .prepare_cached(
                        "SELECT collection_id, assignee_id,
                             (SELECT at FROM automation_hand_back b WHERE b.conversation_id = c.id)
                         FROM conversation c WHERE id = ?1",
                    )?
                    .query_row([conversation], |row| {
                        Ok(Standing {
                            collection: row.get(0)?,
                            assignee: row.get(1)?,
                            handed_back_at: row.get::<_, Option<i64>>(2)?.map(from_millis),
                        })
                    })
                    .optional()?
                    .ok_or_else(|| InboxError::no_conversation(conversation))
            })
            .await
    }

    async fn written_before(&self, conversation: ConversationId) -> Result<Option<u64>, InboxError> {
        self.readers
            .read(move |connection| {
                let sql = format!(
                    "WITH RECURSIVE {EARLIER}
                     SELECT max((SELECT max(at) FROM message WHERE conversation_id = earlier.id)) FROM earlier"
                );
                let at: Option<i64> = connection.prepare_cached(&sql)?.query_row([conversation], |row| row.get(0))?;
                Ok(at.map(from_millis))
            })
            .await
    }

    async fn person_is_answering(&self, conversation: ConversationId) -> Result<bool, InboxError> {
        self.readers
            .read(move |connection| {
                Ok(connection
                    .prepare_cached(
                        "SELECT EXISTS (SELECT 1 FROM reply WHERE conversation_id = ?1 AND state IN ('queued', 'sending')
                           AND message <> '' AND json_extract(message, '$.sender.kind') = 'human')",
                    )?
                    .query_row([conversation], |row| row.get(0))?)
            })
            .await
    }

    async fn is_decided(&self, consumer: &'static str, seq: u64) -> Result<bool, InboxError> {
        self.readers
            .read(move |connection| {
                Ok(connection
                    .prepare_cached(
                        "SELECT EXISTS (SELECT 1 FROM automation_decision WHERE consumer = ?1 AND seq = ?2)",
                    )?
                    .query_row(params![consumer, as_millis(seq)], |row| row.get(0))?)
            })
            .await
    }

    async fn decide(&self, decision: NewDecision) -> Result<bool, InboxError> {
        self.writer.write(move |tx| automation::decide(tx, &decision)).await
    }

    async fn decisions_before(
        &self,
        account: AccountId,
        conversation: Option<ConversationId>,
        before: Option<i64>,
        limit: usize,
    ) -> Result<Page<DecisionView, i64>, InboxError> {
        self.readers
            .read(move |connection| {
                let rows = collect(
                    connection,
                    "SELECT id, conversation_id, seq, at, consumer, decision FROM automation_decision
                     WHERE account_id = ?1 AND id < ?2 AND (?3 IS NULL OR conversation_id = ?3) AND consumer <> 'turn'
                     ORDER BY id DESC LIMIT ?4",
                    params![account, before.unwrap_or(i64::MAX), conversation, with_one_more(limit)],
                    |row| {
                        let decision = DecisionView {
                            id: row.get(0)?,
                            conversation: row.get(1)?,
                            seq: from_millis(row.get(2)?),
                            at: from_millis(row.get(3)?),
                            consumer: row.get(4)?,
                            decision: row.get(5)?,
                        };
                        let place = decision.id;
                        Ok((decision, place))
                    },
                )?;
                Ok(Page::of(rows, limit))
            })
            .await
    }

    async fn due_turns(&self, now: u64, limit: usize) -> Result<Vec<OpenTurn>, InboxError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.readers
            .read(move |connection| {
                let sql = format!("{TURN} WHERE due_at <= ?1 ORDER BY due_at LIMIT ?2");
                collect(connection, &sql, params![as_millis(now), limit], turn)
            })
            .await
    }

    async fn next_turn(&self, after: u64) -> Result<Option<u64>, InboxError> {
        self.readers
            .read(move |connection| {
                next_after(connection, "SELECT min(due_at) FROM automation_turn WHERE due_at > ?1", after)
            })
            .await
    }

    async fn open_turn(&self, conversation: ConversationId) -> Result<Option<OpenTurn>, InboxError> {
        self.readers
            .read(move |connection| {
                let sql = format!("{TURN} WHERE conversation_id = ?1");
                Ok(connection.prepare_cached(&sql)?.query_row([conversation], turn).optional()?)
            })
            .await
    }

    async fn begin_turn(&self, conversation: ConversationId, due_at: u64) -> Result<(), InboxError> {
        self.writer
            .write_in_background(move |tx| {
                tx.prepare_cached(
                    "UPDATE automation_turn SET attempts = attempts + 1, due_at = ?2 WHERE conversation_id = ?1",
                )?
                .execute(params![conversation, as_millis(due_at)])?;
                Ok(())
            })
            .await
    }

    async fn spend(&self, account: AccountId, day: u64, calls: u64, tokens: u64) -> Result<bool, InboxError> {
        self.writer
            .write_in_background(move |tx| {
                let counted = tx
                    .prepare_cached(
                        "INSERT INTO automation_day (account_id, day, calls, tokens) SELECT ?1, ?2, 1, 0 WHERE ?3 > 0
                         ON CONFLICT (account_id, day) DO UPDATE SET calls = calls + 1
                         WHERE calls < ?3 AND tokens < ?4",
                    )?
                    .execute(params![account, as_millis(day), as_millis(calls), as_millis(tokens)])?;
                Ok(counted > 0)
            })
            .await
    }

    async fn note_tokens(&self, account: AccountId, day: u64, tokens: u64) -> Result<(), InboxError> {
        self.writer
            .write_in_background(move |tx| {
                tx.prepare_cached("UPDATE automation_day SET tokens = tokens + ?3 WHERE account_id = ?1 AND day = ?2")?
                    .execute(params![account, as_millis(day), as_millis(tokens)])?;
                Ok(())
            })
            .await
    }

    async fn expire_decisions(&self, before: u64) -> Result<usize, InboxError> {
        self.writer
            .write_in_background(move |tx| {
                tx.prepare_cached("DELETE FROM automation_day WHERE day < ?1")?
                    .execute([as_millis(before.checked_div(DAY).unwrap_or(0))])?;
                Ok(tx.prepare_cached("DELETE FROM automation_decision WHERE at < ?1")?.execute([as_millis(before)])?)
            })
            .await
    }

    async fn forget_summaries(&self, conversation: ConversationId, now: u64) -> Result<(), InboxError> {
        self.writer.write(move |tx| automation::forget_summaries(tx, conversation, now)).await
    }
}
