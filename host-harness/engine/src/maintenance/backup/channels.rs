//! Owns: the folder of installed channels in a backup: without it, a restored host would have nothing to run.
//! Does not own: what stands in its files (the package crate), checking them (the manifest).

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{
    BackupError, Place,
    manifest::{self, StoredFile},
};

/// The folder, in a backup and beside the inbox.
pub(super) const FOLDER: &str = "channels";
/// The file that names the others. It is replaced last when something is installed.
const LOCK: &str = "channels.lock";
/// The folder with the components.
const COMPONENTS: &str = "components";
/// How often copying begins again because something was installed meanwhile.
const TRIES: usize = 5;

/// The folder of a host.
fn folder_of(place: &Place) -> PathBuf {
    place.inbox.with_file_name(FOLDER)
}

/// Whether channels are installed there.
pub(super) fn lock_file(place: &Place) -> Option<PathBuf> {
    Some(folder_of(place).join(LOCK)).filter(|path| path.exists())
}

/// Copies the folder into a backup, as it is between two installations. Nothing where no channel is installed.
pub(super) fn copy(place: &Place, into: &Path) -> Result<Vec<StoredFile>, BackupError> {
    let from = folder_of(place);
    for _ in 0..TRIES {
        let Some(before) = read(&from, LOCK)? else { return Ok(Vec::new()) };
        let mut found = Vec::new();
        for name in names(&from)? {
            // One that was taken away meanwhile is named by the lock file no more.
            found.extend(read(&from, &name)?.map(|bytes| (name, bytes)));
        }
        if read(&from, LOCK)?.as_ref() == Some(&before) {
            let write = |(name, bytes): (String, Vec<u8>)| manifest::write(into, &format!("{FOLDER}/{name}"), &bytes);
            return found.into_iter().map(write).collect();
        }
    }
    let source = std::io::Error::other("channels are being installed again and again; try again");
    Err(BackupError::file(&from, source))
}

/// Puts a file of the folder back.
pub(super) fn put_back(place: &Place, path: &str, from: &Path) -> Result<(), BackupError> {
    let bytes = fs::read(from).map_err(|error| BackupError::file(from, error))?;
    let folder = place.inbox.parent().unwrap_or(Path::new("."));
    manifest::write(folder, path, &bytes).map(drop)
}

/// The files that belong to it; what an installation is writing is none.
fn names(folder: &Path) -> Result<Vec<String>, BackupError> {
    let mut names = Vec::new();
    for (below, prefix) in [(folder.to_owned(), String::new()), (folder.join(COMPONENTS), format!("{COMPONENTS}/"))] {
        let failed = |error| BackupError::file(&below, error);
        for entry in fs::read_dir(&below).map_err(failed)? {
            let name = entry.map_err(failed)?.file_name();
            let Some(name) = name.to_str().filter(|name| !name.starts_with('.')) else { continue };
            if below.join(name).is_dir() && below == folder {
                continue;
            }
            names.push(format!("{prefix}{name}"));
        }
    }
    names.sort();
    Ok(names)
}

/// The content of a file; `None` if there is none.
fn read(folder: &Path, name: &str) -> Result<Option<Vec<u8>>, BackupError> {
    let path = folder.join(name);
    match manifest::plain(folder, name) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(BackupError::file(&path, error)),
        Ok(false) => return Err(BackupError::Link(path)),
        Ok(true) => {}
    }
    match fs::read(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        read => read.map(Some).map_err(|error| BackupError::file(&path, error)),
    }
}
