//! A Graph request: version, path, token and proof, parameters, file.
//! What belongs here: parsing everything that clients send, without checking it. Single parameters are `params`.

use std::collections::BTreeMap;

use axum::body::{Body, Bytes, to_bytes};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderMap, Method};
use serde_json::{Map, Value};

use crate::graph::Host;
use crate::graph::params::{self, Params};
use crate::state::log::TokenPlace;

/// Uploads have up to 25 MB; larger bodies are not read.
const MAX_BODY: usize = 64 * 1024 * 1024;

/// The name of an upload's file part.
const FILE: &str = "filedata";

/// The file of a multipart upload.
#[derive(Clone)]
pub(crate) struct FilePart {
    pub(crate) name: String,
    pub(crate) content_type: String,
    pub(crate) size: usize,
}

/// A parsed request. No `Debug`: it holds the token.
pub(crate) struct GraphRequest {
    pub(crate) host: Host,
    pub(crate) method: Method,
    pub(crate) version: Option<String>,
    pub(crate) segments: Vec<String>,
    /// Query and body. A text with a JSON object or array is parsed.
    pub(crate) params: Map<String, Value>,
    /// Their texts as sent.
    texts: BTreeMap<String, String>,
    pub(crate) token: Option<(TokenPlace, String)>,
    pub(crate) proof: Option<String>,
    /// Files by part name: `filedata`, or the name in a batch entry.
    pub(crate) files: BTreeMap<String, FilePart>,
    pub(crate) body_is_json: bool,
    /// Why the body could not be parsed.
    pub(crate) problem: Option<String>,
}

impl GraphRequest {
    pub(crate) async fn read(host: Host, path: &str, request: http::Request<Body>) -> Self {
        let (parts, body) = request.into_parts();
        let mut read = Self::empty(host, parts.method.clone(), path);
        read.take_authorization(&parts.headers);
        let mut sent = Params::default();
        sent.pairs(parts.uri.query().unwrap_or("").as_bytes(), TokenPlace::Query);
        match to_bytes(body, MAX_BODY).await {
            Ok(bytes) if bytes.is_empty() => {}
            Ok(bytes) => read.take_body(&mut sent, &parts, bytes).await,
            Err(error) => read.problem = Some(format!("the body could not be read: {error}")),
        }
        read.take(sent);
        read
    }

    /// An entry of a batch: a path with its query and a form as body. It uses the batch's token and proof unless it has
    /// its own.
    pub(crate) fn of_batch(batch: &Self, method: Method, relative_url: &str, body: &str) -> Self {
        let (path, query) = relative_url.split_once('?').unwrap_or((relative_url, ""));
        let mut read = Self::empty(batch.host, method, path);
        read.version = read.version.or_else(|| batch.version.clone());
        let mut sent = Params::default();
        sent.pairs(query.as_bytes(), TokenPlace::Query);
        sent.pairs(body.as_bytes(), TokenPlace::Form);
        read.take(sent);
        if read.token.is_none() {
            read.token.clone_from(&batch.token);
            read.proof = read.proof.or_else(|| batch.proof.clone());
        }
        read
    }

    /// The same request for one of the nodes in `ids`.
    pub(crate) fn for_node(&self, id: &str) -> Self {
        let mut segments = vec![id.to_owned()];
        segments.extend(self.segments.iter().cloned());
        Self {
            host: self.host,
            method: self.method.clone(),
            version: self.version.clone(),
            segments,
            params: self.params.clone(),
            texts: self.texts.clone(),
            token: self.token.clone(),
            proof: self.proof.clone(),
            files: BTreeMap::new(),
            body_is_json: self.body_is_json,
            problem: None,
        }
    }

    fn empty(host: Host, method: Method, path: &str) -> Self {
        let mut segments: Vec<String> =
            path.split('/').filter(|segment| !segment.is_empty()).map(str::to_owned).collect();
        let version = segments.first().filter(|first| is_version(first)).cloned();
        if version.is_some() {
            segments.remove(0);
        }
        Self {
            host,
            // HEAD is answered like GET; the server drops the body.
            method: if method == Method::HEAD { Method::GET } else { method },
            version,
            segments,
            params: Map::new(),
            texts: BTreeMap::new(),
            token: None,
            proof: None,
            files: BTreeMap::new(),
            body_is_json: false,
            problem: None,
        }
    }

    /// The file of an upload.
    pub(crate) fn file(&self) -> Option<&FilePart> {
        self.files.get(FILE)
    }

    pub(crate) fn set_file(&mut self, file: FilePart) {
        self.files.insert(FILE.to_owned(), file);
    }

    /// A parameter as text, including numbers and booleans.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        if let Some(text) = self.texts.get(name) {
            return Some(text.clone());
        }
        match self.params.get(name)? {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            Value::Bool(flag) => Some(flag.to_string()),
            _ => None,
        }
    }

    /// Whether an enumerated parameter has this value, in either case.
    pub(crate) fn names(&self, name: &str, value: &str) -> bool {
        self.text(name).is_some_and(|text| text.eq_ignore_ascii_case(value))
    }

    /// `fields`: `a,b`, or a JSON array.
    pub(crate) fn fields(&self) -> Option<String> {
        match self.params.get("fields") {
            Some(Value::Array(list)) => Some(list.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(",")),
            _ => self.text("fields"),
        }
        .filter(|fields| !fields.trim().is_empty())
    }

    /// Whether a switch such as `pretty` or `debug` is on.
    pub(crate) fn is_set(&self, name: &str) -> bool {
        self.text(name).is_some_and(|text| !matches!(text.to_ascii_lowercase().as_str(), "" | "0" | "false" | "no"))
    }

    pub(crate) fn path(&self) -> String {
        format!("/{}", self.segments.join("/"))
    }

    async fn take_body(&mut self, sent: &mut Params, parts: &Parts, bytes: Bytes) {
        let content_type =
            parts.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("").to_ascii_lowercase();
        let looks_like_json = bytes.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'{');
        if content_type.starts_with("multipart/form-data") {
            self.take_multipart(sent, parts, bytes).await;
        } else if content_type.starts_with("application/x-www-form-urlencoded")
            || !(looks_like_json || content_type.contains("json"))
        {
            sent.pairs(&bytes, TokenPlace::Form);
        } else {
            // Also as text/plain or without a type, as some clients send it.
            self.body_is_json = true;
            match serde_json::from_slice::<Value>(&bytes) {
                Ok(Value::Object(fields)) => {
                    for (name, value) in fields {
                        sent.put(name, value, TokenPlace::Json);
                    }
                }
                Ok(_) => self.problem = Some("the body is not a JSON object".to_owned()),
                Err(error) => self.problem = Some(format!("the body is not JSON: {error}")),
            }
        }
    }

    async fn take_multipart(&mut self, sent: &mut Params, parts: &Parts, bytes: Bytes) {
        // The boundary is case-sensitive, so the original header is used.
        let header = parts.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
        let read = async {
            let mut form = multer::Multipart::with_reader(bytes.as_ref(), multer::parse_boundary(header)?);
            let mut texts = Vec::new();
            let mut files = BTreeMap::new();
            while let Some(field) = form.next_field().await? {
                let name = field.name().unwrap_or("").to_owned();
                if name == FILE || field.file_name().is_some() {
                    let content_type = field.content_type().map(ToString::to_string).unwrap_or_default();
                    let file_name = field.file_name().unwrap_or("").to_owned();
                    let size = field.bytes().await?.len();
                    files.insert(name, FilePart { name: file_name, content_type, size });
                } else {
                    texts.push((name, field.text().await?));
                }
            }
            Ok::<_, multer::Error>((texts, files))
        };
        match read.await {
            Ok((texts, files)) => {
                self.files = files;
                for (name, text) in texts {
                    sent.put(name, Value::String(text), TokenPlace::Form);
                }
            }
            Err(error) => self.problem = Some(format!("the multipart body is broken: {error}")),
        }
    }

    fn take_authorization(&mut self, headers: &HeaderMap) {
        let Some((scheme, value)) = headers
            .get(AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.trim().split_once(' '))
        else {
            return;
        };
        match scheme.to_ascii_lowercase().as_str() {
            "bearer" | "oauth" => self.token = Some((TokenPlace::Bearer, value.trim().to_owned())),
            // OAuth clients authenticate this way at the token endpoints (RFC 6749, 2.3.1).
            "basic" => {
                let pair = STANDARD.decode(value.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
                if let Some((id, secret)) = pair.as_deref().and_then(|pair| pair.split_once(':')) {
                    for (name, value) in [("client_id", id), ("client_secret", secret)] {
                        self.texts.insert(name.to_owned(), params::unescaped(value));
                        self.params.insert(name.to_owned(), Value::String(params::unescaped(value)));
                    }
                }
            }
            _ => {}
        }
    }

    /// Query and body override the headers.
    fn take(&mut self, sent: Params) {
        let Params { params, texts, token, proof, method, .. } = sent.finished();
        self.params.extend(params);
        self.texts.extend(texts);
        self.token = token.or(self.token.take());
        self.proof = proof.or(self.proof.take());
        if let Some(method) = method.filter(|_| matches!(self.method.as_str(), "GET" | "POST")) {
            self.method = method;
        }
    }
}

/// Parameters that are not recorded.
const SECRETS: &[&str] = &["batch", "client_secret", "code", "fb_exchange_token", "input_token", "verify_token"];

/// The recorded parameters.
pub(crate) fn redacted(params: &Map<String, Value>) -> Value {
    let shown = params.iter().map(|(name, value)| {
        let secret = SECRETS.contains(&name.as_str());
        (name.clone(), if secret { Value::String("***".to_owned()) } else { value.clone() })
    });
    Value::Object(shown.collect())
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
}
