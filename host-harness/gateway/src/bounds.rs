//! Counting what a channel hands in before it is used. Belongs here: number, bytes and spelling of a request's parts.
//! Where it may go: the contract's `egress`.

use harness_contract::{FieldValue, HttpBody, HttpRequest};
use http::HeaderMap;
use url::Url;

use crate::{egress::EgressError, sizes::Sizes};

/// Headers of a request, and the bytes of their names and values.
const MAX_HEADERS: usize = 64;
const MAX_HEADER_BYTES: usize = 16 << 10;
/// The longest URL, in bytes.
const MAX_URL: usize = 8 << 10;
/// Values that the host puts into one request.
const MAX_FILLS: usize = 16;
/// Fields of a form, the longest name of one, and of a file.
const MAX_FIELDS: usize = 64;
const MAX_NAME: usize = 256;
/// Parameters by which servers take another method than the request's.
const OVERRIDES: [&str; 4] = ["method", "_method", "http_method", "x-http-method-override"];

/// Whether each part of a request is within its bound.
pub(crate) fn check(request: &HttpRequest, sizes: &Sizes) -> Result<(), EgressError> {
    at_most("headers", request.headers.len(), MAX_HEADERS)?;
    let bytes = request.headers.iter().map(|header| header.name.len() + header.value.len()).sum();
    at_most("bytes of headers", bytes, MAX_HEADER_BYTES)?;
    at_most("bytes of URL", request.url.len(), MAX_URL)?;
    at_most("values to fill in", request.fills.len(), MAX_FILLS)?;
    if let HttpBody::Multipart(fields) = &request.body {
        at_most("fields", fields.len(), MAX_FIELDS)?;
        for field in fields {
            for name in [Some(&field.name), field.file_name.as_ref(), field.content_type.as_ref()] {
                let Some(name) = name else { continue };
                at_most("bytes of a field's name", name.len(), MAX_NAME)?;
                if name.chars().any(char::is_control) {
                    return Err(EgressError::Invalid("the name of a field or a file holds a line end".into()));
                }
            }
        }
    }
    at_most_bytes("the body", body_bytes(&request.body), sizes.request)
}

/// The same once everything was filled in: what the host puts into a request makes it longer.
pub(crate) fn check_filled(
    request: &HttpRequest,
    url: &Url,
    headers: &HeaderMap,
    sizes: &Sizes,
) -> Result<(), EgressError> {
    let filled = |error| match error {
        EgressError::Invalid(sentence) => EgressError::Invalid(format!("with what is filled in, {sentence}")),
        other => other,
    };
    let bytes = headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    at_most("headers", headers.len(), MAX_HEADERS)
        .and_then(|()| at_most("bytes of headers", bytes, MAX_HEADER_BYTES))
        .and_then(|()| at_most("bytes of URL", url.as_str().len(), MAX_URL))
        .and_then(|()| at_most_bytes("the body", body_bytes(&request.body), sizes.request))
        .map_err(filled)
}

/// Whether the files of a request are within their bounds, each and all together.
pub(crate) fn check_files(files: impl Iterator<Item = u64>, sizes: &Sizes) -> Result<(), EgressError> {
    let mut all = 0_u64;
    for file in files {
        at_most_bytes("a file", file, sizes.file)?;
        all = all.saturating_add(file);
    }
    at_most_bytes("the sum of its files", all, sizes.request_files)
}

/// How much memory a request takes, in bytes: its files are not in it.
pub(crate) fn memory_of(request: &HttpRequest) -> u64 {
    let headers = request.headers.iter().map(|header| header.name.len() + header.value.len()).sum::<usize>();
    let names = match &request.body {
        HttpBody::Multipart(fields) => fields.iter().map(|field| field.name.len()).sum(),
        _ => 0_usize,
    };
    (request.url.len() as u64)
        .saturating_add(headers as u64)
        .saturating_add(names as u64)
        .saturating_add(body_bytes(&request.body))
}

/// The bytes of a body that are not a file's.
pub(crate) fn body_bytes(body: &HttpBody) -> u64 {
    match body {
        HttpBody::Empty => 0,
        HttpBody::Bytes(bytes) => bytes.len() as u64,
        HttpBody::Multipart(fields) => fields.iter().fold(0, |bytes, field| match &field.value {
            FieldValue::Text(text) => bytes + text.len() as u64,
            FieldValue::File(_) => bytes,
        }),
    }
}

fn at_most(what: &str, actual: usize, max: usize) -> Result<(), EgressError> {
    if actual <= max {
        return Ok(());
    }
    Err(EgressError::Invalid(format!("it has {actual} {what}, and at most {max} leave")))
}

fn at_most_bytes(what: &str, actual: u64, max: u64) -> Result<(), EgressError> {
    if actual <= max {
        return Ok(());
    }
    Err(EgressError::Invalid(format!("{what} has {actual} bytes, and at most {max} leave")))
}

/// A parameter that makes the server take another method would get around what was granted.
pub(crate) fn refuse_override(url: &Url, body: &HttpBody) -> Result<(), EgressError> {
    let overrides = |name: &str| OVERRIDES.iter().any(|known| name.trim().eq_ignore_ascii_case(known));
    let found = url.query_pairs().any(|(name, _)| overrides(&name))
        || match body {
            HttpBody::Empty => false,
            HttpBody::Bytes(bytes) => url::form_urlencoded::parse(bytes).any(|(name, _)| overrides(&name)),
            HttpBody::Multipart(fields) => fields.iter().any(|field| overrides(&field.name)),
        };
    if found { Err(EgressError::Invalid("a parameter names another method".into())) } else { Ok(()) }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use harness_contract::{Fill, FillPlace, FillSource, FormField, Header, HttpMethod};

    use super::*;

    fn request() -> HttpRequest {
        HttpRequest {
            method: HttpMethod::Post,
            url: "https://x.example/".into(),
            headers: Vec::new(),
            body: HttpBody::Empty,
            fills: Vec::new(),
            captures: Vec::new(),
        }
    }

    #[test]
    fn every_part_of_a_request_is_counted_before_it_is_used() {
        let header = Header { name: "accept".into(), value: "x".into() };
        let fill = Fill { source: FillSource::Slot("t".into()), place: FillPlace::Bearer };
        let field = |name: &str| FormField {
            name: name.into(),
            value: FieldValue::Text("x".into()),
            file_name: None,
            content_type: None,
        };
        assert!(check(&HttpRequest { headers: vec![header.clone(); 64], ..request() }, &Sizes::default()).is_ok());
        assert!(check(&HttpRequest { headers: vec![header; 25_000], ..request() }, &Sizes::default()).is_err());
        assert!(check(&HttpRequest { fills: vec![fill; 17], ..request() }, &Sizes::default()).is_err());
        assert!(check(&HttpRequest { url: "x".repeat(MAX_URL + 1), ..request() }, &Sizes::default()).is_err());
        for fields in [vec![field("x"); 65], vec![field("a\r\nb")], vec![field(&"x".repeat(300))]] {
            assert!(check(&HttpRequest { body: HttpBody::Multipart(fields), ..request() }, &Sizes::default()).is_err());
        }
    }

    #[test]
    fn no_parameter_makes_another_method_of_a_request() {
        let refused =
            |url: &str, body: &str| refuse_override(&Url::parse(url).unwrap(), &HttpBody::Bytes(body.into())).is_err();
        assert!(refused("https://x.example/?method=delete", "") && refused("https://x.example/?%5Fmethod=delete", ""));
        assert!(refused("https://x.example/", "a=1&METHOD=delete"));
        assert!(!refused("https://x.example/?fields=method", "{\"method\":\"x\"}"));
    }
}
