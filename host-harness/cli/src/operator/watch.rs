//! Owns: `harness serve --watch`: detecting changed component files.
//! Does not own: replacing the channel (`load`).

use std::{
    collections::HashMap,
    fs,
    path::Path,
    time::{Duration, SystemTime},
};

use harness_cli::config::ConfigFile;
use harness_contract::text::{shown, shown_lines};
use harness_engine::Host;

use super::load::replace;
use crate::log;

/// Polling interval for the files.
const POLL: Duration = Duration::from_millis(500);

type Stamp = (SystemTime, u64);

fn stamp(path: &Path) -> Option<Stamp> {
    let metadata = fs::metadata(path).ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}

/// Watches for as long as the host runs. A changed file is read once it is unchanged between two polls, so that it has
/// been written completely.
pub(crate) async fn run(host: Host, file: ConfigFile, mut loaded: HashMap<String, Option<Stamp>>) {
    let mut last = loaded.clone();
    loop {
        tokio::time::sleep(POLL).await;
        for (id, config) in &file.config.channels {
            let now = stamp(&file.resolve(&config.component));
            let settled = last.insert(id.clone(), now) == Some(now);
            if now.is_none() || !settled || loaded.get(id) == Some(&now) {
                continue;
            }
            loaded.insert(id.clone(), now);
            match replace(&host, &file, id, config).await {
                Ok(registered) => {
                    let version = shown(&registered.channel.manifest().channel.version);
                    println!("reloaded {id} {version} ({})", registered.channel.inspection().digest);
                }
                Err(error) => {
                    eprintln!("{id} was not reloaded, the one before stays: {}", shown_lines(&log::told(&error)))
                }
            }
        }
    }
}

/// The current stamps of all channels' files.
pub(crate) fn stamps(file: &ConfigFile) -> HashMap<String, Option<Stamp>> {
    let of = |config: &harness_cli::config::ChannelConfig| stamp(&file.resolve(&config.component));
    file.config.channels.iter().map(|(id, config)| (id.clone(), of(config))).collect()
}
