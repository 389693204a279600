//! Owns: a cargo home that shares nothing with the user's but what was downloaded, checked by the lock file.
//! Does not own: downloading (cargo).

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
};

use sha2::{Digest as _, Sha256};

use crate::{BuildError, environment::Environment, lock::Lock, read};

/// Makes a cargo home in an empty folder: without configuration, with the registries' indexes and with those downloaded
/// packages that one of the lock files pins. What is missing, cargo downloads.
///
/// # Errors
///
/// [`BuildError::Poisoned`] where a downloaded package is not the one that a lock file pins.
pub(crate) fn clean_cargo_home(at: &Path, locks: &[PathBuf]) -> Result<(), BuildError> {
    let Some(home) = Environment::default().cargo_home() else { return Ok(()) };
    let made = |path: &Path| fs::create_dir_all(path).map_err(io(path));
    made(&at.join("registry").join("cache"))?;
    made(&at.join("git"))?;
    for shared in ["registry/index", "git/db"] {
        if home.join(shared).is_dir() {
            linked(&home.join(shared), &at.join(shared))?;
        }
    }
    // A lock file is somebody's text: a name that is no file's name names nothing in the cache.
    let mut pinned = BTreeMap::new();
    for lock in locks {
        let packages = Lock::read(lock)?.package.into_iter();
        pinned.extend(packages.filter_map(|package| {
            let name = format!("{}-{}.crate", package.name, package.version);
            (!name.contains('/')).then_some((name, package.checksum?))
        }));
    }
    let caches = fs::read_dir(home.join("registry").join("cache")).into_iter().flatten().flatten();
    let caches: Vec<_> = caches.map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
    for (name, checksum) in pinned {
        // Two registries may have a package of one name: it is the checksum that tells which is meant.
        let (mut found, mut other) = (false, None);
        for packed in caches.iter().map(|cache| cache.join(&name)).filter(|packed| packed.is_file()) {
            if hex::encode(Sha256::digest(read(&packed)?)) != checksum {
                other = Some(packed);
                continue;
            }
            let own = packed.strip_prefix(&home).map(|path| at.join(path)).unwrap_or_else(|_| packed.clone());
            made(own.parent().unwrap_or(at))?;
            linked(&packed, &own)?;
            found = true;
        }
        if let Some(path) = other.filter(|_| !found) {
            return Err(BuildError::Poisoned { path, checksum });
        }
    }
    Ok(())
}

fn linked(from: &Path, to: &Path) -> Result<(), BuildError> {
    symlink(from, to).map_err(io(to))
}

fn io(path: &Path) -> impl FnOnce(std::io::Error) -> BuildError + use<> {
    let path = PathBuf::from(path);
    |source| BuildError::Io { path, source, hint: "" }
}
