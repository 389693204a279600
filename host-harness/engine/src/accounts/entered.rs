//! Owns: the fields that a channel asks a person to fill in, and the values typed in: validation with sentences for the
//! person, and the split into credentials and settings.
//! Does not own: where credentials are stored, pages.

use std::collections::{BTreeMap, BTreeSet};

use harness_contract::{
    InputField, Setting, SettingValue,
    manifest::{Slot, SlotScope},
};
use url::Url;

use crate::error::ConnectError;
use harness_egress::credentials::Secret;

/// Maximum number of fields in one step, and of choices in one field.
const MAX_FIELDS: usize = 24;
const MAX_CHOICES: usize = 200;
/// Maximum size of a key, a label, a hint and a choice, in bytes.
const MAX_KEY: usize = 64;
const MAX_LABEL: usize = 200;
const MAX_HINT: usize = 1000;
/// Maximum size of the value of one field, in bytes.
const MAX_LINE: usize = 1000;
const MAX_TEXT: usize = 8 << 10;

/// The values typed in, by field key. All are handled as secrets, because only the channel knows which ones are.
pub type Typed = BTreeMap<String, Secret>;

/// A sentence for each invalid field, by field key.
pub type Problems = BTreeMap<String, String>;

/// The validated values.
pub(super) struct Checked {
    /// Passed to the channel.
    pub(super) settings: Vec<Setting>,
    /// Stored in the slots, hidden from the channel.
    pub(super) secrets: Vec<(String, Secret)>,
}

/// Checks the fields that a channel asks for. Each secret field must name a slot from the manifest.
pub(super) fn asked(slots: &BTreeMap<String, Slot>, fields: Vec<InputField>) -> Result<Vec<InputField>, ConnectError> {
    let keys: BTreeSet<&str> = fields.iter().map(|field| field.key.as_str()).collect();
    if fields.is_empty() || fields.len() > MAX_FIELDS || keys.len() < fields.len() {
        return Err(ConnectError::WrongStep);
    }
    for field in &fields {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        let named = (1..=MAX_KEY).contains(&field.key.len()) && field.key.bytes().all(fits);
        let said = (1..=MAX_LABEL).contains(&field.label.len())
            && field.hint.as_ref().is_none_or(|hint| hint.len() <= MAX_HINT)
            && field.one_of.len() <= MAX_CHOICES
            && field.one_of.iter().all(|choice| (1..=MAX_LABEL).contains(&choice.len()));
        if !named || !said || (field.kind == "choice" && field.one_of.is_empty()) {
            return Err(ConnectError::WrongStep);
        }
        // The operator fills the channel's own slots. A field that is not secret must not name a slot.
        let slot = slots.get(&field.key);
        let declared = slot.is_some_and(|slot| matches!(slot.scope, SlotScope::Account | SlotScope::Connect));
        if field.secret != declared || (!field.secret && slot.is_some()) {
            tracing::warn!(
                key = field.key,
                "a channel asks for a field whose slot its manifest does not declare, or for a slot as no secret"
            );
            return Err(ConnectError::UndeclaredSecret);
        }
    }
    let without_secrets = |field: InputField| match field.secret {
        true => InputField { default: None, ..field },
        false => field,
    };
    Ok(fields.into_iter().map(without_secrets).collect())
}

/// Validates the values typed in against the fields.
pub(super) fn check(fields: &[InputField], typed: &Typed) -> Result<Checked, Problems> {
    let mut problems = Problems::new();
    for key in typed.keys().filter(|key| fields.iter().all(|field| field.key != **key)) {
        problems.insert(key.clone(), "This was not asked for.".to_owned());
    }
    let mut checked = Checked { settings: Vec::new(), secrets: Vec::new() };
    for field in fields {
        let text = typed.get(&field.key).map(Secret::expose).unwrap_or_default();
        match value(field, text) {
            Ok(SettingValue::Text(text)) if field.secret => {
                checked.secrets.push((field.key.clone(), Secret::new(text.into_bytes())));
            }
            Ok(SettingValue::Number(number)) if field.secret => {
                checked.secrets.push((field.key.clone(), Secret::new(number.to_string().into_bytes())));
            }
            Ok(value) => checked.settings.push(Setting { key: field.key.clone(), value }),
            Err(sentence) => {
                problems.insert(field.key.clone(), sentence);
            }
        }
    }
    if problems.is_empty() { Ok(checked) } else { Err(problems) }
}

/// Parses a value by the field's kind. `Err`: the sentence for the person.
fn value(field: &InputField, text: &[u8]) -> Result<SettingValue, String> {
    let said = |sentence: &str| Err(sentence.to_owned());
    let Ok(text) = std::str::from_utf8(text) else { return said("This is no text.") };
    let long = field.kind == "long_text";
    // Browsers submit line breaks as CRLF.
    let text = if long { text.replace("\r\n", "\n") } else { text.trim().to_owned() };
    if text.trim().is_empty() {
        return field.default.clone().ok_or_else(|| "Fill this in.".to_owned());
    }
    let most = if long { MAX_TEXT } else { MAX_LINE };
    if text.len() > most {
        return Err(format!("This is too long: at most {most} characters."));
    }
    if text.chars().any(|c| c.is_control() && !(long && matches!(c, '\n' | '\t'))) {
        return said("This holds characters that cannot be typed. Type it in again.");
    }
    let fits = match field.kind.as_str() {
        "number" => {
            let number = text.parse().map(SettingValue::Number);
            return number.map_err(|_| "Write a whole number, such as 42.".to_owned());
        }
        "phone" => {
            let digits = text.bytes().filter(u8::is_ascii_digit).count();
            let rest = text.strip_prefix('+').unwrap_or(&text);
            let plain = |c: char| c.is_ascii_digit() || " -()./".contains(c);
            ((5..=15).contains(&digits) && rest.chars().all(plain))
                .then_some(())
                .ok_or("Write a phone number with its country code, such as +49 30 123456.")
        }
        "email" => {
            let parts = text.split_once('@');
            let plain = |part: &str| !part.is_empty() && !part.contains(['@', ' ', ',', ';', '<', '>']);
            parts
                .filter(|(name, host)| plain(name) && plain(host) && host.contains('.') && !host.ends_with('.'))
                .map(|_| ())
                .ok_or("Write an e-mail address, such as name@example.com.")
        }
        "url" => Url::parse(&text)
            .ok()
            .filter(|url| ["http", "https"].contains(&url.scheme()) && url.host().is_some())
            .map(|_| ())
            .ok_or("Write a whole address, such as https://example.com."),
        "code" => (!text.contains(char::is_whitespace))
            .then_some(())
            .ok_or("Write the code without blanks between its letters."),
        "choice" => field.one_of.contains(&text).then_some(()).ok_or("Choose one of the list."),
        // A kind unknown to this host is treated as text.
        _ => Ok(()),
    };
    fits.map_err(str::to_owned)?;
    Ok(SettingValue::Text(text))
}

/// The same fields, with the values already typed in, except secrets.
pub(super) fn kept(fields: Vec<InputField>, settings: &[Setting]) -> Vec<InputField> {
    let keep = |field: InputField| match settings.iter().find(|setting| setting.key == field.key) {
        Some(setting) => InputField { default: Some(setting.value.clone()), ..field },
        None => field,
    };
    fields.into_iter().map(keep).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    fn field(kind: &str, secret: bool) -> InputField {
        let one_of = if kind == "choice" { vec!["eu".to_owned(), "us".to_owned()] } else { Vec::new() };
        InputField {
            key: "key".into(),
            label: "Label".into(),
            hint: None,
            secret,
            kind: kind.into(),
            one_of,
            default: None,
        }
    }

    fn typed(field: &InputField, text: &str) -> Result<SettingValue, String> {
        value(field, text.as_bytes())
    }

    #[test]
    fn what_is_typed_into_a_field_is_of_its_kind() {
        for (kind, good, bad) in [
            ("text", vec!["a", " a b "], vec!["", "  ", "a\u{7}b", "a\nb"]),
            ("long_text", vec!["a\r\nb"], vec!["\n", "a\0"]),
            ("phone", vec!["+49 30 123456", "(030) 12-34"], vec!["12", "+49 30 x", "1234567890123456", "49+30123"]),
            ("email", vec!["a@example.com"], vec!["a", "@example.com", "a@b", "a b@example.com", "a@b@example.com"]),
            ("url", vec!["https://example.com/x"], vec!["example.com", "ftp://example.com", "javascript:alert(1)"]),
            ("number", vec!["42", "-1"], vec!["4.2", "many", "99999999999999999999"]),
            ("code", vec!["123456", "AB-12"], vec!["12 34"]),
            ("choice", vec!["eu"], vec!["asia"]),
            ("color", vec!["#fff"], vec![""]),
        ] {
            for text in good {
                assert!(typed(&field(kind, false), text).is_ok(), "{kind}: {text:?}");
            }
            for text in bad {
                assert!(typed(&field(kind, false), text).is_err(), "{kind}: {text:?}");
            }
        }
        assert_eq!(typed(&field("number", false), "42"), Ok(SettingValue::Number(42)));
        let optional = InputField { default: Some(SettingValue::Text(String::new())), ..field("text", false) };
        assert_eq!(typed(&optional, " "), Ok(SettingValue::Text(String::new())));
    }

    #[test]
    fn a_secret_goes_into_a_slot_of_its_own_and_a_setting_into_none() {
        let slot = |scope| Slot {
            scope,
            allowed_in: Vec::new(),
            hosts: Vec::new(),
            derived: Vec::new(),
            captured_from: Vec::new(),
            generated: false,
            description: String::new(),
        };
        let with = |scope| BTreeMap::from([("key".to_owned(), slot(scope))]);
        let ask = |slots: &BTreeMap<String, Slot>, secret| asked(slots, vec![field("text", secret)]).map(|_| ());
        assert_eq!(ask(&with(SlotScope::Account), true), Ok(()));
        assert_eq!(ask(&with(SlotScope::Connect), true), Ok(()));
        assert_eq!(ask(&BTreeMap::new(), false), Ok(()));
        for (slots, secret) in [
            (with(SlotScope::App), true),
            (BTreeMap::new(), true),
            (with(SlotScope::Account), false),
            (with(SlotScope::App), false),
        ] {
            assert_eq!(ask(&slots, secret), Err(ConnectError::UndeclaredSecret));
        }
        for odd in [
            vec![],
            vec![field("text", false), field("text", false)],
            vec![InputField { key: "a b".into(), ..field("text", false) }],
            vec![InputField { label: String::new(), ..field("text", false) }],
            vec![InputField { one_of: Vec::new(), ..field("choice", false) }],
        ] {
            assert_eq!(asked(&BTreeMap::new(), odd).map(|_| ()), Err(ConnectError::WrongStep));
        }
        let checked = check(&[field("text", true)], &Typed::from([("key".to_owned(), Secret::new(b" s ".to_vec()))]));
        let checked = checked.unwrap_or_else(|problems| panic!("{problems:?}"));
        assert!(checked.settings.is_empty() && checked.secrets[0].1.expose() == b"s");
        let unasked = Typed::from([("other".to_owned(), Secret::new(b"x".to_vec()))]);
        let problems = check(&[field("text", false)], &unasked).map(|_| ()).unwrap_err();
        assert_eq!(problems.keys().collect::<Vec<_>>(), ["key", "other"]);
    }
}
