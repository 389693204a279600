//! Texts: their length in bytes, and markup that nobody will see as markup.
//! What belongs here is plain text, wherever in a message it stands.

use alloc::vec::Vec;

use super::cut::{cut, first_end, longest_link};
use super::report::Report;
use crate::capabilities::bound;
use crate::limits::TEXT;
use crate::types::{Feature, OutboundText, TextFormat, ViolationCode};
use crate::words::{decimal, is_blank, join, split};

/// Checks a text and cuts it into the messages that it takes.
pub(super) fn read<'m>(report: &mut Report, part: usize, path: &str, text: &'m OutboundText) -> Vec<&'m str> {
    if has_markup(text) {
        let sentence =
            "Instagram shows no HTML or Markdown: the customer sees the markup as it was typed. Write plain text.";
        let code = ViolationCode::MarkupShownAsTyped;
        report.degrade(part, Feature::Text, code, path, sentence, &[]);
    }
    read_plain(report, path, &text.text, text.split)
}

/// Checks a text without markup.
pub(super) fn read_plain<'m>(report: &mut Report, path: &str, text: &'m str, split: bool) -> Vec<&'m str> {
    if is_blank(text) {
        report.error(ViolationCode::TextEmpty, path, "The text is empty. Write something.");
        return Vec::new();
    }
    if text.len() <= TEXT.max {
        return Vec::from([text]);
    }
    let length = longest_link(text);
    if length > TEXT.max {
        let (length, max) = (decimal(length as u64), decimal(TEXT.max as u64));
        let sentence = join(&[
            "A link in the text has ",
            &length,
            " bytes, and no message holds more than ",
            &max,
            ": it would arrive torn. Use a shorter link, or put it behind a button.",
        ]);
        report.error_with(ViolationCode::TextTooLong, path, &sentence, |violation| {
            violation.limit = Some(bound(TEXT));
            violation.actual = Some(text.len() as u64);
        });
        return Vec::new();
    }
    let pieces = if split { cut(text, TEXT.max) } else { None };
    pieces.unwrap_or_else(|| {
        let (over, max) = (decimal((text.len() - TEXT.max) as u64), decimal(TEXT.max as u64));
        let end = first_end(text, TEXT.max);
        let advice = match (split, end) {
            (false, Some(_)) => " Shorten it, or let it be split into several messages.",
            _ => " Shorten it; it cannot be split.",
        };
        let sentence = join(&["The text is ", &over, " bytes over Instagram's ", &max, " bytes.", advice]);
        report.error_with(ViolationCode::TextTooLong, path, &sentence, |violation| {
            violation.limit = Some(bound(TEXT));
            violation.actual = Some(text.len() as u64);
            violation.split_at = end.map(|end| end as u64);
        });
        Vec::new()
    })
}

/// Whether a text that was written with markup has any. What was written as plain text is meant as
/// it stands.
fn has_markup(text: &OutboundText) -> bool {
    match text.format {
        TextFormat::Plain => false,
        TextFormat::Html => split(&text.text, b"<&").1.is_some(),
        TextFormat::Markdown => split(&text.text, b"*_`#[~>|").1.is_some(),
    }
}
