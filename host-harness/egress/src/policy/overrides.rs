//! Owns: refusing parameters that override a request's method in any spelling, which would bypass the grant.
//! Does not own: headers that do the same; the rule does not list them.

use std::fmt;

use harness_contract::{HttpBody, HttpRequest};
use serde::de::{Deserializer as _, IgnoredAny, MapAccess, Visitor};
use url::{Url, form_urlencoded};

use crate::error::EgressError;

/// The parameter names, without case, dashes, underscores and brackets.
const NAMES: [&str; 7] = [
    "method",
    "httpmethod",
    "xhttpmethod",
    "xhttpmethodoverride",
    "httpmethodoverride",
    "xmethodoverride",
    "methodoverride",
];
/// The values that are an override in JSON, where such a name may also mean something else.
const METHODS: [&str; 9] = ["get", "head", "post", "put", "patch", "delete", "options", "trace", "connect"];

/// Whether a parameter of this name may override the method.
pub(crate) fn is_override(name: &str) -> bool {
    let plain: String = name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect();
    NAMES.contains(&plain.as_str())
}

/// Refuses a request with a method override.
pub(crate) fn refuse(url: &Url, request: &HttpRequest) -> Result<(), EgressError> {
    let found = in_form(url.query().unwrap_or_default().as_bytes())
        || match &request.body {
            HttpBody::Empty | HttpBody::File(_) | HttpBody::Other(_) => false,
            // A JSON string may contain anything that people write. Any other content type is also parsed as a form.
            HttpBody::Bytes(bytes) if is_json(request) => in_json(bytes),
            HttpBody::Bytes(bytes) => in_form(bytes) || in_json(bytes),
            HttpBody::Multipart(fields) => fields.iter().any(|field| is_override(&field.name)),
        };
    if found { Err(EgressError::Invalid("a parameter names another method".into())) } else { Ok(()) }
}

/// Whether the content type is JSON, which servers do not parse as a form.
fn is_json(request: &HttpRequest) -> bool {
    let given = request.headers.iter().find(|header| header.name.eq_ignore_ascii_case("content-type"));
    given.is_some_and(|header| {
        let essence = header.value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        essence == "application/json" || essence.ends_with("+json")
    })
}

/// Some servers also separate pairs with a semicolon.
fn in_form(text: &[u8]) -> bool {
    text.split(|byte| matches!(byte, b'&' | b';')).flat_map(form_urlencoded::parse).any(|(name, _)| is_override(&name))
}

/// Whether a JSON member names a method. With any other value it is not an override.
fn in_json(text: &[u8]) -> bool {
    struct Members;
    impl<'de> Visitor<'de> for Members {
        type Value = bool;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<bool, A::Error> {
            let mut found = false;
            while let Some(name) = map.next_key::<String>()? {
                if is_override(&name) {
                    let value = map.next_value::<serde_json::Value>()?;
                    let text = value.as_str().unwrap_or_default().trim().to_ascii_lowercase();
                    found |= METHODS.contains(&text.as_str());
                } else {
                    map.next_value::<IgnoredAny>()?;
                }
            }
            Ok(found)
        }
    }
    serde_json::Deserializer::from_slice(text).deserialize_map(Members).unwrap_or(false)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use harness_contract::{Header, HttpMethod};

    use super::*;

    fn refused(url: &str, content_type: Option<&str>, body: &str) -> bool {
        let header = |value: &str| Header { name: "content-type".into(), value: value.into() };
        let request = HttpRequest {
            method: HttpMethod::Post,
            url: url.into(),
            headers: content_type.map(header).into_iter().collect(),
            body: HttpBody::Bytes(body.into()),
            fills: Vec::new(),
            captures: Vec::new(),
        };
        refuse(&Url::parse(url).unwrap(), &request).is_err()
    }

    #[test]
    fn no_parameter_makes_another_method_of_a_request() {
        for query in
            ["method=delete", "%5Fmethod=delete", "a=1;method=delete", "method[]=delete", "X-HTTP-Method=delete"]
        {
            assert!(refused(&format!("https://x.example/?{query}"), None, ""), "{query}");
        }
        let form = Some("application/x-www-form-urlencoded");
        assert!(refused("https://x.example/", form, "a=1&METHOD=delete"));
        assert!(refused("https://x.example/", form, "{\"a\":\"&method=delete&\"}"));
        let json = Some("application/json; charset=utf-8");
        for body in ["{\"method\":\"DELETE\"}", "{\"a\":{},\"_method\":\"delete\",\"_method\":1}"] {
            assert!(refused("https://x.example/", json, body) && refused("https://x.example/", None, body), "{body}");
        }
        assert!(!refused("https://x.example/?fields=method", None, "{\"method\":\"x\"}"));
    }

    #[test]
    fn what_people_write_about_methods_is_sent() {
        let json = Some("application/json");
        let text = "{\"message\":{\"text\":\"https://shop.example/?a=1&method=paypal;method=x\"}}";
        assert!(!refused("https://x.example/", json, text));
        assert!(!refused("https://x.example/", json, "{\"jsonrpc\":\"2.0\",\"method\":\"sendMessage\"}"));
    }
}
