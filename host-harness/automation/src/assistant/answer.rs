//! Owns: reading the model's answer. It is text: nothing in it does anything.
//! Does not own: whether it is sent (`turn`).

use serde::Deserialize;

/// The longest answer that is sent, in characters.
const MAX_ANSWER: usize = 8_000;
/// The longest summary, in characters.
const MAX_SUMMARY: usize = 1_000;

/// The model's answer.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Said {
    /// For the customer; empty where a person is asked at once.
    pub(crate) answer: String,
    /// From 0 to 1.
    pub(crate) confidence: f64,
    /// A person has to take over.
    pub(crate) hand_over: bool,
    /// For that person.
    pub(crate) summary: String,
}

#[derive(Deserialize)]
struct Form {
    #[serde(default)]
    answer: String,
    confidence: f64,
    #[serde(default)]
    hand_over: bool,
    #[serde(default)]
    summary: String,
}

/// Reads an answer; `None` if it is not in the form that was asked for.
pub(crate) fn read(text: &str) -> Option<Said> {
    // Some models wrap the object in a block of code.
    let (start, end) = (text.find('{')?, text.rfind('}')?);
    let form: Form = serde_json::from_str(text.get(start..=end)?).ok()?;
    if !(0.0..=1.0).contains(&form.confidence) {
        return None;
    }
    let answer = plain(&form.answer, usize::MAX);
    if answer.chars().count() > MAX_ANSWER || answer.is_empty() && !form.hand_over {
        return None;
    }
    let summary = plain(&form.summary, MAX_SUMMARY);
    Some(Said { answer, confidence: form.confidence, hand_over: form.hand_over, summary })
}

/// Without control characters, and without those that turn the direction of what follows.
fn plain(text: &str, most: usize) -> String {
    let shown = |letter: &char| {
        *letter == '\n' || !letter.is_control() && !matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.trim().chars().filter(shown).take(most).collect::<String>().trim().to_owned()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn an_answer_that_is_not_in_its_form_is_none() {
        for nonsense in [
            "",
            "Sure!",
            "{}",
            "{\"answer\": \"yes\"}",
            "{\"answer\": \"\", \"confidence\": 1}",
            "{\"answer\": \"\\u0000\\u202e\", \"confidence\": 1}",
            "{\"answer\": \"yes\", \"confidence\": 2}",
            "{\"answer\": \"yes\", \"confidence\": \"high\"}",
            "{\"answer\": [\"yes\"], \"confidence\": 1}",
            "}{",
        ] {
            assert_eq!(read(nonsense), None, "{nonsense}");
        }
        let said =
            read("```json\n{\"answer\": \" Yes\\u202e. \", \"confidence\": 0.9, \"tool\": \"rm\"}\n```").unwrap();
        assert_eq!((&*said.answer, said.confidence, said.hand_over), ("Yes.", 0.9, false));
        assert!(read("{\"confidence\": 0, \"hand_over\": true, \"summary\": \"refund\"}").unwrap().hand_over);
    }
}
