//! Owns: `install`, `update`, `rollback` and `remove`: judge, show, ask, change.
//! Does not own: fetching (`fetch`), the folder (`harness-package`).

use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use harness_cli::config::ConfigFile;
use harness_contract::{asks::beyond, text::shown};
use harness_package::{
    Version,
    installed::{Change, Grant, Grants, Installed, InstalledError, Step},
};

use super::{
    Agreeing,
    fetch::{self, Fetched},
    show, trust,
};

pub(super) async fn install(file: &ConfigFile, words: &str, agreeing: &Agreeing) -> Result<ExitCode> {
    let installed = trust::installed(file)?;
    let state = installed.state()?;
    let fetched = fetch::fetch(file, words, None, &state).await?;
    let change = installed.change()?;
    take(file, &installed, change, &fetched, agreeing)
}

pub(super) async fn update(
    file: &ConfigFile,
    channel: Option<&str>,
    to: Option<&Version>,
    agreeing: &Agreeing,
) -> Result<ExitCode> {
    let installed = trust::installed(file)?;
    let state = installed.state()?;
    let entries: Vec<(String, String, Version)> = match channel {
        Some(id) => {
            let entry = state.entry(id)?;
            vec![(id.to_owned(), entry.source.clone(), entry.version.clone())]
        }
        None => {
            let all = state.installed();
            all.map(|(id, entry)| (id.to_owned(), entry.source.clone(), entry.version.clone())).collect()
        }
    };
    let mut code = ExitCode::SUCCESS;
    for (id, source, version) in entries {
        match update_one(file, &installed, (&id, &source, &version), to, agreeing).await {
            Ok(one) => code = if one == ExitCode::SUCCESS { code } else { one },
            // One that fails does not keep the others from theirs.
            Err(error) if channel.is_none() => {
                eprintln!("{id} was not updated: {}", harness_contract::text::shown_lines(&crate::log::told(&error)));
                code = ExitCode::FAILURE;
            }
            Err(error) => return Err(error),
        }
    }
    Ok(code)
}

async fn update_one(
    file: &ConfigFile,
    installed: &Installed,
    (id, source, version): (&str, &str, &Version),
    to: Option<&Version>,
    agreeing: &Agreeing,
) -> Result<ExitCode> {
    let state = installed.state()?;
    let fetched = fetch::fetch(file, source, to, &state).await.with_context(|| format!("{id} {version}"))?;
    if fetched.candidate.channel != id {
        bail!(
            "{} holds the channel `{}` now, and {id} was installed from there",
            shown(source),
            fetched.candidate.channel
        );
    }
    let change = installed.change()?;
    take(file, installed, change, &fetched, agreeing)
}

/// Installs what was fetched, where somebody agrees to it.
fn take(
    file: &ConfigFile,
    installed: &Installed,
    change: Change,
    fetched: &Fetched,
    agreeing: &Agreeing,
) -> Result<ExitCode> {
    let candidate = &fetched.candidate;
    let (id, entry) = (&candidate.channel, &candidate.entry);
    let step = change.judge(candidate)?;
    if step == Step::Same && installed.grants()?.cover(id, &entry.component, &candidate.asks).is_ok() {
        println!("{id} {} is installed already ({})", entry.version, entry.component);
        return Ok(ExitCode::SUCCESS);
    }
    let before = match &step {
        Step::Update(old) => fetch::read(file, &installed.component(&old.component)?).ok(),
        Step::New | Step::Same => None,
    };
    print!("{}", show::package(fetched, &step, before.as_ref()));
    match &agreeing.grant {
        Some(path) => {
            // What somebody agreed to elsewhere, for these bytes.
            let given = Grants::read(path)?;
            given.cover(id, &entry.component, &candidate.asks).map_err(|error| match error {
                InstalledError::NoGrant { .. } => anyhow::anyhow!(
                    "{}: no grant for {id} with the digest {}: a grant is for one component",
                    path.display(),
                    entry.component
                ),
                error => error.into(),
            })?;
        }
        None => {
            let asks_more = before.as_ref().is_none_or(|(before, _)| !beyond(before, &fetched.manifest).is_empty());
            // What asks for no more than it was granted, from the same publisher, needs no new word.
            if (asks_more || entry.publisher.is_none()) && !show::agreed("May it?")? {
                println!("nothing was changed");
                return Ok(ExitCode::FAILURE);
            }
        }
    }
    let grant = Grant {
        channel: id.clone(),
        version: entry.version.clone(),
        publisher: entry.publisher.clone(),
        digest: entry.component,
        agreed_at: jiff::Timestamp::now().to_string(),
        asks: candidate.asks.clone(),
    };
    change.install(candidate, grant)?;
    println!("installed {id} {} ({})", entry.version, entry.component);
    if file.config.channels.get(id).is_some_and(|config| config.component.is_some()) {
        eprintln!(
            "it does not run yet: `component` under [channels.{id}] names a file in its place; take that line out"
        );
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) fn rollback(file: &ConfigFile, channel: &str) -> Result<ExitCode> {
    let installed = trust::installed(file)?;
    let left = installed.state()?.entry(channel)?.version.clone();
    let back = installed.change()?.rollback(channel)?;
    println!("{channel} is {} again ({}), in place of {left}", back.version, back.component);
    Ok(ExitCode::SUCCESS)
}

pub(super) fn remove(file: &ConfigFile, channel: &str) -> Result<ExitCode> {
    let removed = trust::installed(file)?.change()?.remove(channel)?;
    println!("removed {channel} {}; its accounts, conversations and credentials stay", removed.version);
    Ok(ExitCode::SUCCESS)
}
