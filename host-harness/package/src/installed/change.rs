//! Owns: changing what is installed, one at a time: judging a candidate, installing, going back, removing.
//! Does not own: verifying signatures, asking people.

use std::{
    collections::BTreeSet,
    fs::{self, File, TryLockError},
};

use super::{
    Installed, InstalledError, Moved,
    files::replace,
    grants::{Grant, Grants},
    lock::{self, Entry, State},
};
use crate::{Digest, Version, names::check_channel};

/// How many earlier versions of a channel are kept to go back to.
const KEPT: usize = 5;

/// A package that is to be installed. Its signature was verified, or the operator allows what is not signed.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// The channel's id.
    pub channel: String,
    /// What will stand in the lock file.
    pub entry: Entry,
    /// The component.
    pub bytes: Vec<u8>,
    /// Its signatures, each a bundle.
    pub bundles: Vec<Vec<u8>>,
    /// What its manifest asks for, in sentences.
    pub asks: Vec<String>,
    /// Rotations of the publisher's keys that made its signature good, as bundles.
    pub rotations: Vec<Vec<u8>>,
}

/// What installing a candidate would be.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Step {
    /// The channel's first.
    New,
    /// Another version in place of this one.
    Update(Box<Entry>),
    /// It is what runs.
    Same,
}

/// The folder while it is being changed. Others wait until it is dropped.
pub struct Change {
    installed: Installed,
    state: State,
    grants: Grants,
    /// Held while this lives.
    _taken: File,
}

impl Change {
    pub(super) fn begin(installed: &Installed) -> Result<Self, InstalledError> {
        let folder = &installed.folder;
        let failed = |source| InstalledError::Io { path: folder.clone(), source };
        fs::create_dir_all(folder.join("components")).map_err(failed)?;
        let taken = File::create(folder.join(".changing")).map_err(failed)?;
        match taken.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(InstalledError::Busy { path: folder.clone() }),
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        let (state, grants) = (installed.state()?, installed.grants()?);
        Ok(Self { installed: installed.clone(), state, grants, _taken: taken })
    }

    /// What is installed before the change.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// Whether a candidate may take the place of what is installed, and what that would be.
    ///
    /// # Errors
    ///
    /// [`InstalledError::Downgrade`], [`InstalledError::Moved`], [`InstalledError::OtherPublisher`].
    pub fn judge(&self, candidate: &Candidate) -> Result<Step, InstalledError> {
        let (channel, entry) = (&candidate.channel, &candidate.entry);
        check_channel(channel)?;
        let Some(record) = self.state.channels.get(channel) else { return Ok(Step::New) };
        if let Some(known) = record.seen.get(&entry.version).filter(|known| **known != entry.component) {
            let (channel, version) = (channel.clone(), entry.version.clone());
            let moved = Moved { channel, version, known: *known, found: entry.component };
            return Err(InstalledError::Moved(Box::new(moved)));
        }
        let newest = record.seen.keys().next_back();
        if let Some(newest) = newest.filter(|newest| **newest > entry.version)
            && record.current.as_ref().is_none_or(|current| current.component != entry.component)
        {
            let (channel, found) = (channel.clone(), entry.version.clone());
            return Err(InstalledError::Downgrade { channel, found, newest: newest.clone() });
        }
        let Some(current) = &record.current else { return Ok(Step::New) };
        if current.publisher != entry.publisher {
            let (known, found) = (current.publisher.clone(), entry.publisher.clone());
            return Err(InstalledError::OtherPublisher { channel: channel.clone(), known, found });
        }
        if current.component == entry.component { Ok(Step::Same) } else { Ok(Step::Update(Box::new(current.clone()))) }
    }

    /// Installs a candidate with what was agreed to, which must cover what it asks for. On the disk when this returns; where
    /// it fails, everything is as before.
    ///
    /// # Errors
    ///
    /// [`InstalledError`], also everything that [`Self::judge`] refuses.
    pub fn install(mut self, candidate: &Candidate, agreed: Grant) -> Result<(), InstalledError> {
        let step = self.judge(candidate)?;
        let (channel, entry) = (&candidate.channel, &candidate.entry);
        let digest = entry.component;
        let component = self.installed.component_file(&digest);
        digest
            .check(&candidate.bytes)
            .map_err(|source| InstalledError::OtherBytes { path: component.clone(), source })?;
        self.grants.set(agreed);
        self.grants.cover(channel, &digest, &candidate.asks)?;
        let bundles: Vec<String> = candidate.bundles.iter().map(|bundle| text_of(bundle)).collect();
        let bundles_file = self.installed.bundles_file(&digest);
        let bundles = serde_json::to_vec(&bundles)
            .map_err(|error| InstalledError::Malformed { path: bundles_file.clone(), problem: error.to_string() })?;
        replace(&component, &candidate.bytes)?;
        replace(&bundles_file, &bundles)?;
        let record = self.state.channels.entry(channel.clone()).or_default();
        record.seen.insert(entry.version.clone(), digest);
        if step != Step::Same {
            record.previous.retain(|old| old.component != digest);
            if let Some(old) = record.current.take() {
                record.previous.insert(0, old);
            }
            record.previous.truncate(KEPT);
        }
        record.current = Some(entry.clone());
        if let Some(publisher) = &entry.publisher {
            let known = self.state.rotations.entry(publisher.clone()).or_default();
            for rotation in candidate.rotations.iter().map(|rotation| text_of(rotation)) {
                if !known.contains(&rotation) {
                    known.push(rotation);
                }
            }
        }
        self.commit()
    }

    /// Goes back to what ran before, under the grant that it had. Returns it.
    ///
    /// # Errors
    ///
    /// [`InstalledError::NothingBefore`], or what [`Installed::component`] says where its bytes are not there any more.
    pub fn rollback(mut self, channel: &str) -> Result<Entry, InstalledError> {
        let current = self.state.entry(channel)?.component;
        let record = self.state.channels.get_mut(channel);
        let record = record.ok_or_else(|| InstalledError::NotInstalled(channel.to_owned()))?;
        if record.previous.is_empty() {
            return Err(InstalledError::NothingBefore(channel.to_owned()));
        }
        let back = record.previous.remove(0);
        record.previous.retain(|old| old.component != current);
        record.current = Some(back.clone());
        self.installed.component(&back.component)?;
        self.grants.of(channel, &back.component)?;
        self.commit()?;
        Ok(back)
    }

    /// Removes a channel with its grants. Which versions were seen is kept, so that none comes back unnoticed. Returns what
    /// ran.
    ///
    /// # Errors
    ///
    /// [`InstalledError::NotInstalled`].
    pub fn remove(mut self, channel: &str) -> Result<Entry, InstalledError> {
        self.state.entry(channel)?;
        let record = self.state.channels.get_mut(channel);
        let removed = record.and_then(|record| {
            record.previous.clear();
            record.current.take()
        });
        self.commit()?;
        removed.ok_or_else(|| InstalledError::NotInstalled(channel.to_owned()))
    }

    /// Writes the grants, then the lock file, then takes away what nothing names any more.
    fn commit(mut self) -> Result<(), InstalledError> {
        let named: BTreeSet<Digest> = self.state.components().collect();
        // Grants of what is replaced stay until the lock file no longer names it.
        self.grants.write(&self.installed.grants_file())?;
        lock::write(&self.installed.lock_file(), &self.state, self.installed.seal.as_ref())?;
        self.grants.keep(&named);
        self.grants.write(&self.installed.grants_file())?;
        self.sweep(&named);
        Ok(())
    }

    /// Takes away components that nothing names, also those of a change that was interrupted.
    fn sweep(&self, named: &BTreeSet<Digest>) {
        let Ok(entries) = fs::read_dir(self.installed.folder.join("components")) else { return };
        for entry in entries.flatten() {
            let name = entry.file_name();
            let hex = name.to_str().and_then(|name| name.split('.').next()).unwrap_or_default();
            if !format!("sha256:{hex}").parse().is_ok_and(|digest: Digest| named.contains(&digest))
                && let Err(error) = fs::remove_file(entry.path())
            {
                tracing::warn!(%error, path = %entry.path().display(), "a component that nothing names could not be removed");
            }
        }
    }
}

impl State {
    /// The newest version of a channel that was ever installed here.
    pub fn newest(&self, channel: &str) -> Option<&Version> {
        self.channels.get(channel)?.seen.keys().next_back()
    }
}

/// A bundle is JSON, so it is a text; what is none was refused before.
fn text_of(bundle: &[u8]) -> String {
    String::from_utf8_lossy(bundle).into_owned()
}
