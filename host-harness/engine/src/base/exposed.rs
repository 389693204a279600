//! Owns: whether others on this machine can read what a host keeps.
//! Does not own: keys and tokens, which are refused where they are read.

use std::path::{Path, PathBuf};

use harness_inbox::{beside, open_to_others};

/// Everything that a host keeps in files and that others can read, a sentence each.
pub(crate) fn exposed(places: &[PathBuf]) -> Vec<String> {
    let sentence = |path: &PathBuf| {
        // What is not there is read by nobody.
        let mode = open_to_others(path).ok().flatten()?;
        Some(format!("{} can be read by others on this machine (mode {mode:o})", path.display()))
    };
    places.iter().filter_map(sentence).collect()
}

/// Says in the log what others can read.
pub(crate) fn warn(places: &[PathBuf]) {
    for sentence in exposed(places) {
        tracing::warn!("{sentence}: run `chmod 700` on the folder; conversations lie there in the clear");
    }
}

/// The places in which a host with this inbox file keeps conversations.
pub(crate) fn places_of(inbox: &Path) -> Vec<PathBuf> {
    let folder = inbox.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let files = ["", "-wal", "-arrivals"].map(|end| beside(inbox, end));
    [folder.to_owned(), folder.join("media")].into_iter().chain(files).collect()
}
