//! Owns: the admin token that the first start creates, for the operator's own commands on this machine.
//! Does not own: named tokens (`tokens`).

use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use harness_inbox::private_options;
use zeroize::Zeroizing;

use super::tokens::{TOKEN_PREFIX, sync_folder_of};
use harness_engine::{Secret, VaultError, random};

/// The file's name in the data folder.
const FILE: &str = "admin-token";
/// The largest plausible file, in bytes.
const MAX_TOKEN: u64 = 4096;

/// Why the token could not be created or read.
#[derive(Debug, thiserror::Error)]
pub enum AdminTokenError {
    /// The file, or its folder, failed.
    #[error("the file of the admin token, {path}: {source}")]
    File {
        /// The path.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// The path is a link, a folder or a device.
    #[error("{0} must be a file of its own, and is a link or something else: remove it, and the next start makes one")]
    NoFile(PathBuf),
    /// Other users can read the file.
    #[error(
        "{path} can be read by others (mode {mode:o}): remove it, and the next start makes another token",
        path = .path.display()
    )]
    TooOpen {
        /// The path.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// The file has foreign content.
    #[error("{0} does not hold a token: remove it, and the next start makes one")]
    NoToken(PathBuf),
    /// The operating system returned no random bytes.
    #[error(transparent)]
    Random(#[from] VaultError),
}

/// The file of the admin token.
#[derive(Clone, Debug)]
pub struct AdminToken {
    path: PathBuf,
}

impl AdminToken {
    /// The file in a host's data folder, which must exist before the token is created.
    pub fn in_folder(folder: &Path) -> Self {
        Self { path: folder.join(FILE) }
    }

    /// The file's path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The token; `None` before the first start.
    pub fn read(&self) -> Result<Option<Secret>, AdminTokenError> {
        let failed = |source| AdminTokenError::File { path: self.path.clone(), source };
        // Links are rejected rather than followed: they may lead anywhere, and a dangling one does not mean a first
        // start.
        let about = match fs::symlink_metadata(&self.path) {
            Ok(about) => about,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(failed(source)),
        };
        if !about.is_file() {
            return Err(AdminTokenError::NoFile(self.path.clone()));
        }
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = about.permissions().mode() & 0o777;
            if mode & 0o077 != 0 {
                return Err(AdminTokenError::TooOpen { path: self.path.clone(), mode });
            }
        }
        if about.len() > MAX_TOKEN {
            return Err(AdminTokenError::NoToken(self.path.clone()));
        }
        let text = Zeroizing::new(fs::read(&self.path).map_err(failed)?);
        let token = text.trim_ascii();
        // A short token could be guessed.
        if !token.starts_with(TOKEN_PREFIX.as_bytes()) || token.len() < TOKEN_PREFIX.len() + 43 {
            return Err(AdminTokenError::NoToken(self.path.clone()));
        }
        Ok(Some(Secret::new(token.to_vec())))
    }

    /// Reads the token, or creates it. It is on the disk when this returns.
    pub fn read_or_make(&self) -> Result<Secret, AdminTokenError> {
        if let Some(token) = self.read()? {
            return Ok(token);
        }
        let failed = |source| AdminTokenError::File { path: self.path.clone(), source };
        let token = Secret::new(new_token()?.into_bytes());
        // Written to another file and renamed, so that the file is either complete or absent.
        let next = self.path.with_extension("next");
        match fs::remove_file(&next) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
            _ => {}
        }
        let mut file = private_options().write(true).create_new(true).open(&next).map_err(failed)?;
        file.write_all(token.expose()).and_then(|()| file.write_all(b"\n")).map_err(failed)?;
        file.sync_all().and_then(|()| fs::rename(&next, &self.path)).map_err(failed)?;
        sync_folder_of(&self.path).map_err(failed)?;
        Ok(token)
    }
}

/// A new random token, e.g. for a host that lives only as long as its process.
pub fn new_token() -> Result<String, VaultError> {
    let bytes = Zeroizing::new(random::<32>()?);
    Ok(format!("{TOKEN_PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes.as_slice())))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn the_first_start_makes_the_token_and_the_next_one_finds_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = AdminToken::in_folder(folder.path());
        assert!(file.read().unwrap().is_none());
        let made = file.read_or_make().unwrap();
        assert_eq!(made.expose(), file.read_or_make().unwrap().expose());
        assert_eq!(made.expose(), file.read().unwrap().unwrap().expose());
        assert_ne!(made.expose(), new_token().unwrap().as_bytes());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left beside it");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(fs::metadata(file.path()).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_link_a_short_word_and_what_others_can_read_are_no_token() {
        use std::os::unix::fs::{PermissionsExt as _, symlink};
        let folder = tempfile::tempdir().unwrap();
        let file = AdminToken::in_folder(folder.path());
        symlink(folder.path().join("nowhere"), file.path()).unwrap();
        assert!(matches!(file.read_or_make(), Err(AdminTokenError::NoFile(_))), "a dangling link");
        fs::remove_file(file.path()).unwrap();
        for word in ["", "\n", "harness_", "password"] {
            let mut open = private_options().write(true).create(true).truncate(true).open(file.path()).unwrap();
            open.write_all(word.as_bytes()).unwrap();
            assert!(matches!(file.read_or_make(), Err(AdminTokenError::NoToken(_))), "{word:?}");
        }
        fs::remove_file(file.path()).unwrap();
        file.read_or_make().unwrap();
        fs::set_permissions(file.path(), fs::Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(file.read_or_make(), Err(AdminTokenError::TooOpen { mode: 0o644, .. })));
    }
}
