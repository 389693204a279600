//! Owns: a file being received: written to the disk piece by piece while it is counted and hashed, and without a name
//! until it is complete.
//! Does not own: its name (`store`).

use std::{
    fs::File,
    io::{self, Write as _},
};

use harness_egress::FileSink;
use sha2::{Digest as _, Sha256};
use tempfile::NamedTempFile;

use super::{MediaStore, StoreError};

/// The write buffer of a file, in bytes: what each file in transit takes from the memory budget.
pub(crate) const PIECE: usize = 64 << 10;
/// Bytes kept from the start of a file, to detect its type.
const HEAD: usize = 8 << 10;

/// Where the file is written.
#[derive(Debug)]
pub(crate) enum Place {
    /// A temporary file in the store's folder, so that a rename gives it its name. Dropping it removes it.
    Beside(NamedTempFile),
    /// An unnamed file, for a store that is not a folder.
    Nameless(File),
}

impl Place {
    fn file(&mut self) -> &mut File {
        match self {
            Self::Beside(named) => named.as_file_mut(),
            Self::Nameless(file) => file,
        }
    }
}

/// Why a file was not received.
#[derive(Debug, thiserror::Error)]
pub(crate) enum IncomingError {
    #[error("it is larger than the {0} bytes that this host takes")]
    TooLarge(u64),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// State used on blocking threads.
#[derive(Debug)]
struct Disk {
    place: Place,
    hash: Sha256,
}

/// An incomplete file. Dropping it discards it.
#[derive(Debug)]
pub(crate) struct Incoming {
    /// `None` only while a piece is being written, or after a failed write.
    disk: Option<Disk>,
    head: Vec<u8>,
    buffer: Vec<u8>,
    size: u64,
    max: u64,
}

/// A complete file that has no name yet.
#[derive(Debug)]
pub(crate) struct Whole {
    pub(crate) place: Place,
    pub(crate) size: u64,
    /// SHA-256 of the content, in hex.
    pub(crate) sha256: String,
    /// The first bytes.
    pub(crate) head: Vec<u8>,
}

impl Incoming {
    /// Starts a file of at most `max` bytes.
    pub(crate) async fn begin(store: &MediaStore, max: u64) -> Result<Self, StoreError> {
        let disk = Disk { place: store.place().await?, hash: Sha256::new() };
        Ok(Self { disk: Some(disk), head: Vec::new(), buffer: Vec::new(), size: 0, max })
    }

    /// Takes the next bytes.
    pub(crate) async fn take(&mut self, mut bytes: &[u8]) -> Result<(), IncomingError> {
        self.size = self.size.saturating_add(bytes.len() as u64);
        if self.size > self.max {
            return Err(IncomingError::TooLarge(self.max));
        }
        let of_head = HEAD.saturating_sub(self.head.len()).min(bytes.len());
        self.head.extend(bytes.iter().take(of_head));
        // At most one piece is buffered, however large the input is.
        while !bytes.is_empty() {
            let (now, later) = bytes.split_at(bytes.len().min(PIECE - self.buffer.len()));
            self.buffer.extend_from_slice(now);
            bytes = later;
            if self.buffer.len() >= PIECE {
                self.flush().await?;
            }
        }
        Ok(())
    }

    async fn flush(&mut self) -> Result<(), StoreError> {
        let mut disk = self.disk.take().ok_or(StoreError::Broken)?;
        let mut piece = std::mem::take(&mut self.buffer);
        let write = move || {
            disk.hash.update(&piece);
            disk.place.file().write_all(&piece)?;
            piece.clear();
            Ok::<_, io::Error>((disk, piece))
        };
        let (disk, buffer) = tokio::task::spawn_blocking(write).await??;
        (self.disk, self.buffer) = (Some(disk), buffer);
        Ok(())
    }

    /// Completes the file.
    pub(crate) async fn finish(mut self) -> Result<Whole, StoreError> {
        self.flush().await?;
        let disk = self.disk.ok_or(StoreError::Broken)?;
        Ok(Whole { place: disk.place, size: self.size, sha256: hex::encode(disk.hash.finalize()), head: self.head })
    }
}

impl FileSink for Incoming {
    type Error = IncomingError;

    fn write(&mut self, piece: &[u8]) -> impl Future<Output = Result<(), IncomingError>> + Send {
        self.take(piece)
    }
}
