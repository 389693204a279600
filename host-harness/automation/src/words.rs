//! Owns: comparing words: case and accents folded, whole words, and the language of a text.
//! Does not own: which words mean what (`settings`).

use icu_normalizer::DecomposingNormalizer;
use icu_properties::{CodePointMapData, props::GeneralCategory};

/// The longest text that is searched, in bytes.
const MAX_TEXT: usize = 16 << 10;
/// Languages by their two-letter codes, with the three letters of the detector.
const LANGUAGES: [(&str, &str); 63] = [
    ("af", "afr"),
    ("am", "amh"),
    ("ar", "ara"),
    ("az", "aze"),
    ("be", "bel"),
    ("bg", "bul"),
    ("bn", "ben"),
    ("ca", "cat"),
    ("cs", "ces"),
    ("cy", "cym"),
    ("da", "dan"),
    ("de", "deu"),
    ("el", "ell"),
    ("en", "eng"),
    ("eo", "epo"),
    ("es", "spa"),
    ("et", "est"),
    ("fa", "pes"),
    ("fi", "fin"),
    ("fr", "fra"),
    ("gu", "guj"),
    ("he", "heb"),
    ("hi", "hin"),
    ("hr", "hrv"),
    ("hu", "hun"),
    ("hy", "hye"),
    ("id", "ind"),
    ("it", "ita"),
    ("ja", "jpn"),
    ("jv", "jav"),
    ("ka", "kat"),
    ("km", "khm"),
    ("kn", "kan"),
    ("ko", "kor"),
    ("la", "lat"),
    ("lt", "lit"),
    ("lv", "lav"),
    ("mk", "mkd"),
    ("ml", "mal"),
    ("mr", "mar"),
    ("my", "mya"),
    ("nb", "nob"),
    ("ne", "nep"),
    ("nl", "nld"),
    ("or", "ori"),
    ("pa", "pan"),
    ("pl", "pol"),
    ("pt", "por"),
    ("ro", "ron"),
    ("ru", "rus"),
    ("si", "sin"),
    ("sk", "slk"),
    ("sl", "slv"),
    ("sr", "srp"),
    ("sv", "swe"),
    ("ta", "tam"),
    ("te", "tel"),
    ("th", "tha"),
    ("tr", "tur"),
    ("uk", "ukr"),
    ("ur", "urd"),
    ("vi", "vie"),
    ("zh", "cmn"),
];

/// A text, ready to be searched for words.
#[derive(Clone, Debug)]
pub(crate) struct Words {
    /// Folded words, each between spaces: ` i want a refund `.
    spaced: String,
    /// The folded text, for scripts that write without spaces.
    folded: String,
}

impl Words {
    pub(crate) fn of(text: &str) -> Self {
        let folded = fold(shortened(text));
        Self { spaced: spaced(&folded), folded }
    }

    /// Whether these words occur, one after another, as whole words. Scripts without spaces are searched for the letters.
    pub(crate) fn contain(&self, phrase: &str) -> bool {
        let folded = fold(phrase);
        let wanted = spaced(&folded);
        if wanted.trim().is_empty() {
            return false;
        }
        self.spaced.contains(&wanted)
            || folded.chars().any(writes_without_spaces) && self.folded.contains(folded.trim())
    }
}

/// Lower case, without accents.
fn fold(text: &str) -> String {
    let categories = CodePointMapData::<GeneralCategory>::new();
    let lower = text.to_lowercase();
    let decomposed = DecomposingNormalizer::new_nfkd().normalize(&lower).into_owned();
    decomposed
        .chars()
        .filter(|letter| categories.get(*letter) != GeneralCategory::NonspacingMark)
        .map(|letter| match letter {
            'ß' => "ss".to_owned(),
            'ı' => "i".to_owned(),
            'ø' => "o".to_owned(),
            'ł' => "l".to_owned(),
            other => other.to_string(),
        })
        .collect()
}

fn spaced(folded: &str) -> String {
    let mut spaced = String::with_capacity(folded.len().saturating_add(2));
    spaced.push(' ');
    // `don't` is one word, whichever apostrophe is written.
    for word in folded.split(|c: char| !(c.is_alphanumeric() || matches!(c, '\'' | '’'))) {
        let word: String = word.chars().filter(|c| c.is_alphanumeric()).collect();
        if !word.is_empty() {
            spaced.push_str(&word);
            spaced.push(' ');
        }
    }
    spaced
}

/// Chinese, Japanese, Thai, Lao, Khmer and Burmese are written without spaces between words.
fn writes_without_spaces(letter: char) -> bool {
    matches!(u32::from(letter), 0x0e00..=0x0eff | 0x1000..=0x109f | 0x1780..=0x17ff | 0x3040..=0x30ff | 0x3400..=0x9fff)
}

/// Whether this is the two-letter code of a language that is recognised.
pub(crate) fn is_language(code: &str) -> bool {
    LANGUAGES.iter().any(|(two, _)| *two == code)
}

/// The language of a text, as a two-letter code; `None` where it cannot be told.
pub(crate) fn language(text: &str) -> Option<&'static str> {
    let info = whatlang::detect(shortened(text))?;
    // Of a few letters nothing can be told, unless the script tells it.
    if !info.is_reliable() && text.chars().count() < 12 && info.script() == whatlang::Script::Latin {
        return None;
    }
    let code = info.lang().code();
    LANGUAGES.iter().find(|(_, three)| *three == code).map(|(two, _)| *two)
}

fn shortened(text: &str) -> &str {
    let end = (0..=MAX_TEXT.min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    text.get(..end).unwrap_or_default()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn a_keyword_is_a_whole_word_whatever_its_case_and_accents() {
        for (text, phrase, found) in [
            ("Ich möchte eine RÜCKGABE.", "ruckgabe", true),
            ("Rückgaberecht?", "rückgabe", false),
            ("where is my order", "order", true),
            ("reorder it", "order", false),
            ("a real  person, please", "Real Person", true),
            ("a person, real one", "real person", false),
            ("İADE istiyorum", "iade", true),
            ("Straße", "STRASSE", true),
            ("Don’t call me", "don't", true),
            ("退货可以吗", "退货", true),
            ("ปกติ คืนเงิน ได้ไหม", "คืนเงิน", true),
            ("", "order", false),
            ("order", " - ", false),
        ] {
            assert_eq!(Words::of(text).contain(phrase), found, "{phrase} in {text}");
        }
    }

    #[test]
    fn the_language_of_a_text_is_told_and_that_of_a_few_letters_is_not() {
        assert_eq!(language("Hallo, ich möchte wissen, wann meine Bestellung ankommt."), Some("de"));
        assert_eq!(language("Hello, could you tell me when my order will arrive?"), Some("en"));
        assert_eq!(language("Добрий день, коли прийде моє замовлення?"), Some("uk"));
        assert_eq!(language("ok"), None);
        assert!(LANGUAGES.iter().all(|(two, three)| whatlang::Lang::from_code(*three).is_some() && is_language(two)));
    }
}
