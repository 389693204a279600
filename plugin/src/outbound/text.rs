//! Texts: their length in bytes, and markup that would be shown as typed.
//! What belongs here is plain text, wherever it occurs in a message.

use channel_sdk::cut::{cut, first_end, longest_link};
use channel_sdk::names::{feature, violation_code};
use channel_sdk::report::Report;
use channel_sdk::text::is_blank;

use super::path;
use crate::limits::TEXT;
use crate::types::{OutboundText, TextFormat};

/// Checks a text and splits it into messages.
pub(super) fn read<'m>(report: &mut Report, part: usize, text: &'m OutboundText) -> Vec<&'m str> {
    let markup = has_markup(text);
    // Most texts are in order, and the path that a finding needs is not worth writing for them.
    if !markup && !is_blank(&text.text) && text.text.len() <= TEXT.max {
        return vec![&text.text];
    }
    let path = path(part, "text.text");
    if markup {
        let sentence =
            "Instagram shows no HTML or Markdown: the customer sees the markup as it was typed. Write plain text.";
        let code = violation_code::MARKUP_SHOWN_AS_TYPED;
        report.degrade(part, feature::TEXT, code, &path, sentence, &[]);
    }
    read_plain(report, &path, &text.text, text.split)
}

/// Checks a text without markup.
pub(super) fn read_plain<'m>(report: &mut Report, path: &str, text: &'m str, split: bool) -> Vec<&'m str> {
    if is_blank(text) {
        report.error(violation_code::TEXT_EMPTY, path, "The text is empty. Write something.");
        return Vec::new();
    }
    if text.len() <= TEXT.max {
        return vec![text];
    }
    let length = longest_link(text);
    if length > TEXT.max {
        let max = TEXT.max;
        let sentence = format!(
            "A link in the text has {length} bytes, and no message holds more than {max}: it would arrive torn. Use a \
             shorter link, or put it behind a button."
        );
        report.error_with(violation_code::TEXT_TOO_LONG, path, &sentence, |violation| {
            violation.limit = Some(TEXT.bound());
            violation.actual = Some(text.len() as u64);
        });
        return Vec::new();
    }
    let pieces = if split { cut(text, TEXT.max) } else { None };
    pieces.unwrap_or_else(|| {
        let (over, max) = (text.len() - TEXT.max, TEXT.max);
        let end = first_end(text, TEXT.max);
        let advice = match (split, end) {
            (false, Some(_)) => " Shorten it, or let it be split into several messages.",
            _ => " Shorten it; it cannot be split.",
        };
        let sentence = format!("The text is {over} bytes over Instagram's {max} bytes.{advice}");
        report.error_with(violation_code::TEXT_TOO_LONG, path, &sentence, |violation| {
            violation.limit = Some(TEXT.bound());
            violation.actual = Some(text.len() as u64);
            violation.split_at = end.map(|end| end as u64);
        });
        Vec::new()
    })
}

/// Whether a text declared as markup contains any. Plain text is always meant literally.
fn has_markup(text: &OutboundText) -> bool {
    match text.format {
        TextFormat::Plain => false,
        TextFormat::Html => text.text.contains(['<', '&']),
        TextFormat::Markdown => text.text.contains(['*', '_', '`', '#', '[', '~', '>', '|']),
    }
}
