//! Owns: redacting unknown credentials, found by field names and by what the manifest declares of endpoints that hand
//! out credentials.
//! Does not own: known credentials (`search`).

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::{search::REDACTED, spellings::readings};

/// Field names of credentials. An uncaptured field of such a name is redacted, so that a missing capture reveals no
/// token.
const CREDENTIAL_FIELDS: [&str; 4] = ["accesstoken", "refreshtoken", "idtoken", "clientsecret"];
/// The bare name also counts. With a prefix, it is just as often a position in a list.
const BARE: &str = "token";
/// Fields whose value names another field, and fields that hold that field's value, as `plain` spells them.
const NAMING: [&str; 7] = ["name", "key", "field", "param", "parameter", "property", "header"];
const HOLDING: [&str; 6] = ["value", "values", "val", "content", "data", "default"];
/// Maximum nesting of documents within strings. Deeper ones are hidden.
const MAX_NESTED: usize = 4;
/// Maximum memory of a parsed document, in bytes. A short document with a million objects takes a hundred times its
/// length.
const MAX_WEIGHT: usize = 64 << 20;
const OBJECT_WEIGHT: usize = 700;
const VALUE_WEIGHT: usize = 72;
/// The headers that are visible in responses that hand out credentials.
const PLAIN_HEADERS: [&str; 3] = ["content-type", "date", "retry-after"];

/// The name in lower case, without separators.
fn plain(bytes: impl Iterator<Item = u8>) -> Vec<u8> {
    bytes.filter(|byte| !b"_-".contains(byte)).map(|byte| byte.to_ascii_lowercase()).collect()
}

/// Whether a field's name is a credential's in any spelling: `accessToken`, `page_access_token`, `token`.
pub(crate) fn names_credential(field: &str) -> bool {
    let plain = plain(field.bytes().filter(u8::is_ascii_alphanumeric));
    plain == BARE.as_bytes() || CREDENTIAL_FIELDS.iter().any(|known| plain.ends_with(known.as_bytes()))
}

/// Whether an unparsed text contains a credential's field name or assigns a `token`. A sentence with "access token"
/// does not.
pub(crate) fn says_credential(text: &[u8]) -> bool {
    in_some_reading(text, |plain| {
        let named = CREDENTIAL_FIELDS.iter().any(|name| memchr::memmem::find(plain, name.as_bytes()).is_some());
        named || gives_token(plain, b"=:>")
    })
}

/// Whether a URL has a credential as parameter.
fn carries_credential(text: &str) -> bool {
    if !text.contains(['=', '%']) {
        return false;
    }
    in_some_reading(text.as_bytes(), |plain| {
        let is = |name: &&str| memchr::memmem::find(plain, format!("{name}=").as_bytes()).is_some();
        CREDENTIAL_FIELDS.iter().any(is) || gives_token(plain, b"=")
    })
}

fn in_some_reading(text: &[u8], says: impl Fn(&[u8]) -> bool) -> bool {
    let mut found = false;
    readings(text, false, |letters| {
        found |= says(&plain(letters.map(|letter| letter.byte)));
        found
    });
    found
}

/// Whether `token` occurs as a name, followed by one of the signs that assign a value.
fn gives_token(plain: &[u8], signs: &[u8]) -> bool {
    memchr::memmem::find_iter(plain, BARE).any(|at| {
        let joined = at.checked_sub(1).and_then(|before| plain.get(before)).is_some_and(u8::is_ascii_alphanumeric);
        let behind = plain.get(at + BARE.len()..).unwrap_or_default();
        let sign = behind.iter().find(|byte| !b" \t\"'`]".contains(byte));
        !joined && sign.is_some_and(|sign| signs.contains(sign))
    })
}

/// Whether parsing a document would take too much memory.
pub(crate) fn is_too_heavy(text: &[u8]) -> bool {
    let count = |sign: u8| memchr::memchr_iter(sign, text).count();
    let weight = count(b'{') * OBJECT_WEIGHT + (count(b',') + count(b'[')) * VALUE_WEIGHT;
    weight > MAX_WEIGHT
}

/// Redacts the values of credential fields, also in texts that are documents or URLs. `names` may stay; `hidden`
/// collects the removed texts. Returns whether anything was removed.
pub(crate) fn redact_fields(value: &mut Value, names: &BTreeSet<&str>, hidden: &mut Vec<String>) -> bool {
    redact_in(value, names, hidden, MAX_NESTED)
}

fn redact_in(value: &mut Value, names: &BTreeSet<&str>, hidden: &mut Vec<String>, nested: usize) -> bool {
    match value {
        Value::Array(elements) => {
            let mut changed = redact_pair(elements, names, hidden);
            for element in elements {
                changed |= redact_in(element, names, hidden, nested);
            }
            changed
        }
        Value::Object(fields) => {
            let mut changed = redact_names(fields);
            let named = names_another(fields);
            for (field, value) in fields.iter_mut() {
                let known = value.as_str().is_some_and(|text| names.contains(text));
                let is_one = names_credential(field) || (named && is_among(field, &HOLDING));
                if is_one && !known && !value.is_null() {
                    texts(value, hidden);
                    *value = Value::String(REDACTED.to_owned());
                    changed = true;
                } else {
                    changed |= redact_in(value, names, hidden, nested);
                }
            }
            changed
        }
        Value::String(text) if text.trim_start().starts_with(['{', '[', '"']) => {
            let Ok(mut inner) = serde_json::from_str::<Value>(text) else { return redact_text(text) };
            let Some(nested) = nested.checked_sub(1) else {
                *text = REDACTED.to_owned();
                return true;
            };
            let changed = redact_in(&mut inner, names, hidden, nested);
            if changed {
                *text = inner.to_string();
            }
            changed
        }
        Value::String(text) => redact_text(text),
        _ => false,
    }
}

/// Whether one field names a credential that another holds: `{"name":"access_token","value":"…"}`.
fn names_another(fields: &Map<String, Value>) -> bool {
    let names =
        |(field, value): (&String, &Value)| value.as_str().is_some_and(names_credential) && is_among(field, &NAMING);
    fields.iter().any(names)
}

fn is_among(field: &str, known: &[&str]) -> bool {
    let plain = plain(field.bytes());
    known.iter().any(|known| known.as_bytes() == plain)
}

/// `["access_token","…"]`. In a list of two words, `token` alone does not count.
fn redact_pair(elements: &mut [Value], names: &BTreeSet<&str>, hidden: &mut Vec<String>) -> bool {
    let [Value::String(name), value] = elements else { return false };
    let known = value.as_str().is_some_and(|text| names.contains(text));
    if !names_credential(name) || name.eq_ignore_ascii_case(BARE) || known || value.is_null() {
        return false;
    }
    texts(value, hidden);
    *value = Value::String(REDACTED.to_owned());
    true
}

fn redact_text(text: &mut String) -> bool {
    let carries = carries_credential(text);
    if carries {
        *text = REDACTED.to_owned();
    }
    carries
}

/// A field's name may itself be a URL with a credential.
fn redact_names(fields: &mut Map<String, Value>) -> bool {
    let before = fields.len();
    fields.retain(|field, _| !carries_credential(field));
    fields.len() < before
}

fn texts(value: &Value, into: &mut Vec<String>) {
    match value {
        Value::String(text) => into.push(text.clone()),
        Value::Array(elements) => elements.iter().for_each(|element| texts(element, into)),
        Value::Object(fields) => fields.values().for_each(|value| texts(value, into)),
        Value::Number(number) => into.push(number.to_string()),
        _ => {}
    }
}

/// Reduces a response to the listed places, in list order. `*` matches every element of a list.
pub(crate) fn only(document: &Value, places: &[&str]) -> Value {
    let mut left = Value::Null;
    for place in places {
        let steps: Vec<&str> = place.split('/').skip(1).collect();
        keep(document, &steps, &mut left);
    }
    left
}

fn keep(from: &Value, steps: &[&str], into: &mut Value) {
    let Some((step, rest)) = steps.split_first() else {
        *into = from.clone();
        return;
    };
    match from {
        Value::Object(fields) => {
            let name = step.replace("~1", "/").replace("~0", "~");
            let Some(value) = fields.get(&name) else { return };
            if into.is_null() {
                *into = Value::Object(Map::new());
            }
            if let Value::Object(kept) = into {
                keep(value, rest, kept.entry(name).or_insert(Value::Null));
            }
        }
        Value::Array(elements) => {
            let wanted = |index: usize| *step == "*" || step.parse() == Ok(index);
            if into.is_null() {
                *into = Value::Array(vec![Value::Null; elements.len()]);
            }
            let Value::Array(kept) = into else { return };
            for (index, (element, kept)) in elements.iter().zip(kept).enumerate() {
                if wanted(index) {
                    keep(element, rest, kept);
                }
            }
        }
        _ => {}
    }
}

/// Whether a header is visible in a response that hands out credentials.
pub(crate) fn is_plain_header(name: &str) -> bool {
    PLAIN_HEADERS.contains(&name)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    fn shown(body: &str) -> String {
        let mut document = serde_json::from_str(body).unwrap();
        redact_fields(&mut document, &BTreeSet::new(), &mut Vec::new());
        document.to_string()
    }

    #[test]
    fn a_credential_in_disguise_is_not_shown() {
        for body in [
            r#"{"accessToken":"EAAsecret"}"#,
            r#"{"page_access_token":["EAAsecret"]}"#,
            r#"{"token":{"value":"EAAsecret"}}"#,
            r#"{"acc\u0065ss_token":"EAAsecret"}"#,
            r#"{"data":"{\"access_token\":\"EAAsecret\"}"}"#,
            r#"{"data":"[\"{\\\"token\\\":\\\"EAAsecret\\\"}\"]"}"#,
            r#"{"paging":{"next":"https://x/?access_token=EAAsecret&after=1"}}"#,
            r#"{"paging":{"next":"https://x/?after=1&token=EAAsecret"}}"#,
            r#"{"next":"https://x/?to=https%3A%2F%2Fy%2F%3Faccess%5Ftoken%3DEAAsecret"}"#,
            r#"{"https://x/?access_token=EAAsecret":1}"#,
            r#"{"form":"expires=1&refresh-token=EAAsecret"}"#,
            r#"{"fields":[{"name":"access_token","value":"EAAsecret"}]}"#,
            r#"{"Value":{"text":"EAAsecret"},"Key":"pageAccessToken"}"#,
            r#"{"data":"{\"parameter\":\"token\",\"content\":[\"EAAsecret\"]}"}"#,
            r#"{"headers":[["refresh_token","EAAsecret"]]}"#,
            r#"[["access-token",{"is":"EAAsecret"}]]"#,
        ] {
            assert!(!shown(body).contains("EAAsecret"), "{body}");
        }
        let plain = r#"{"message":"Error validating access token: it ended","next_page_token":"abc","at":"x?after=1"}"#;
        assert!(shown(plain).contains("it ended") && shown(plain).contains("abc") && shown(plain).contains("after=1"));
        for plain in [
            r#"{"name":"likes","value":7}"#,
            r#"{"id":"178","name":"token"}"#,
            r#"{"message":"token","value":"7"}"#,
            r#"["token","word"]"#,
            r#"["access_token","expires_in","scope"]"#,
            r#"{"message":"it ended","param":"access_token"}"#,
        ] {
            assert_eq!(shown(plain), plain);
        }
    }

    #[test]
    fn documents_in_documents_are_looked_into_up_to_a_depth_and_hidden_beyond() {
        let mut body = r#"{"id":"EAAsecret"}"#.to_owned();
        for _ in 0..MAX_NESTED + 1 {
            body = serde_json::json!({ "data": body }).to_string();
        }
        assert!(!shown(&body).contains("EAAsecret"));
        let mut sane = r#"{"id":"12"}"#.to_owned();
        for _ in 0..MAX_NESTED {
            sane = serde_json::json!({ "data": sane }).to_string();
        }
        assert!(shown(&sane).contains("12"));
    }

    #[test]
    fn a_text_that_gives_a_token_a_value_is_none_to_show() {
        for text in [
            "token=EAAsecret&expires=1",
            "expires=1&token=EAAsecret",
            "token: EAAsecret",
            "\"token\" : \"EAAsecret\"",
            "<token>EAAsecret</token>",
            "%74oken%3DEAAsecret",
            "data[token]=EAAsecret",
            r"{broken \u0074oken: EAAsecret",
            "access_token\tEAAsecret",
        ] {
            assert!(says_credential(text.as_bytes()), "{text}");
        }
        for text in ["next_page_token=1", "the token ended", "tokens: 3", "your access token has ended"] {
            assert!(!says_credential(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn of_an_answer_that_hands_out_credentials_only_declared_places_are_left() {
        let document = serde_json::json!({
            "session": "EAAsecret", "expires_in": 3600, "error": { "code": 190, "message": "ended" },
            "data": [{ "id": 1, "key": "EAAsecret" }, { "id": 2, "key": "EAAother" }, "EAAthird"]
        });
        let left = only(&document, &["/expires_in", "/error", "/data/*/id", "/none/of/these", "/expires_in/0"]);
        let expected = serde_json::json!({
            "expires_in": 3600, "error": { "code": 190, "message": "ended" },
            "data": [{ "id": 1 }, { "id": 2 }, null]
        });
        assert_eq!(left, expected);
        assert_eq!(only(&document, &[]), Value::Null);
    }

    #[test]
    fn a_short_document_of_a_million_objects_is_not_taken_apart() {
        assert!(is_too_heavy(format!("[{}0]", r#"{"":0},"#.repeat(500_000)).as_bytes()));
        assert!(!is_too_heavy(format!("[{}0]", r#"{"id":"178","text":"hello"},"#.repeat(10_000)).as_bytes()));
    }
}
