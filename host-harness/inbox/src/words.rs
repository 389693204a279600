//! Owns: the words of a text as the search knows them: without case and accents, in every script; and where a text has
//! the words that somebody looks for.
//! Does not own: the index (`sqlite`).
//!
//! Scripts with spaces are cut at what is neither letter nor digit, and a word is found by its first three letters or
//! more. Scripts without spaces (Chinese, Japanese, Thai, Lao, Khmer, Burmese) are cut into single characters and
//! overlapping pairs: their words are mostly of two, so that triples would not find them, and a dictionary would have to
//! be kept for each.
//!
//! The index holds marks instead of words: keyed digests of their beginnings. SQLite zeroes what is deleted, but leaves
//! copies of rows that it moved between pages, so readable words of a message that was unsent could stay in the file. A
//! mark finds a few texts too many; whoever asks compares the text itself ([`Terms::highlights`]).

use std::{
    collections::BTreeSet,
    fmt::{self, Write as _},
};

use icu_normalizer::DecomposingNormalizerBorrowed;
use sha2::{Digest as _, Sha256};

use crate::model::Highlight;

/// The characters of a text that are indexed; what is behind them is not found.
const MAX_TEXT: usize = 10_000;
/// The longest word, in characters; longer ones are cut.
const MAX_WORD: usize = 48;
/// The beginnings of a word that have a mark, in characters. A shorter word has one as a whole.
const BEGINNINGS: [usize; 3] = [3, 5, 8];
/// The most words of a query; further ones are ignored.
const MAX_TERMS: usize = 8;
/// The most places that are marked in a text.
const MAX_HIGHLIGHTS: usize = 100;

/// How the words of a script are told apart.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Script {
    /// By spaces.
    Spaced,
    /// They are not.
    Unspaced,
}

/// The script of a folded character; `None` for what is between words.
fn script(c: char) -> Option<Script> {
    match c {
        '\u{e00}'..='\u{eff}'
        | '\u{1000}'..='\u{109f}'
        | '\u{1780}'..='\u{17ff}'
        | '\u{3005}'
        | '\u{3041}'..='\u{3096}'
        | '\u{30a1}'..='\u{30ff}'
        | '\u{31f0}'..='\u{31ff}'
        | '\u{3400}'..='\u{9fff}'
        | '\u{f900}'..='\u{faff}'
        | '\u{20000}'..='\u{3ffff}' => Some(Script::Unspaced),
        // Korean has spaces, but its words are of two characters, with endings.
        '\u{ac00}'..='\u{d7a3}' => Some(Script::Unspaced),
        // Vowel signs of Indian scripts are marks and belong to their words.
        c if c.is_alphanumeric() || is_mark(c) => Some(Script::Spaced),
        _ => None,
    }
}

/// The marks of the scripts whose words would fall apart without them.
fn is_mark(c: char) -> bool {
    matches!(c, '\u{900}'..='\u{dff}' | '\u{f71}'..='\u{f84}' | '\u{1b00}'..='\u{1b7f}')
}

/// An accent, or a vowel that Arabic and Hebrew mostly leave out.
fn is_left_out(c: char) -> bool {
    matches!(
        c,
        '\u{300}'..='\u{36f}' | '\u{591}'..='\u{5c7}' | '\u{610}'..='\u{61a}' | '\u{64b}'..='\u{65f}' | '\u{670}'
            | '\u{3099}' | '\u{309a}' | '\u{200b}'..='\u{200f}' | '\u{ad}' | '\u{640}'
    )
}

/// A folded character, and the place of the character that it comes from.
#[derive(Clone, Copy)]
struct Folded {
    c: char,
    from: usize,
}

/// A text without case, accents and variants.
fn fold(text: &str) -> Vec<Folded> {
    let decomposer = DecomposingNormalizerBorrowed::new_nfkd();
    let mut folded = Vec::with_capacity(text.len().min(MAX_TEXT));
    for (from, c) in text.chars().take(MAX_TEXT).enumerate() {
        let mut push = |c: char| folded.push(Folded { c, from });
        match c {
            c if c.is_ascii() => push(c.to_ascii_lowercase()),
            'ß' | 'ẞ' => "ss".chars().for_each(push),
            'æ' | 'Æ' => "ae".chars().for_each(push),
            'œ' | 'Œ' => "oe".chars().for_each(push),
            'ø' | 'Ø' => push('o'),
            'ł' | 'Ł' => push('l'),
            'đ' | 'Đ' | 'ð' | 'Ð' => push('d'),
            'þ' | 'Þ' => "th".chars().for_each(push),
            'ı' | 'İ' => push('i'),
            'ς' => push('σ'),
            // Their parts are letters of their own.
            '\u{ac00}'..='\u{d7a3}' | '\u{3041}'..='\u{30ff}' => push(c),
            c => decomposer
                .normalize_iter(std::iter::once(c))
                .filter(|c| !is_left_out(*c))
                .flat_map(char::to_lowercase)
                .for_each(push),
        }
    }
    folded
}

/// A run of characters of one kind.
struct Run<'a> {
    script: Script,
    letters: &'a [Folded],
}

fn runs(folded: &[Folded]) -> impl Iterator<Item = Run<'_>> {
    folded
        .chunk_by(|one, next| script(one.c) == script(next.c))
        .filter_map(|letters| Some(Run { script: script(letters.first()?.c)?, letters }))
}

/// The key of an index's marks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MarkKey(pub(crate) [u8; 16]);

impl MarkKey {
    /// The mark of a word, or of its beginning.
    fn mark(&self, word: &[char]) -> Mark {
        let mut digest = Sha256::new().chain_update(self.0);
        word.iter().for_each(|letter| digest.update(letter.encode_utf8(&mut [0; 4])));
        let mut mark = Mark::default();
        mark.0.iter_mut().zip(digest.finalize()).for_each(|(of_mark, byte)| *of_mark = byte & 31);
        mark
    }
}

/// A mark: 30 bits, shown as letters and digits.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
struct Mark([u8; 6]);

impl fmt::Display for Mark {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        const LETTERS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
        let letters = self.0.iter().filter_map(|bits| LETTERS.get(usize::from(*bits)));
        letters.into_iter().try_for_each(|letter| to.write_char(char::from(*letter)))
    }
}

/// The marks of a run: all that it can be found by.
fn marks_of(key: &MarkKey, script: Script, letters: &[char], marks: &mut BTreeSet<Mark>) {
    match script {
        Script::Spaced => {
            let beginnings = BEGINNINGS.iter().filter_map(|length| letters.get(..*length));
            marks.extend(beginnings.map(|beginning| key.mark(beginning)));
            if letters.len() < BEGINNINGS.into_iter().min().unwrap_or(0) {
                marks.insert(key.mark(letters));
            }
        }
        Script::Unspaced => {
            marks.extend(letters.windows(2).map(|pair| key.mark(pair)));
            marks.extend(letters.chunks(1).map(|one| key.mark(one)));
        }
    }
}

/// The marks of a text with spaces between them, for the index; empty if it has no words.
pub(crate) fn marks(key: &MarkKey, text: &str) -> String {
    let (folded, mut marks) = (fold(text), BTreeSet::new());
    for Run { script, letters } in runs(&folded) {
        let letters: Vec<char> = letters.iter().map(|folded| folded.c).collect();
        marks_of(key, script, &letters, &mut marks);
    }
    let mut joined = String::with_capacity(marks.len() * 7);
    for mark in marks {
        let separator = if joined.is_empty() { "" } else { " " };
        let _ = write!(joined, "{separator}{mark}");
    }
    joined
}

/// The words that somebody looks for: a text has to have all of them.
pub(crate) struct Terms(Vec<(Script, Vec<char>)>);

impl Terms {
    pub(crate) fn of(query: &str) -> Self {
        let folded = fold(query);
        let terms = runs(&folded)
            .map(|Run { script, letters }| (script, letters.iter().take(MAX_WORD).map(|folded| folded.c).collect()));
        Self(terms.take(MAX_TERMS).collect())
    }

    /// The expression for FTS5, with a further mark that a row has to have; `None` if there is no word.
    pub(crate) fn expression(&self, key: &MarkKey, scope: Option<&str>) -> Option<String> {
        let mut wanted = BTreeSet::new();
        for (script, letters) in &self.0 {
            match script {
                // The longest beginning says the most.
                Script::Spaced => {
                    let beginning = BEGINNINGS.iter().rev().find_map(|length| letters.get(..*length));
                    wanted.insert(key.mark(beginning.unwrap_or(letters)));
                }
                Script::Unspaced if letters.len() == 1 => {
                    wanted.insert(key.mark(letters));
                }
                Script::Unspaced => wanted.extend(letters.windows(2).map(|pair| key.mark(pair))),
            }
        }
        if wanted.is_empty() {
            return None;
        }
        // Marks are letters and digits, so that nothing in them can end the quotes.
        let marks =
            wanted.iter().map(Mark::to_string).chain(scope.map(str::to_owned)).map(|mark| format!("\"{mark}\""));
        Some(marks.collect::<Vec<_>>().join(" AND "))
    }

    /// Whether a text has all of these words.
    pub(crate) fn are_in(&self, text: &str) -> bool {
        // Most texts and words need no folding but of their case, and a list looks at hundreds of texts.
        if text.is_ascii() && text.len() <= MAX_TEXT {
            return self.0.iter().all(|(_, letters)| is_in_ascii(text, letters));
        }
        let folded = fold(text);
        self.0.iter().all(|(script, letters)| places(&folded, *script, letters).next().is_some())
    }

    /// Where a text has these words, in its order, without overlaps.
    pub(crate) fn highlights(&self, text: &str) -> Vec<Highlight> {
        let folded = fold(text);
        let mut found: Vec<Highlight> = Vec::new();
        for (script, letters) in &self.0 {
            found.extend(places(&folded, *script, letters));
        }
        found.sort_by_key(|one| (one.start, one.end));
        let mut merged: Vec<Highlight> = Vec::new();
        for one in found {
            match merged.last_mut() {
                Some(last) if one.start < last.end => last.end = last.end.max(one.end),
                _ => merged.push(one),
            }
        }
        merged.truncate(MAX_HIGHLIGHTS);
        merged
    }
}

/// Whether a word of an ASCII text begins with these folded letters, or is these, if they are few.
fn is_in_ascii(text: &str, letters: &[char]) -> bool {
    let whole = letters.len() < BEGINNINGS.into_iter().min().unwrap_or(0);
    text.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| {
        (if whole { word.len() == letters.len() } else { word.len() >= letters.len() })
            && word.chars().zip(letters).all(|(c, letter)| c.to_ascii_lowercase() == *letter)
    })
}

/// Where a folded text has a word: at the beginning of one of its own, if the script has spaces.
fn places<'a>(folded: &'a [Folded], of: Script, letters: &'a [char]) -> impl Iterator<Item = Highlight> + 'a {
    let joined = |at: usize| folded.get(at).is_some_and(|folded| script(folded.c) == Some(Script::Spaced));
    let windows = folded.windows(letters.len().max(1)).enumerate();
    windows.filter_map(move |(at, window)| {
        if !window.iter().map(|folded| folded.c).eq(letters.iter().copied()) {
            return None;
        }
        let begins = at == 0 || !joined(at - 1);
        let whole = letters.len() >= BEGINNINGS.into_iter().min().unwrap_or(0) || !joined(at + letters.len());
        let here = of == Script::Unspaced || (begins && whole);
        let (first, last) = (window.first()?, window.last()?);
        here.then_some(Highlight { start: first.from, end: last.from + 1 })
    })
}

#[cfg(test)]
#[allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    const KEY: MarkKey = MarkKey([7; 16]);

    #[test]
    fn words_have_neither_case_nor_accents_in_any_script() {
        for (text, expected) in [
            ("Grüße, ÉCLAIR & Straße!", "grusse eclair strasse"),
            ("Łódź İstanbul smørrebrød", "lodz istanbul smorrebrod"),
            ("ΟΔΥΣΣΕΎΣ Ёлка", "οδυσσευσ елка"),
            ("ﬁne ＡＢＣ x²", "fine abc x2"),
            ("مُحَمَّد שָׁלוֹם", "محمد שלום"),
            ("नमस्ते दुनिया", "नमस्ते दुनिया"),
            ("서울에서 만나요", "서울에서 만나요"),
            ("注文ABC番号7", "注文 abc 番号 7"),
            ("\"a\" OR (b) NEAR* \u{0}c", "a or b near c"),
            ("👍 … —", ""),
        ] {
            let folded = fold(text);
            let word = |run: Run<'_>| String::from_iter(run.letters.iter().map(|folded| folded.c));
            assert_eq!(runs(&folded).map(word).collect::<Vec<_>>().join(" "), expected, "{text}");
        }
    }

    #[test]
    fn marks_tell_no_words_and_are_few() {
        assert_eq!(
            marks(&KEY, "Internationalisation of it").split(' ').count(),
            5,
            "three beginnings, two short words"
        );
        assert_eq!(marks(&KEY, "東京都東京都").split(' ').count(), 6, "each once: three pairs, three characters");
        assert!(!marks(&KEY, "secretive").contains("sec") && marks(&KEY, "👍").is_empty());
        assert_ne!(marks(&KEY, "word"), marks(&MarkKey([8; 16]), "word"), "another inbox has others");
        assert!(marks(&KEY, &"字".repeat(99_999)).len() < 99);
    }

    #[test]
    fn a_query_is_words_whatever_is_typed() {
        let mark = |word: &str| KEY.mark(&word.chars().collect::<Vec<_>>()).to_string();
        let expression = |query: &str| Terms::of(query).expression(&KEY, Some("w1"));
        let mut both = [mark("gruss"), mark("x")];
        both.sort();
        assert_eq!(expression("Grüßen x").unwrap(), format!("\"{}\" AND \"{}\" AND \"w1\"", both[0], both[1]));
        assert_eq!(expression("京").unwrap(), format!("\"{}\" AND \"w1\"", mark("京")));
        assert_eq!(expression("\" OR w2 NOT *").unwrap().matches("\"w1\"").count(), 1);
        assert_eq!(expression(" \"'*()- "), None);
    }

    #[test]
    fn a_text_without_accents_is_searched_like_any_other() {
        let texts = ["Order AB1234567, blue.", "re-order", "a banana, an apple", "reorder x", "", "bluebell_9 lo"];
        for query in
            ["order", "ORD", "ab", "ab12345", "a", "an", "lo", "blue", "bluebells", "ban app", "9", "order blue", "京"]
        {
            for text in texts {
                let folded = Terms::of(query).are_in(&format!("{text} é"));
                assert_eq!(Terms::of(query).are_in(text), folded, "{query} in {text}");
            }
        }
    }

    #[test]
    fn what_is_marked_is_what_was_found() {
        let marked = |query: &str, text: &str| {
            let letters: Vec<char> = text.chars().collect();
            let cut = |one: &Highlight| String::from_iter(&letters[one.start..one.end]);
            Terms::of(query).highlights(text).iter().map(cut).collect::<Vec<_>>()
        };
        assert_eq!(marked("strasse gru", "Grüße aus der Straße, ungrün"), ["Grü", "Straße"]);
        assert_eq!(marked("京都", "東京都と京都"), ["京都", "京都"]);
        assert_eq!(marked("a", "a banana, a"), ["a", "a"]);
        assert_eq!(marked("ban bana", "banana"), ["bana"]);
        assert!(Terms::of("ban aus").are_in("aus Banane") && !Terms::of("nan aus").are_in("aus Banane"));
        assert!(marked("x", "👍").is_empty());
    }
}
