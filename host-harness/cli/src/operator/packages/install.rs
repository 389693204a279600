//! Owns: `install`, `update` and its plan, `rollback` and `remove`: judge, show, ask, change.
//! Does not own: fetching (`fetch`), the folder (`harness-package`).

use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use harness_cli::config::ConfigFile;
use harness_contract::{
    ChannelCapabilities,
    asks::beyond,
    manifest::Manifest,
    text::{shown, shown_lines},
};
use harness_package::{
    Version,
    installed::{Change, Entry, Grant, Grants, Installed, InstalledError, State, Step},
};

use super::{
    Agreeing,
    documents::{self, Listed, Problem, Update, Updates},
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

/// Of a channel that is to be updated: its id, where it came from, and its version.
type Wanted = (String, String, Version);

fn wanted(state: &State, channel: Option<&str>) -> Result<Vec<Wanted>> {
    let of = |id: &str, entry: &Entry| (id.to_owned(), entry.source.clone(), entry.version.clone());
    Ok(match channel {
        Some(id) => vec![of(id, state.entry(id)?)],
        None => state.installed().map(|(id, entry)| of(id, entry)).collect(),
    })
}

pub(super) async fn update(
    file: &ConfigFile,
    channel: Option<&str>,
    to: Option<&Version>,
    agreeing: &Agreeing,
) -> Result<ExitCode> {
    let installed = trust::installed(file)?;
    let mut code = ExitCode::SUCCESS;
    for wanted in wanted(&installed.state()?, channel)? {
        match update_one(file, &installed, &wanted, to, agreeing).await {
            Ok(one) => code = if one == ExitCode::SUCCESS { code } else { one },
            // One that fails does not keep the others from theirs.
            Err(error) if channel.is_none() => {
                eprintln!("{} was not updated: {}", wanted.0, shown_lines(&crate::log::told(&error)));
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
    wanted: &Wanted,
    to: Option<&Version>,
    agreeing: &Agreeing,
) -> Result<ExitCode> {
    let fetched = newer(file, installed, wanted, to).await?;
    let change = installed.change()?;
    take(file, installed, change, &fetched, agreeing)
}

/// What an installed channel would be replaced by.
async fn newer(
    file: &ConfigFile,
    installed: &Installed,
    (id, source, version): &Wanted,
    to: Option<&Version>,
) -> Result<Fetched> {
    let state = installed.state()?;
    let fetched = fetch::fetch(file, source, to, &state).await.with_context(|| format!("{id} {version}"))?;
    if fetched.candidate.channel != *id {
        bail!(
            "{} holds the channel `{}` now, and {id} was installed from there",
            shown(source),
            fetched.candidate.channel
        );
    }
    Ok(fetched)
}

/// Shows what `update` would do, and changes nothing.
pub(super) async fn plan(
    file: &ConfigFile,
    channel: Option<&str>,
    to: Option<&Version>,
    json: bool,
) -> Result<ExitCode> {
    let installed = trust::installed(file)?;
    let (mut channels, mut problems) = (Vec::new(), Vec::new());
    for wanted in wanted(&installed.state()?, channel)? {
        match planned(file, &installed, &wanted, to, json).await {
            Ok(planned) => channels.extend(planned),
            Err(error) => problems.push(Problem::of(&wanted.0, &error)),
        }
    }
    let code = if problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    if json {
        documents::print(&Updates { channels, problems })?;
        return Ok(code);
    }
    let problem =
        |Problem { channel, problem }: &Problem| eprintln!("{channel} would not be updated: {}", shown_lines(problem));
    problems.iter().for_each(problem);
    if channels.is_empty() && problems.is_empty() {
        println!("there is nothing to update");
    }
    Ok(code)
}

/// None where it is what runs.
async fn planned(
    file: &ConfigFile,
    installed: &Installed,
    wanted: &Wanted,
    to: Option<&Version>,
    json: bool,
) -> Result<Option<Update>> {
    let fetched = newer(file, installed, wanted, to).await?;
    let Fetched { candidate, manifest, .. } = &fetched;
    let step = installed.change()?.judge(candidate)?;
    if step == Step::Same {
        return Ok(None);
    }
    let before = before(file, installed, &step);
    if !json {
        print!("{}", show::package(&fetched, &step, before.as_ref()));
    }
    let (more, less) = match &before {
        Some((before, _)) => (beyond(before, manifest), beyond(manifest, before)),
        None => (candidate.asks.clone(), Vec::new()),
    };
    Ok(Some(Update {
        from: wanted.2.clone(),
        to: Listed::found(&candidate.channel, &candidate.entry),
        asks: asks(&fetched, before.as_ref()),
        more,
        less,
    }))
}

/// What runs and is to be replaced, where it can be read.
fn before(file: &ConfigFile, installed: &Installed, step: &Step) -> Option<(Manifest, ChannelCapabilities)> {
    match step {
        Step::Update(old) => fetch::read(file, &installed.component(&old.component).ok()?).ok(),
        Step::New | Step::Same => None,
    }
}

/// Whether somebody has to agree: what asks for no more than was granted, from the same publisher, needs no new word.
fn asks(fetched: &Fetched, before: Option<&(Manifest, ChannelCapabilities)>) -> bool {
    let more = before.is_none_or(|(before, _)| !beyond(before, &fetched.manifest).is_empty());
    more || fetched.candidate.entry.publisher.is_none()
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
    let before = before(file, installed, &step);
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
            if asks(fetched, before.as_ref()) && !show::agreed("May it?")? {
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
