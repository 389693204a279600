//! Cutting texts without splitting a word or a user-perceived character.
//! Owns where a text may be cut; not the maximum length, which the channel defines.
//!
//! Unicode's grapheme cluster tables would be a tenth of the component, and each cut needs only one good position. So
//! these rules find some of the boundaries of UAX #29, but never a wrong one: the tests check every code point against
//! the full tables. Text that the rules do not cover is not cut.

use std::ops::RangeInclusive;

type Range = RangeInclusive<u32>;

/// Characters that always begin a grapheme cluster: they extend nothing, and no emoji sequence or conjunct contains
/// them.
const STARTERS: &[Range] = &[
    0x21..=0x7e,       // ASCII
    0xa1..=0xa8,       // Latin
    0xaa..=0xac,       //
    0xaf..=0x2ff,      //
    0x370..=0x377,     // Greek, Cyrillic, Armenian
    0x37a..=0x482,     //
    0x48a..=0x556,     //
    0x561..=0x587,     //
    0x5d0..=0x5ea,     // Hebrew
    0x620..=0x64a,     // Arabic
    0x660..=0x66f,     //
    0x671..=0x6d5,     //
    0xe01..=0xe30,     // Thai
    0xe40..=0xe46,     //
    0xe81..=0xeb0,     // Lao
    0xec0..=0xec4,     //
    0x10a0..=0x10ff,   // Georgian
    0x1e00..=0x1fff,   // Latin, Greek
    0x2010..=0x2027,   // punctuation
    0x2030..=0x203b,   //
    0x20a0..=0x20c0,   // currencies
    0x3001..=0x3029,   // CJK
    0x3041..=0x3096,   // Hiragana
    0x309b..=0x30ff,   // Katakana
    0x3105..=0x312f,   // Bopomofo
    0x3400..=0x9fff,   // Han
    0xf900..=0xfaff,   //
    0xff01..=0xff9d,   // full and half width
    0x20000..=0x3fffd, // Han
];

/// Characters that begin a cluster unless preceded by a zero-width joiner.
const PICTURES: &[Range] =
    &[0xa9..=0xa9, 0xae..=0xae, 0x2190..=0x2bff, 0x1f000..=0x1f1e5, 0x1f200..=0x1f3fa, 0x1f400..=0x1faff];

/// Characters that join the following one; no text is cut after them.
const PREPENDED: &[Range] =
    &[0x600..=0x605, 0x6dd..=0x6dd, 0x70f..=0x70f, 0x890..=0x891, 0x8e2..=0x8e2, 0xd4e..=0xd4e, 0x11000..=0x11fff];

/// Regional indicators: two of them make a flag.
const REGIONAL: Range = 0x1f1e6..=0x1f1ff;
/// Leading Korean jamo, and whole syllables. Both join a leading jamo before them.
const HANGUL_LEADS: &[Range] = &[0x1100..=0x115f, 0xa960..=0xa97c];
const HANGUL_SYLLABLES: Range = 0xac00..=0xd7a3;
/// The Indic scripts that share one layout in blocks of 128.
const INDIC: Range = 0x900..=0xd7f;
const JOINER: char = '\u{200d}';

fn is_in(ranges: &[Range], letter: char) -> bool {
    ranges.iter().any(|range| range.contains(&u32::from(letter)))
}

/// The relevant context before a position in a text.
#[derive(Clone, Copy)]
struct Before {
    letter: Option<char>,
    /// The number of consecutive regional indicators.
    flags: usize,
    /// Whether something after the last Indic letter may join the next one.
    binds: bool,
}

impl Before {
    const NOTHING: Before = Before { letter: None, flags: 0, binds: false };

    /// Whether the text may be cut between this context and the next character.
    fn may_cut(self, next: char) -> bool {
        let Some(before) = self.letter else {
            return false;
        };
        // Most text is ASCII, in which only a line break has two characters.
        if before.is_ascii() && next.is_ascii() {
            return match next {
                '\n' => before != '\r',
                '\t'..='\r' | ' '..='~' => true,
                _ => false,
            };
        }
        let code = u32::from(next);
        if is_in(PREPENDED, before) {
            return false;
        }
        if next.is_whitespace() {
            return !(before == '\r' && next == '\n');
        }
        if is_in(HANGUL_LEADS, next) || HANGUL_SYLLABLES.contains(&code) {
            return !is_in(HANGUL_LEADS, before);
        }
        if REGIONAL.contains(&code) {
            return self.flags.is_multiple_of(2);
        }
        if is_indic_letter(code) {
            return !self.binds;
        }
        is_in(STARTERS, next) || (is_in(PICTURES, next) && before != JOINER)
    }

    fn and(self, next: char) -> Before {
        if matches!(next, ' '..='~') {
            return Before { letter: Some(next), ..Before::NOTHING };
        }
        let code = u32::from(next);
        let begins = is_indic_letter(code) || next.is_whitespace() || is_in(STARTERS, next);
        Before {
            letter: Some(next),
            flags: if REGIONAL.contains(&code) { self.flags + 1 } else { 0 },
            binds: !begins && (self.binds || !is_indic_sign(code)),
        }
    }
}

fn is_indic_letter(code: u32) -> bool {
    INDIC.contains(&code) && matches!(code & 0x7f, 0x05..=0x39 | 0x58..=0x61)
}

/// A vowel sign, which does not join the next letter, unlike a virama.
fn is_indic_sign(code: u32) -> bool {
    INDIC.contains(&code) && matches!(code & 0x7f, 0x01..=0x03 | 0x3e..=0x4c)
}

/// Characters outside `PICTURES` that may be shown as emoji.
const OTHER_PICTURES: &[Range] = &[
    0x203c..=0x203c,
    0x2049..=0x2049,
    0x2122..=0x2122,
    0x2139..=0x2139,
    0x3030..=0x3030,
    0x303d..=0x303d,
    0x3297..=0x3297,
    0x3299..=0x3299,
];
/// Turns the preceding ASCII character into a keycap.
const KEYCAP: char = '\u{20e3}';

/// Whether a text is one emoji: one grapheme cluster that begins with a picture or is a keycap.
pub fn is_emoji(text: &str) -> bool {
    let is_picture =
        |first: char| is_in(PICTURES, first) || is_in(OTHER_PICTURES, first) || REGIONAL.contains(&u32::from(first));
    let begins = text.chars().next().is_some_and(is_picture);
    is_one_character(text) && (begins || text.chars().any(|letter| letter == KEYCAP))
}

/// Whether a text is not empty and cannot be cut.
fn is_one_character(text: &str) -> bool {
    let mut before = Before::NOTHING;
    for letter in text.chars() {
        if before.may_cut(letter) {
            return false;
        }
        before = before.and(letter);
    }
    before.letter.is_some()
}

/// The end of a first message of at most `max` bytes: after the last word that fits, or else after the last character.
/// `None` if no safe position is known.
pub fn first_end(text: &str, max: usize) -> Option<usize> {
    if text.len() <= max {
        return Some(text.len());
    }
    let (mut words, mut characters) = (None, None);
    let mut before = Before::NOTHING;
    // A link that is cut in two is broken.
    let mut in_link = false;
    for (at, letter) in text.char_indices().take_while(|(at, _)| *at <= max) {
        in_link &= may_stand_in_link(letter);
        if before.may_cut(letter) {
            if !in_link {
                characters = Some(at);
            }
            if letter.is_whitespace() {
                words = Some(at);
            }
        }
        in_link |= begins_link(text, at);
        before = before.and(letter);
    }
    words.or(characters)
}

/// The length of the longest link in a text, in bytes.
pub fn longest_link(text: &str) -> usize {
    let (mut longest, mut start) = (0, None);
    for (at, letter) in text.char_indices() {
        if start.is_some() && !may_stand_in_link(letter) {
            start = None;
        }
        if start.is_none() && begins_link(text, at) {
            start = Some(at);
        }
        longest = longest.max(start.map_or(0, |start| at + letter.len_utf8() - start));
    }
    longest
}

fn begins_link(text: &str, at: usize) -> bool {
    if !matches!(text.as_bytes().get(at), Some(b'h' | b'H' | b'w' | b'W')) {
        return false;
    }
    ["https://", "http://", "www."].iter().any(|start| {
        let part = text.as_bytes().get(at..at + start.len());
        part.is_some_and(|part| part.eq_ignore_ascii_case(start.as_bytes()))
    })
}

/// Whether a character may continue a link. A link ends at whitespace, quotes, angle brackets, and characters of
/// scripts written without spaces.
fn may_stand_in_link(letter: char) -> bool {
    if letter.is_ascii_alphanumeric() {
        return true;
    }
    !letter.is_whitespace()
        && !matches!(letter, '"' | '<' | '>')
        && !matches!(u32::from(letter), 0xe00..=0xeff | 0x3000..=0x9fff | 0xac00..=0xd7a3 | 0xff00..=0xffef | 0x20000..=0x3ffff)
}

/// Cuts a text into messages of at most `max` bytes. Whitespace at the cuts is removed. `None` if a piece is too long
/// and has no safe position for a cut.
pub fn cut(text: &str, max: usize) -> Option<Vec<&str>> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (piece, behind) = rest.split_at_checked(first_end(rest, max)?)?;
        let blanks = piece.chars().rev().take_while(|letter| letter.is_whitespace()).map(char::len_utf8);
        let piece = piece.get(..piece.len() - blanks.sum::<usize>())?;
        if !piece.is_empty() {
            pieces.push(piece);
        }
        rest = without_blanks(behind);
    }
    Some(pieces)
}

/// A text without leading whitespace. Whitespace that the next character may extend is kept.
fn without_blanks(text: &str) -> &str {
    let mut rest = text;
    loop {
        let mut letters = rest.chars();
        let Some(blank) = letters.next().filter(|letter| letter.is_whitespace()) else {
            return rest;
        };
        let before = Before::NOTHING.and(blank);
        let behind = letters.as_str();
        match letters.next() {
            Some(next) if !before.may_cut(next) && blank != '\r' => return rest,
            _ => rest = behind,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use unicode_segmentation::GraphemeCursor;

    /// Contexts that may precede a code point.
    const CONTEXTS: &[&str] = &[
        "a",
        "1",
        "\u{301}",
        "a\u{301}",
        "\u{200d}",
        "❤\u{200d}",
        "👩\u{200d}",
        "👍",
        "🇩",
        "🇩🇪",
        "a🇩🇪🇩",
        "\u{600}",
        "\u{110bd}",
        "\u{d4e}",
        "\u{1100}",
        "\u{ac00}",
        "\u{11a8}",
        "क",
        "क\u{94d}",
        "कि\u{94d}\u{200d}",
        "क\u{93c}",
        "क\u{94d}\u{93f}",
        "ন\u{9cd}",
        "\r",
        "\n",
        " ",
        "\u{ad}",
        "ก",
        "文",
        "\u{fe0f}",
        "\u{1f3fd}",
    ];

    #[test]
    fn no_place_is_allowed_that_tears_a_character_apart() {
        let (mut allowed, mut text) = (0_u32, String::new());
        // The private and unassigned planes contain nothing that the rules cover.
        let everything = ('\0'..'\u{31000}').chain('\u{e0000}'..'\u{e1000}');
        for context in CONTEXTS {
            let before = context.chars().fold(Before::NOTHING, Before::and);
            for next in everything.clone().filter(|next| before.may_cut(*next)) {
                text.clear();
                text.push_str(context);
                text.push(next);
                allowed += 1;
                let mut cursor = GraphemeCursor::new(context.len(), text.len(), true);
                let is_boundary = cursor.is_boundary(&text, 0);
                assert_eq!(is_boundary, Ok(true), "{context:?} {next:?} {:x}", u32::from(next));
            }
        }
        assert!(allowed > 1_000_000);
    }

    #[test]
    fn every_script_in_wide_use_can_be_cut_without_blanks() {
        for text in [
            "abc",
            "жук",
            "文字化け",
            "한국어",
            "ไทยแลนด์",
            "नमस्ते",
            "مرحبا",
            "שלום",
            "👍👍🏽👩‍👩‍👧",
            "🇩🇪🇫🇷",
            "\u{1100}\u{1161}\u{11a8}",
        ] {
            let long = text.repeat(1000 / text.len() + 1);
            let pieces = cut(&long, 200).unwrap_or_default();
            assert_eq!(pieces.concat(), long, "{text}");
        }
    }

    #[test]
    fn an_emoji_of_many_code_points_is_one_character() {
        for one in ["❤️", "👍🏽", "👩‍👩‍👧‍👦", "🇩🇪", "1️⃣"] {
            assert!(is_one_character(one), "{one}");
        }
        for not_one in ["", "❤❤", "🇩🇪🇫🇷", "👍a"] {
            assert!(!is_one_character(not_one), "{not_one}");
        }
    }
}
