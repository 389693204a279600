//! Owns: escaping text from outside for errors, logs and terminals.
//! Does not own: where texts come from.

use std::fmt::Write as _;

/// Maximum length of such a text in one error, in characters.
const LONGEST: usize = 1000;

/// Whether a character can mislead a terminal or a reader: control and bidi characters, line separators.
pub fn misleads(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Escapes a text for one line of terminal output, and truncates it if it is too long.
pub fn shown(text: &str) -> String {
    let mut shown = escaped(text.chars().take(LONGEST));
    if text.chars().nth(LONGEST).is_some() {
        shown.push('…');
    }
    shown
}

/// Escapes a document of several lines for terminal output.
pub fn shown_lines(text: &str) -> String {
    text.split('\n').map(|line| escaped(line.chars())).collect::<Vec<_>>().join("\n")
}

/// Escapes JSON for terminal output without changing its meaning. JSON itself escapes only ASCII control characters.
pub fn shown_json(json: &str) -> String {
    let mut shown = String::with_capacity(json.len());
    for c in json.chars() {
        // Line breaks occur only between values, never in a string.
        if misleads(c) && c != '\n' {
            let _ = write!(shown, "\\u{:04x}", u32::from(c));
        } else {
            shown.push(c);
        }
    }
    shown
}

fn escaped(chars: impl Iterator<Item = char>) -> String {
    let mut escaped = String::new();
    for c in chars {
        if misleads(c) {
            escaped.extend(c.escape_default());
        } else {
            escaped.push(c);
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_terminal_obeys_is_passed_on_and_text_of_people_is() {
        assert_eq!(shown("a\u{1b}[31mb\r\n\u{9b}2J\u{202e}"), r"a\u{1b}[31mb\r\n\u{9b}2J\u{202e}");
        assert_eq!(shown("Grüße, Ünal 👩‍👧 “so”"), "Grüße, Ünal 👩‍👧 “so”");
        assert_eq!(shown(&"x".repeat(5000)).chars().count(), LONGEST + 1);
        assert_eq!(shown_lines("a\n\u{7}b"), "a\n\\u{7}b");
        let text = "\u{9b}\u{7f}\u{202e}x";
        let json = shown_json(&serde_json::to_string(text).unwrap_or_default());
        assert!(!json.chars().any(misleads));
        assert_eq!(serde_json::from_str::<String>(&json).unwrap_or_default(), text);
    }
}
