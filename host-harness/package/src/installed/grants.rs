//! Owns: `grants.toml`: what each channel may do, as somebody agreed to it, and whether that covers what it asks for.
//! Does not own: what a manifest asks for, in sentences (`harness_contract::asks`).

use std::{collections::BTreeSet, path::Path};

use serde::{Deserialize, Serialize};

use super::{
    InstalledError,
    files::{MAX_JSON, read_if_there, replace},
};
use crate::{Digest, Publisher, Version};

const HEAD: &str = "# What each channel may do, as somebody agreed to it when it was installed. `harness install` and `harness update`\n\
                    # write this file; `--yes --grant FILE` reads one like it. A grant is for one component: another digest, another grant.\n\n";

/// What somebody agreed to.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Grant {
    /// The channel's id.
    pub channel: String,
    /// Its version, for people.
    pub version: Version,
    /// Whose it is, for people. `None`: it is not signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub publisher: Option<Publisher>,
    /// The component that it was given for.
    pub digest: Digest,
    /// When, as RFC 3339.
    pub agreed_at: String,
    /// The sentences that were agreed to, as `harness check` prints them.
    pub asks: Vec<String>,
}

/// All grants.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grants {
    #[serde(default, rename = "grant")]
    grants: Vec<Grant>,
}

impl Grants {
    /// Reads a file of grants. Without one nothing is granted.
    ///
    /// # Errors
    ///
    /// [`InstalledError`] where it cannot be read.
    pub fn read(path: &Path) -> Result<Self, InstalledError> {
        let Some(bytes) = read_if_there(path, MAX_JSON)? else { return Ok(Self::default()) };
        let malformed = |problem: String| InstalledError::Malformed { path: path.to_owned(), problem };
        let text = str::from_utf8(&bytes).map_err(|error| malformed(error.to_string()))?;
        toml::from_str(text).map_err(|error| malformed(error.to_string()))
    }

    pub(super) fn write(&self, path: &Path) -> Result<(), InstalledError> {
        let text = toml::to_string(self)
            .map_err(|error| InstalledError::Malformed { path: path.to_owned(), problem: error.to_string() })?;
        replace(path, format!("{HEAD}{text}").as_bytes())
    }

    /// The grant for a component of a channel.
    ///
    /// # Errors
    ///
    /// [`InstalledError::NoGrant`].
    pub fn of(&self, channel: &str, component: &Digest) -> Result<&Grant, InstalledError> {
        let found = self.grants.iter().find(|grant| grant.channel == channel && grant.digest == *component);
        found.ok_or_else(|| InstalledError::NoGrant { channel: channel.to_owned(), digest: *component })
    }

    /// Whether all of these sentences were agreed to for this component.
    ///
    /// # Errors
    ///
    /// [`InstalledError::NoGrant`], or [`InstalledError::NotGranted`] with the sentences that are missing.
    pub fn cover(&self, channel: &str, component: &Digest, asks: &[String]) -> Result<(), InstalledError> {
        let granted: BTreeSet<&str> = self.of(channel, component)?.asks.iter().map(String::as_str).collect();
        let missing: Vec<String> = asks.iter().filter(|ask| !granted.contains(ask.as_str())).cloned().collect();
        if missing.is_empty() {
            Ok(())
        } else {
            Err(InstalledError::NotGranted { channel: channel.to_owned(), missing })
        }
    }

    pub(super) fn set(&mut self, grant: Grant) {
        self.grants.retain(|known| (known.channel.as_str(), known.digest) != (grant.channel.as_str(), grant.digest));
        self.grants.push(grant);
        self.grants.sort_by(|one, other| (&one.channel, &one.version).cmp(&(&other.channel, &other.version)));
    }

    /// Keeps the grants of these components alone.
    pub(super) fn keep(&mut self, components: &BTreeSet<Digest>) {
        self.grants.retain(|grant| components.contains(&grant.digest));
    }
}
