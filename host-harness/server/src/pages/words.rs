//! Owns: the catalogue of the interface's words: every sentence of the pages, how numbers and plurals get into them, and
//! the artificial language that proves that no page depends on English.
//! Does not own: sentences of channels and platforms, which come with what they describe.
//!
//! `{name}` in a sentence is filled in; `{n|one|other}` chooses by the number `n`. A module for each group of pages.

use std::sync::OnceLock;

macro_rules! words {
    ($(#[$about:meta])* $name:ident { $($part:ident: $kind:ty,)* } $($key:ident = $text:literal;)*) => {
        $(#[$about])*
        pub(crate) struct $name {
            $(pub(crate) $part: $kind,)*
            $(pub(crate) $key: std::borrow::Cow<'static, str>,)*
        }

        impl $name {
            pub(super) const ENGLISH: Self = Self {
                $($part: <$kind>::ENGLISH,)*
                $($key: std::borrow::Cow::Borrowed($text),)*
            };

            pub(super) fn artificial() -> Self {
                Self {
                    $($part: <$kind>::artificial(),)*
                    $($key: std::borrow::Cow::Owned(super::stretched($text)),)*
                }
            }
        }
    };
}

mod bot;
mod catalogue;
mod composer;
mod connecting;
mod demo;
mod find;
mod plugins;
mod settings;

pub(crate) use self::catalogue::Words;

/// A language, as HTML names it.
pub(crate) struct Language {
    /// For `lang`.
    pub(crate) tag: &'static str,
    /// The direction of writing, for `dir`.
    pub(crate) direction: &'static str,
}

impl Language {
    const ENGLISH: Self = Self { tag: "en", direction: "ltr" };

    fn artificial() -> Self {
        Self { tag: "en-x-qps", direction: "rtl" }
    }
}

impl Words {
    /// The catalogue for a language's tag; English where there is none.
    pub(crate) fn of(tag: &str) -> &'static Self {
        static ENGLISH: OnceLock<Words> = OnceLock::new();
        static ARTIFICIAL: OnceLock<Words> = OnceLock::new();
        match tag {
            "qps" => ARTIFICIAL.get_or_init(Self::artificial),
            _ => ENGLISH.get_or_init(|| Self::ENGLISH),
        }
    }
}

/// Fills a sentence in: `{name}` with a value, `{name|one|other}` with the form that fits the number.
pub(crate) fn fill(sentence: &str, values: &[(&str, &str)]) -> String {
    let mut filled = String::with_capacity(sentence.len() + 16);
    let mut rest = sentence;
    while let Some((before, after)) = rest.split_once('{') {
        filled.push_str(before);
        let Some((slot, after)) = after.split_once('}') else {
            rest = after;
            continue;
        };
        let mut slot = slot.split('|');
        let name = slot.next().unwrap_or_default();
        let value = values.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| *value);
        match (slot.next(), slot.next()) {
            (Some(one), Some(other)) => filled.push_str(if value == "1" { one } else { other }),
            _ => filled.push_str(value),
        }
        rest = after;
    }
    filled.push_str(rest);
    filled
}

/// A sentence with a number in it.
pub(crate) fn count(sentence: &str, n: impl ToString) -> String {
    fill(sentence, &[("n", &n.to_string())])
}

/// An English sentence in the artificial language: half as long again, its letters with marks, its slots as they were.
fn stretched(text: &str) -> String {
    let mut stretched = String::with_capacity(text.len() * 2);
    let mut depth = 0_usize;
    let mut letters = 0_usize;
    for c in text.chars() {
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        let marked = match c {
            _ if depth > 0 => c,
            'a' => 'á',
            'e' => 'é',
            'i' => 'í',
            'o' => 'ö',
            'u' => 'ü',
            'n' => 'ñ',
            'c' => 'ç',
            's' => 'š',
            c => c,
        };
        letters += usize::from(depth == 0 && c.is_alphabetic());
        stretched.push(marked);
    }
    for at in 0..letters / 2 {
        stretched.push(if at % 6 == 0 { ' ' } else { '~' });
    }
    stretched
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_choose_their_word() {
        assert_eq!(count(&Words::of("en").photos, 1), "1 photo");
        assert_eq!(count(&Words::of("en").photos, 3), "3 photos");
        assert_eq!(count(&Words::of("en").things_to_fix, 0), "0 things to fix");
    }

    #[test]
    fn what_is_filled_in_is_not_filled_in_again() {
        assert_eq!(fill("{a} and {b}", &[("a", "{b}"), ("b", "x")]), "{b} and x");
        assert_eq!(fill("open { end", &[]), "open  end");
    }

    #[test]
    fn the_artificial_language_keeps_the_slots() {
        let words = Words::of("qps");
        assert_eq!((words.language.tag, words.language.direction), ("en-x-qps", "rtl"));
        assert!(words.counter.contains("{used}") && words.counter.contains("{max}"), "{}", words.counter);
        assert!(words.inbox.chars().count() > Words::of("en").inbox.chars().count());
    }
}
