//! Owns: `harness serve --watch`: noticing that a component's file has changed.
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

/// How often the files are looked at.
const POLL: Duration = Duration::from_millis(500);

type Stamp = (SystemTime, u64);

fn stamp(path: &Path) -> Option<Stamp> {
    let metadata = fs::metadata(path).ok()?;
    Some((metadata.modified().ok()?, metadata.len()))
}

/// Watches for as long as the host runs. A file is read when it has stayed as it is from one look to the next:
/// then whoever writes it has finished.
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

/// What the files of all channels look like now.
pub(crate) fn stamps(file: &ConfigFile) -> HashMap<String, Option<Stamp>> {
    let of = |config: &harness_cli::config::ChannelConfig| stamp(&file.resolve(&config.component));
    file.config.channels.iter().map(|(id, config)| (id.clone(), of(config))).collect()
}
