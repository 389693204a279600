//! Owns: from the words that name a package to a candidate: fetch, verify, and only then read the component.
//! Does not own: whether it may be installed, what people are asked.

use std::{path::Path, process::ExitCode};

use anyhow::{Context as _, Result, bail, ensure};
use harness_cli::config::ConfigFile;
use harness_contract::{ChannelCapabilities, asks::asks, manifest::Manifest, text::shown};
use harness_package::{
    Digest, Version,
    copy::copy,
    file::ComponentFile,
    installed::{Candidate, Entry, State},
    layout::Layout,
    oci::{self, Descriptor},
    reference::Reference,
    registry::Registry,
    signature::{self, Expected, MAX_BUNDLE, TrustError, Verified, verify},
    source::Source,
};
use harness_sandbox::{Sandbox, SandboxConfig, inspect};

use super::trust;
use crate::{compiler, progress};

/// A package that was fetched and verified, with what its component says of itself.
pub(super) struct Fetched {
    pub(super) candidate: Candidate,
    pub(super) manifest: Manifest,
    pub(super) capabilities: ChannelCapabilities,
    /// None: it is not signed, which the configuration allows.
    pub(super) verified: Option<Verified>,
}

/// Where a package is to be taken from.
pub(super) struct Place {
    source: Box<dyn Source>,
    /// What stands in the lock file: where updates are looked for.
    words: String,
    version: Option<Version>,
    manifest: Option<Digest>,
}

/// The bytes that a package consists of, none of them trusted yet.
struct Raw {
    component: Vec<u8>,
    manifest: Option<Digest>,
    bundles: Vec<Vec<u8>>,
    version: Option<Version>,
    words: String,
}

/// The largest component that this host loads, in bytes.
fn max_component() -> u64 {
    u64::try_from(SandboxConfig::default().max_component_bytes).unwrap_or(u64::MAX)
}

/// The place that these words name: a file, a folder, or a package in a registry.
pub(super) async fn place(file: &ConfigFile, words: &str) -> Result<Place> {
    let path = Path::new(words);
    if path.is_file() || path.is_dir() {
        // As it is found from anywhere: updates are looked for there.
        let full = path.canonicalize().with_context(|| shown(words))?;
        let words = full.to_str().context("the path is not text")?.to_owned();
        let (source, manifest): (Box<dyn Source>, _) = if path.is_file() {
            let source = ComponentFile::open(path, max_component()).await?;
            let manifest = source.package().digest;
            (Box::new(source), Some(manifest))
        } else {
            (Box::new(Layout::open(path).await?), None)
        };
        return Ok(Place { source, words, version: None, manifest });
    }
    let reference: Reference = words.parse().with_context(|| {
        format!("`{}` is neither a file nor a folder here, nor a package in a registry", shown(words))
    })?;
    let registry = Registry::new(&trust::client(file)?, &reference)?;
    Ok(Place {
        source: Box::new(registry),
        words: reference.bare().to_string(),
        version: reference.version().cloned(),
        manifest: reference.digest(),
    })
}

impl Place {
    /// The newest version there, of those that are no trial, up to a bound. None where there is none, such as in a file.
    pub(super) async fn newest(&self, to: Option<&Version>) -> Result<Option<Version>> {
        let tags = self.source.tags().await?;
        let versions = tags.iter().filter_map(|tag| tag.parse::<Version>().ok());
        let wanted = versions.filter(|version| match to {
            Some(to) => version <= to && (version.is_release() || version == to),
            None => version.is_release(),
        });
        Ok(wanted.max())
    }

    /// The digest of the package's manifest, with the version by which it was found.
    pub(super) async fn wanted(&self, to: Option<&Version>) -> Result<(Digest, Option<Version>)> {
        if let Some(digest) = self.manifest {
            return Ok((digest, self.version.clone()));
        }
        let version = match &self.version {
            Some(version) => version.clone(),
            None => {
                self.newest(to).await?.with_context(|| format!("{} has no version of a package", shown(&self.words)))?
            }
        };
        Ok((self.source.resolve(&version.to_string()).await?.digest, Some(version)))
    }

    /// The package's bytes, by its digest or version, or the newest.
    async fn raw(&self, to: Option<&Version>) -> Result<Raw> {
        let (digest, version) = self.wanted(to).await?;
        let manifest = oci::Manifest::read(&self.source.manifest(&digest).await?)?;
        let layer = manifest.component()?;
        let bundles = self.bundles(&digest).await?;
        let component = self.source.blob(layer, max_component()).await?;
        // That of a file was made up here, so nobody signed it.
        let manifest = self.source.has_manifests().then_some(digest);
        Ok(Raw { component, manifest, bundles, version, words: self.words.clone() })
    }

    /// The signatures among what refers to a package. One that cannot be read is passed over: it signs nothing.
    async fn bundles(&self, manifest: &Digest) -> Result<Vec<Vec<u8>>> {
        let is_bundle = |entry: &&Descriptor| entry.artifact_type.as_deref() == Some(oci::BUNDLE);
        let max = u64::try_from(MAX_BUNDLE).unwrap_or(u64::MAX);
        let mut bundles = Vec::new();
        for entry in self.source.referrers(manifest).await?.manifests.iter().filter(is_bundle) {
            if bundles.len() == signature::MAX_BUNDLES {
                break;
            }
            let read = async {
                let referrer = oci::Manifest::read(&self.source.manifest(&entry.digest).await?)?;
                let [layer] = referrer.layers.as_slice() else { bail!("it has {} layers", referrer.layers.len()) };
                Ok(self.source.blob(layer, max).await?)
            };
            match read.await {
                Ok(bundle) => bundles.push(bundle),
                Err(error) => tracing::warn!(digest = %entry.digest, %error, "a signature could not be read"),
            }
        }
        Ok(bundles)
    }
}

/// Fetches and verifies the package that these words name.
pub(super) async fn fetch(file: &ConfigFile, words: &str, to: Option<&Version>, state: &State) -> Result<Fetched> {
    let progress = progress::spinner(format!("fetching {}", shown(words)));
    let raw = async { place(file, words).await?.raw(to).await }.await;
    progress.finish_and_clear();
    let raw = raw?;
    let verified = trusted(file, &raw, state)?;
    let progress = progress::spinner("reading the component".into());
    let read = read(file, &raw.component);
    progress.finish_and_clear();
    let (manifest, capabilities) = read?;
    let version = manifest.channel.version.parse::<Version>().context("the manifest's `version`")?;
    let id = &manifest.channel.id;
    if let Some(verified) = &verified {
        ensure!(
            verified.channel() == id && *verified.version() == version,
            "the signature is for {} {}, and the component's manifest says {} {version}: it was not built from what was signed",
            verified.channel(),
            verified.version(),
            shown(id),
        );
    } else if let Some(tag) = &raw.version {
        ensure!(*tag == version, "the tag is {tag}, and the component's manifest says {version}");
    }
    let rotations = verified.iter().flat_map(Verified::rotations).map(<[u8]>::to_vec).collect();
    let entry = Entry {
        version,
        publisher: verified.as_ref().map(|verified| verified.publisher().clone()),
        key: verified.as_ref().and_then(|verified| verified.signer().key()).map(ToString::to_string),
        identity: verified.as_ref().and_then(|verified| verified.signer().identity().cloned()),
        component: Digest::of(&raw.component),
        manifest: raw.manifest,
        source: raw.words,
        installed_at: u64::try_from(jiff::Timestamp::now().as_millisecond()).unwrap_or(0),
    };
    let candidate = Candidate {
        channel: id.clone(),
        entry,
        bytes: raw.component,
        bundles: raw.bundles,
        asks: asks(&manifest).iter().map(ToString::to_string).collect(),
        rotations,
    };
    Ok(Fetched { candidate, manifest, capabilities, verified })
}

/// Whose signature it is. None where there is none and the configuration allows that.
fn trusted(file: &ConfigFile, raw: &Raw, state: &State) -> Result<Option<Verified>> {
    let policy = trust::policy(file)?;
    let expected = Expected {
        manifest: raw.manifest,
        version: raw.version.clone(),
        ..Expected::component(Digest::of(&raw.component))
    };
    let known: Vec<Vec<u8>> = state.rotations().map(<[u8]>::to_vec).collect();
    match verify(&raw.bundles, &known, &expected, &policy) {
        Ok(verified) => Ok(Some(verified)),
        Err(TrustError::Unsigned) if file.config.development.unsigned_channels => Ok(None),
        Err(error) => Err(error).with_context(|| format!("{} is not trusted", shown(&raw.words))),
    }
}

/// Reads a component whose signature was verified: its manifest, and that this host can load it, before anything of it is
/// kept.
pub(super) fn read(file: &ConfigFile, component: &[u8]) -> Result<(Manifest, ChannelCapabilities)> {
    let manifest = inspect(component, SandboxConfig::default().max_component_bytes)?.manifest()?;
    let config = SandboxConfig { instances: 1, bounds: file.component_bounds()?, ..compiler::sandbox(None) };
    let capabilities = Sandbox::new(config)?.load(component)?.capabilities(None)?;
    Ok((manifest, capabilities))
}

/// Copies a package into a folder.
pub(super) async fn pull(file: &ConfigFile, words: &str, out: &Path) -> Result<ExitCode> {
    let place = place(file, words).await?;
    let (digest, version) = place.wanted(None).await?;
    let target = Layout::create(out).await?;
    let tag = version.as_ref().map(ToString::to_string);
    let copied = copy(place.source.as_ref(), &target, &digest, tag.as_deref(), max_component()).await?;
    println!("{}: {} ({})", shown(&place.words), out.display(), copied.package.digest);
    println!("nothing was verified yet: `install` and `verify` do that, here or elsewhere");
    Ok(ExitCode::SUCCESS)
}
