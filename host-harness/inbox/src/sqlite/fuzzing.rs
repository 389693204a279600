//! Owns: what fuzzing reaches of the reader of deliveries: the arrivals file, its way into the journal, and out of it.
//! Built with `--cfg fuzzing` alone.
//! Does not own: the promise that is tried, which stands in the target.

use super::{
    arrivals::{add_missing, encode, records},
    capabilities::waiting,
    schema,
};
use crate::error::InboxError;

/// A journal with nothing in it.
pub struct Journal(rusqlite::Connection);

impl Journal {
    /// In memory.
    pub fn new() -> Result<Self, InboxError> {
        Ok(Self(schema::empty(schema::known_schema())?))
    }

    /// Takes over an arrivals file as a start does, and reads what then waits to be translated. Returns how many
    /// deliveries the file held, how many of them can be read, and how many are parked as unreadable; the journal is empty again.
    /// None if the file's records are not what is written for them, which never happens.
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
