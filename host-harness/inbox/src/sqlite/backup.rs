//! Owns: a copy of the inbox file, made beside a running host: a snapshot of one moment, whose outbox sends nothing
//! again.
//! Does not own: where the copy is stored, the bytes of media.

use std::{
    fs::File,
    path::{Path, PathBuf},
    time::Duration,
};

use harness_contract::{Failure, FailureCategory, OutboundMessage, SendResult, StepKind};
use rusqlite::{Connection, Transaction, TransactionBehavior, backup::Backup, params};

use super::{
    arrivals::{self, Arrival},
    columns::{as_millis, collect},
    connection,
    integrity::{self, NamedFile},
    rows::replies::{Attempt, NewMessage, NewStep, write_step},
    schema::{known_schema, migrate},
    shape,
};
use crate::{error::InboxError, files::beside};

/// The number of pages copied between two pauses for other users of the disk.
const PAGES: i32 = 4096;
/// The length of such a pause.
const REST: Duration = Duration::from_millis(1);

/// What a copy contains.
#[derive(Clone, Debug)]
pub struct Copied {
    /// Its schema version.
    pub schema: i64,
    /// The files in the media store that its rows refer to.
    pub files: Vec<NamedFile>,
    /// The number of unfinished steps, which are ambiguous in the copy.
    pub ambiguous: usize,
}

/// An exclusive claim on an inbox file: no host can open it.
pub struct Claim {
    _lock: File,
}

impl Claim {
    /// Claims the path of an inbox file, which need not exist. Fails while a host uses it.
    pub fn take(path: &Path) -> Result<Self, InboxError> {
        Ok(Self { _lock: connection::lock(path)? })
    }
}

/// Copies an inbox file as of one moment, even while a host writes to it, and checks the copy. `now` is the current
/// time in milliseconds since 1970.
///
/// Steps waiting in the outbox may be sent by the running host after that moment. In the copy they are ambiguous, so
/// that a host that restores it does not send them again.
pub fn copy_file(from: &Path, to: &Path, now: u64) -> Result<Copied, InboxError> {
    if !from.exists() {
        return Err(InboxError::NotFound { what: "inbox file", id: from.display().to_string() });
    }
    // Read first: if the file is rewound after this, the snapshot already has the rows of these records.
    let arrivals = read_arrivals(&beside(from, arrivals::FILE))?;
    let source = connection::open(from)?;
    connection::make_private(to)?;
    let mut copy = Connection::open(to).map_err(|source| open_error(to, source))?;
    {
        // One read transaction: otherwise every write by the host would restart the copy.
        let moment = source.unchecked_transaction()?;
        let found = schema(&moment)?;
        if found > known_schema() {
            return Err(InboxError::NewerSchema { found, known: known_schema() });
        }
        Backup::new(&moment, &mut copy)?.run_to_completion(PAGES, REST, None)?;
    }
    drop(copy);
    // The copy is marked as having a write-ahead log. From here on it is a single file.
    let mut copy = Connection::open(to).map_err(|source| open_error(to, source))?;
    copy.pragma_update_and_check(None, "journal_mode", "DELETE", |_| Ok(()))?;
    sound(&copy, from)?;
    // Migrated, because the statements below use this version's schema.
    migrate(&mut copy)?;
    let tx = copy.transaction_with_behavior(TransactionBehavior::Immediate)?;
    arrivals::add_missing(&tx, arrivals)?;
    let ambiguous = settle(&tx, now)?;
    let files = integrity::files_of(&tx)?;
    let copied = Copied { schema: schema(&tx)?, files, ambiguous };
    tx.commit()?;
    Ok(copied)
}

fn read_arrivals(path: &Path) -> Result<Vec<Arrival>, InboxError> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(arrivals::records(&bytes).1),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(InboxError::Arrivals { path: path.to_owned(), source: error }),
    }
}

/// Records in a copy that some of its files could not be copied, usually because they were removed meanwhile.
pub fn note_missing(copy: &Path, keys: &[String]) -> Result<(), InboxError> {
    let connection = Connection::open(copy).map_err(|source| open_error(copy, source))?;
    for key in keys {
        connection
            .prepare_cached(
                "UPDATE media SET state = 'failed', stored_as = NULL,
                     reason = 'There is no copy: it was not in the media store when the backup was made.' WHERE stored_as = ?1",
            )?
            .execute(params![key])?;
    }
    Ok(())
}

/// Reads a copy in full. Returns its schema version, or why it cannot be used.
pub fn verify_copy(path: &Path) -> Result<i64, InboxError> {
    let copy = connection::open(path)?;
    sound(&copy, path)?;
    let found = schema(&copy)?;
    if found > known_schema() {
        return Err(InboxError::NewerSchema { found, known: known_schema() });
    }
    Ok(found)
}

fn sound(connection: &Connection, path: &Path) -> Result<(), InboxError> {
    let damaged = |finding| InboxError::Damaged { path: path.to_owned(), finding };
    let findings = integrity::findings(connection, "integrity_check").map_err(|error| damaged(error.to_string()))?;
    if !findings.is_empty() {
        return Err(damaged(findings.join("; ")));
    }
    let schema = schema(connection)?;
    if schema > known_schema() {
        // The caller, which knows the schema, reports that.
        return Ok(());
    }
    let foreign = shape::foreign(connection, schema)?;
    if foreign.is_empty() { Ok(()) } else { Err(damaged(foreign.join("; "))) }
}

fn schema(connection: &Connection) -> Result<i64, InboxError> {
    Ok(connection.query_row("PRAGMA user_version", [], |row| row.get(0))?)
}

fn open_error(path: &Path, source: rusqlite::Error) -> InboxError {
    InboxError::Open { path: PathBuf::from(path), source: source.into() }
}

/// Ends every unfinished step as ambiguous: it may have been sent since, and sending it again could duplicate it.
fn settle(tx: &Transaction<'_>, now: u64) -> Result<usize, InboxError> {
    let outcome = serde_json::to_string(&SendResult::Ambiguous(Failure {
        category: FailureCategory::Ambiguous,
        code: None,
        subcode: None,
        message: "This inbox comes from a backup, in which this was still waiting to be sent. It is not known \
                   whether it was sent after the backup was made, and it is not sent again by itself."
            .into(),
        fix: Some("Look into the conversation on the platform before sending it again.".into()),
        retry_after: None,
        trace_id: None,
    }))?;
    let stepless: Vec<(Attempt, String)> = collect(
        tx,
        "SELECT id, account_id, conversation_id, created_at, message FROM reply r WHERE state IN ('queued', 'sending')
           AND NOT EXISTS (SELECT 1 FROM step WHERE reply_id = r.id)",
        [],
        |row| {
            let at = Attempt {
                reply: row.get(0)?,
                account: row.get(1)?,
                conversation: row.get(2)?,
                step: 0,
                now: row.get::<_, i64>(3)?.try_into().unwrap_or(0),
            };
            Ok((at, row.get(4)?))
        },
    )?;
    for (at, message) in stepless {
        write_parts(tx, at, &message)?;
    }
    let ambiguous = tx
        .prepare_cached(
            "UPDATE step SET state = 'ambiguous', outcome = ?1, finished_at = ?2 WHERE state IN ('queued', 'sending')",
        )?
        .execute(params![outcome, as_millis(now)])?;
    // Nor does the copy resend steps whose history lookup was still pending.
    tx.prepare_cached("UPDATE step SET look_at = NULL WHERE look_at IS NOT NULL")?.execute([])?;
    tx.prepare_cached("UPDATE reply SET state = 'done' WHERE state IN ('queued', 'sending')")?.execute([])?;
    Ok(ambiguous)
}

/// Records the parts of a reply that the channel has not rendered yet as its steps.
fn write_parts(tx: &Transaction<'_>, mut at: Attempt, message: &str) -> Result<(), InboxError> {
    let step = |part, messages| NewStep {
        parts: vec![part],
        kind: StepKind::Message.name(),
        correlation: None,
        text: None,
        messages,
    };
    // A message that this version cannot parse still gets a final step.
    let Ok(message) = serde_json::from_str::<OutboundMessage>(message) else {
        return write_step(tx, &at, "null", &step(0, Vec::new()));
    };
    let author = serde_json::to_string(&message.sender)?;
    for (number, _) in (0..).zip(&message.parts) {
        let part = NewMessage::of(&message, number, None)?;
        at.step = i64::from(number);
        write_step(tx, &at, &author, &NewStep { text: part.text.clone(), ..step(number, vec![part]) })?;
    }
    Ok(())
}
