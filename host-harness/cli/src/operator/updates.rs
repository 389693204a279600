//! Owns: when a running host looks whether registries have newer versions of what was installed from them, and the note of
//! what it found, which the page of plugins shows.
//! Does not own: looking (`packages`), taking a newer version, which somebody does with `harness update`.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use harness_cli::config::ConfigFile;
use harness_contract::text::shown_lines;
use harness_engine::{Host, Looked, NewerVersion};
use harness_package::{durable, installed::Installed};
use serde::{Deserialize, Serialize};

use super::{now, packages::look};
use crate::log;

/// The note, beside the lock file.
const NOTE: &str = "updates.json";
/// The longest pause between two looks at the clock: a component that was replaced meanwhile is told what is known of it.
const TICK: Duration = Duration::from_secs(60);

/// What was found, so that a host that is started often asks no more often.
#[derive(Default, Deserialize, Serialize)]
struct Note {
    /// In milliseconds since 1970.
    looked_at: u64,
    channels: BTreeMap<String, Found>,
}

/// What was found of one channel.
#[derive(Deserialize, Serialize)]
struct Found {
    /// The installed component, in hex.
    component: String,
    newer: Option<NewerVersion>,
    /// Why nothing is known.
    problem: Option<String>,
}

impl Found {
    fn looked(&self, at: u64) -> Looked {
        let found = match &self.problem {
            Some(problem) => Err(problem.clone()),
            None => Ok(self.newer.clone()),
        };
        Looked { at, found }
    }
}

/// Looks for as long as the host runs, unless the configuration says never. Nothing is asked where nothing was installed from
/// a registry.
pub(crate) async fn run(host: Host, file: ConfigFile, installed: Installed) {
    let Some(every) = file.config.packages.look_every() else { return };
    let path = installed.lock_file().with_file_name(NOTE);
    let mut note = read(&path);
    loop {
        let now = now();
        let next = note.looked_at.min(now).saturating_add(u64::try_from(every.as_millis()).unwrap_or(u64::MAX));
        if now >= next {
            note = look(&file, &installed, now).await;
            keep(&path, &note).await;
        }
        for (id, found) in &note.channels {
            host.note_looked(id, &found.component, found.looked(note.looked_at));
        }
        tokio::time::sleep(TICK).await;
    }
}

async fn look(file: &ConfigFile, installed: &Installed, now: u64) -> Note {
    let mut note = Note { looked_at: now, channels: BTreeMap::new() };
    let state = match installed.state() {
        Ok(state) => state,
        Err(error) => {
            tracing::warn!(%error, "nobody looked for newer versions of channels");
            return note;
        }
    };
    for (id, entry) in state.installed().filter(|(_, entry)| look::is_of_registry(entry)) {
        let (newer, problem) = match look::newer(file, installed, id, entry).await {
            Ok(newer) => (newer, None),
            Err(error) => (None, Some(shown_lines(&log::told(&error)))),
        };
        note.channels.insert(id.to_owned(), Found { component: entry.component.hex(), newer, problem });
    }
    note
}

/// One that is missing or cannot be read says that nobody has looked yet.
fn read(path: &Path) -> Note {
    fs::read(path).ok().and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default()
}

async fn keep(path: &Path, note: &Note) {
    // Where nothing was asked, there is nothing to keep.
    if note.channels.is_empty() {
        return;
    }
    let (path, text): (PathBuf, _) = (path.to_owned(), serde_json::to_vec(note).unwrap_or_default());
    let kept = tokio::task::spawn_blocking(move || durable::replace(&path, &text)).await;
    if let Ok(Err(error)) = kept {
        tracing::warn!(%error, "what was found of newer versions is not kept: the next start asks again");
    }
}
