//! Owns: detecting files of the host that other users of the machine can read.
//! Does not own: key and token files, which are rejected where they are read.

use std::path::{Path, PathBuf};

use harness_inbox::{beside, open_to_others};

/// One sentence for each of these places that other users can read.
pub(crate) fn exposed(places: &[PathBuf]) -> Vec<String> {
    let sentence = |path: &PathBuf| {
        // A missing file cannot be read by anyone.
        let mode = open_to_others(path).ok().flatten()?;
        Some(format!("{} can be read by others on this machine (mode {mode:o})", path.display()))
    };
    places.iter().filter_map(sentence).collect()
}

/// Logs a warning for each place that other users can read.
pub(crate) fn warn(places: &[PathBuf]) {
    for sentence in exposed(places) {
        tracing::warn!("{sentence}: run `chmod 700` on the folder; conversations lie there in the clear");
    }
}

/// The places where a host with this inbox file stores conversations.
pub(crate) fn places_of(inbox: &Path) -> Vec<PathBuf> {
    let folder = inbox.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let files = ["", "-wal", "-arrivals"].map(|end| beside(inbox, end));
    [folder.to_owned(), folder.join("media")].into_iter().chain(files).collect()
}
