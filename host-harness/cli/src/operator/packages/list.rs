//! Owns: `list`, `outdated` and `verify`: what is installed, and whether it still is what somebody signed.
//! Does not own: installing.

use std::process::ExitCode;

use anyhow::Result;
use harness_cli::config::ConfigFile;
use harness_contract::text::{shown, shown_json, shown_lines};
use harness_package::{installed::Entry, names::check_channel};
use serde_json::{Value, json};

use super::{fetch, show, trust};
use crate::operator::installed;

fn as_json(id: &str, entry: &Entry) -> Value {
    json!({
        "channel": id, "version": entry.version, "publisher": entry.publisher, "key": entry.key, "identity": entry.identity,
        "component": entry.component, "manifest": entry.manifest, "source": entry.source,
        "installed_at": entry.installed_at,
    })
}

fn print_json(value: &Value) {
    println!("{}", shown_json(&format!("{value:#}")));
}

pub(super) fn list(file: &ConfigFile, json: bool) -> Result<ExitCode> {
    let state = trust::installed(file)?.state()?;
    if json {
        print_json(&state.installed().map(|(id, entry)| as_json(id, entry)).collect());
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
    let (mut found, mut code) = (Vec::new(), ExitCode::SUCCESS);
    for (id, entry) in state.installed() {
        let newest = async { fetch::place(file, &entry.source).await?.newest(None).await };
        match newest.await {
            Ok(Some(newest)) if newest > entry.version => found.push((id, entry, newest)),
            Ok(_) => {}
            Err(error) => {
                eprintln!("{id}: {}", shown_lines(&crate::log::told(&error)));
                code = ExitCode::FAILURE;
            }
        }
    }
    if json {
        let line = |(id, entry, newest): &(&str, &Entry, _)| json!({"channel": id, "version": entry.version, "newest": newest});
        print_json(&found.iter().map(line).collect());
    } else {
        found.iter().for_each(|(id, entry, newest)| println!("{id} {} → {newest}", entry.version));
    }
    Ok(code)
}

/// Verifies what is installed as the host does when it starts, or a package as `install` does.
pub(super) async fn verify(file: &ConfigFile, package: Option<&str>, json: bool) -> Result<ExitCode> {
    let place = trust::installed(file)?;
    let state = place.state()?;
    let ids: Vec<String> = match package {
        Some(words) if check_channel(words).is_ok() && state.entry(words).is_ok() => vec![words.to_owned()],
        Some(words) => {
            let fetched = fetch::fetch(file, words, None, &state).await?;
            let (id, entry) = (&fetched.candidate.channel, &fetched.candidate.entry);
            if json {
                let mut line = as_json(id, entry);
                if let (Some(line), Some(verified)) = (line.as_object_mut(), &fetched.verified) {
                    line.insert("predecessor".into(), json!(verified.predecessor()));
                    line.insert("source_tree".into(), json!(verified.source()));
                    line.insert("build".into(), json!(verified.build()));
                }
                print_json(&line);
            } else {
                println!("{id} {}: {}", entry.version, show::publisher(entry));
                println!("  component {}", entry.component);
                if let Some(verified) = &fetched.verified {
                    if let Some(at) = verified.signed_at().and_then(|at| i64::try_from(at).ok()) {
                        let at = jiff::Timestamp::from_millisecond(at)?;
                        println!("  signed    {at}, as the transparency log says");
                    }
                    println!("  source    {}", verified.source().tree);
                    println!("  built by  {}", shown(&verified.build().rustc));
                }
            }
            return Ok(ExitCode::SUCCESS);
        }
        None => state.installed().map(|(id, _)| id.to_owned()).collect(),
    };
    let mut good = true;
    for id in ids {
        let entry = state.entry(&id)?;
        let checked = installed::verified(file, &place, &state, &id);
        good &= checked.is_ok();
        match (&checked, json) {
            (Ok(_), false) => println!("{id} {}: {}", entry.version, show::publisher(entry)),
            (Ok(_), true) => print_json(&as_json(&id, entry)),
            (Err(error), _) => eprintln!("{id} {}: {}", entry.version, shown_lines(&crate::log::told(error))),
        }
    }
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
