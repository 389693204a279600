//! Owns: from the words that name a package to a candidate: fetch, verify, and only then read the component.
//! Does not own: whether it may be installed, what people are asked.

use std::{path::Path, process::ExitCode};

use anyhow::{Context as _, Result, ensure};
use harness_cli::config::ConfigFile;
use harness_contract::{ChannelCapabilities, asks::asks, manifest::Manifest, text::shown};
use harness_package::{
    Digest, Version,
    copy::copy,
    found::{Found, Place},
    installed::{Candidate, Entry, State},
    layout::Layout,
    signature::{Expected, TrustError, Verified, verify},
};
use harness_sandbox::{Inspected, Sandbox, SandboxConfig};

use super::trust;
use crate::{compiler, operator::now, progress};

/// A package that was fetched and verified, with what its component says of itself.
pub(super) struct Fetched {
    pub(super) candidate: Candidate,
    pub(super) manifest: Manifest,
    pub(super) capabilities: ChannelCapabilities,
    /// None: it is not signed, which the configuration allows.
    pub(super) verified: Option<Verified>,
}

/// The largest component that this host loads, in bytes.
pub(crate) fn max_component() -> u64 {
    u64::try_from(SandboxConfig::default().max_component_bytes).unwrap_or(u64::MAX)
}

/// The place that these words name: a file, a folder, or a package in a registry.
pub(super) async fn place(file: &ConfigFile, words: &str) -> Result<Place> {
    Ok(Place::find(words, &trust::client(file)?, max_component()).await?)
}

/// Fetches and verifies the package that these words name.
pub(super) async fn fetch(file: &ConfigFile, words: &str, to: Option<&Version>, state: &State) -> Result<Fetched> {
    let progress = progress::spinner(format!("fetching {}", shown(words)));
    let found = async {
        let place = place(file, words).await?;
        let found = place.read(to).await?;
        Ok::<_, anyhow::Error>((place.words().to_owned(), found))
    };
    let found = found.await;
    progress.finish_and_clear();
    let (place, found) = found?;
    let verified = trusted(file, &place, &found, state)?;
    let progress = progress::spinner("reading the component".into());
    let read = read(file, &found.component);
    progress.finish_and_clear();
    let (manifest, capabilities) = read?;
    let version = manifest.channel.version.parse::<Version>().context("the manifest's `version`")?;
    let id = &manifest.channel.id;
    check_signed(verified.as_ref(), &found, id, &version)?;
    let rotations = verified.iter().flat_map(Verified::rotations).map(<[u8]>::to_vec).collect();
    let entry = Entry {
        version,
        publisher: verified.as_ref().map(|verified| verified.publisher().clone()),
        key: verified.as_ref().and_then(|verified| verified.signer().key()).map(ToString::to_string),
        identity: verified.as_ref().and_then(|verified| verified.signer().identity().cloned()),
        component: Digest::of(&found.component),
        manifest: found.manifest,
        source: place,
        installed_at: now(),
    };
    let candidate = Candidate {
        channel: id.clone(),
        entry,
        bytes: found.component,
        bundles: found.signatures.bundles,
        asks: asks(&manifest).iter().map(ToString::to_string).collect(),
        rotations,
    };
    Ok(Fetched { candidate, manifest, capabilities, verified })
}

/// Whether a component's manifest names the channel and the version that were signed, or without a signature the version
/// that it is offered as.
pub(super) fn check_signed(verified: Option<&Verified>, found: &Found, id: &str, version: &Version) -> Result<()> {
    if let Some(verified) = verified {
        ensure!(
            verified.channel() == id && verified.version() == version,
            "the signature is for {} {}, and the component's manifest says {} {version}: it was not built from what was signed",
            verified.channel(),
            verified.version(),
            shown(id),
        );
    } else if let Some(tag) = &found.version {
        ensure!(tag == version, "the tag is {tag}, and the component's manifest says {version}");
    }
    Ok(())
}

/// Whose signature it is. None where there is none and the configuration allows that.
pub(super) fn trusted(file: &ConfigFile, place: &str, found: &Found, state: &State) -> Result<Option<Verified>> {
    let policy = trust::policy(file)?;
    let expected = Expected {
        manifest: found.manifest,
        version: found.version.clone(),
        ..Expected::component(Digest::of(&found.component))
    };
    let known: Vec<Vec<u8>> = state.rotations().map(<[u8]>::to_vec).collect();
    let left_out = found.signatures.left_out();
    match verify(&found.signatures.bundles, &known, &expected, &policy) {
        Ok(verified) => Ok(Some(verified)),
        // What could not be read may have been a signature.
        Err(TrustError::Unsigned) if file.config.development.unsigned_channels && left_out.is_none() => Ok(None),
        Err(error) => {
            let left_out = left_out.map(|left_out| format!(" ({left_out})")).unwrap_or_default();
            Err(error).with_context(|| format!("{} is not trusted{left_out}", shown(place)))
        }
    }
}

/// Reads a component whose signature was verified: its manifest, and that this host can load it, before anything of it is
/// kept.
pub(super) fn read(file: &ConfigFile, component: &[u8]) -> Result<(Manifest, ChannelCapabilities)> {
    let component = Inspected::of(component.to_vec(), SandboxConfig::default().max_component_bytes)?;
    let manifest = component.manifest().clone();
    let config = SandboxConfig { instances: 1, bounds: file.component_bounds()?, ..compiler::sandbox(None) };
    let capabilities = Sandbox::new(config)?.load_inspected(component)?.capabilities(None)?;
    Ok((manifest, capabilities))
}

/// Copies a package into a folder.
pub(super) async fn pull(file: &ConfigFile, words: &str, out: &Path) -> Result<ExitCode> {
    let place = place(file, words).await?;
    let (digest, version) = place.wanted(None).await?;
    let target = Layout::create(out).await?;
    let tag = version.as_ref().map(ToString::to_string);
    let copied = copy(place.source(), &target, &digest, tag.as_deref(), max_component()).await?;
    println!("{}: {} ({})", shown(place.words()), out.display(), copied.package.digest);
    println!("nothing was verified yet: `install` and `verify` do that, here or elsewhere");
    Ok(ExitCode::SUCCESS)
}
