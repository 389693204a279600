//! Owns: reading and replacing the folder's files, with errors that name them.
//! Does not own: what stands in them.

use std::{fs::File, io::Read as _, path::Path};

use super::InstalledError;
use crate::durable;

/// The largest lock file, grants file or file of bundles, in bytes.
pub(super) const MAX_JSON: u64 = 8 << 20;

/// A signature that only this host makes: whoever can write the folder and does not have the vault's key cannot change
/// what is installed without it being noticed.
pub trait Seal: Send + Sync {
    /// The signature of a text for one purpose.
    fn sign(&self, purpose: &str, text: &str) -> [u8; 32];
}

/// Reads a file that has at most `max` bytes.
pub(super) fn read(path: &Path, max: u64) -> Result<Vec<u8>, InstalledError> {
    let failed = |source| InstalledError::Io { path: path.to_owned(), source };
    let mut bytes = Vec::new();
    File::open(path).and_then(|file| file.take(max.saturating_add(1)).read_to_end(&mut bytes)).map_err(failed)?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > max {
        let problem = format!("it has more than {max} bytes");
        return Err(InstalledError::Malformed { path: path.to_owned(), problem });
    }
    Ok(bytes)
}

/// Reads a file that may be missing.
pub(super) fn read_if_there(path: &Path, max: u64) -> Result<Option<Vec<u8>>, InstalledError> {
    match read(path, max) {
        Err(InstalledError::Io { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => Ok(None),
        read => read.map(Some),
    }
}

/// Replaces a file, as [`durable::replace`] does.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> Result<(), InstalledError> {
    durable::replace(path, bytes).map_err(|source| InstalledError::Io { path: path.to_owned(), source })
}
