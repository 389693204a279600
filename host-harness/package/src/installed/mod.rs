//! Owns: the folder of installed channels: which component of which publisher runs, what it may do, and what ran before.
//! Does not own: where packages come from (`source`), whether they can be trusted (`signature`), what people are asked.
//!
//! ```text
//! DATA/channels/channels.lock      what is installed, with a seal of this host
//! DATA/channels/grants.toml        what each channel may do, as somebody agreed to it
//! DATA/channels/components/HEX.wasm
//! DATA/channels/components/HEX.bundles.json
//! ```
//!
//! The lock file is the point of no return: everything that it names lies on the disk before it is replaced.

mod change;
mod files;
mod grants;
mod lock;

pub use change::{Candidate, Change, Step};
pub use files::Seal;
pub use grants::{Grant, Grants};
pub use lock::{Entry, State};

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::{Digest, NameError, Publisher, Version, digest::OtherBytes};

/// The largest component that is kept, in bytes. What the sandbox takes is bounded again, by its own configuration.
pub const MAX_COMPONENT: u64 = 64 << 20;

/// Why the folder of installed channels did not give or take something.
#[derive(Debug, thiserror::Error)]
pub enum InstalledError {
    /// A file cannot be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// Somebody else is changing the folder.
    #[error("{}: another command is changing the installed channels; try again when it has ended", path.display())]
    Busy {
        /// The folder.
        path: PathBuf,
    },
    /// The lock file or the grants are not in their form.
    #[error("{}: {problem}; restore it from a backup, or remove the folder and install the channels again", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
    },
    /// The lock file was written by a newer version.
    #[error("{}: it has format {found}, and this version knows {known}: run the newer version", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u32,
        /// The newest format that is read.
        known: u32,
    },
    /// The lock file was changed by something else than this host.
    #[error(
        "{}: it was changed by hand, or belongs to a host with another vault key: nothing in it is trusted; restore it from a backup, or remove the folder and install the channels again",
        path.display()
    )]
    Edited {
        /// The file.
        path: PathBuf,
    },
    /// A name in the lock file or of a candidate is none.
    #[error(transparent)]
    Name(#[from] NameError),
    /// A component on the disk is not the one that was installed.
    #[error("{}: {source}; install the channel again", path.display())]
    OtherBytes {
        /// The file.
        path: PathBuf,
        /// Both digests.
        #[source]
        source: OtherBytes,
    },
    /// No channel with this id is installed.
    #[error("no channel `{0}` is installed; `harness list` shows those that are")]
    NotInstalled(String),
    /// A version that is older than what was installed before.
    #[error(
        "{channel} {found} is older than {newest}, which was installed here: an old version may bring back a fault that was mended; to go back to what ran before, run `harness rollback {channel}`"
    )]
    Downgrade {
        /// The channel.
        channel: String,
        /// The version of the package.
        found: Version,
        /// The newest that was installed.
        newest: Version,
    },
    /// The same version with other bytes.
    #[error(transparent)]
    Moved(Box<Moved>),
    /// A channel of another publisher is installed.
    #[error(
        "{channel} is installed from {}, and this package is from {}: to change the publisher, run `harness remove {channel}` first",
        said(known.as_ref()), said(found.as_ref())
    )]
    OtherPublisher {
        /// The channel.
        channel: String,
        /// Whose is installed.
        known: Option<Publisher>,
        /// Whose is to be installed.
        found: Option<Publisher>,
    },
    /// Nobody agreed to what the channel asks for.
    #[error("{channel} asks for what was not granted: {}; run `harness install` again, which shows it", harness_contract::text::shown(&missing.join("; ")))]
    NotGranted {
        /// The channel.
        channel: String,
        /// The asks that are not granted.
        missing: Vec<String>,
    },
    /// There is no grant for these bytes.
    #[error("{channel} has no grant for {digest}: run `harness install` again, which shows what it asks for")]
    NoGrant {
        /// The channel.
        channel: String,
        /// The component.
        digest: Digest,
    },
    /// Nothing ran before.
    #[error("nothing was installed of {0} before: there is nothing to go back to")]
    NothingBefore(String),
    /// The present state belongs to another beginning.
    #[error("the installed channels were changed meanwhile: look again at what would change")]
    Changed,
}

/// A version that has other bytes than when it was seen first.
#[derive(Debug, thiserror::Error)]
#[error(
    "{channel} {version} is {found} now, and was {known} when it was seen first: versions do not change, so one of the two is not what its publisher meant; ask them, and install another version"
)]
pub struct Moved {
    /// The channel.
    pub channel: String,
    /// The version.
    pub version: Version,
    /// The component's digest when it was seen first.
    pub known: Digest,
    /// The component's digest now.
    pub found: Digest,
}

fn said(publisher: Option<&Publisher>) -> String {
    publisher.map_or_else(|| "nobody (it is not signed)".to_owned(), ToString::to_string)
}

/// The folder of installed channels. Opening it touches nothing.
#[derive(Clone)]
pub struct Installed {
    folder: PathBuf,
    seal: Arc<dyn Seal>,
}

impl Installed {
    /// The folder `channels` of a data folder. `seal` is the host's own.
    pub fn of_data(data: &Path, seal: Arc<dyn Seal>) -> Self {
        Self { folder: data.join("channels"), seal }
    }

    /// The lock file: what changes when something is installed.
    pub fn lock_file(&self) -> PathBuf {
        self.folder.join("channels.lock")
    }

    fn grants_file(&self) -> PathBuf {
        self.folder.join("grants.toml")
    }

    /// What is installed. Empty where nothing is.
    ///
    /// # Errors
    ///
    /// [`InstalledError`], among others where the lock file was not written by this host.
    pub fn state(&self) -> Result<State, InstalledError> {
        lock::read(&self.lock_file(), self.seal.as_ref())
    }

    /// The grants.
    ///
    /// # Errors
    ///
    /// [`InstalledError`] where the file cannot be read.
    pub fn grants(&self) -> Result<Grants, InstalledError> {
        Grants::read(&self.grants_file())
    }

    /// The bytes of an installed component, which are those that were installed.
    ///
    /// # Errors
    ///
    /// [`InstalledError::OtherBytes`] where they are not.
    pub fn component(&self, digest: &Digest) -> Result<Vec<u8>, InstalledError> {
        let path = self.component_file(digest);
        let bytes = files::read(&path, MAX_COMPONENT)?;
        digest.check(&bytes).map_err(|source| InstalledError::OtherBytes { path, source })?;
        Ok(bytes)
    }

    /// The signatures that were kept with a component, each a bundle. Empty where it is not signed.
    ///
    /// # Errors
    ///
    /// [`InstalledError`] where the file cannot be read.
    pub fn bundles(&self, digest: &Digest) -> Result<Vec<Vec<u8>>, InstalledError> {
        let path = self.bundles_file(digest);
        let text = files::read(&path, files::MAX_JSON)?;
        let bundles: Vec<String> = serde_json::from_slice(&text)
            .map_err(|error| InstalledError::Malformed { path, problem: error.to_string() })?;
        Ok(bundles.into_iter().map(String::into_bytes).collect())
    }

    /// Takes the folder for a change. One at a time has it.
    ///
    /// # Errors
    ///
    /// [`InstalledError::Busy`] where somebody else has it.
    pub fn change(&self) -> Result<Change, InstalledError> {
        Change::begin(self)
    }

    fn component_file(&self, digest: &Digest) -> PathBuf {
        self.folder.join("components").join(format!("{}.wasm", digest.hex()))
    }

    fn bundles_file(&self, digest: &Digest) -> PathBuf {
        self.folder.join("components").join(format!("{}.bundles.json", digest.hex()))
    }
}
