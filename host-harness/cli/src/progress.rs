//! Owns: progress spinners on terminals.
//! Does not own: the work that takes long.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// A spinner for work that may take longer than a second.
pub(crate) fn spinner(message: String) -> ProgressBar {
    let progress = ProgressBar::new_spinner().with_message(message);
    if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} ({elapsed})") {
        progress.set_style(style);
    }
    progress.enable_steady_tick(Duration::from_millis(120));
    progress
}
