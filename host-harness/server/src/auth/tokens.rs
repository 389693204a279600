//! Owns: named API tokens: creating, listing and revoking them, in a small file beside the inbox.
//! Does not own: what a scope allows (`api`).

use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
    time::SystemTime,
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use harness_inbox::{WorkspaceId, private_options};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::scope::Scope;
use harness_engine::{VaultError, random};

/// Prefix of every token, recognisable to secret scanners and to people.
pub const TOKEN_PREFIX: &str = "harness_";
/// Prefix of the ids of tokens.
const ID_PREFIX: &str = "tok_";
/// The file's name in the data folder.
const FILE: &str = "api-tokens.json";
/// Maximum length of a token's name, in bytes.
const MAX_NAME: usize = 64;
/// Maximum number of tokens. Each request is compared with all of them.
const MAX_TOKENS: usize = 1000;

/// Why tokens could not be read or changed.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The token file, or its lock file, failed.
    #[error("the file of the API's tokens, {path}: {source}")]
    File {
        /// The path.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// The file has foreign content.
    #[error(
        "{path} does not hold the API's tokens ({problem}): mend it, or remove it and make the tokens anew; until then no token opens anything"
    )]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// The name is invalid.
    #[error("`{0}` cannot name a token: expected 1 to {MAX_NAME} letters, digits, `-`, `_` and `.`")]
    Name(String),
    /// The name is in use.
    #[error("there is a token `{0}` already: choose another name, or revoke it first")]
    Taken(String),
    /// Several workspaces have a token of this name.
    #[error("several workspaces have a token `{0}`: name one by its id, as `harness token list` shows it")]
    Several(String),
    /// No token has this name.
    #[error("there is no token `{0}`; there are: {1}")]
    Unknown(String, String),
    /// The limit is reached.
    #[error("there are {MAX_TOKENS} tokens already: revoke those that nobody uses")]
    TooMany,
    /// The operating system returned no random bytes.
    #[error(transparent)]
    Random(#[from] VaultError),
}

/// A token as it is stored: its digest, not the token.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct StoredToken {
    /// For people, and for revoking it. Unique in its workspace.
    pub name: String,
    /// The workspace that it belongs to. Tokens of earlier versions belong to the first.
    #[serde(default = "first")]
    pub workspace: WorkspaceId,
    /// SHA-256 of the whole token, in hex.
    #[serde(with = "hex::serde")]
    pub(crate) sha256: [u8; 32],
    /// What it allows.
    pub scopes: Vec<Scope>,
    /// When it was made, in milliseconds since 1970.
    pub created_at: u64,
    /// When it expires, in milliseconds since 1970. `None`: never.
    pub expires_at: Option<u64>,
    /// When it was last used, in milliseconds since 1970, to the minute.
    pub last_used_at: Option<u64>,
}

fn first() -> WorkspaceId {
    WorkspaceId::FIRST
}

impl StoredToken {
    /// Its id, for lists and for revoking it. It opens nothing: it is the beginning of a digest of the digest.
    pub fn id(&self) -> String {
        let id = digest(&self.sha256);
        format!("{ID_PREFIX}{}", hex::encode(id.get(..8).unwrap_or_default()))
    }
}

#[derive(Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Contents {
    tokens: Vec<StoredToken>,
}

/// Identifies one version of the file. Each change replaces the file.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Stamp {
    changed: Option<SystemTime>,
    length: u64,
    inode: u64,
}

/// The stored digest of a token. Tokens are 256 random bits and cannot be guessed from it, so a slow password hash
/// would only slow down requests.
pub(crate) fn digest(token: &[u8]) -> [u8; 32] {
    Sha256::digest(token).into()
}

/// Makes a rename in the file's folder durable.
pub(crate) fn sync_folder_of(file: &Path) -> io::Result<()> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::File::open(folder)?.sync_all()
}

/// The token file. Writers hold a lock and replace the file as a whole, so that a running host never reads a partial
/// change.
#[derive(Clone, Debug)]
pub struct TokenFile {
    path: PathBuf,
}

impl TokenFile {
    /// The file in a host's data folder, which must exist before a token is created.
    pub fn in_folder(folder: &Path) -> Self {
        Self { path: folder.join(FILE) }
    }

    /// Creates a token of the first workspace and returns it. It cannot be shown again.
    pub fn create(
        &self,
        name: &str,
        scopes: &[Scope],
        expires_at: Option<u64>,
        now: u64,
    ) -> Result<String, TokenError> {
        self.create_in(WorkspaceId::FIRST, name, scopes, expires_at, now)
    }

    /// Creates a token of a workspace and returns it. It cannot be shown again.
    pub fn create_in(
        &self,
        workspace: WorkspaceId,
        name: &str,
        scopes: &[Scope],
        expires_at: Option<u64>,
        now: u64,
    ) -> Result<String, TokenError> {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        if name.is_empty() || name.len() > MAX_NAME || !name.bytes().all(fits) {
            return Err(TokenError::Name(name.escape_debug().to_string()));
        }
        let token = format!("{TOKEN_PREFIX}{}", URL_SAFE_NO_PAD.encode(random::<32>()?));
        let mut scopes = scopes.to_vec();
        scopes.sort_unstable();
        scopes.dedup();
        let sha256 = digest(token.as_bytes());
        self.change(|tokens| {
            if tokens.iter().any(|known| known.name == name && known.workspace == workspace) {
                return Err(TokenError::Taken(name.to_owned()));
            }
            if tokens.len() >= MAX_TOKENS {
                return Err(TokenError::TooMany);
            }
            let name = name.to_owned();
            tokens.push(StoredToken {
                name,
                workspace,
                sha256,
                scopes,
                created_at: now,
                expires_at,
                last_used_at: None,
            });
            Ok(())
        })?;
        Ok(token)
    }

    /// Revokes the token with this id, or with this name if only one has it.
    pub fn revoke(&self, name: &str) -> Result<(), TokenError> {
        self.change(|tokens| {
            if tokens.iter().filter(|known| known.name == name).count() > 1 {
                return Err(TokenError::Several(name.to_owned()));
            }
            let Some(place) = tokens.iter().position(|known| known.name == name || known.id() == name) else {
                let known: Vec<_> = tokens.iter().map(|known| known.name.as_str()).collect();
                let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
                return Err(TokenError::Unknown(name.escape_debug().to_string(), known));
            };
            tokens.remove(place);
            Ok(())
        })
    }

    /// All tokens, as stored.
    pub fn list(&self) -> Result<Vec<StoredToken>, TokenError> {
        let text = match fs::read(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(source) => return Err(self.failed(source)),
        };
        let contents: Contents = serde_json::from_slice(&text)
            .map_err(|error| TokenError::Unreadable { path: self.path.clone(), problem: error.to_string() })?;
        Ok(contents.tokens)
    }

    /// Records the use of a token.
    pub(crate) fn used(&self, sha256: &[u8; 32], at: u64) -> Result<(), TokenError> {
        self.change(|tokens| {
            // The token may have been revoked meanwhile.
            if let Some(known) = tokens.iter_mut().find(|known| known.sha256 == *sha256) {
                known.last_used_at = Some(at);
            }
            Ok(())
        })
    }

    /// The file's current version; `None` if it does not exist.
    pub(crate) fn stamp(&self) -> Option<Stamp> {
        let about = fs::metadata(&self.path).ok()?;
        #[cfg(unix)]
        let inode = std::os::unix::fs::MetadataExt::ino(&about);
        #[cfg(not(unix))]
        let inode = 0;
        Some(Stamp { changed: about.modified().ok(), length: about.len(), inode })
    }

    fn change(&self, change: impl FnOnce(&mut Vec<StoredToken>) -> Result<(), TokenError>) -> Result<(), TokenError> {
        let lock = self.private(&self.path.with_extension("lock"))?;
        lock.lock().map_err(|source| self.failed(source))?;
        let mut tokens = self.list()?;
        change(&mut tokens)?;
        let next = self.path.with_extension("next");
        let mut file = self.private(&next)?;
        let text = serde_json::to_vec_pretty(&Contents { tokens }).map_err(|error| self.failed(error.into()))?;
        file.set_len(0).map_err(|source| self.failed(source))?;
        file.write_all(&text).and_then(|()| file.sync_all()).map_err(|source| self.failed(source))?;
        // Unless the folder is synced, a power cut could bring a revoked token back.
        fs::rename(&next, &self.path).and_then(|()| sync_folder_of(&self.path)).map_err(|source| self.failed(source))
    }

    /// Opens a file for this user alone.
    fn private(&self, path: &Path) -> Result<fs::File, TokenError> {
        let opened = private_options().write(true).create(true).truncate(false).open(path);
        opened.map_err(|source| TokenError::File { path: path.to_owned(), source })
    }

    fn failed(&self, source: io::Error) -> TokenError {
        TokenError::File { path: self.path.clone(), source }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn a_token_rests_as_a_digest_in_a_file_that_nobody_else_reads() {
        let folder = tempfile::tempdir().unwrap();
        let file = TokenFile::in_folder(folder.path());
        let token = file.create("crm", &[Scope::Reply, Scope::Read, Scope::Read], None, 7).unwrap();
        assert!(token.starts_with(TOKEN_PREFIX) && token.len() == TOKEN_PREFIX.len() + 43, "{token}");
        assert_ne!(token, file.create("bot", &[Scope::Read], Some(9), 8).unwrap());
        for entry in fs::read_dir(folder.path()).unwrap() {
            let path = entry.unwrap().path();
            let text = fs::read_to_string(&path).unwrap();
            assert!(!text.contains(token.trim_start_matches(TOKEN_PREFIX)), "{text}");
            #[cfg(unix)]
            {
                use std::os::unix::fs::PermissionsExt as _;
                assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o077, 0, "{path:?}");
            }
        }
        let kept = file.list().unwrap().remove(0);
        assert_eq!((kept.sha256, kept.scopes), (digest(token.as_bytes()), vec![Scope::Read, Scope::Reply]));
    }

    #[test]
    fn names_are_unique_and_a_revoked_one_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let file = TokenFile::in_folder(folder.path());
        file.create("crm", &[Scope::Read], None, 7).unwrap();
        assert!(matches!(file.create("crm", &[Scope::Read], None, 7), Err(TokenError::Taken(_))));
        for name in ["", "two words", "\u{1b}[2J", &"x".repeat(65)] {
            assert!(matches!(file.create(name, &[Scope::Read], None, 7), Err(TokenError::Name(_))), "{name:?}");
        }
        let before = file.stamp();
        let crm = file.list().unwrap().remove(0).sha256;
        file.used(&crm, 99).unwrap();
        assert_eq!(file.list().unwrap().first().unwrap().last_used_at, Some(99));
        assert_ne!(file.stamp(), before, "a running host sees the change");
        file.revoke("crm").unwrap();
        assert!(file.list().unwrap().is_empty());
        let sentence = file.revoke("crm").unwrap_err().to_string();
        assert_eq!(sentence, "there is no token `crm`; there are: none");
    }

    #[test]
    fn writers_at_the_same_moment_lose_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let file = TokenFile::in_folder(folder.path());
        std::thread::scope(|scope| {
            for writer in 0..4 {
                let file = &file;
                scope.spawn(move || {
                    for index in 0..10 {
                        file.create(&format!("t-{writer}-{index}"), &[Scope::Read], None, 7).unwrap();
                    }
                });
            }
        });
        assert_eq!(file.list().unwrap().len(), 40);
    }
}
