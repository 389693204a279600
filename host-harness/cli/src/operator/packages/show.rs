//! Owns: what people see of a package before they agree to it, and asking them.
//! Does not own: the sentences about what a channel may do (`harness_contract::asks`).

use std::io::{IsTerminal as _, Write as _};

use anyhow::{Result, bail};
use harness_contract::{
    asks::{asks, beyond, listed},
    manifest::Manifest,
    text::shown,
};
use harness_package::installed::{Entry, Step};

use super::fetch::Fetched;

/// Whose a package is, in one line.
pub(super) fn publisher(entry: &Entry) -> String {
    match (&entry.publisher, &entry.key) {
        (Some(publisher), Some(key)) => format!("{publisher}, verified with its key {key}"),
        (Some(publisher), None) => publisher.to_string(),
        (None, _) => "NOBODY: it is not signed, and whoever could write it decides what runs here".to_owned(),
    }
}

/// A package in words: whose it is, and what it may do, or what is new of that.
pub(super) fn package(fetched: &Fetched, step: &Step, before: Option<&Manifest>) -> String {
    let Fetched { candidate, manifest, verified } = fetched;
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
        (Step::Update(old), Some(before)) => {
            lines.push(format!("  replaces   {}", old.version));
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
