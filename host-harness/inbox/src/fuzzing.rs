//! What fuzzing reaches of the reader of deliveries: the arrivals file, its way into the journal, and out of it. Belongs
//! here: the promise that is tried. Built with `--cfg fuzzing` alone.

use crate::{
    InboxError,
    arrivals::{
        add_missing,
        log::{encode, records},
    },
    backup::known_schema,
    journal, writer,
};

/// A journal with nothing in it.
pub struct Journal(rusqlite::Connection);

impl Journal {
    /// In memory.
    pub fn new() -> Result<Self, InboxError> {
        Ok(Self(writer::empty(known_schema())?))
    }

    /// Takes over an arrivals file as a start does, and reads what then waits to be translated. Returns how many
    /// deliveries the file held, how many of them can be read, and how many are set aside; the journal is empty again.
    /// None if the file's records are not what is written for them, which never happens.
    pub fn read(&mut self, file: &[u8]) -> Result<Option<(usize, usize, usize)>, InboxError> {
        let (generation, found) = records(file);
        let mut written = Vec::new();
        for arrival in &found {
            encode(arrival, generation, &mut written).map_err(|error| InboxError::Durability(error.to_string()))?;
        }
        if records(&written).1.len() != found.len() {
            return Ok(None);
        }
        let channels: std::collections::BTreeSet<_> = found.iter().map(|arrival| arrival.row.channel.clone()).collect();
        let tx = self.0.transaction()?;
        let taken = add_missing(&tx, found)?;
        let (mut sound, mut aside) = (0, 0);
        for channel in channels {
            let (pending, unreadable) = journal::waiting(&tx, "id", &channel, usize::MAX, usize::MAX)?;
            sound += pending.len();
            aside += unreadable.len();
        }
        Ok(Some((taken, sound, aside)))
    }
}
