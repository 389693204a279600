//! Owns: log lines and errors on standard error: escaping, so that foreign text can neither move the cursor nor start a
//! new line; the remedy that names a command.
//! Does not own: what is logged.

use std::io::{self, Write};

use harness_cli::NAME;
use harness_engine::{HostError, backup::BackupError};
use harness_inbox::InboxError;

/// An error with its causes, each printed once, since most sentences already contain that of their cause; followed by
/// the remedy, if there is one.
pub(crate) fn told(error: &anyhow::Error) -> String {
    let mut told = String::new();
    for cause in error.chain() {
        let sentence = cause.to_string();
        if told.contains(sentence.trim()) {
            continue;
        }
        if !told.is_empty() {
            told.push_str(": ");
        }
        told.push_str(&sentence);
    }
    if let Some(remedy) = error.chain().find_map(inbox_error).and_then(remedy) {
        told.push_str(&remedy);
    }
    told
}

/// The inbox's error behind this one, if any. Transparent wrappers do not report it as their cause.
fn inbox_error<'a>(error: &'a (dyn std::error::Error + 'static)) -> Option<&'a InboxError> {
    match (error.downcast_ref(), error.downcast_ref()) {
        (Some(HostError::Inbox(error)), _) | (_, Some(BackupError::Inbox(error))) => Some(error),
        _ => error.downcast_ref(),
    }
}

/// The command that helps against an error of the inbox.
fn remedy(error: &InboxError) -> Option<String> {
    match error {
        InboxError::Damaged { .. } => Some(format!(": `{NAME} restore --config FILE BACKUP`")),
        _ => None,
    }
}

use harness_contract::text::misleads;

/// Collects one log line, and writes it when dropped.
#[derive(Default)]
pub(crate) struct Lines(Vec<u8>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        if !self.0.is_empty() {
            let text = String::from_utf8_lossy(&self.0);
            let _ = writeln!(io::stderr().lock(), "{}", line(text.trim_end_matches('\n')));
        }
    }
}

/// Escapes a line, except for the log's own colours.
fn line(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let colour = colour(rest).unwrap_or_default();
        if !colour.is_empty() {
            shown.push_str(colour);
            rest = rest.get(colour.len()..).unwrap_or_default();
            continue;
        }
        if misleads(c) {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
        rest = rest.get(c.len_utf8()..).unwrap_or_default();
    }
    shown
}

/// The colour sequence at the start of a text.
fn colour(text: &str) -> Option<&str> {
    let digits = text.strip_prefix("\u{1b}[")?;
    let end = digits.find(|c: char| !c.is_ascii_digit() && c != ';')?;
    (digits.get(end..end + 1)? == "m").then(|| text.get(..end + 3)).flatten()
}

#[cfg(test)]
mod tests {
    use super::{NAME, line, told};

    #[test]
    fn a_damaged_inbox_is_told_with_the_command_that_puts_a_backup_in_its_place() {
        let damaged =
            || harness_inbox::InboxError::Damaged { path: "inbox.sqlite".into(), finding: "it is cut".to_owned() };
        let errors: [anyhow::Error; 3] = [
            damaged().into(),
            anyhow::Error::from(harness_engine::HostError::from(damaged())).context("the host"),
            harness_engine::backup::BackupError::from(damaged()).into(),
        ];
        for error in errors {
            let told = told(&error);
            let command = format!("a backup in its place: `{NAME} restore --config FILE BACKUP`");
            assert!(told.ends_with(&command), "{told}");
        }
        assert!(!told(&harness_inbox::InboxError::Closed.into()).contains("harness restore"));
    }

    #[test]
    fn a_line_stays_one_line_and_moves_nothing() {
        assert_eq!(
            line("a\n2026 ERROR b\u{1b}[2J\u{1b}]0;x\u{7}\u{9b}1m"),
            r"a\n2026 ERROR b\u{1b}[2J\u{1b}]0;x\u{7}\u{9b}1m"
        );
        assert_eq!(line("\u{1b}[1;31mred\u{1b}[0m"), "\u{1b}[1;31mred\u{1b}[0m");
    }
}
