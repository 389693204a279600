//! Owns: what people see of a package before they agree to it, and asking them.
//! Does not own: the sentences about what a channel may do (`harness_contract::asks`).

use std::{
    collections::BTreeSet,
    io::{IsTerminal as _, Write as _},
};

use anyhow::{Result, bail};
use harness_contract::{
    ChannelCapabilities, FeatureSupport,
    asks::{asks, beyond, listed},
    manifest::Manifest,
    text::shown,
};
use harness_package::installed::{Entry, Step};

use super::fetch::Fetched;

/// Whose a package is, in one line.
pub(super) fn publisher(entry: &Entry) -> String {
    match (&entry.publisher, &entry.key, &entry.identity) {
        (Some(publisher), Some(key), _) => format!("{publisher}, verified with its key {key}"),
        (Some(publisher), None, Some(identity)) => format!("{publisher}, verified as its identity {identity}"),
        (Some(publisher), None, None) => publisher.to_string(),
        (None, ..) => "NOBODY: it is not signed, and whoever could write it decides what runs here".to_owned(),
    }
}

/// By what it was signed; none where it was not.
pub(super) fn signer(entry: &Entry) -> Option<String> {
    let key = entry.key.as_ref().map(|key| format!("the key {key}"));
    key.or_else(|| entry.identity.as_ref().map(|identity| format!("the identity {identity}")))
}

/// A package in words: whose it is, and what it may do, or what is new of that.
pub(super) fn package(fetched: &Fetched, step: &Step, before: Option<&(Manifest, ChannelCapabilities)>) -> String {
    let Fetched { candidate, manifest, capabilities, verified } = fetched;
    let entry = &candidate.entry;
    let mut lines = vec![
        format!("{} {} ({})", shown(&manifest.channel.name), entry.version, candidate.channel),
        format!("  publisher  {}", publisher(entry)),
        format!("  from       {}", shown(&entry.source)),
        format!("  component  {}, {} bytes", entry.component, candidate.bytes.len()),
        format!("  contract   {}", shown(&manifest.channel.contract)),
    ];
    if let Some(verified) = verified {
        let source = verified.source();
        let repository = source.repository.as_deref().map(|url| format!(" of {}", shown(url))).unwrap_or_default();
        lines.push(format!("  built from {}{repository}, as the publisher says", source.tree));
        lines.extend(verified.predecessor().map(|before| format!("  follows    {before}")));
    }
    match (step, before) {
        (Step::Update(old), Some((before, could))) => {
            lines.push(format!("  replaces   {}", old.version));
            if before.channel.contract != manifest.channel.contract {
                lines.push(format!("  spoke      contract {} before", shown(&before.channel.contract)));
            }
            lines.extend(abilities(could, capabilities));
            let (more, less) = (beyond(before, manifest), beyond(manifest, before));
            lines.push(match more.is_empty() {
                true => format!("It asks for nothing that {} was not granted.", old.version),
                false => format!("It asks for more than {}:", old.version),
            });
            lines.extend(more.iter().map(|line| format!("  + {}", shown(line))));
            lines.extend(less.iter().map(|line| format!("  - {}", shown(line))));
        }
        _ => {
            lines.push("It may do this, and nothing else:".to_owned());
            lines.extend(listed(&asks(manifest)).iter().map(|line| format!("  {line}")));
        }
    }
    lines.push(String::new());
    lines.join("\n")
}

/// What a channel can do that the one before could not, or the other way round, or not as well.
fn abilities(before: &ChannelCapabilities, now: &ChannelCapabilities) -> Vec<String> {
    let of = |capabilities: &ChannelCapabilities| -> BTreeSet<String> {
        let line = |support: &FeatureSupport| {
            let (direction, level) = (json(&support.direction), json(&support.level));
            format!("{direction} {}: {level}", support.feature)
        };
        capabilities.features.iter().map(line).collect()
    };
    let (before, now) = (of(before), of(now));
    let line = |what: &str, one: &String| format!("  {what:<11}{}", shown(one));
    let gained = now.difference(&before).map(|one| line("can", one));
    gained.chain(before.difference(&now).map(|one| line("could", one))).collect()
}

/// The contract's name for a case.
fn json(case: &impl serde::Serialize) -> String {
    serde_json::to_value(case).ok().and_then(|name| name.as_str().map(str::to_owned)).unwrap_or_default()
}

/// Asks whether to go on. Whoever cannot be asked has not agreed.
pub(super) fn agreed(question: &str) -> Result<bool> {
    if !std::io::stdin().is_terminal() {
        bail!(
            "nobody can be asked here: run it in a terminal, or with `--yes --grant FILE` and a file of grants in which this component stands"
        );
    }
    print!("{question} [y/N] ");
    std::io::stdout().flush()?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}
