//! Owns: injecting credentials and captured values into an admitted request, at the places the manifest allows.
//! Does not own: captures (`capture`), redaction of the answer (`redact`).

use std::collections::BTreeMap;

use harness_contract::{
    Fill, FillPlace, FillSource, HttpBody, HttpRequest,
    manifest::{EgressRule, Slot, SlotPlace},
};
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use serde_json::value::RawValue;
use sha2::Sha256;
use url::Url;
use zeroize::Zeroizing;

use crate::{
    capture::Captured,
    credentials::{Secret, check_slot_name, declared_slot},
    error::EgressError,
    memory::Held,
    offload,
    policy::{self, Admitted, bounds, is_granted},
    sizes::Sizes,
};

/// The longest document that something is injected into, in bytes.
const MAX_JSON: usize = 1 << 20;

/// Finds the credential in a slot.
pub type FindSecret<'a> = dyn Fn(&str) -> Option<Secret> + Sync + 'a;

/// Sources of injected values, and the rules for credentials.
pub(crate) struct Sources<'a> {
    /// The rule that admitted the request.
    pub(crate) rule: &'a EgressRule,
    pub(crate) slots: &'a BTreeMap<String, Slot>,
    pub(crate) secret: &'a FindSecret<'a>,
    pub(crate) captured: &'a Captured,
}

/// A value and its place.
struct Value {
    value: Zeroizing<String>,
    place: FillPlace,
    is_credential: bool,
}

/// Injected credentials, which must not return to the channel in the answer.
pub(crate) type InjectedCredentials = Vec<Zeroizing<String>>;

impl Sources<'_> {
    /// The credential of a slot, if the manifest allows it at this place.
    fn slot(&self, slot: &str, place: &SlotPlace) -> Result<Secret, EgressError> {
        check_slot_name(slot)?;
        let missing = || EgressError::MissingSlot(slot.to_owned());
        let declared = self
            .slots
            .get(declared_slot(slot))
            .ok_or_else(|| EgressError::Invalid(format!("`{slot}` is not a credential that the manifest declares")))?;
        let host = declared.hosts.is_empty() || declared.hosts.contains(&self.rule.host);
        if !host || !declared.places.contains(place) {
            return Err(EgressError::SlotNotAllowed {
                slot: slot.to_owned(),
                place: place_name(place),
                host: self.rule.host.clone(),
            });
        }
        (self.secret)(slot).ok_or_else(missing)
    }

    /// All values to inject, if the manifest allows each at its place.
    fn values(&self, fills: Vec<Fill>) -> Result<Vec<Value>, EgressError> {
        let value = |Fill { source, place }: Fill| {
            let value = self.value(&source, &place)?;
            if let FillPlace::Header(name) = &place
                && !HeaderName::from_bytes(name.as_bytes()).is_ok_and(|name| is_granted(&name, &self.rule.headers))
            {
                return Err(EgressError::Invalid(format!("`{name}` is not a header that a channel may set")));
            }
            Ok(Value { value, place, is_credential: !matches!(source, FillSource::Captured(_)) })
        };
        fills.into_iter().map(value).collect()
    }

    fn value(&self, source: &FillSource, place: &FillPlace) -> Result<Zeroizing<String>, EgressError> {
        match source {
            FillSource::Slot(slot) => {
                let secret = self.slot(slot, &slot_place(place))?;
                let text = std::str::from_utf8(secret.expose()).map_err(|_| {
                    EgressError::Invalid("a credential that is not text cannot stand in a request".into())
                })?;
                Ok(Zeroizing::new(text.to_owned()))
            }
            FillSource::HmacSha256(hmac) => {
                // A derived value that a person can read is a signature for anyone who asks.
                let place = slot_place(place);
                let declared = self.slots.get(declared_slot(&hmac.key_slot));
                if !declared.is_some_and(|declared| declared.derived.contains(&place)) {
                    return Err(EgressError::SlotNotAllowed {
                        slot: "derived value".to_owned(),
                        place: place_name(&place),
                        host: self.rule.host.clone(),
                    });
                }
                let key = self.slot(&hmac.key_slot, &SlotPlace::HmacKey)?;
                let message = self.slot(&hmac.message_slot, &SlotPlace::HmacMessage)?;
                let mut mac = Hmac::<Sha256>::new_from_slice(key.expose())
                    .map_err(|_| EgressError::Invalid("the key of a derived credential has no length".into()))?;
                mac.update(message.expose());
                Ok(Zeroizing::new(hex::encode(mac.finalize().into_bytes())))
            }
            FillSource::Captured(name) => self
                .captured
                .values
                .get(name)
                .map(|value| Zeroizing::new(value.clone()))
                .ok_or_else(|| EgressError::MissingSlot(name.clone())),
        }
    }
}

fn slot_place(place: &FillPlace) -> SlotPlace {
    match place {
        FillPlace::Bearer => SlotPlace::Bearer,
        FillPlace::Header(name) => SlotPlace::Header(name.clone()),
        FillPlace::Query(name) => SlotPlace::Query(name.clone()),
        FillPlace::FormField(name) => SlotPlace::FormField(name.clone()),
        FillPlace::Json(pointer) => SlotPlace::Json(pointer.clone()),
        FillPlace::Path(name) => SlotPlace::Path(name.clone()),
    }
}

fn place_name(place: &SlotPlace) -> &'static str {
    match place {
        SlotPlace::Bearer => "the authorization header",
        SlotPlace::Header(_) => "this header",
        SlotPlace::Query(_) => "this query parameter",
        SlotPlace::Path(_) => "this place in the path",
        SlotPlace::FormField(_) => "this form field",
        SlotPlace::Json(_) => "this place in the body",
        SlotPlace::HmacKey => "the key of a derived value",
        SlotPlace::HmacMessage => "the message of a derived value",
    }
}

/// A request with its credentials, the only kind that is sent. Only this module constructs it.
pub(crate) struct Injected {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    pub(crate) body: HttpBody,
    _made_here: (),
}

impl Injected {
    /// Injects the requested values and checks the bounds again, because injection makes a request longer. Also returns
    /// the injected credentials.
    pub(crate) async fn new(
        admitted: Admitted<'_>,
        sources: &Sources<'_>,
        sizes: &Sizes,
        memory: &mut Held,
    ) -> Result<(Self, InjectedCredentials), EgressError> {
        let Admitted { rule, mut request, method, url, headers, file_bytes, text_bytes, .. } = admitted;
        let values = sources.values(std::mem::take(&mut request.fills))?;
        let before = bounds::memory_of(&request);
        let bytes = if values.is_empty() { 0 } else { text_bytes };
        let put = offload::done(bytes, move |_| put(values, request, url, headers));
        let Put { request, url, headers, credentials } = put.await.unwrap_or_else(|_| Err(policy::unprepared()))?;
        bounds::check_injected(&request, &url, &headers, sizes)?;
        // The rule's own error would quote the address or length, which depend on the credential.
        let length = bounds::body_bytes(&request.body).saturating_add(file_bytes);
        if !policy::still_admits(rule, &method, &url, length) {
            let sentence = "with its credentials it has another path, or a longer body, than was granted";
            return Err(EgressError::Invalid(sentence.into()));
        }
        if !memory.try_grow(bounds::memory_of(&request).saturating_sub(before)) {
            return Err(EgressError::NoMemory);
        }
        Ok((Self { method, url, headers, body: request.body, _made_here: () }, credentials))
    }
}

/// A request with all values injected, before its bounds are checked again.
struct Put {
    request: HttpRequest,
    url: Url,
    headers: HeaderMap,
    credentials: InjectedCredentials,
}

/// Injects values into a request. `url` and `headers` were built from it and checked before.
fn put(values: Vec<Value>, mut request: HttpRequest, mut url: Url, mut headers: HeaderMap) -> Result<Put, EgressError> {
    let mut credentials = InjectedCredentials::new();
    for Value { value, place, is_credential } in values {
        match &place {
            FillPlace::Bearer => {
                let bearer = Zeroizing::new(format!("Bearer {}", *value));
                insert(&mut headers, header::AUTHORIZATION, &bearer)?;
            }
            FillPlace::Header(name) => {
                let name = HeaderName::from_bytes(name.as_bytes())
                    .map_err(|_| EgressError::Invalid(format!("`{name}` is no header")))?;
                insert(&mut headers, name, &value)?;
            }
            FillPlace::Query(name) => {
                url.query_pairs_mut().append_pair(name, &value);
            }
            FillPlace::Path(name) => inject_path(&mut url, name, &value)?,
            FillPlace::FormField(name) => inject_form(&mut request, &mut headers, name, &value)?,
            FillPlace::Json(pointer) => inject_json(&mut request, pointer, &value)?,
        }
        if is_credential {
            credentials.push(value);
        }
    }
    Ok(Put { request, url, headers, credentials })
}

fn insert(headers: &mut HeaderMap, name: HeaderName, value: &str) -> Result<(), EgressError> {
    let mut value = HeaderValue::from_str(value).map_err(|_| {
        EgressError::Invalid(format!("the credential for `{name}` holds characters that no header may"))
    })?;
    value.set_sensitive(true);
    headers.insert(name, value);
    Ok(())
}

/// Replaces the placeholder `{name}`, as `Url` writes it.
fn inject_path(url: &mut Url, name: &str, value: &str) -> Result<(), EgressError> {
    let placeholder = format!("%7B{name}%7D");
    if url.path().matches(&placeholder).count() != 1 {
        return Err(EgressError::Invalid(format!("the path has no place `{{{name}}}`, or several")));
    }
    let keep = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~:".contains(byte);
    if value.is_empty() || value.chars().all(|c| c == '.') || !value.as_bytes().iter().all(keep) {
        return Err(EgressError::Invalid(format!("the credential for `{{{name}}}` cannot stand in a path")));
    }
    let path = url.path().replace(&placeholder, value);
    url.set_path(&path);
    Ok(())
}

/// In a body of another type the pair could become part of a text that a person reads.
fn inject_form(request: &mut HttpRequest, headers: &mut HeaderMap, name: &str, value: &str) -> Result<(), EgressError> {
    const FORM: &str = "application/x-www-form-urlencoded";
    let types = headers.get_all(header::CONTENT_TYPE);
    let is_form = |value: &HeaderValue| {
        let essence = value.to_str().ok().and_then(|text| text.split(';').next()).unwrap_or_default();
        essence.trim().eq_ignore_ascii_case(FORM)
    };
    if types.iter().count() > 1 || !types.iter().all(is_form) {
        return Err(EgressError::Invalid(format!("`{name}` goes into a form, and the body is said to be none")));
    }
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(FORM));
    let HttpBody::Bytes(body) = &mut request.body else {
        return Err(EgressError::Invalid(format!("there is no form to put `{name}` into")));
    };
    if !body.is_empty() {
        body.push(b'&');
    }
    let pair = url::form_urlencoded::Serializer::new(String::new()).append_pair(name, value).finish();
    body.extend_from_slice(pair.as_bytes());
    Ok(())
}

fn inject_json(request: &mut HttpRequest, pointer: &str, value: &str) -> Result<(), EgressError> {
    let invalid = |what: String| EgressError::Invalid(format!("`{pointer}` cannot be filled: {what}"));
    let HttpBody::Bytes(body) = &mut request.body else { return Err(invalid("the body is not JSON".into())) };
    if body.len() > MAX_JSON {
        return Err(invalid(format!("the body is longer than {MAX_JSON} bytes")));
    }
    let document: &RawValue = serde_json::from_slice(body).map_err(|error| invalid(error.to_string()))?;
    let place = place_in(document, pointer).ok_or_else(|| invalid("nothing stands there".into()))?;
    let value = serde_json::to_vec(value).map_err(|error| invalid(error.to_string()))?;
    // The rest of the document stays byte for byte, including numbers that no Rust type holds.
    let from = (place.get().as_ptr() as usize).saturating_sub(body.as_ptr() as usize);
    let behind = from + place.get().len();
    body.splice(from..behind, value);
    Ok(())
}

/// The value at a JSON pointer, as a slice of the document.
fn place_in<'d>(document: &'d RawValue, pointer: &str) -> Option<&'d RawValue> {
    let mut place = document;
    if pointer.is_empty() {
        return Some(place);
    }
    for token in pointer.strip_prefix('/')?.split('/') {
        let token = token.replace("~1", "/").replace("~0", "~");
        place = match place.get().as_bytes().first()? {
            b'{' => *serde_json::from_str::<BTreeMap<String, &RawValue>>(place.get()).ok()?.get(&token)?,
            b'[' => *serde_json::from_str::<Vec<&RawValue>>(place.get()).ok()?.get(token.parse::<usize>().ok()?)?,
            _ => return None,
        };
    }
    Some(place)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    fn injected(body: &str, pointer: &str) -> Result<String, EgressError> {
        let mut request = HttpRequest {
            method: harness_contract::HttpMethod::Post,
            url: String::new(),
            headers: Vec::new(),
            body: HttpBody::Bytes(body.into()),
            fills: Vec::new(),
            captures: Vec::new(),
        };
        inject_json(&mut request, pointer, "a \"b\"")?;
        let HttpBody::Bytes(body) = request.body else { panic!("no body") };
        Ok(String::from_utf8(body).unwrap())
    }

    #[test]
    fn what_stands_beside_an_injection_keeps_every_digit() {
        let body = r#"{"id":184467440737095516160123, "n":1.00, "to":{"a/b":[0,{"x":null}]}}"#;
        let expected = r#"{"id":184467440737095516160123, "n":1.00, "to":{"a/b":[0,{"x":"a \"b\""}]}}"#;
        assert_eq!(injected(body, "/to/a~1b/1/x").unwrap(), expected);
        for nowhere in ["/to/y", "/to/a~1b/2", "/to/a~1b/x", "/id/0", "to", "/n/0"] {
            assert!(injected(body, nowhere).unwrap_err().to_string().contains("nothing stands there"), "{nowhere}");
        }
        assert!(injected("{", "/a").is_err() && injected(r#"{"a":1} x"#, "/a").is_err());
    }
}
