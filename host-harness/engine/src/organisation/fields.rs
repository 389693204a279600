//! Owns: what the fields of a team's own things may hold.
//! Does not own: the variables of a canned answer (`variables`).

use harness_contract::text::misleads;
use harness_inbox::CannedAnswerText;

use super::variables::{UnknownVariable, check};

/// The longest name of a collection or a label, in characters.
pub const MAX_NAME: usize = 80;
/// The longest title of a canned answer, in characters.
pub const MAX_TITLE: usize = 120;
/// The longest shortcut of a canned answer, in characters.
pub const MAX_SHORTCUT: usize = 40;
/// The longest text of a canned answer, in characters.
pub const MAX_CANNED_TEXT: usize = 10_000;
/// The longest private note, in characters.
pub const MAX_NOTE: usize = 10_000;
/// The palette of labels.
pub const COLORS: [&str; 9] = ["gray", "red", "orange", "yellow", "green", "teal", "blue", "purple", "pink"];

/// A field does not hold what it may.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum WrongField {
    /// There is nothing in it.
    #[error("`{0}` is empty")]
    Empty(&'static str),
    /// It is too long.
    #[error("`{field}` is longer than the {most} characters that it may have")]
    TooLong {
        /// The field's name.
        field: &'static str,
        /// The most characters.
        most: usize,
    },
    /// It is one line of text, and has control or bidi characters in it.
    #[error("`{0}` is one line of text, without line breaks and other control characters")]
    Unprintable(&'static str),
    /// No shortcut.
    #[error("`shortcut` is what is typed after `/`: letters, digits, `-` and `_`, without spaces")]
    Shortcut,
    /// No color of the palette.
    #[error("`color` is one of {}", COLORS.join(", "))]
    Color,
    /// A variable that does not exist.
    #[error("`text` has {0}")]
    Variable(#[from] UnknownVariable),
}

impl WrongField {
    /// The field's name.
    pub const fn field(&self) -> &'static str {
        match self {
            Self::Empty(field) | Self::Unprintable(field) | Self::TooLong { field, .. } => field,
            Self::Shortcut => "shortcut",
            Self::Color => "color",
            Self::Variable(_) => "text",
        }
    }
}

/// A text of at most `most` characters, without whitespace around it.
fn text(field: &'static str, text: &str, most: usize) -> Result<String, WrongField> {
    let text = text.trim();
    if text.is_empty() {
        return Err(WrongField::Empty(field));
    }
    if text.chars().nth(most).is_some() {
        return Err(WrongField::TooLong { field, most });
    }
    Ok(text.to_owned())
}

fn line(field: &'static str, line: &str, most: usize) -> Result<String, WrongField> {
    let line = text(field, line, most)?;
    if line.chars().any(misleads) { Err(WrongField::Unprintable(field)) } else { Ok(line) }
}

/// The name of a collection or a label.
pub(crate) fn name(name: &str) -> Result<String, WrongField> {
    line("name", name, MAX_NAME)
}

/// The color of a label.
pub(crate) fn color(color: &str) -> Result<String, WrongField> {
    COLORS.iter().find(|known| **known == color).map(|known| (*known).to_owned()).ok_or(WrongField::Color)
}

/// The text of a note.
pub(crate) fn note(note: &str) -> Result<String, WrongField> {
    text("text", note, MAX_NOTE)
}

/// A canned answer.
pub(crate) fn canned_answer(answer: &CannedAnswerText) -> Result<CannedAnswerText, WrongField> {
    let shortcut = line("shortcut", &answer.shortcut, MAX_SHORTCUT)?;
    if !shortcut.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_')) {
        return Err(WrongField::Shortcut);
    }
    let title = line("title", &answer.title, MAX_TITLE)?;
    let text = text("text", &answer.text, MAX_CANNED_TEXT)?;
    check(&text)?;
    Ok(CannedAnswerText { shortcut, title, text })
}
