//! Owns: capturing values from a response before the channel sees it: values for later steps, and credentials.
//! Does not own: uncaptured credentials (`redact`), storing credentials (`credentials`).

use std::collections::{BTreeMap, BTreeSet};

use harness_contract::{
    Capture, CaptureTarget, HttpResponse,
    manifest::{Slot, SlotPlace, SlotScope},
};
use serde_json::Value;

use crate::{
    credentials::{Secret, check_slot_name, declared_slot},
    error::EgressError,
    offload::GivenUp,
    redact::{
        REDACTED, Spellings, is_plain_header, is_too_heavy, names_credential, only, redact, redact_fields,
        says_credential,
    },
};

/// Captured so far in a reply or an `account` call.
#[derive(Debug, Default)]
pub struct Captured {
    /// Values for later steps, by name.
    pub values: BTreeMap<String, String>,
    /// Credentials by slot; `None` if credentials may not be captured.
    pub credentials: Option<Vec<(String, Secret)>>,
}

impl Captured {
    /// For calls that may capture credentials.
    pub fn with_credentials() -> Self {
        Self { values: BTreeMap::new(), credentials: Some(Vec::new()) }
    }
}

/// The longest text that a `key` appends to a slot's name.
const MAX_SUFFIX: usize = 128;
/// The longest value that is captured, in bytes.
const MAX_VALUE: usize = 16 << 10;
/// Maximum total of one response's captured values, in bytes. Later responses are searched for all of them.
const MAX_VALUES: usize = 1 << 20;
/// Maximum length of a pointer, in bytes and in steps.
const MAX_POINTER: usize = 256;
const MAX_DEPTH: usize = 16;
/// Maximum number of captures per request, and of credentials per call.
const MAX_CAPTURES: usize = 64;
const MAX_CREDENTIALS: usize = 2000;
/// Maximum number of values per capture.
const MAX_MATCHES: usize = 1000;

/// Checks the captures before anything is sent.
pub(crate) fn check(
    captures: &[Capture],
    slots: &BTreeMap<String, Slot>,
    captured: &Captured,
) -> Result<(), EgressError> {
    if captures.len() > MAX_CAPTURES {
        return Err(EgressError::Invalid(format!("a request captures at most {MAX_CAPTURES} values")));
    }
    for capture in captures {
        let pointers = [Some(&capture.pointer), capture.key.as_ref()];
        if pointers.into_iter().flatten().any(|text| text.len() > MAX_POINTER || text.matches('/').count() > MAX_DEPTH)
        {
            return Err(EgressError::Invalid("a pointer of a capture is too long".into()));
        }
        // The key becomes part of the credential's name, which is visible.
        if capture.key.as_ref().is_some_and(|key| key.split('/').any(names_credential)) {
            return Err(EgressError::Invalid("the key of a capture names a credential".into()));
        }
        let CaptureTarget::Slot(slot) = &capture.target else {
            // A plain value may be injected anywhere, and is not redacted when it comes back.
            let field = capture.pointer.rsplit('/').next().unwrap_or_default();
            if capture.pointer.split('/').any(names_credential) {
                let problem = format!("`{field}` is a credential, and is captured into a slot");
                return Err(EgressError::Invalid(problem));
            }
            continue;
        };
        check_slot_name(slot)?;
        if captured.credentials.is_none() {
            return Err(EgressError::Invalid("a step of a reply captures values, not credentials".into()));
        }
        // Only the operator sets the channel's own slots, and only the host sets generated ones.
        let taken = slots
            .get(declared_slot(slot))
            .is_some_and(|declared| declared.scope != SlotScope::App && !declared.generated);
        if !taken {
            return Err(EgressError::Invalid(format!("`{slot}` is not a slot that an account's credential may go to")));
        }
        // An unrestricted HMAC message would let a channel have any text signed.
        let declared = slots.get(declared_slot(slot));
        let signed = declared.filter(|declared| declared.allowed_in.contains(&SlotPlace::HmacMessage));
        if signed.is_some_and(|declared| !declared.captured_from.contains(&capture.pointer)) {
            return Err(EgressError::Invalid(format!("the manifest does not let `{slot}` be captured from there")));
        }
    }
    Ok(())
}

/// A captured value and the name that replaces it.
struct Match {
    pointer: String,
    name: String,
    value: String,
}

/// Captures a request's values from its response and replaces each with its target's name. With `shows`, the channel
/// sees only the listed parts of the response.
pub(crate) fn capture(
    captures: &[Capture],
    shows: Option<&[String]>,
    response: &mut HttpResponse,
    captured: &mut Captured,
    given_up: &GivenUp,
) -> Result<(), EgressError> {
    if shows.is_some() {
        response.headers.retain(|header| is_plain_header(&header.name));
    }
    // The redirect of a dialog may have a credential in its address.
    for header in &mut response.headers {
        if says_credential(header.value.as_bytes()) {
            header.value = REDACTED.to_owned();
        }
    }
    let succeeded = (200..300).contains(&response.status);
    // Required in `account` calls only: a channel parses a step's response itself and knows what was captured. Some
    // platforms respond to errors with 200.
    let must_match = captured.credentials.is_some();
    let heavy = is_too_heavy(&response.body);
    let document = if heavy { None } else { serde_json::from_slice::<Value>(&response.body).ok() };
    let Some(mut document) = document else {
        if heavy || shows.is_some() || says_credential(&response.body) {
            // A response that cannot be parsed is hidden completely.
            response.body.clear();
        }
        return match captures.first() {
            Some(capture) if succeeded && must_match => Err(EgressError::CaptureFailed(capture.pointer.clone())),
            _ => Ok(()),
        };
    };
    let found = if succeeded { matches(captures, &document, must_match)? } else { Vec::new() };
    let size: usize = found.iter().map(|found| found.value.len()).sum();
    if found.iter().any(|found| found.value.len() > MAX_VALUE)
        || size > MAX_VALUES
        || captured.credentials.as_ref().is_some_and(|known| known.len() + found.len() > MAX_CREDENTIALS)
    {
        return Err(EgressError::CaptureFailed("value of a sensible size".into()));
    }
    for Match { pointer, name, .. } in &found {
        if let Some(place) = document.pointer_mut(pointer) {
            *place = Value::String(name.clone());
        }
    }
    let names: BTreeSet<&str> = found.iter().map(|found| found.name.as_str()).collect();
    let mut hidden = Vec::new();
    let mut changed = redact_fields(&mut document, &names, &mut hidden);
    // A redacted value must not return as a name.
    let hidden = Spellings::of(hidden.iter().map(String::as_bytes));
    if names.iter().any(|name| hidden.stand_in(name.as_bytes(), given_up)) {
        return Err(EgressError::CaptureFailed("name that is no credential".into()));
    }
    if let Some(shows) = shows {
        let places = shows.iter().chain(found.iter().map(|found| &found.pointer)).map(String::as_str);
        document = only(&document, &places.collect::<Vec<_>>());
        changed = true;
    }
    if changed || !found.is_empty() {
        response.body = serde_json::to_vec(&document).unwrap_or_default();
    }
    let slots: BTreeSet<&str> = captures.iter().filter_map(|capture| slot_name(&capture.target)).collect();
    let is_credential = |name: &str| slots.contains(name) || slots.contains(declared_slot(name));
    // The credential may occur elsewhere in the response, e.g. in the next page's address.
    let credentials = found.iter().filter(|found| is_credential(&found.name)).map(|found| found.value.as_bytes());
    redact(&[&Spellings::of(credentials)], response, given_up);
    for Match { name, value, .. } in found {
        match &mut captured.credentials {
            Some(credentials) if is_credential(&name) => {
                credentials.retain(|(slot, _)| *slot != name);
                credentials.push((name, Secret::new(value.into_bytes())));
            }
            _ => {
                captured.values.insert(name, value);
            }
        }
    }
    Ok(())
}

fn slot_name(target: &CaptureTarget) -> Option<&str> {
    if let CaptureTarget::Slot(name) = target { Some(name) } else { None }
}

/// All matches of all captures. Captures with the same target are alternatives: if `must_match`, one of them must
/// match.
fn matches(captures: &[Capture], document: &Value, must_match: bool) -> Result<Vec<Match>, EgressError> {
    let mut found = Vec::new();
    for (at, first) in captures.iter().enumerate() {
        if captures.iter().take(at).any(|earlier| earlier.target == first.target) {
            continue;
        }
        let mut here: Option<Vec<Match>> = None;
        let mut pointer = &first.pointer;
        for alternative in captures.iter().filter(|other| other.target == first.target) {
            pointer = &alternative.pointer;
            if let Some(matched) = match_one(alternative, document)? {
                here.get_or_insert_default().extend(matched);
            }
        }
        match here {
            Some(here) => found.extend(here),
            None if must_match => return Err(EgressError::CaptureFailed(pointer.clone())),
            None => {}
        }
    }
    Ok(found)
}

/// The matches of one capture; `None` if its pointer does not exist. An empty list is a match without values.
fn match_one(capture: &Capture, document: &Value) -> Result<Option<Vec<Match>>, EgressError> {
    let name = capture.target.kept_as();
    let Some((list, rest)) = capture.pointer.split_once("/*") else {
        let value = document.pointer(&capture.pointer).and_then(text);
        return Ok(
            value.map(|value| Vec::from([Match { pointer: capture.pointer.clone(), name: name.to_owned(), value }]))
        );
    };
    let Some(elements) = document.pointer(list).and_then(Value::as_array) else { return Ok(None) };
    let mut found = Vec::new();
    for (index, element) in elements.iter().enumerate().take(MAX_MATCHES) {
        let Some(value) = element.pointer(rest).and_then(text) else { continue };
        let suffix = match &capture.key {
            Some(key) => element.pointer(key).and_then(text).ok_or_else(|| EgressError::CaptureFailed(key.clone()))?,
            None => index.to_string(),
        };
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        if suffix.is_empty() || suffix.len() > MAX_SUFFIX || !suffix.bytes().all(fits) {
            return Err(EgressError::CaptureFailed(capture.pointer.clone()));
        }
        found.push(Match { pointer: format!("{list}/{index}{rest}"), name: format!("{name}:{suffix}"), value });
    }
    Ok((elements.is_empty() || !found.is_empty()).then_some(found))
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    fn slot(pointer: &str, slot: &str, key: Option<&str>) -> Capture {
        Capture { pointer: pointer.into(), target: CaptureTarget::Slot(slot.into()), key: key.map(str::to_owned) }
    }

    fn answer(body: &str) -> HttpResponse {
        HttpResponse { status: 200, headers: Vec::new(), body: body.into() }
    }

    fn taken(captures: &[Capture], body: &str) -> Result<(Vec<String>, String), EgressError> {
        let (mut response, mut captured) = (answer(body), Captured::with_credentials());
        capture(captures, None, &mut response, &mut captured, &GivenUp::default())?;
        let taken = captured.credentials.unwrap().into_iter();
        let taken = taken.map(|(slot, secret)| format!("{slot}={}", String::from_utf8_lossy(secret.expose())));
        Ok((taken.collect(), String::from_utf8(response.body).unwrap()))
    }

    #[test]
    fn a_captured_token_leaves_the_slot_s_name_in_its_place_wherever_it_stood() {
        let body = r#"{"access_token":"EAAsecret","next":"https://x/?access_token=EAAsecret"}"#;
        let (credentials, shown) = taken(&[slot("/access_token", "token", None)], body).unwrap();
        assert_eq!(credentials, ["token=EAAsecret"]);
        assert!(!shown.contains("EAAsecret") && shown.contains(r#""access_token":"token""#), "{shown}");
    }

    #[test]
    fn captures_of_one_target_are_alternatives_and_one_must_match() {
        let both = [slot("/access_token", "token", None), slot("/data/0/access_token", "token", None)];
        assert_eq!(taken(&both, r#"{"access_token":"a1"}"#).unwrap().0, ["token=a1"]);
        assert_eq!(taken(&both, r#"{"data":[{"access_token":"b2"}]}"#).unwrap().0, ["token=b2"]);
        assert!(matches!(taken(&both, r#"{"data":[]}"#), Err(EgressError::CaptureFailed(_))));
        assert!(matches!(taken(&both, "<html>"), Err(EgressError::CaptureFailed(_))));
    }

    #[test]
    fn a_star_takes_one_credential_of_every_element_named_by_its_key() {
        let captures = [slot("/data/*/access_token", "page", Some("/id"))];
        let body = r#"{"data":[{"id":"1","access_token":"t1"},{"id":"2","access_token":"t2"},{"id":"3"}]}"#;
        let (credentials, shown) = taken(&captures, body).unwrap();
        assert_eq!(credentials, ["page:1=t1", "page:2=t2"]);
        assert!(!shown.contains("t1") && !shown.contains("t2"), "{shown}");
        assert!(taken(&captures, r#"{"data":[]}"#).unwrap().0.is_empty());
        assert!(taken(&captures, r#"{"data":[{"id":"a/b","access_token":"t"}]}"#).is_err());
    }

    #[test]
    fn a_credential_is_never_captured_as_a_value_that_may_go_anywhere() {
        let capture =
            |pointer: &str| Capture { pointer: pointer.into(), target: CaptureTarget::Value("x".into()), key: None };
        let refused = |captures: &[Capture]| check(captures, &BTreeMap::new(), &Captured::default()).is_err();
        assert!(refused(&[capture("/access_token")]) && refused(&[capture("/data/*/refresh_token")]));
        assert!(refused(&vec![capture("/id"); MAX_CAPTURES + 1]) && !refused(&[capture("/id")]));
    }

    #[test]
    fn slots_with_odd_names_and_huge_values_are_not_captured() {
        let declared = Slot {
            scope: SlotScope::Account,
            allowed_in: Vec::new(),
            hosts: Vec::new(),
            description: String::new(),
            derived: Vec::new(),
            captured_from: Vec::new(),
            generated: false,
        };
        let made = Slot { generated: true, ..declared.clone() };
        let slots = BTreeMap::from([("token".to_owned(), declared), ("made".to_owned(), made)]);
        let refused = |name: &str| check(&[slot("/t", name, None)], &slots, &Captured::with_credentials()).is_err();
        for odd in
            ["made", "token:\u{1b}[31m", "token:a/b", "token:\r\nx", "other", "", &format!("token:{}", "x".repeat(300))]
        {
            assert!(refused(odd), "{odd:?}");
        }
        assert!(!refused("token:123"));
        let body = format!(r#"{{"t":"{}"}}"#, "x".repeat(MAX_VALUE + 1));
        assert!(matches!(taken(&[slot("/t", "token", None)], &body), Err(EgressError::CaptureFailed(_))));
    }

    #[test]
    fn a_header_that_carries_a_credential_is_not_shown() {
        let mut response = answer("");
        response
            .headers
            .push(harness_contract::Header { name: "location".into(), value: "https://x/#access_token=EAA".into() });
        capture(&[], None, &mut response, &mut Captured::default(), &GivenUp::default()).unwrap();
        assert!(response.headers.iter().all(|header| header.value == "[redacted]"));
    }

    #[test]
    fn a_token_that_nobody_captures_is_not_shown() {
        let (_, shown) = taken(&[], r#"{"a":[{"access_token":"EAAsecret"}]}"#).unwrap();
        assert!(!shown.contains("EAAsecret"), "{shown}");
        assert_eq!(taken(&[], "not json access_token=EAAsecret").unwrap().1, "");
    }

    #[test]
    fn the_key_of_a_capture_never_shows_a_credential() {
        let key = |key: &str| [slot("/data/*/access_token", "page", Some(key))];
        let declared = BTreeMap::from([(
            "page".to_owned(),
            Slot {
                scope: SlotScope::Account,
                allowed_in: Vec::new(),
                hosts: Vec::new(),
                derived: Vec::new(),
                captured_from: Vec::new(),
                generated: false,
                description: String::new(),
            },
        )]);
        assert!(check(&key("/access_token"), &declared, &Captured::with_credentials()).is_err());
        assert!(check(&key("/id"), &declared, &Captured::with_credentials()).is_ok());
        let body = r#"{"data":[{"id":"EAAsecret","access_token":"t1","refresh_token":"EAAsecret"}]}"#;
        assert!(taken(&key("/id"), body).is_err());
    }

    #[test]
    fn a_captured_text_is_signed_only_where_its_pointer_is_declared() {
        let declared = Slot {
            scope: SlotScope::Account,
            allowed_in: vec![SlotPlace::HmacMessage],
            hosts: Vec::new(),
            derived: Vec::new(),
            captured_from: vec!["/access_token".into()],
            generated: false,
            description: String::new(),
        };
        let slots = BTreeMap::from([("token".to_owned(), declared)]);
        let check = |pointer: &str| check(&[slot(pointer, "token", None)], &slots, &Captured::with_credentials());
        assert!(check("/access_token").is_ok() && check("/forged").is_err());
    }
}
