//! Owns: the store in one SQLite file: its threads and connections, and opening it.
//! Does not own: its operations (`capabilities`).

use std::path::Path;

use tokio::sync::watch;

use super::{
    arrivals::{self, Arrivals},
    connection, integrity,
    readers::Readers,
    schema,
    writer::{Opened, Writer},
};
use crate::{error::InboxError, files::beside};

/// An inbox in one SQLite file.
pub(crate) struct SqliteStore {
    // Dropped before the writer: closing the last connection copies the write-ahead log into the file, and that must be
    // the writer's.
    pub(crate) readers: Readers,
    // Dropped before the writer, so that accepted deliveries get their rows.
    pub(crate) arrivals: Arrivals,
    pub(crate) writer: Writer,
    /// The number of the newest change.
    pub(crate) newest: watch::Receiver<u64>,
}

/// Locks the file and migrates its schema to this version.
fn take(path: &Path) -> Result<Opened, InboxError> {
    let lock = connection::lock(path)?;
    integrity::at_start(path)?;
    let mut connection = connection::connect(path)?;
    schema::migrate(&mut connection)?;
    integrity::mark(path)?;
    Ok(Opened { connection, lock, path: path.to_owned() })
}

impl SqliteStore {
    /// Opens the file, creating it if necessary, and migrates its schema to this version.
    pub(crate) fn open(path: &Path) -> Result<Self, InboxError> {
        let mut opened = take(path)?;
        let (log, last_id) = arrivals::recover(&mut opened.connection, &beside(path, arrivals::FILE))?;
        let (writer, queue, newest) = Writer::start(opened)?;
        let arrivals = Arrivals::start(log, last_id, queue)?;
        let readers = Readers::start(path)?;
        Ok(Self { readers, arrivals, writer, newest })
    }
}
