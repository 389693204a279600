//! Owns: a backup's manifest: each file with size and digest, the schema, the time; writing files that survive a power
//! cut.
//! Does not own: making and restoring backups.

use std::{
    fs::{self, DirBuilder, File},
    io::{Read as _, Write as _},
    path::{Component, Path, PathBuf},
};

use harness_inbox::private_options;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::BackupError;
use crate::store::stored::FileContent;

/// The backup format that this version writes and reads.
pub(super) const FORMAT: u32 = 1;
/// The manifest's file name. A folder without it is not a complete backup.
const NAME: &str = "manifest.json";

/// The contents of a backup.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct BackupManifest {
    /// The backup's format.
    pub format: u32,
    /// The version of the program that made it.
    pub program: String,
    /// When it was made, such as `2026-12-31T00:00:00Z`.
    pub made_at: String,
    /// The schema version of the inbox's file.
    pub schema: i64,
    /// Whether the backup holds the key of the credentials.
    pub key: BackupKey,
    /// Steps that were in flight at that moment. In the backup they are ambiguous, and are not sent from it.
    #[serde(alias = "unknown_steps")]
    pub ambiguous_steps: usize,
    /// Keys of files that the media store no longer had.
    pub missing: Vec<String>,
    /// Every file of the backup except the manifest.
    pub files: Vec<StoredFile>,
}

/// Where the key of the credentials is.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum BackupKey {
    /// Not in the backup.
    Apart,
    /// In the backup.
    Included,
}

/// A file of a backup.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct StoredFile {
    /// Its path, relative to the backup.
    pub path: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// SHA-256 of its content, in hex.
    pub sha256: String,
}

impl BackupManifest {
    /// Reads the manifest of a backup, without checking its files.
    pub fn read(backup: &Path) -> Result<Self, BackupError> {
        let no_backup = |reason: String| BackupError::NoBackup { path: backup.to_owned(), reason };
        let path = backup.join(NAME);
        if !plain(backup, NAME).map_err(|error| no_backup(format!("{NAME}: {error}")))? {
            return Err(no_backup(format!("the folder or its {NAME} is a link; name the folder itself")));
        }
        let text = fs::read(&path).map_err(|error| no_backup(format!("{NAME}: {error}")))?;
        // The format comes first: other formats may have other fields.
        #[derive(Deserialize)]
        struct Format {
            format: u32,
        }
        let unreadable = |error: serde_json::Error| no_backup(format!("{NAME} cannot be read: {error}"));
        let Format { format } = serde_json::from_slice(&text).map_err(unreadable)?;
        if format > FORMAT {
            return Err(BackupError::Newer(format, FORMAT));
        }
        serde_json::from_slice(&text).map_err(unreadable)
    }

    pub(super) fn write(&self, folder: &Path) -> Result<(), BackupError> {
        let path = folder.join(NAME);
        let text =
            serde_json::to_vec_pretty(self).map_err(|error| BackupError::file(&path, std::io::Error::other(error)))?;
        write(folder, NAME, &text).map(drop)
    }

    /// Compares every file with the manifest.
    pub(super) fn verify(&self, backup: &Path) -> Result<(), BackupError> {
        for file in &self.files {
            let damaged = |finding: String| BackupError::Damaged { path: file.path.clone(), finding };
            // A manifest is data: its paths must not lead out of the backup.
            if !Path::new(&file.path).components().all(|part| matches!(part, Component::Normal(_))) {
                return Err(damaged("leads out of the backup".into()));
            }
            let Ok(about) = plain(backup, &file.path) else { return Err(damaged("is missing".into())) };
            if !about {
                return Err(damaged("is a link, or leads over one, and a backup holds files of its own".into()));
            }
            let found = measure(backup, &file.path)?;
            if found.bytes != file.bytes {
                return Err(damaged(format!("has {} bytes instead of {}", found.bytes, file.bytes)));
            }
            if found.sha256 != file.sha256 {
                return Err(damaged("has another content than was backed up".into()));
            }
        }
        Ok(())
    }
}

/// Whether a path below a folder is a regular file reached without links. A link may lead to anything.
pub(super) fn plain(folder: &Path, path: &str) -> std::io::Result<bool> {
    let mut place = folder.to_owned();
    let mut about = fs::symlink_metadata(&place)?;
    for part in Path::new(path).components() {
        if !about.is_dir() {
            return Ok(false);
        }
        place.push(part);
        about = fs::symlink_metadata(&place)?;
    }
    Ok(about.is_file())
}

/// Size and digest of a file in a folder.
pub(super) fn measure(folder: &Path, path: &str) -> Result<StoredFile, BackupError> {
    let place = folder.join(path);
    let failed = |error| BackupError::file(&place, error);
    let mut file = File::open(&place).map_err(failed)?;
    let (mut digest, mut bytes) = (Sha256::new(), 0);
    let mut buffer = vec![0; 1 << 20];
    loop {
        let read = file.read(&mut buffer).map_err(failed)?;
        let Some(piece) = buffer.get(..read).filter(|piece| !piece.is_empty()) else { break };
        digest.update(piece);
        bytes += piece.len() as u64;
    }
    Ok(StoredFile { path: path.to_owned(), bytes, sha256: hex::encode(digest.finalize()) })
}

/// Creates a file for this user alone, with its parent folders.
fn begin(place: &Path) -> Result<File, BackupError> {
    if let Some(parent) = place.parent() {
        private_folder(parent)?;
    }
    private_options().write(true).create_new(true).open(place).map_err(|error| BackupError::file(place, error))
}

/// Writes a stored file to the disk like [`write`], piece by piece.
pub(super) async fn write_all(folder: &Path, path: &str, mut content: FileContent) -> Result<StoredFile, BackupError> {
    let place: PathBuf = folder.join(path);
    let failed = |error| BackupError::file(&place, error);
    let mut file = begin(&place)?;
    let (mut digest, mut bytes) = (Sha256::new(), 0);
    while let Some(piece) = content.piece().await? {
        file.write_all(&piece).map_err(failed)?;
        digest.update(&piece);
        bytes += piece.len() as u64;
    }
    file.sync_all().map_err(failed)?;
    Ok(StoredFile { path: path.to_owned(), bytes, sha256: hex::encode(digest.finalize()) })
}

/// Writes a file durably, for this user alone, with its parent folders.
pub(super) fn write(folder: &Path, path: &str, content: &[u8]) -> Result<StoredFile, BackupError> {
    let place: PathBuf = folder.join(path);
    let failed = |error| BackupError::file(&place, error);
    let mut file = begin(&place)?;
    file.write_all(content).and_then(|()| file.sync_all()).map_err(failed)?;
    Ok(StoredFile { path: path.to_owned(), bytes: content.len() as u64, sha256: hex::encode(Sha256::digest(content)) })
}

/// Creates a folder for this user alone, if it is missing.
pub(super) fn private_folder(path: &Path) -> Result<(), BackupError> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(|error| BackupError::file(path, error))
}

/// Makes a folder's entries survive a power cut.
pub(super) fn sync(folder: &Path) -> Result<(), BackupError> {
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(|error| BackupError::file(folder, error))
}
