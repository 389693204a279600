//! Owns: the arrivals file: consecutive records, each with its length and a checksum. A record is valid if it is
//! complete, of the file's current generation, and has a higher id than the record before it.
//! Does not own: the use of the records.

use std::{
    fs::File,
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    path::Path,
};

use super::row::{Arrival, DeliveryRow};
use crate::{files::private_options, model::DeliveryId};

/// The suffix that is appended to the inbox file's name.
pub(crate) const FILE: &str = "-arrivals";
/// Length of the rest, checksum of the rest.
const PREFIX: usize = 8;
/// Generation, id, length of the head.
const FIXED: usize = 8 + 8 + 4;

/// The file, open for appending.
pub(crate) struct Log {
    file: File,
    /// Incremented whenever the file is rewound, so that older records beyond the end are ignored.
    generation: u64,
    end: u64,
    buffer: Vec<u8>,
}

impl Log {
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        // Like the inbox, it contains conversations.
        let file = private_options().create(true).truncate(false).read(true).write(true).open(path)?;
        // Without syncing the folder, the new file could be missing after a power failure.
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            File::open(folder)?.sync_all()?;
        }
        Ok(Self { file, generation: 0, end: 0, buffer: Vec::new() })
    }

    /// Reads all valid records. The next record written starts a new generation.
    pub(crate) fn read(&mut self) -> io::Result<Vec<Arrival>> {
        let mut bytes = Vec::new();
        self.file.seek(SeekFrom::Start(0))?;
        self.file.read_to_end(&mut bytes)?;
        let (generation, arrivals) = records(&bytes);
        self.generation = generation.wrapping_add(1);
        Ok(arrivals)
    }

    pub(crate) fn len(&self) -> u64 {
        self.end
    }

    /// Writes records and returns once they are durable. After an error, the next call overwrites them.
    pub(crate) fn append(&mut self, arrivals: &[Arrival]) -> io::Result<()> {
        self.buffer.clear();
        for arrival in arrivals {
            encode(arrival, self.generation, &mut self.buffer)?;
        }
        self.file.seek(SeekFrom::Start(self.end))?;
        self.file.write_all(&self.buffer)?;
        self.file.sync_data()?;
        self.end = self.end.saturating_add(u64::try_from(self.buffer.len()).unwrap_or(u64::MAX));
        Ok(())
    }

    /// Makes the next record the first; the present ones are no longer needed. The file keeps its size, which makes the
    /// next fsync cheaper.
    pub(crate) fn rewind(&mut self) {
        self.generation = self.generation.wrapping_add(1);
        self.end = 0;
    }

    /// Rewinds, and removes the file's content.
    pub(crate) fn truncate(&mut self) {
        self.rewind();
        // On failure the file keeps its size and a copy of its records until newer ones overwrite them.
        if self.file.metadata().is_ok_and(|metadata| metadata.len() > 0)
            && let Err(error) = self.file.set_len(0)
        {
            tracing::warn!(%error, "the arrivals file could not be emptied");
        }
        self.buffer = Vec::new();
    }
}

pub(crate) fn encode(arrival: &Arrival, generation: u64, buffer: &mut Vec<u8>) -> io::Result<()> {
    let too_long = |_| io::Error::new(io::ErrorKind::InvalidInput, "a delivery is longer than a record can be");
    let head = serde_json::to_vec(&arrival.row)?;
    let body = arrival.row.body();
    let mut rest = Vec::with_capacity(FIXED + head.len() + body.len());
    rest.extend(generation.to_le_bytes());
    rest.extend(arrival.id.get().to_le_bytes());
    rest.extend(u32::try_from(head.len()).map_err(too_long)?.to_le_bytes());
    rest.extend(head);
    rest.extend(body);
    buffer.extend(u32::try_from(rest.len()).map_err(too_long)?.to_le_bytes());
    buffer.extend(crc32fast::hash(&rest).to_le_bytes());
    buffer.extend(rest);
    Ok(())
}

/// The complete records of the first generation found, and its number.
pub(crate) fn records(mut bytes: &[u8]) -> (u64, Vec<Arrival>) {
    let mut generation = None;
    let mut arrivals: Vec<Arrival> = Vec::new();
    while let Some((found, arrival, rest)) = record(bytes) {
        // Ids must ascend.
        let is_behind = arrivals.last().is_none_or(|last| last.id < arrival.id);
        if !is_behind || generation.is_some_and(|first| first != found) {
            break;
        }
        generation = Some(found);
        arrivals.push(arrival);
        bytes = rest;
    }
    (generation.unwrap_or(0), arrivals)
}

fn record(bytes: &[u8]) -> Option<(u64, Arrival, &[u8])> {
    let (prefix, bytes) = bytes.split_at_checked(PREFIX)?;
    let (length, checksum) = (number(prefix.get(..4)?)?, number(prefix.get(4..)?)?);
    let (rest, next) = bytes.split_at_checked(usize::try_from(length).ok()?)?;
    if crc32fast::hash(rest) != checksum {
        return None;
    }
    let generation = u64::from_le_bytes(rest.get(..8)?.try_into().ok()?);
    let id = DeliveryId::new(i64::from_le_bytes(rest.get(8..16)?.try_into().ok()?));
    let (head, body) = rest.get(FIXED..)?.split_at_checked(usize::try_from(number(rest.get(16..FIXED)?)?).ok()?)?;
    let row: DeliveryRow = serde_json::from_slice(head).ok()?;
    Some((generation, Arrival { id, row: row.with_body(body.to_vec()) }, next))
}

fn number(bytes: &[u8]) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

    use harness_contract::{AccountSettings, Delivery, DeliverySource};

    use super::*;
    use crate::model::{DeliveryId, NewDelivery, Proof};

    fn arrivals(ids: std::ops::Range<i64>) -> Vec<Arrival> {
        ids.map(|id| {
            let delivery = Delivery {
                source: DeliverySource::Webhook,
                body: format!("body {id}").into_bytes(),
                headers: Vec::new(),
                query: String::new(),
                received_at: 7,
                account: None,
            };
            Arrival {
                id: DeliveryId::new(id),
                row: DeliveryRow::of(NewDelivery {
                    channel: "c".into(),
                    delivery,
                    proof: Proof::Channel { slot: "s".into() },
                })
                .unwrap(),
            }
        })
        .collect()
    }

    fn read(path: &Path) -> Vec<(i64, Vec<u8>)> {
        let found = Log::open(path).unwrap().read().unwrap();
        found.into_iter().map(|arrival| (arrival.id.get(), arrival.row.body().to_vec())).collect()
    }

    #[test]
    fn a_file_cut_anywhere_holds_every_whole_record_before_the_cut() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("arrivals");
        let mut log = Log::open(&path).unwrap();
        let mut ends = Vec::new();
        for id in 1..6 {
            log.append(&arrivals(id..id + 1)).unwrap();
            ends.push(usize::try_from(log.len()).unwrap());
        }
        let whole = std::fs::read(&path).unwrap();
        for cut in 0..=whole.len() {
            let expected = ends.iter().filter(|end| **end <= cut).count();
            assert_eq!(records(&whole[..cut]).1.len(), expected, "cut at {cut}");
        }
    }

    #[test]
    fn a_changed_byte_ends_the_reading_and_is_never_taken_for_a_delivery() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("arrivals");
        let mut log = Log::open(&path).unwrap();
        log.append(&arrivals(1..4)).unwrap();
        let whole = std::fs::read(&path).unwrap();
        let third = whole.len() / 3;
        for place in third..2 * third {
            let mut broken = whole.clone();
            broken[place] ^= 0x10;
            assert_eq!(records(&broken).1.len(), 1, "changed at {place}");
        }
    }

    #[test]
    fn what_an_earlier_generation_left_behind_the_end_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("arrivals");
        let mut log = Log::open(&path).unwrap();
        log.append(&arrivals(1..6)).unwrap();
        log.rewind();
        log.append(&arrivals(6..8)).unwrap();
        assert_eq!(read(&path), [(6, b"body 6".to_vec()), (7, b"body 7".to_vec())]);
        log.truncate();
        assert_eq!(std::fs::metadata(&path).unwrap().len(), 0);
    }
    #[test]
    fn a_record_that_is_not_behind_the_one_before_it_ends_the_reading() {
        let mut bytes = Vec::new();
        for arrival in arrivals(5..7).iter().chain(&arrivals(6..8)) {
            encode(arrival, 0, &mut bytes).unwrap();
        }
        let ids: Vec<_> = records(&bytes).1.iter().map(|arrival| arrival.id.get()).collect();
        assert_eq!(ids, [5, 6]);
    }

    #[test]
    #[ignore = "writes fuzz/corpus/arrivals"]
    fn seeds_for_fuzzing() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/arrivals");
        let mut of_account = arrivals(4..6);
        for arrival in &mut of_account {
            let delivery = Delivery {
                source: DeliverySource::History,
                body: b"{}".to_vec(),
                headers: vec![harness_contract::Header { name: "x-signature".into(), value: "v".into() }],
                query: String::new(),
                received_at: 7,
                account: Some(AccountSettings { id: "a".into(), settings: Vec::new(), webhook_url: None }),
            };
            let proof = Proof::Archive { account: "a".into() };
            arrival.row = DeliveryRow::of(NewDelivery { channel: "c".into(), delivery, proof }).unwrap();
        }
        for (name, arrivals) in [("channel", arrivals(1..4)), ("account", of_account)] {
            let mut bytes = Vec::new();
            arrivals.iter().for_each(|arrival| encode(arrival, 3, &mut bytes).unwrap());
            std::fs::write(folder.join(name), bytes).unwrap();
        }
    }
}
