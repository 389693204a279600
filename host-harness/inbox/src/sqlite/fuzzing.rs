//! Owns: entry points for fuzzing how deliveries are read: the arrivals file, into the journal and out again. Compiled
//! only with `--cfg fuzzing`.
//! Does not own: the property under test, which the fuzz target states.

use super::{
    arrivals::{add_missing, encode, records},
    capabilities::waiting,
    schema,
};
use crate::error::InboxError;

/// An empty journal.
pub struct Journal(rusqlite::Connection);

impl Journal {
    /// Creates one in memory.
    pub fn new() -> Result<Self, InboxError> {
        Ok(Self(schema::empty(schema::known_schema())?))
    }

    /// Recovers an arrivals file as at startup, and reads the deliveries that then wait for translation. Returns how
    /// many deliveries the file held, how many of them can be read, and how many are parked as unreadable. The journal
    /// is empty again afterwards. `None` if encoding the file's records and reading them back loses any, which never
    /// happens.
    pub fn read(&mut self, file: &[u8]) -> Result<Option<(usize, usize, usize)>, InboxError> {
        let (generation, found) = records(file);
        let mut written = Vec::new();
        for arrival in &found {
            if encode(arrival, generation, &mut written).is_err() {
                return Ok(None);
            }
        }
        if records(&written).1.len() != found.len() {
            return Ok(None);
        }
        let channels: std::collections::BTreeSet<_> = found.iter().map(|arrival| arrival.row.channel.clone()).collect();
        let tx = self.0.transaction()?;
        let taken = add_missing(&tx, found)?;
        let (mut sound, mut aside) = (0, 0);
        for channel in channels {
            let (pending, unreadable) = waiting(&tx, "id", &channel, usize::MAX, usize::MAX)?;
            sound += pending.len();
            aside += unreadable.len();
        }
        Ok(Some((taken, sound, aside)))
    }
}
