//! Owns: `list`, `outdated` and `verify`: what is installed, and whether it still is what somebody signed.
//! Does not own: installing; the words and documents in which it is said (`show`, `documents`).

use std::process::ExitCode;

use anyhow::Result;
use harness_cli::config::ConfigFile;
use harness_contract::text::{shown, shown_lines};
use harness_package::{
    Version,
    installed::{Entry, Installed, State},
    names::check_channel,
};

use super::{
    documents::{self, Listed, Newer, Problem, Verdict},
    fetch, show, trust,
};
use crate::operator::installed;

pub(super) fn list(file: &ConfigFile, json: bool) -> Result<ExitCode> {
    let state = trust::installed(file)?.state()?;
    if json {
        let channels = state.installed().map(|(id, entry)| Listed::of(id, entry, state.previous(id))).collect();
        documents::print(&documents::List { channels })?;
        return Ok(ExitCode::SUCCESS);
    }
    if state.installed().next().is_none() {
        println!("no channel is installed");
    }
    for (id, entry) in state.installed() {
        let publisher = entry.publisher.as_ref().map_or("NOT SIGNED", |publisher| publisher.as_str());
        println!("{id} {}  {publisher}  {}  {}", entry.version, entry.component, shown(&entry.source));
        if let Some(signer) = show::signer(entry) {
            println!("  signed by {signer}");
        }
        for old in state.previous(id) {
            println!("  before: {} {}", old.version, old.component);
        }
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn outdated(file: &ConfigFile, json: bool) -> Result<ExitCode> {
    let state = trust::installed(file)?.state()?;
    let (mut channels, mut problems) = (Vec::new(), Vec::new());
    for (id, entry) in state.installed() {
        match newest(file, entry).await {
            Ok(Some(newest)) if newest > entry.version => {
                channels.push(Newer { channel: id.to_owned(), version: entry.version.clone(), newest });
            }
            Ok(_) => {}
            Err(error) => problems.push(Problem::of(id, &error)),
        }
    }
    let code = if problems.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    if json {
        documents::print(&documents::Outdated { channels, problems })?;
    } else {
        problems.iter().for_each(|Problem { channel, problem }| eprintln!("{channel}: {}", shown_lines(problem)));
        channels.iter().for_each(|of| println!("{} {} → {}", of.channel, of.version, of.newest));
    }
    Ok(code)
}

async fn newest(file: &ConfigFile, entry: &Entry) -> Result<Option<Version>> {
    Ok(fetch::place(file, &entry.source).await?.newest(None).await?)
}

/// Verifies what is installed as the host does when it starts, or a package as `install` does.
pub(super) async fn verify(file: &ConfigFile, package: Option<&str>, json: bool) -> Result<ExitCode> {
    let place = trust::installed(file)?;
    let state = place.state()?;
    let ids: Vec<String> = match package {
        Some(words) if check_channel(words).is_ok() && state.entry(words).is_ok() => vec![words.to_owned()],
        Some(words) => return of_package(file, words, &state, json).await,
        None => state.installed().map(|(id, _)| id.to_owned()).collect(),
    };
    let packages = ids.iter().map(|id| of_installed(file, &place, &state, id)).collect::<Result<Vec<_>>>()?;
    let good = packages.iter().all(|verdict| verdict.problem.is_none());
    if json {
        documents::print(&documents::Verified { packages })?;
    } else {
        for Verdict { of, problem, .. } in packages {
            match problem {
                None => println!("{} {}: {}", of.channel, of.version, show::publisher(state.entry(&of.channel)?)),
                Some(problem) => eprintln!("{} {}: {}", of.channel, of.version, shown_lines(&problem)),
            }
        }
    }
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn of_installed(file: &ConfigFile, place: &Installed, state: &State, id: &str) -> Result<Verdict> {
    let of = Listed::of(id, state.entry(id)?, state.previous(id));
    let checked = installed::verified(file, place, state, id);
    Ok(Verdict { of, problem: checked.err().map(|error| crate::log::told(&error)), said: None })
}

async fn of_package(file: &ConfigFile, words: &str, state: &State, json: bool) -> Result<ExitCode> {
    let fetched = fetch::fetch(file, words, None, state).await?;
    let (id, entry) = (&fetched.candidate.channel, &fetched.candidate.entry);
    let said = fetched.verified.as_ref().map(documents::Said::of);
    if json {
        let verdict = Verdict { of: Listed::found(id, entry), problem: None, said };
        documents::print(&documents::Verified { packages: vec![verdict] })?;
        return Ok(ExitCode::SUCCESS);
    }
    println!("{id} {}: {}", entry.version, show::publisher(entry));
    println!("  component {}", entry.component);
    if let Some(said) = said {
        if let Some(at) = &said.signed_at {
            println!("  signed    {at}, as the transparency log says");
        }
        println!("  source    {}", said.source_tree.tree);
        println!("  built by  {}", shown(&said.build.rustc));
    }
    Ok(ExitCode::SUCCESS)
}
