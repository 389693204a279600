//! Owns: loading what is installed, or was before: its bytes, its signature and its grant are checked again each time.
//! Does not own: installing (`packages`), running it (the host).

use anyhow::{Context as _, Result, ensure};
use harness_cli::config::ConfigFile;
use harness_contract::{asks::asks, text::shown_lines};
use harness_engine::{ComponentVersion, EarlierVersions, Grant, Provenance, SigningIdentity};
use harness_package::{
    installed::{Entry, Installed, State},
    signature::{Expected, verify},
};
use harness_sandbox::{Inspected, SandboxConfig};

use crate::log;

/// What is to be loaded of an installed channel.
pub(super) struct Checked {
    pub(super) component: Inspected,
    pub(super) grant: Grant,
    pub(super) provenance: Provenance,
}

/// Checks an installed channel as it is now: the lock file's seal, the component's bytes, the signature under the trust
/// policy of today, so that what was revoked since does not start, and the grant.
pub(super) fn verified(file: &ConfigFile, installed: &Installed, state: &State, id: &str) -> Result<Checked> {
    let entry = state.entry(id)?;
    let (component, provenance) = trusted(file, installed, state, (id, entry, "is installed"))?;
    let manifest = component.manifest();
    let asked: Vec<String> = asks(manifest).iter().map(ToString::to_string).collect();
    installed.grants()?.cover(id, &entry.component, &asked)?;
    // All of it was agreed to, sentence by sentence.
    let grant = Grant::all_of(manifest);
    Ok(Checked { component, grant, provenance })
}

/// A component that is installed or was before, under the trust policy of today.
fn trusted(
    file: &ConfigFile,
    installed: &Installed,
    state: &State,
    (id, entry, standing): (&str, &Entry, &str),
) -> Result<(Inspected, Provenance)> {
    let component = installed.component(&entry.component)?;
    let provenance = provenance(file, installed, state, entry)
        .with_context(|| format!("{id} {} {standing}, and not trusted", entry.version))?;
    let component = Inspected::of(component, SandboxConfig::default().max_component_bytes)?;
    let found = &component.manifest().channel.id;
    ensure!(found == id, "the component's id is `{found}`");
    Ok((component, provenance))
}

/// The versions that were installed before, for looking at what they make of a delivery. That needs no grant.
pub(super) struct Before {
    pub(super) file: ConfigFile,
    pub(super) installed: Installed,
}

impl Before {
    fn find(&self, channel: &str, digest: &str) -> Result<Inspected> {
        let state = self.installed.state()?;
        let entry = at_hand(&state, channel)
            .find(|entry| entry.component.hex() == digest)
            .context("it is not kept any more")?;
        Ok(trusted(&self.file, &self.installed, &state, (channel, entry, "ran before"))?.0)
    }
}

impl EarlierVersions for Before {
    fn list(&self, channel: &str) -> Result<Vec<ComponentVersion>, String> {
        let state = self.installed.state().map_err(|error| shown_lines(&log::told(&error.into())))?;
        let version =
            |entry: &Entry| ComponentVersion { digest: entry.component.hex(), version: entry.version.to_string() };
        Ok(at_hand(&state, channel).map(version).collect())
    }

    fn component(&self, channel: &str, digest: &str) -> Result<Inspected, String> {
        self.find(channel, digest).map_err(|error| shown_lines(&log::told(&error)))
    }
}

/// What is installed, which does not run where the host took it back, and what ran before it.
fn at_hand<'s>(state: &'s State, channel: &'s str) -> impl Iterator<Item = &'s Entry> {
    state.entry(channel).into_iter().chain(state.previous(channel))
}

fn provenance(file: &ConfigFile, installed: &Installed, state: &State, entry: &Entry) -> Result<Provenance> {
    if entry.publisher.is_none() {
        ensure!(
            file.config.development.unsigned_channels,
            "it is not signed: install a signed package, or set `unsigned-channels = true` under [development]"
        );
        return Ok(Provenance::Unsigned);
    }
    let bundles = installed.bundles(&entry.component)?;
    let known: Vec<Vec<u8>> = state.rotations().map(<[u8]>::to_vec).collect();
    let expected = Expected {
        manifest: entry.manifest,
        version: Some(entry.version.clone()),
        ..Expected::component(entry.component)
    };
    let verified = verify(&bundles, &known, &expected, &super::packages::trust::policy(file)?)?;
    ensure!(
        entry.publisher.as_ref() == Some(verified.publisher()),
        "it was signed by {}, and installed as another publisher's",
        verified.publisher()
    );
    Ok(Provenance::Package {
        publisher: verified.publisher().to_string(),
        key: verified.signer().key().map(ToString::to_string),
        identity: verified.signer().identity().map(|identity| SigningIdentity {
            issuer: identity.issuer().to_owned(),
            subject: identity.subject().to_owned(),
        }),
        source: entry.source.clone(),
    })
}
