//! Owns: the schema of the file, and the migrations to it from every earlier one.
//! Does not own: detecting foreign changes to it (`shape`).

use rusqlite::{Connection, TransactionBehavior, functions::FunctionFlags};

use super::{columns::digest, connection, contract_0_1};
use crate::error::InboxError;

/// Migrations, oldest first. `user_version` is the number of migrations applied.
pub(crate) const MIGRATIONS: [&str; 10] = [
    include_str!("migrations/0001_inbox.sql"),
    include_str!("migrations/0002_connected_accounts.sql"),
    include_str!("migrations/0003_delivery_waiting_index.sql"),
    include_str!("migrations/0004_outbox_turns.sql"),
    include_str!("migrations/0005_arrivals.sql"),
    include_str!("migrations/0006_connections.sql"),
    include_str!("migrations/0007_counts.sql"),
    include_str!("migrations/0008_names.sql"),
    include_str!("migrations/0009_contract_0_2.sql"),
    include_str!("migrations/0010_teams.sql"),
];

pub(crate) fn migrate(connection: &mut Connection) -> Result<(), InboxError> {
    let found: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let known = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
    if found > known {
        return Err(InboxError::NewerSchema { found, known });
    }
    if found == known {
        return Ok(());
    }
    let done = usize::try_from(found).unwrap_or(0);
    apply_migrations(connection, done, MIGRATIONS.len()).map_err(|source| InboxError::Migration {
        found,
        known,
        source: source.into(),
    })
}

/// An empty in-memory database with this schema.
pub(crate) fn empty(schema: i64) -> Result<Connection, InboxError> {
    let mut connection = Connection::open_in_memory()?;
    connection::keep_plans(&connection)?;
    apply_migrations(&mut connection, 0, usize::try_from(schema).unwrap_or(0))?;
    Ok(connection)
}

fn apply_migrations(connection: &mut Connection, done: usize, known: usize) -> rusqlite::Result<()> {
    // Used by migration 5.
    connection.create_scalar_function(
        "digest",
        1,
        FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC | FunctionFlags::SQLITE_DIRECTONLY,
        |context| Ok(digest(context.get_raw(0).as_str()?)),
    )?;
    // Used by migration 9.
    connection.create_scalar_function(
        "contract_0_2",
        2,
        FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC | FunctionFlags::SQLITE_DIRECTONLY,
        |context| Ok(contract_0_1::to_0_2(context.get_raw(0).as_str()?, context.get_raw(1).as_str()?)),
    )?;
    let tx = connection.transaction_with_behavior(TransactionBehavior::Exclusive)?;
    for migration in MIGRATIONS.iter().take(known).skip(done) {
        tx.execute_batch(migration)?;
    }
    tx.pragma_update(None, "user_version", i64::try_from(known).unwrap_or(i64::MAX))?;
    tx.commit()
}

/// The newest schema that this version knows.
pub fn known_schema() -> i64 {
    i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX)
}
