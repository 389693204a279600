//! Owns: restoring a backup: everything is checked before anything is written, and the inbox's file comes last.
//! Does not own: making one.

use std::{
    fs,
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use harness_inbox::{Claim, InboxError, known_schema, verify_copy};
use zeroize::Zeroizing;

use super::{BackupError, BackupKey, BackupManifest, INBOX, KEY, MEDIA, Place, channels, manifest};
use crate::store::incoming::{Incoming, PIECE};
use harness_egress::credentials::VaultKey;

/// Restores a backup to an empty place. Fails without changing anything if a host is running there, if the place holds
/// data, or if the backup does not match its manifest.
pub async fn restore(place: &Place, from: &Path) -> Result<BackupManifest, BackupError> {
    let folder = place.inbox.parent().unwrap_or(Path::new("."));
    manifest::private_folder(folder)?;
    let _claim = Claim::take(&place.inbox)?;
    empty(place).await?;

    // The given path may be a link; entries of the folder may not.
    let from = &from.canonicalize().map_err(|error| BackupError::file(from, error))?;
    let backup = BackupManifest::read(from)?;
    if backup.schema > known_schema() {
        return Err(InboxError::NewerSchema { found: backup.schema, known: known_schema() }.into());
    }
    let (checked, source) = (backup.clone(), from.to_owned());
    tokio::task::spawn_blocking(move || checked.verify(&source))
        .await
        .map_err(|error| BackupError::blocked(from, error))??;
    if !backup.files.iter().any(|file| file.path == INBOX) {
        return Err(BackupError::NoBackup { path: from.to_owned(), reason: format!("it holds no {INBOX}") });
    }
    let key = match backup.key {
        BackupKey::Included => key_to_write(place, from)?,
        BackupKey::Apart => None,
    };

    // In the same folder, so that a rename puts it in place.
    let mut copy = tempfile::Builder::new()
        .prefix(".restore-")
        .tempfile_in(folder)
        .map_err(|error| BackupError::file(folder, error))?;
    fs::File::open(from.join(INBOX))
        .and_then(|mut source| std::io::copy(&mut source, copy.as_file_mut()))
        .and_then(|_| copy.as_file().sync_all())
        .map_err(|error| BackupError::file(copy.path(), error))?;
    let copy = copy.into_temp_path();
    let damaged = |finding: String| BackupError::Damaged { path: INBOX.to_owned(), finding };
    let schema = match verify_copy(&copy) {
        Ok(schema) => schema,
        Err(InboxError::Damaged { finding, .. }) => return Err(damaged(finding)),
        Err(error) => return Err(error.into()),
    };
    if schema != backup.schema {
        return Err(damaged(format!("has schema {schema} instead of {}", backup.schema)));
    }
    for file in &backup.files {
        let Some(key) = file.path.strip_prefix(MEDIA).and_then(|path| path.strip_prefix('/')) else { continue };
        let path = from.join(&file.path);
        put_back(place, key, &path).await?;
    }
    let of_channels = format!("{}/", channels::FOLDER);
    for file in backup.files.iter().filter(|file| file.path.starts_with(&of_channels)) {
        channels::put_back(place, &file.path, &from.join(&file.path))?;
    }
    if let Some(NewKey { path, content }) = key {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        manifest::write(path.parent().unwrap_or(Path::new(".")), &name, &content)?;
    }
    copy.persist(&place.inbox).map_err(|error| BackupError::file(&place.inbox, error.error))?;
    manifest::sync(folder)?;
    Ok(backup)
}

/// Stores one file of the backup.
async fn put_back(place: &Place, key: &str, from: &Path) -> Result<(), BackupError> {
    let failed = |error| BackupError::file(from, error);
    let mut source = fs::File::open(from).map_err(failed)?;
    let mut incoming = Incoming::begin(&place.media, u64::MAX).await?;
    let mut piece = vec![0; PIECE];
    loop {
        let read = source.read(&mut piece).map_err(failed)?;
        let Some(read) = piece.get(..read).filter(|read| !read.is_empty()) else { break };
        incoming.take(read).await.map_err(|error| failed(io::Error::other(error)))?;
    }
    Ok(place.media.keep(key, incoming.finish().await?).await?)
}

/// Rejects a place where data would be lost.
async fn empty(place: &Place) -> Result<(), BackupError> {
    for path in ["", "-wal", "-arrivals"].map(|end| harness_inbox::beside(&place.inbox, end)) {
        if fs::metadata(&path).is_ok_and(|file| file.len() > 0) {
            return Err(BackupError::NotEmpty { path, what: "holds an inbox" });
        }
    }
    if let Some(path) = channels::lock_file(place) {
        return Err(BackupError::NotEmpty { path, what: "names installed channels" });
    }
    if !place.media.is_empty().await? {
        let path = place.inbox.with_file_name(MEDIA);
        return Err(BackupError::NotEmpty { path, what: "holds files of an inbox" });
    }
    Ok(())
}

/// The backup's key, and its target.
struct NewKey {
    path: PathBuf,
    content: Zeroizing<Vec<u8>>,
}

/// The key to be written; `None` if it is already there.
fn key_to_write(place: &Place, from: &Path) -> Result<Option<NewKey>, BackupError> {
    let VaultKey::File(path) = &place.key else { return Err(BackupError::KeyElsewhere) };
    let read = |path: &Path| fs::read(path).map(Zeroizing::new).map_err(|error| BackupError::file(path, error));
    let content = read(&from.join(KEY))?;
    if !path.exists() {
        return Ok(Some(NewKey { path: path.clone(), content }));
    }
    if *read(path)? == *content {
        return Ok(None);
    }
    Err(BackupError::NotEmpty { path: path.clone(), what: "holds another key" })
}
