//! Owns: backing up a running host: a consistent copy of everything that it stores.
//! Does not own: restoring (`restore`), the manifest (`manifest`), checking what is stored (`check`).

mod channels;
mod check;
mod manifest;
mod restore;

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use harness_inbox::{InboxError, NamedFile, copy_file, note_missing};

pub use check::check;
pub use manifest::{BackupKey, BackupManifest, StoredFile};
pub use restore::restore;

use crate::store::{MediaStore, StoreError};
use harness_egress::credentials::VaultKey;

/// The inbox's file in a backup.
const INBOX: &str = "inbox.sqlite";
/// The media folder in a backup.
const MEDIA: &str = "media";
/// The file with the credentials' key, in a backup that includes it.
const KEY: &str = "vault.key";

/// Where a host stores its data.
#[derive(Clone, Debug)]
pub struct Place {
    /// The inbox's file.
    pub inbox: PathBuf,
    /// The media files.
    pub media: MediaStore,
    /// The key of the credentials.
    pub key: VaultKey,
}

impl Place {
    /// A host that keeps everything in one folder, which is created if missing. Its key may lie elsewhere.
    pub fn in_folder(folder: &Path, key: Option<VaultKey>) -> Result<Self, StoreError> {
        Ok(Self {
            inbox: folder.join(INBOX),
            media: MediaStore::in_folder(&folder.join(MEDIA))?,
            key: key.unwrap_or_else(|| VaultKey::File(folder.join(KEY))),
        })
    }
}

/// Why a backup was not made or not restored.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The inbox, or its copy, failed.
    #[error(transparent)]
    Inbox(#[from] InboxError),
    /// The media store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file or folder failed.
    #[error("{path}: {source}")]
    File {
        /// The path.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// The backup's target exists.
    #[error("{0} is there already: name a folder that is not, so that no earlier backup is lost")]
    Taken(PathBuf),
    /// The media store contains a link. Its target does not belong to the inbox.
    #[error(
        "{0} is a link, or leads over one, where a file of the inbox should be: nothing was backed up; see who put it there, and remove it"
    )]
    Link(PathBuf),
    /// The key is not in a file.
    #[error("the key of the credentials is in no file, so it cannot be part of a backup: keep it where it is, apart")]
    KeyElsewhere,
    /// The folder holds no complete backup.
    #[error("{path} is no complete backup: {reason}")]
    NoBackup {
        /// The folder.
        path: PathBuf,
        /// What is missing in it.
        reason: String,
    },
    /// A newer version made the backup.
    #[error("the backup has format {0}, this version reads {1}: use the version that made it, or a newer one")]
    Newer(u32, u32),
    /// A file of the backup does not match the manifest.
    #[error("the backup is damaged: {path} {finding}. Nothing was restored; use another backup")]
    Damaged {
        /// The path in the manifest.
        path: String,
        /// What is wrong.
        finding: String,
    },
    /// Restoring would overwrite data.
    #[error("{path} {what}: a backup is only put back where nothing is. Move it away first, or restore elsewhere")]
    NotEmpty {
        /// The path.
        path: PathBuf,
        /// What is there.
        what: &'static str,
    },
}

impl BackupError {
    fn file(path: &Path, source: io::Error) -> Self {
        Self::File { path: path.to_owned(), source }
    }

    fn blocked(path: &Path, error: tokio::task::JoinError) -> Self {
        Self::file(path, io::Error::other(error))
    }
}

/// Makes a backup in a new folder, which appears only once the backup is complete. A host may be running meanwhile.
/// `now` is in milliseconds since 1970.
///
/// The key of the credentials is left out unless asked for: a backup with it gives access to every token.
pub async fn make(place: &Place, to: &Path, with_key: bool, now: u64) -> Result<BackupManifest, BackupError> {
    // Catches dangling links too.
    if to.symlink_metadata().is_ok() {
        return Err(BackupError::Taken(to.to_owned()));
    }
    let parent = to.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // For this user alone, and removed if this fails.
    let mut folder = tempfile::Builder::new();
    folder.prefix(".backup-");
    #[cfg(unix)]
    folder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
    let folder = folder.tempdir_in(parent).map_err(|error| BackupError::file(parent, error))?;
    let mut files = Vec::new();

    let (from, copy) = (place.inbox.clone(), folder.path().join(INBOX));
    let target = copy.clone();
    let copied = tokio::task::spawn_blocking(move || copy_file(&from, &target, now))
        .await
        .map_err(|error| BackupError::blocked(&copy, error))??;
    let mut missing = Vec::new();
    let stored = place.inbox.with_file_name(MEDIA).canonicalize();
    for NamedFile { key, .. } in &copied.files {
        // If the path cannot be examined, the file is in a bucket or gone; the store tells.
        if let Ok(stored) = &stored
            && manifest::plain(stored, key).is_ok_and(|plain| !plain)
        {
            return Err(BackupError::Link(stored.join(key)));
        }
        match place.media.find(key).await? {
            Some(content) => files.push(manifest::write_all(folder.path(), &format!("{MEDIA}/{key}"), content).await?),
            None => missing.push(key.clone()),
        }
    }
    note_missing(&copy, &missing)?;
    files.extend(channels::copy(place, folder.path())?);
    let key = if with_key {
        let VaultKey::File(path) = &place.key else { return Err(BackupError::KeyElsewhere) };
        let key = zeroize::Zeroizing::new(fs::read(path).map_err(|error| BackupError::file(path, error))?);
        files.push(manifest::write(folder.path(), KEY, &key)?);
        BackupKey::Included
    } else {
        BackupKey::Apart
    };
    files.push(manifest::measure(folder.path(), INBOX)?);
    let manifest = BackupManifest {
        format: manifest::FORMAT,
        program: env!("CARGO_PKG_VERSION").to_owned(),
        made_at: jiff::Timestamp::from_millisecond(i64::try_from(now).unwrap_or(i64::MAX))
            .unwrap_or_default()
            .to_string(),
        schema: copied.schema,
        key,
        ambiguous_steps: copied.ambiguous,
        missing,
        files,
    };
    manifest.write(folder.path())?;
    fs::rename(folder.path(), to).map_err(|error| BackupError::file(to, error))?;
    // It now has its final name and must not be removed.
    let _ = folder.keep();
    manifest::sync(parent)?;
    Ok(manifest)
}
