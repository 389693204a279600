//! Owns: looking for a newer version of what is installed without taking it: whose it is, what it asks for more and less.
//! Does not own: when it is looked for (`updates`), taking it (`install`).

use std::path::Path;

use anyhow::{Result, ensure};
use harness_cli::config::ConfigFile;
use harness_contract::{asks::beyond, text::shown};
use harness_package::{
    Publisher, Reference, Version,
    found::Found,
    installed::{Entry, Installed},
};
use harness_sandbox::{Inspected, SandboxConfig};

use super::fetch;

/// A newer version, where an installed channel came from.
pub(crate) struct Newer {
    pub(crate) version: Version,
    pub(crate) publisher: Option<Publisher>,
    /// What it asks for beyond what is installed, in sentences.
    pub(crate) more: Vec<String>,
    /// What it does not ask for any more.
    pub(crate) less: Vec<String>,
}

/// Whether an installed channel came from a registry.
pub(crate) fn is_of_registry(entry: &Entry) -> bool {
    entry.source.parse::<Reference>().is_ok() && !Path::new(&entry.source).exists()
}

/// The newest version where an installed channel came from, if it is newer. It is verified like one that is installed:
/// what nobody whom the configuration trusts has signed says nothing about itself here.
pub(crate) async fn newer(file: &ConfigFile, installed: &Installed, id: &str, entry: &Entry) -> Result<Option<Newer>> {
    let place = fetch::place(file, &entry.source).await?;
    if place.newest(None).await?.is_none_or(|newest| newest <= entry.version) {
        return Ok(None);
    }
    let found = place.read(None).await?;
    let (file, installed, id, entry) = (file.clone(), installed.clone(), id.to_owned(), entry.clone());
    let words = place.words().to_owned();
    // Signatures and components take their time.
    tokio::task::spawn_blocking(move || judged(&file, &installed, &words, &found, (&id, &entry))).await?.map(Some)
}

fn judged(
    file: &ConfigFile,
    installed: &Installed,
    words: &str,
    found: &Found,
    (id, entry): (&str, &Entry),
) -> Result<Newer> {
    let verified = fetch::trusted(file, words, found, &installed.state()?)?;
    let read = |component: Vec<u8>| Inspected::of(component, SandboxConfig::default().max_component_bytes);
    let (component, before) = (read(found.component.clone())?, read(installed.component(&entry.component)?)?);
    let manifest = component.manifest();
    let version: Version = manifest.channel.version.parse()?;
    ensure!(manifest.channel.id == id, "the channel there is `{}` now", shown(&manifest.channel.id));
    let said = verified.as_ref().map(harness_package::signature::Verified::version).or(found.version.as_ref());
    ensure!(
        said.is_none_or(|said| *said == version),
        "what is there names another version than its component, which says {version}"
    );
    let publisher = verified.map(|verified| verified.publisher().clone());
    ensure!(publisher == entry.publisher, "what is there is of another publisher than what is installed");
    let (more, less) = (beyond(before.manifest(), manifest), beyond(manifest, before.manifest()));
    Ok(Newer { version, publisher, more, less })
}
