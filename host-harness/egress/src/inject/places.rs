//! Owns: writing a value to the place named by a fill: header, query, path, form, JSON, the whole address.
//! Does not own: whether it is allowed there (`inject`), signing the request (`sigv4`), bodies with files (`body`).

use std::{collections::BTreeMap, ops::Range};

use base64::Engine as _;
use harness_contract::{FieldValue, FillPlace, FormField, HttpBody, HttpRequest};
use http::{HeaderMap, HeaderName, HeaderValue, header};
use serde_json::value::RawValue;
use url::Url;
use zeroize::Zeroizing;

use super::{InjectedCredentials, Source, Value, unknown};
use crate::error::EgressError;

/// Maximum size of a JSON document with fills, in bytes.
const MAX_JSON: usize = 1 << 20;

/// A request with all values injected, before its limits are checked again.
pub(super) struct Put {
    pub(super) request: HttpRequest,
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) credentials: InjectedCredentials,
    /// The ranges of the body that files replace, in the order of their fills.
    pub(super) files_at: Vec<Range<usize>>,
}

/// Injects values into a request. `url` and `headers` were built from it and checked before.
pub(super) fn put(
    values: Vec<Value>,
    mut request: HttpRequest,
    mut url: Url,
    mut headers: HeaderMap,
) -> Result<Put, EgressError> {
    let (mut credentials, mut files) = (InjectedCredentials::new(), Vec::new());
    for Value { source, place, is_credential } in values {
        let value = match source {
            Source::Text(text) => text,
            Source::Token(token) => {
                let (token, signature) = token.sign()?;
                // The rest of the token is not secret, so the signature alone is a credential.
                credentials.push(signature);
                token
            }
            Source::File => {
                files.push(place);
                continue;
            }
            Source::Signature(_) => {
                return Err(EgressError::Invalid("a signature is made of the whole request".into()));
            }
        };
        match &place {
            FillPlace::Authorization(scheme) => {
                let authorization = Zeroizing::new(format!("{scheme} {}", *value));
                insert(&mut headers, header::AUTHORIZATION, &authorization)?;
            }
            FillPlace::Basic(user) => {
                let pair = Zeroizing::new(format!("{user}:{}", *value));
                let encoded = Zeroizing::new(base64::prelude::BASE64_STANDARD.encode(pair.as_bytes()));
                insert(&mut headers, header::AUTHORIZATION, &Zeroizing::new(format!("Basic {}", *encoded)))?;
                if is_credential {
                    // The same credential in another spelling.
                    credentials.push(encoded);
                }
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
            FillPlace::Json(pointer) => {
                let value = serde_json::to_vec(&*value).map_err(|error| unfilled(pointer, &error))?;
                let (body, place) = json_place(&mut request, pointer)?;
                body.splice(place, value);
            }
            FillPlace::Url => url = address(&url, &value)?,
            FillPlace::Other(name) => return Err(unknown(&format!("the place `{name}`"))),
        }
        if is_credential {
            credentials.push(value);
        }
    }
    // Last, because the other values shift what follows them.
    let place_of = |place: &FillPlace| match place {
        FillPlace::Json(pointer) => json_place(&mut request, pointer).map(|(_, place)| place),
        _ => Err(EgressError::Invalid("a file in base64 stands in a JSON body, at a pointer".into())),
    };
    let files_at = files.iter().map(place_of).collect::<Result<_, _>>()?;
    Ok(Put { request, url, headers, credentials, files_at })
}

/// A captured address. It must be on the requested host, because the host selected the rule that admitted the request.
fn address(admitted: &Url, value: &str) -> Result<Url, EgressError> {
    let invalid = |what: &str| EgressError::Invalid(format!("the captured address {what}"));
    let url = Url::parse(value).map_err(|_| invalid("is none"))?;
    if url.host_str() != admitted.host_str() {
        return Err(invalid("is at another host than the request names"));
    }
    Ok(url)
}

fn insert(headers: &mut HeaderMap, name: HeaderName, value: &str) -> Result<(), EgressError> {
    let mut value = HeaderValue::from_str(value).map_err(|_| {
        EgressError::Invalid(format!("the credential for `{name}` holds characters that no header may"))
    })?;
    value.set_sensitive(true);
    headers.insert(name, value);
    Ok(())
}

/// Replaces the placeholder `{name}`, which `Url` percent-encodes.
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

/// Adds a form field. In a body of another type, the pair could become part of a text that a person reads.
fn inject_form(request: &mut HttpRequest, headers: &mut HeaderMap, name: &str, value: &str) -> Result<(), EgressError> {
    const FORM: &str = "application/x-www-form-urlencoded";
    if let HttpBody::Multipart(fields) = &mut request.body {
        let value = FieldValue::Text(value.to_owned());
        fields.push(FormField { name: name.to_owned(), value, file_name: None, content_type: None });
        return Ok(());
    }
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

fn unfilled(pointer: &str, problem: &dyn std::fmt::Display) -> EgressError {
    EgressError::Invalid(format!("`{pointer}` cannot be filled: {problem}"))
}

/// The body, and the range of the value at a pointer. The rest of the document stays byte for byte, including numbers
/// that no Rust type can represent.
fn json_place<'r>(request: &'r mut HttpRequest, pointer: &str) -> Result<(&'r mut Vec<u8>, Range<usize>), EgressError> {
    let HttpBody::Bytes(body) = &mut request.body else { return Err(unfilled(pointer, &"the body is not JSON")) };
    if body.len() > MAX_JSON {
        return Err(unfilled(pointer, &format!("the body is longer than {MAX_JSON} bytes")));
    }
    let document: &RawValue = serde_json::from_slice(body).map_err(|error| unfilled(pointer, &error))?;
    let place = place_in(document, pointer).ok_or_else(|| unfilled(pointer, &"nothing stands there"))?;
    let from = (place.get().as_ptr() as usize).saturating_sub(body.as_ptr() as usize);
    let behind = from + place.get().len();
    Ok((body, from..behind))
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
#[allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test fails by panicking")]
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
        let (body, place) = json_place(&mut request, pointer)?;
        body.splice(place, br#""a \"b\"""#.to_vec());
        let HttpBody::Bytes(body) = request.body else { panic!("no body") };
        Ok(String::from_utf8(body).unwrap())
    }

    #[test]
    fn a_value_becomes_a_field_of_a_form_of_either_kind() {
        let form = |body: HttpBody| {
            let mut request = HttpRequest {
                method: harness_contract::HttpMethod::Post,
                url: String::new(),
                headers: Vec::new(),
                body,
                fills: Vec::new(),
                captures: Vec::new(),
            };
            inject_form(&mut request, &mut HeaderMap::new(), "token", "a&b").map(|()| request.body)
        };
        let HttpBody::Bytes(pairs) = form(HttpBody::Bytes(b"a=1".to_vec())).unwrap() else { panic!("no pairs") };
        assert_eq!(pairs, b"a=1&token=a%26b");
        let HttpBody::Multipart(fields) = form(HttpBody::Multipart(Vec::new())).unwrap() else { panic!("no fields") };
        assert!(fields[0].name == "token" && fields[0].value == FieldValue::Text("a&b".into()), "{fields:?}");
        assert!(form(HttpBody::Empty).is_err());
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
