//! Versions of a channel that ran before, kept for a host. Belongs here: the place. Not here: what a host does with them.

use harness_engine::{ComponentVersion, EarlierVersions};
use harness_sandbox::Inspected;
use sha2::{Digest as _, Sha256};

/// Versions of one channel.
pub struct Kept {
    channel: &'static str,
    /// Each with what it is listed as.
    pub versions: Vec<(ComponentVersion, Vec<u8>)>,
}

impl Kept {
    /// None of this channel yet. What is kept of others cannot be read.
    pub fn of(channel: &'static str) -> Self {
        Self { channel, versions: Vec::new() }
    }

    /// One more, older than those before.
    pub fn with(mut self, version: &str, component: Vec<u8>) -> Self {
        let digest = hex::encode(Sha256::digest(&component));
        self.versions.push((ComponentVersion { digest, version: version.into() }, component));
        self
    }
}

impl EarlierVersions for Kept {
    fn list(&self, channel: &str) -> Result<Vec<ComponentVersion>, String> {
        if channel != self.channel {
            return Err("the list is damaged".into());
        }
        Ok(self.versions.iter().map(|(version, _)| version.clone()).collect())
    }

    fn component(&self, _: &str, digest: &str) -> Result<Inspected, String> {
        let (_, bytes) = self.versions.iter().find(|(version, _)| version.digest == digest).ok_or("it is gone")?;
        Inspected::of(bytes.clone(), 1 << 24).map_err(|error| error.to_string())
    }
}
