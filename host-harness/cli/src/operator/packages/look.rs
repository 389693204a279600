//! Owns: looking for a newer version of what is installed without taking it: whose it is, what it asks for more and less.
//! Does not own: when it is looked for (`updates`), taking it (`install`).

use std::path::Path;

use anyhow::{Result, ensure};
use harness_cli::config::ConfigFile;
use harness_contract::{asks::beyond, text::shown};
use harness_engine::NewerVersion;
use harness_package::{
    Reference, Version,
    found::Found,
    installed::{Entry, Installed},
};
use harness_sandbox::{Inspected, SandboxConfig};

use super::fetch;

/// Whether an installed channel came from a registry.
pub(crate) fn is_of_registry(entry: &Entry) -> bool {
    entry.source.parse::<Reference>().is_ok() && !Path::new(&entry.source).exists()
}

/// The newest version where an installed channel came from, if it is newer. It is verified like one that is installed: a
/// package that no trusted publisher has signed is an error.
pub(crate) async fn newer(
    file: &ConfigFile,
    installed: &Installed,
    id: &str,
    entry: &Entry,
) -> Result<Option<NewerVersion>> {
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
) -> Result<NewerVersion> {
    let verified = fetch::trusted(file, words, found, &installed.state()?)?;
    let read = |component: Vec<u8>| Inspected::of(component, SandboxConfig::default().max_component_bytes);
    let (component, before) = (read(found.component.clone())?, read(installed.component(&entry.component)?)?);
    let manifest = component.manifest();
    let version: Version = manifest.channel.version.parse()?;
    ensure!(manifest.channel.id == id, "the channel there is `{}` now", shown(&manifest.channel.id));
    fetch::check_signed(verified.as_ref(), found, id, &version)?;
    let publisher = verified.map(|verified| verified.publisher().clone());
    ensure!(publisher == entry.publisher, "what is there is of another publisher than what is installed");
    let (more, less) = (beyond(before.manifest(), manifest), beyond(manifest, before.manifest()));
    let publisher = publisher.as_ref().map(ToString::to_string);
    Ok(NewerVersion { version: version.to_string(), publisher, more, less })
}
