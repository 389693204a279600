//! A Graph request read from the wire: version, path, token and proof, parameters, file.
//! What belongs here: taking apart what clients send in all their ways. No judgement on content.

use std::collections::BTreeMap;

use axum::body::{Body, Bytes, to_bytes};
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderMap, Method};
use serde_json::{Map, Value};

use crate::graph::Host;
use crate::state::log::TokenPlace;

/// Uploads reach 25 MB; anything beyond this is not read.
const MAX_BODY: usize = 64 * 1024 * 1024;

/// The file of a multipart upload.
pub(crate) struct FilePart {
    pub(crate) name: String,
    pub(crate) content_type: String,
    pub(crate) size: usize,
}

/// A request with everything that Graph reads from it. No `Debug`: it holds the token.
pub(crate) struct GraphRequest {
    pub(crate) host: Host,
    pub(crate) method: Method,
    pub(crate) version: Option<String>,
    pub(crate) segments: Vec<String>,
    pub(crate) params: Map<String, Value>,
    pub(crate) token: Option<(TokenPlace, String)>,
    pub(crate) proof: Option<String>,
    pub(crate) file: Option<FilePart>,
    pub(crate) body_is_json: bool,
    /// Why the body could not be read.
    pub(crate) problem: Option<String>,
}

impl GraphRequest {
    pub(crate) async fn read(host: Host, path: &str, request: http::Request<Body>) -> Self {
        let (parts, body) = request.into_parts();
        let mut segments: Vec<String> =
            path.split('/').filter(|segment| !segment.is_empty()).map(str::to_owned).collect();
        let version = segments.first().filter(|first| is_version(first)).cloned();
        if version.is_some() {
            segments.remove(0);
        }
        let mut read = Self {
            host,
            method: parts.method.clone(),
            version,
            segments,
            params: Map::new(),
            token: None,
            proof: None,
            file: None,
            body_is_json: false,
            problem: None,
        };
        read.take_bearer(&parts.headers);
        read.take_pairs(parts.uri.query().unwrap_or("").as_bytes(), TokenPlace::Query);
        match to_bytes(body, MAX_BODY).await {
            Ok(bytes) if bytes.is_empty() => {}
            Ok(bytes) => read.take_body(&parts, bytes).await,
            Err(error) => read.problem = Some(format!("the body could not be read: {error}")),
        }
        read
    }

    /// A parameter as text; numbers and booleans as they are written.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        match self.params.get(name)? {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            Value::Bool(flag) => Some(flag.to_string()),
            _ => None,
        }
    }

    pub(crate) fn path(&self) -> String {
        format!("/{}", self.segments.join("/"))
    }

    async fn take_body(&mut self, parts: &Parts, bytes: Bytes) {
        let content_type =
            parts.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("").to_ascii_lowercase();
        if content_type.starts_with("multipart/form-data") {
            self.take_multipart(parts, bytes).await;
        } else if content_type.starts_with("application/x-www-form-urlencoded") {
            self.take_pairs(&bytes, TokenPlace::Form);
        } else {
            self.body_is_json = true;
            match serde_json::from_slice::<Value>(&bytes) {
                Ok(Value::Object(fields)) => {
                    for (name, value) in fields {
                        self.take(name, value, TokenPlace::Json);
                    }
                }
                Ok(_) => self.problem = Some("the body is not a JSON object".to_owned()),
                Err(error) => self.problem = Some(format!("the body is not JSON: {error}")),
            }
        }
    }

    async fn take_multipart(&mut self, parts: &Parts, bytes: Bytes) {
        // The boundary is case-sensitive, so it is read from the header as it was sent.
        let header = parts.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
        let read = async {
            let mut form = multer::Multipart::with_reader(bytes.as_ref(), multer::parse_boundary(header)?);
            let mut texts = BTreeMap::new();
            let mut file = None;
            while let Some(field) = form.next_field().await? {
                let name = field.name().unwrap_or("").to_owned();
                if name == "filedata" {
                    let content_type = field.content_type().map(ToString::to_string).unwrap_or_default();
                    let file_name = field.file_name().unwrap_or("").to_owned();
                    file = Some(FilePart { name: file_name, content_type, size: field.bytes().await?.len() });
                } else {
                    texts.insert(name, field.text().await?);
                }
            }
            Ok::<_, multer::Error>((texts, file))
        };
        match read.await {
            Ok((texts, file)) => {
                self.file = file;
                for (name, text) in texts {
                    self.take(name, structured(text), TokenPlace::Form);
                }
            }
            Err(error) => self.problem = Some(format!("the multipart body is broken: {error}")),
        }
    }

    fn take_bearer(&mut self, headers: &HeaderMap) {
        let token = headers
            .get(AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer") || scheme.eq_ignore_ascii_case("oauth"));
        if let Some((_, token)) = token {
            self.token = Some((TokenPlace::Bearer, token.trim().to_owned()));
        }
    }

    fn take_pairs(&mut self, encoded: &[u8], place: TokenPlace) {
        for (name, value) in url::form_urlencoded::parse(encoded) {
            self.take(name.into_owned(), structured(value.into_owned()), place);
        }
    }

    fn take(&mut self, name: String, value: Value, place: TokenPlace) {
        match (name.as_str(), value) {
            ("access_token", Value::String(token)) => self.token = Some((place, token)),
            ("appsecret_proof", Value::String(proof)) => self.proof = Some(proof),
            (_, value) => {
                self.params.insert(name, value);
            }
        }
    }
}

/// Parameters that are secrets: the record of requests keeps their names only.
const SECRETS: &[&str] = &["client_secret", "code", "fb_exchange_token", "input_token"];

/// The parameters as the record shows them.
pub(crate) fn redacted(params: &Map<String, Value>) -> Value {
    let shown = params.iter().map(|(name, value)| {
        let secret = SECRETS.contains(&name.as_str());
        (name.clone(), if secret { Value::String("***".to_owned()) } else { value.clone() })
    });
    Value::Object(shown.collect())
}

/// Form and query values that hold JSON are read as such: both Meta's forms of samples work.
fn structured(text: String) -> Value {
    match text.trim_start().chars().next() {
        Some('{' | '[') => serde_json::from_str(&text).unwrap_or(Value::String(text)),
        _ => Value::String(text),
    }
}

fn is_version(segment: &str) -> bool {
    segment
        .strip_prefix('v')
        .and_then(|version| version.split_once('.'))
        .is_some_and(|(major, minor)| [major, minor].iter().all(|part| is_number(part)))
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_version_segments_are_taken_for_versions() {
        for version in ["v25.0", "v26.0", "v9.10"] {
            assert!(is_version(version), "{version}");
        }
        for other in ["me", "v25", "v.0", "17841400000000001", "vx.y"] {
            assert!(!is_version(other), "{other}");
        }
    }

    #[test]
    fn form_values_that_hold_json_are_read_as_json() {
        assert_eq!(structured(r#"{"id":"65"}"#.to_owned()), serde_json::json!({"id": "65"}));
        assert_eq!(structured("65".to_owned()), Value::String("65".to_owned()));
        assert_eq!(structured("{broken".to_owned()), Value::String("{broken".to_owned()));
    }
}
