//! Owns: detecting changed components while the host runs: of installed channels always, of files with `--watch`.
//! Does not own: replacing the channel (`load`).

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use harness_cli::config::ConfigFile;
use harness_contract::text::{shown, shown_lines};
use harness_engine::Host;

use harness_package::installed::Installed;

use super::load::{load, replace};
use crate::log;

/// Polling interval for the files.
const POLL: Duration = Duration::from_millis(500);

type Stamp = (SystemTime, u64);

fn stamp(path: &Path) -> Option<Stamp> {
    let metadata = fs::metadata(path).ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}

/// What was seen of the files that are watched, and of what is installed.
pub(crate) struct Watched {
    /// The files of components by channel; none without `--watch`.
    files: Vec<(String, PathBuf)>,
    lock_file: PathBuf,
    seen: HashMap<PathBuf, Option<Stamp>>,
    /// The installed components by channel, as they were loaded.
    installed: HashMap<String, String>,
}

/// The current state. Taken before the components are read, so that a change meanwhile is detected.
pub(crate) fn now(file: &ConfigFile, installed: &Installed, files_too: bool) -> anyhow::Result<Watched> {
    let of = |(id, config): (&String, &harness_cli::config::ChannelConfig)| {
        Some((id.clone(), file.resolve(config.component.as_deref()?)))
    };
    let files = if files_too { file.config.channels.iter().filter_map(of).collect() } else { Vec::new() };
    let mut watched =
        Watched { files, lock_file: installed.lock_file(), seen: HashMap::new(), installed: HashMap::new() };
    let paths = watched.files.iter().map(|(_, path)| path).chain([&watched.lock_file]);
    watched.seen = paths.map(|path| (path.clone(), stamp(path))).collect();
    watched.installed = components(file, installed)?;
    Ok(watched)
}

/// The installed components by channel, except those in whose place the configuration names a file.
fn components(file: &ConfigFile, installed: &Installed) -> anyhow::Result<HashMap<String, String>> {
    let state = installed.state()?;
    let is_file = |id: &str| file.config.channels.get(id).is_some_and(|config| config.component.is_some());
    let all = state.installed().filter(|(id, _)| !is_file(id));
    Ok(all.map(|(id, entry)| (id.to_owned(), entry.component.to_string())).collect())
}

/// Watches for as long as the host runs. A changed file is read once it is unchanged between two polls, so that it has
/// been written completely.
pub(crate) async fn run(host: Host, file: ConfigFile, installed: Installed, mut loaded: Watched) {
    let mut last = loaded.seen.clone();
    loop {
        tokio::time::sleep(POLL).await;
        let mut changed = |path: &PathBuf| {
            let now = stamp(path);
            let settled = last.insert(path.clone(), now) == Some(now);
            let changed = now.is_some() && settled && loaded.seen.get(path) != Some(&now);
            if changed {
                loaded.seen.insert(path.clone(), now);
            }
            changed
        };
        for id in loaded.files.iter().filter(|(_, path)| changed(path)).map(|(id, _)| id) {
            reload(&host, &file, &installed, id).await;
        }
        if changed(&loaded.lock_file) {
            loaded.installed = take_installed(&host, &file, &installed, loaded.installed).await;
        }
    }
}

/// Loads what the lock file names and does not run yet. Returns what it names.
async fn take_installed(
    host: &Host,
    file: &ConfigFile,
    installed: &Installed,
    before: HashMap<String, String>,
) -> HashMap<String, String> {
    let now = match components(file, installed) {
        Ok(now) => now,
        Err(error) => {
            eprintln!("what is installed was not taken, what runs stays: {}", shown_lines(&log::told(&error)));
            return before;
        }
    };
    for (id, _) in now.iter().filter(|(id, component)| before.get(*id) != Some(component)) {
        if host.channel(id).is_ok() {
            reload(host, file, installed, id).await;
        } else {
            match load(host, file, installed, id).await {
                Ok(()) => println!("loaded {id}"),
                Err(error) => eprintln!("{id} was not loaded: {}", shown_lines(&log::told(&error))),
            }
        }
    }
    for id in before.keys().filter(|id| !now.contains_key(*id)) {
        host.unload_channel(id);
        println!("unloaded {id}");
    }
    now
}

async fn reload(host: &Host, file: &ConfigFile, installed: &Installed, id: &str) {
    match replace(host, file, installed, id).await {
        Ok(registered) => {
            let version = shown(&registered.channel.manifest().channel.version);
            println!("reloaded {id} {version} ({})", registered.channel.inspection().digest);
        }
        Err(error) => eprintln!("{id} was not reloaded, the one before stays: {}", shown_lines(&log::told(&error))),
    }
}
