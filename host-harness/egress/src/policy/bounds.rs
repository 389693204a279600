//! Owns: limits on number, size and spelling of a request's parts, checked before use.
//! Does not own: where a request may go (the contract's `egress`), method overrides (`overrides`).

use harness_contract::{FieldValue, FillPlace, HttpBody, HttpRequest, manifest::is_scheme};
use http::HeaderMap;
use url::Url;

use super::overrides::is_override;
use crate::{error::EgressError, sizes::Sizes};

/// Maximum number of headers, and maximum size of their names and values, in bytes.
const MAX_HEADERS: usize = 64;
const MAX_HEADER_BYTES: usize = 16 << 10;
/// Maximum length of a URL, in bytes.
const MAX_URL: usize = 8 << 10;
/// Maximum number of injected values per request.
const MAX_INJECTIONS: usize = 16;
/// Maximum number of form fields, and maximum length of field and file names.
const MAX_FIELDS: usize = 64;
const MAX_NAME: usize = 256;
/// Maximum length of a media type with its parameters, in bytes.
const MAX_MEDIA_TYPE: usize = 128;

/// Checks all parts of a request.
pub fn check(request: &HttpRequest, sizes: &Sizes) -> Result<(), EgressError> {
    at_most("headers", request.headers.len(), MAX_HEADERS)?;
    let bytes = request.headers.iter().map(|header| header.name.len() + header.value.len()).sum();
    at_most("bytes of headers", bytes, MAX_HEADER_BYTES)?;
    at_most("bytes of URL", request.url.len(), MAX_URL)?;
    at_most("values to fill in", request.fills.len(), MAX_INJECTIONS)?;
    for fill in &request.fills {
        check_place(&fill.place)?;
    }
    let mut types = request.headers.iter().filter(|header| header.name.eq_ignore_ascii_case("content-type"));
    if let Some(given) = types.next() {
        media_type(&given.value)?;
        // The host sets the type of multipart forms. With two types, a server may pick either.
        if types.next().is_some() || matches!(request.body, HttpBody::Multipart(_)) {
            return Err(EgressError::Invalid("a body has one media type".into()));
        }
    }
    if let HttpBody::Multipart(fields) = &request.body {
        at_most("fields", fields.len(), MAX_FIELDS)?;
        for field in fields {
            if let Some(content_type) = &field.content_type {
                media_type(content_type)?;
            }
            for name in [Some(&field.name), field.file_name.as_ref()] {
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

/// Checks again after injection, which makes a request longer.
pub(crate) fn check_injected(
    body_bytes: u64,
    url: &Url,
    headers: &HeaderMap,
    sizes: &Sizes,
) -> Result<(), EgressError> {
    let with_values = |error| match error {
        EgressError::Invalid(sentence) => EgressError::Invalid(format!("with what is filled in, {sentence}")),
        other => other,
    };
    let bytes = headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    at_most("headers", headers.len(), MAX_HEADERS)
        .and_then(|()| at_most("bytes of headers", bytes, MAX_HEADER_BYTES))
        .and_then(|()| at_most("bytes of URL", url.as_str().len(), MAX_URL))
        .and_then(|()| at_most_bytes("the body", body_bytes, sizes.request))
        .map_err(with_values)
}

/// Checks the sizes of a request's files, each and in total.
pub fn check_files(files: impl Iterator<Item = u64>, sizes: &Sizes) -> Result<(), EgressError> {
    let mut all = 0_u64;
    for file in files {
        at_most_bytes("a file", file, sizes.file)?;
        all = all.saturating_add(file);
    }
    at_most_bytes("the sum of its files", all, sizes.request_files)
}

/// The memory of a request, in bytes, without its files.
pub fn memory_of(request: &HttpRequest) -> u64 {
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

/// The size of a body without its files, in bytes.
pub(crate) fn body_bytes(body: &HttpBody) -> u64 {
    match body {
        HttpBody::Empty => 0,
        HttpBody::Bytes(bytes) => bytes.len() as u64,
        HttpBody::Multipart(fields) => fields.iter().fold(0, |bytes, field| match &field.value {
            FieldValue::Text(text) => bytes + text.len() as u64,
            FieldValue::File(_) | FieldValue::Other(_) => bytes,
        }),
        HttpBody::File(_) | HttpBody::Other(_) => 0,
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

/// No injected value, whatever it is, may change what the request does.
fn check_place(place: &FillPlace) -> Result<(), EgressError> {
    match place {
        FillPlace::Authorization(scheme) if !is_scheme(scheme) => {
            return Err(EgressError::Invalid(
                "the scheme of the authorization header is a token (RFC 9110), such as `Bearer`".into(),
            ));
        }
        FillPlace::Basic(user) if user.len() > MAX_NAME || user.chars().any(|c| c == ':' || c.is_control()) => {
            let problem =
                format!("a user name has at most {MAX_NAME} bytes, no colon, no line end, no control character");
            return Err(EgressError::Invalid(problem));
        }
        _ => {}
    }
    let (FillPlace::Query(name)
    | FillPlace::FormField(name)
    | FillPlace::Json(name)
    | FillPlace::Path(name)
    | FillPlace::Header(name)) = place
    else {
        return Ok(());
    };
    at_most("bytes of a place's name", name.len(), MAX_NAME)?;
    let overrides = match place {
        FillPlace::Query(name) | FillPlace::FormField(name) => is_override(name),
        FillPlace::Json(pointer) => pointer.split('/').nth(1).is_some_and(is_override),
        _ => false,
    };
    if overrides {
        return Err(EgressError::Invalid("a value would be filled in as another method".into()));
    }
    Ok(())
}

/// Accepts only `type/subtype` with parameters, and no line break.
fn media_type(text: &str) -> Result<(), EgressError> {
    let is_token = |text: &str| {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&byte);
        !text.is_empty() && text.bytes().all(fits)
    };
    let is_value = |text: &str| {
        let bare = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
        bare.map_or_else(|| is_token(text), |bare| bare.bytes().all(|byte| byte == b' ' || is_plain(byte)))
    };
    let mut parts = text.split(';').map(|part| part.trim_matches(' '));
    let essence = parts.next().and_then(|essence| essence.split_once('/'));
    let fits = text.len() <= MAX_MEDIA_TYPE
        && essence.is_some_and(|(kind, name)| is_token(kind) && is_token(name))
        && parts.all(|part| part.split_once('=').is_some_and(|(name, value)| is_token(name) && is_value(value)));
    if fits {
        return Ok(());
    }
    let shown = harness_contract::text::shown(&text.chars().take(MAX_MEDIA_TYPE).collect::<String>());
    Err(EgressError::Invalid(format!(
        "`{shown}` is no media type: it is `type/subtype`, of at most {MAX_MEDIA_TYPE} bytes"
    )))
}

/// Allowed between quotes without an escape.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_graphic() && !b"\"\\".contains(&byte)
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
        let fill = Fill { source: FillSource::Slot("t".into()), place: FillPlace::Authorization("Bearer".into()) };
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
    fn no_name_and_no_media_type_of_a_part_holds_a_line_end() {
        let part = |file_name: Option<&str>, content_type: Option<&str>| {
            let value = FieldValue::Text("x".into());
            let (file_name, content_type) = (file_name.map(str::to_owned), content_type.map(str::to_owned));
            let body = HttpBody::Multipart(vec![FormField { name: "x".into(), value, file_name, content_type }]);
            check(&HttpRequest { body, ..request() }, &Sizes::default())
        };
        assert!(part(Some("Grüße \"1\".png"), Some("image/png")).is_ok());
        assert!(part(None, Some("text/plain; charset=utf-8; a=\"b c\"")).is_ok());
        for name in ["a\rb", "a\nb", "a\0b", "a\u{85}b"] {
            assert!(part(Some(name), None).is_err(), "{name:?}");
        }
        let long = format!("text/{}", "x".repeat(200));
        for odd in [
            "",
            "text",
            "text/",
            "/plain",
            "te xt/plain",
            "text/plain\r\nx: y",
            "text/plain; x",
            "t/p; x=\"\"\"",
            "text/plän",
            &long,
        ] {
            assert!(part(None, Some(odd)).is_err(), "{odd:?}");
        }
    }

    #[test]
    fn a_body_has_one_media_type_and_it_is_one() {
        let with = |values: &[&str], body: HttpBody| {
            let header = |value: &&str| Header { name: "Content-Type".into(), value: (*value).to_owned() };
            check(&HttpRequest { headers: values.iter().map(header).collect(), body, ..request() }, &Sizes::default())
        };
        assert!(with(&["application/json"], HttpBody::Bytes(b"{}".to_vec())).is_ok());
        assert!(with(&["application/json", "application/json"], HttpBody::Bytes(b"{}".to_vec())).is_err());
        assert!(with(&["json"], HttpBody::Bytes(b"{}".to_vec())).is_err());
        assert!(with(&["multipart/form-data; boundary=x"], HttpBody::Multipart(Vec::new())).is_err());
    }

    #[test]
    fn nothing_is_filled_in_as_another_method() {
        let at = |place: FillPlace| {
            let fills = vec![Fill { source: FillSource::Captured("v".into()), place }];
            check(&HttpRequest { fills, ..request() }, &Sizes::default())
        };
        for name in ["method", "_method", "METHOD", "method[]", "X-HTTP-Method-Override", "http_method"] {
            assert!(at(FillPlace::Query(name.into())).is_err(), "{name}");
            assert!(at(FillPlace::FormField(name.into())).is_err(), "{name}");
            assert!(at(FillPlace::Json(format!("/{name}"))).is_err(), "{name}");
        }
        assert!(at(FillPlace::Query("access_token".into())).is_ok());
        assert!(at(FillPlace::Json("/payment/method".into())).is_ok());
        assert!(at(FillPlace::Query("x".repeat(300))).is_err());
    }
}
