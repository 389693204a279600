//! Counting what a channel hands in before it is used. Belongs here: number, bytes and spelling of a request's parts.
//! Where it may go: the contract's `egress`.

use harness_contract::{FieldValue, HttpBody, HttpRequest};
use url::Url;

use crate::egress::EgressError;

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
/// The longest body without its files, in bytes.
const MAX_BODY: usize = 32 << 20;
/// Parameters by which servers take another method than the request's.
const OVERRIDES: [&str; 4] = ["method", "_method", "http_method", "x-http-method-override"];

/// Whether each part of a request is within its bound.
pub(crate) fn check(request: &HttpRequest) -> Result<(), EgressError> {
    at_most("headers", request.headers.len(), MAX_HEADERS)?;
    let bytes = request.headers.iter().map(|header| header.name.len() + header.value.len()).sum();
    at_most("bytes of headers", bytes, MAX_HEADER_BYTES)?;
    at_most("bytes of URL", request.url.len(), MAX_URL)?;
    at_most("values to fill in", request.fills.len(), MAX_FILLS)?;
    match &request.body {
        HttpBody::Empty => {}
        HttpBody::Bytes(bytes) => at_most("bytes of body", bytes.len(), MAX_BODY)?,
        HttpBody::Multipart(fields) => {
            at_most("fields", fields.len(), MAX_FIELDS)?;
            let mut bytes = 0_usize;
            for field in fields {
                for name in [Some(&field.name), field.file_name.as_ref(), field.content_type.as_ref()] {
                    let Some(name) = name else { continue };
                    at_most("bytes of a field's name", name.len(), MAX_NAME)?;
                    if name.chars().any(char::is_control) {
                        return Err(EgressError::Invalid("the name of a field or a file holds a line end".into()));
                    }
                }
                if let FieldValue::Text(text) = &field.value {
                    bytes = bytes.saturating_add(text.len());
                }
            }
            at_most("bytes of body", bytes, MAX_BODY)?;
        }
    }
    Ok(())
}

fn at_most(what: &str, actual: usize, max: usize) -> Result<(), EgressError> {
    if actual <= max {
        return Ok(());
    }
    Err(EgressError::Invalid(format!("it has {actual} {what}, and at most {max} leave")))
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
        assert!(check(&HttpRequest { headers: vec![header.clone(); 64], ..request() }).is_ok());
        assert!(check(&HttpRequest { headers: vec![header; 25_000], ..request() }).is_err());
        assert!(check(&HttpRequest { fills: vec![fill; 17], ..request() }).is_err());
        assert!(check(&HttpRequest { url: "x".repeat(MAX_URL + 1), ..request() }).is_err());
        for fields in [vec![field("x"); 65], vec![field("a\r\nb")], vec![field(&"x".repeat(300))]] {
            assert!(check(&HttpRequest { body: HttpBody::Multipart(fields), ..request() }).is_err());
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
