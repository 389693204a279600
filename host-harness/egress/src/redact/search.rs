//! Owns: finding known credentials in a text with one automaton, and redacting them.
//! Does not own: their spellings (`spellings`), which ones to search for (`known`, `capture`).

use std::ops::Range;

use aho_corasick::{
    Anchored, MatchKind,
    automaton::{Automaton as _, StateID},
    nfa::contiguous::NFA,
};
use harness_contract::HttpResponse;

use super::spellings::readings;
use crate::offload::GivenUp;

/// Replaces a credential.
pub const REDACTED: &str = "[redacted]";
/// Maximum size of a redacted text, in bytes.
const MAX_SHOWN: usize = 4 << 20;
/// Maximum length of a visible header name, in bytes.
const MAX_HEADER_NAME: usize = 64;
/// Letters between two cancellation checks.
const PIECE: usize = 4 << 10;

/// Redacts a response, which may repeat credentials.
pub(crate) fn redact(values: &[&Spellings], response: &mut HttpResponse, given_up: &GivenUp) {
    if let Some(body) = without(values, &response.body, given_up) {
        response.body = body;
    }
    response.headers.retain(|header| !values.iter().any(|values| values.named(&header.name)));
    for header in &mut response.headers {
        if let Some(value) = without(values, header.value.as_bytes(), given_up) {
            header.value = String::from_utf8_lossy(&value).into_owned();
        }
    }
}

/// The text without the values; `None` if it contains none.
pub(crate) fn without(values: &[&Spellings], text: &[u8], given_up: &GivenUp) -> Option<Vec<u8>> {
    // The longest value that begins at each byte. A list of all matches could be longer than the text.
    let mut lengths: Vec<u32> = Vec::new();
    for values in values {
        values.search(text, given_up, |place| {
            lengths.resize(text.len(), 0);
            if let Some(length) = lengths.get_mut(place.start) {
                *length = (*length).max(u32::try_from(place.len()).unwrap_or(u32::MAX));
            }
            false
        });
    }
    if lengths.is_empty() {
        return None;
    }
    let (mut shown, mut hidden_to) = (Vec::new(), 0);
    for (at, (byte, length)) in text.iter().zip(&lengths).enumerate() {
        if *length > 0 {
            if at >= hidden_to {
                shown.extend_from_slice(REDACTED.as_bytes());
            }
            hidden_to = hidden_to.max(at.saturating_add(usize::try_from(*length).unwrap_or(usize::MAX)));
        }
        if at >= hidden_to {
            shown.push(*byte);
        }
        if shown.len() > MAX_SHOWN.max(text.len()) {
            return Some(REDACTED.into());
        }
    }
    Some(shown)
}

/// Values to find in every spelling. The cost depends on the length of the text, not on the number of values or on
/// shared prefixes.
#[derive(Debug)]
pub(crate) struct Spellings {
    automaton: Automaton,
    longest: usize,
    /// Whether a value contains a space, which a form spells `+`.
    spaced: bool,
    /// Values short enough for a header name, in lower case.
    names: Vec<Vec<u8>>,
}

#[derive(Debug)]
enum Automaton {
    /// Nothing to find.
    Empty,
    Values(Box<NFA>),
    /// Too much for an automaton: nothing can be shown.
    TooLarge,
}

impl Spellings {
    pub(crate) fn of<'v>(values: impl IntoIterator<Item = &'v [u8]>) -> Self {
        let values: Vec<&[u8]> = values.into_iter().filter(|value| !value.is_empty()).collect();
        let automaton = if values.is_empty() {
            Automaton::Empty
        } else {
            let built = NFA::builder().match_kind(MatchKind::Standard).prefilter(false).dense_depth(1).build(&values);
            built.map_or(Automaton::TooLarge, |built| Automaton::Values(Box::new(built)))
        };
        let short = values.iter().filter(|value| value.len() <= MAX_HEADER_NAME);
        Self {
            automaton,
            longest: values.iter().map(|value| value.len()).max().unwrap_or(0),
            spaced: values.iter().any(|value| value.contains(&b' ')),
            names: short.map(|value| value.to_ascii_lowercase()).collect(),
        }
    }

    /// Whether a value occurs in a text. After cancellation, `true` to be safe.
    pub(crate) fn stand_in(&self, text: &[u8], given_up: &GivenUp) -> bool {
        let mut found = false;
        self.search(text, given_up, |_| {
            found = true;
            true
        });
        found
    }

    /// Whether a header name contains a value. Names arrive in lower case. Long or unusual names are treated as one.
    fn named(&self, name: &str) -> bool {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        let lower = name.to_ascii_lowercase();
        let holds = |value: &Vec<u8>| {
            value.len() <= lower.len() && memchr::memmem::find(lower.as_bytes(), value.as_slice()).is_some()
        };
        name.len() > MAX_HEADER_NAME || !name.bytes().all(plain) || self.names.iter().any(holds)
    }

    /// Passes every match to `found` until it has enough.
    fn search(&self, text: &[u8], given_up: &GivenUp, mut found: impl FnMut(Range<usize>) -> bool) {
        let automaton = match &self.automaton {
            Automaton::Empty => return,
            Automaton::Values(automaton) => automaton,
            Automaton::TooLarge => {
                found(0..text.len());
                return;
            }
        };
        let mut starts = vec![0; self.longest.max(1)];
        readings(text, self.spaced, |letters| {
            let Ok(start) = automaton.start_state(Anchored::No) else { return found(0..text.len()) };
            let mut state = start;
            for (at, letter) in letters.enumerate() {
                if at % PIECE == 0 && given_up.is_set() {
                    found(0..text.len());
                    return true;
                }
                let length = starts.len();
                if let Some(start) = starts.get_mut(at % length) {
                    *start = letter.from;
                }
                state = automaton.next_state(Anchored::No, state, letter.byte);
                if automaton.is_match(state)
                    && let Some(from) = began(automaton, state, at, &starts)
                    && found(from..letter.to)
                {
                    return true;
                }
            }
            false
        });
    }
}

/// The beginning of the longest value that ends at this letter. An automaton state lists it before shorter ones.
fn began(automaton: &NFA, state: StateID, at: usize, starts: &[usize]) -> Option<usize> {
    let length = automaton.pattern_len(automaton.match_pattern(state, 0));
    starts.get((at + 1).checked_sub(length)? % starts.len()).copied()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use harness_contract::Header;

    use super::*;

    fn shown(value: &str, body: &str) -> String {
        let mut response = HttpResponse { status: 200, headers: Vec::new(), body: body.into() };
        redact(&[&Spellings::of([value.as_bytes()])], &mut response, &GivenUp::default());
        String::from_utf8(response.body).unwrap()
    }

    #[test]
    fn a_credential_is_redacted_in_every_spelling_of_a_server() {
        for spelled in [
            "EAA|b/c d",
            "EAA%7Cb%2Fc%20d",
            "EAA%7cb%2fc+d",
            "%45%41%41%7C%62%2F%63%20%64",
            "EAA%257Cb%252Fc%2520d",
            r"\u0045\u0041A|b\/c d",
            r"EAA\u007cb\u002Fc\u0020d",
            r"\x45AA|b/c d",
            "&#69;AA&#x7c;b&#47;c d",
            // Nested escapes.
            r"\u0025\u0034\u0035AA\u00257cb\/c d",
            r"%5Cu0045AA%5Cu007cb%5C/c%20d",
            "EAA&amp;#124;b/c d",
            "EAA%26%23124%3Bb%2Fc+d",
        ] {
            assert_eq!(shown("EAA|b/c d", &format!("<{spelled}>")), "<[redacted]>", "{spelled}");
        }
        // The preceding characters matter: after decoding the outer escape, two of these signs are one.
        for before in [r"\\", r"\\\\\\", r"\%5C\%5C", "&amp;"] {
            let shown = shown("EAA|b/c d", &format!(r"<{before}%5Cu0045AA|b/c d>"));
            assert!(shown.ends_with("[redacted]>"), "{before}: {shown}");
        }
        assert_eq!(shown("EAA|b/c d", "EAA|b/c"), "EAA|b/c");
        assert_eq!(shown("EAAx", "EAAEAAx%45AA"), "EAA[redacted]%45AA");
    }

    #[test]
    fn a_credential_that_stands_in_the_replacement_ends_and_many_are_one_pass() {
        assert_eq!(shown("c", "abcabc"), "ab[redacted]ab[redacted]");
        assert_eq!(shown("token", &"token".repeat(200_000)).len(), 200_000 * REDACTED.len());
    }

    #[test]
    fn headers_are_searched_in_name_and_value() {
        let header = |name: &str, value: &str| Header { name: name.into(), value: value.into() };
        let headers = vec![header("x-eaab", "1"), header("location", "https://x/?t=EAA%42"), header("y", "z")];
        let mut response = HttpResponse { status: 200, headers, body: Vec::new() };
        redact(&[&Spellings::of([b"EAAB".as_slice()])], &mut response, &GivenUp::default());
        let shown: Vec<_> = response.headers.iter().map(|header| header.value.as_str()).collect();
        assert_eq!(shown, ["https://x/?t=[redacted]", "z"]);
    }

    #[test]
    fn a_value_that_holds_escapes_of_its_own_is_found_as_well() {
        for spelled in
            ["a%41\\b&c", "a%2541%5Cb%26c", r"a%41\\\\b\u0026c".replace(r"\\\\", r"\\").as_str(), "a%41\\b&amp;c"]
        {
            assert_eq!(shown("a%41\\b&c", spelled), REDACTED, "{spelled}");
        }
        assert_eq!(shown("schlüssel-wort", r"<schl\u00fcssel-wort>"), "<[redacted]>");
    }

    #[test]
    fn of_values_that_begin_or_end_alike_the_longest_is_redacted_whole() {
        let values = ["token-of-a", "token-of-a-neighbour", "of-a-neigh", "bour-too"];
        let values = Spellings::of(values.map(str::as_bytes));
        let shown = |text: &str| {
            without(&[&values], text.as_bytes(), &GivenUp::default()).map(|text| String::from_utf8(text).unwrap())
        };
        assert_eq!(shown("<token-of-a-neighbour>").unwrap(), "<[redacted]>");
        assert_eq!(shown("<token-of-a-neighbour-too>").unwrap(), "<[redacted]>");
        assert_eq!(shown("<token-of-b>"), None);
    }

    #[test]
    fn a_text_made_of_the_beginning_of_a_value_costs_what_any_text_costs() {
        // Any of a million letters could begin the value; trying each would take 16 billion steps.
        let value = format!("{}b", "a".repeat(16 << 10));
        let short = "a".repeat(12);
        let values = Spellings::of([value.as_bytes(), short.as_bytes()]);
        let text = "a".repeat(1 << 20);
        assert_eq!(without(&[&values], text.as_bytes(), &GivenUp::default()).unwrap(), REDACTED.as_bytes());
    }

    #[test]
    fn redacting_makes_no_answer_longer_than_an_answer_may_be() {
        assert_eq!(shown("x", &"xy".repeat(1 << 20)), REDACTED);
    }

    #[test]
    fn what_nobody_waits_for_any_more_is_not_searched_and_not_shown() {
        let given_up = GivenUp::default();
        drop(given_up.when_dropped());
        let values = Spellings::of([b"token".as_slice()]);
        assert_eq!(without(&[&values], b"a text without any", &given_up).unwrap(), REDACTED.as_bytes());
        assert!(values.stand_in(b"a text without any", &given_up));
    }
}
