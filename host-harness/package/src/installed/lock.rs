//! Owns: `channels.lock`: its form, and the host's seal over it.
//! Does not own: when it changes (`change`).

use std::{collections::BTreeMap, path::Path};

use serde::{Deserialize, Serialize};

use super::{
    InstalledError,
    files::{MAX_JSON, Seal, read_if_there, replace},
};
use crate::{Digest, Publisher, Version, signature::Identity};

/// The newest form of the file: with identities. What needs none of it is written in the first, for versions before.
const FORMAT: u32 = 2;
const WITHOUT_IDENTITIES: u32 = 1;
/// What the seal is for.
const PURPOSE: &str = "channels.lock";

/// An installed version of a channel.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Entry {
    /// Its version.
    pub version: Version,
    /// Whose it is. `None`: it is not signed.
    pub publisher: Option<Publisher>,
    /// The hint of the key that signed it.
    pub key: Option<String>,
    /// The identity that signed it, where no key did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity: Option<Identity>,
    /// The component.
    pub component: Digest,
    /// The manifest of the package, unless it came as a file.
    pub manifest: Option<Digest>,
    /// Where it came from, without a tag: where updates are looked for.
    pub source: String,
    /// In milliseconds since 1970.
    pub installed_at: u64,
}

/// A channel of which something was installed at some time.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Record {
    /// What runs. `None`: it was removed.
    pub current: Option<Entry>,
    /// What ran before, the newest first.
    pub previous: Vec<Entry>,
    /// Each version that was ever installed, with its component: versions do not change, and none goes back unnoticed.
    pub seen: BTreeMap<Version, Digest>,
}

/// What is installed.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct State {
    pub(super) channels: BTreeMap<String, Record>,
    /// Keys that took the place of others, as bundles of their rotations, by publisher.
    pub(super) rotations: BTreeMap<Publisher, Vec<String>>,
}

impl State {
    /// The installed channels with what runs of each.
    pub fn installed(&self) -> impl Iterator<Item = (&str, &Entry)> {
        self.channels.iter().filter_map(|(id, record)| Some((id.as_str(), record.current.as_ref()?)))
    }

    /// What runs of a channel.
    ///
    /// # Errors
    ///
    /// [`InstalledError::NotInstalled`].
    pub fn entry(&self, channel: &str) -> Result<&Entry, InstalledError> {
        let current = self.channels.get(channel).and_then(|record| record.current.as_ref());
        current.ok_or_else(|| InstalledError::NotInstalled(channel.chars().take(80).collect()))
    }

    /// What ran before, the newest first.
    pub fn previous(&self, channel: &str) -> &[Entry] {
        self.channels.get(channel).map_or(&[], |record| &record.previous)
    }

    /// The rotations of keys that were accepted, as bundles.
    pub fn rotations(&self) -> impl Iterator<Item = &[u8]> {
        self.rotations.values().flatten().map(String::as_bytes)
    }

    /// The components that something still names.
    pub(super) fn components(&self) -> impl Iterator<Item = Digest> {
        self.entries().map(|entry| entry.component)
    }

    fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.channels.values().flat_map(|record| record.current.iter().chain(&record.previous))
    }
}

/// The file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sealed {
    format: u32,
    /// JSON of the state, as a text: what was sealed is what is read.
    state: String,
    #[serde(with = "hex::serde")]
    seal: [u8; 32],
}

/// What every version writes.
#[derive(Deserialize)]
struct Format {
    format: u32,
}

/// Reads the file. Nothing is installed where there is none.
pub(super) fn read(path: &Path, seal: &dyn Seal) -> Result<State, InstalledError> {
    let Some(text) = read_if_there(path, MAX_JSON)? else { return Ok(State::default()) };
    let malformed =
        |error: serde_json::Error| InstalledError::Malformed { path: path.to_owned(), problem: error.to_string() };
    let Format { format } = serde_json::from_slice(&text).map_err(malformed)?;
    if format > FORMAT {
        return Err(InstalledError::Newer { path: path.to_owned(), found: format, known: FORMAT });
    }
    let sealed: Sealed = serde_json::from_slice(&text).map_err(malformed)?;
    let expected = seal.sign(PURPOSE, &sealed.state);
    if !bool::from(subtle::ConstantTimeEq::ct_eq(expected.as_slice(), sealed.seal.as_slice())) {
        return Err(InstalledError::Edited { path: path.to_owned() });
    }
    serde_json::from_str(&sealed.state).map_err(malformed)
}

/// Writes the file.
pub(super) fn write(path: &Path, state: &State, seal: &dyn Seal) -> Result<(), InstalledError> {
    let malformed =
        |error: serde_json::Error| InstalledError::Malformed { path: path.to_owned(), problem: error.to_string() };
    let format = if state.entries().any(|entry| entry.identity.is_some()) { FORMAT } else { WITHOUT_IDENTITIES };
    let state = serde_json::to_string(state).map_err(malformed)?;
    let sealed = Sealed { format, seal: seal.sign(PURPOSE, &state), state };
    replace(path, &serde_json::to_vec_pretty(&sealed).map_err(malformed)?)
}
