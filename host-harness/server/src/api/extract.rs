//! Owns: extractors that replace axum's, so that every rejection is a problem document of the API.
//! Does not own: the form of a problem (`problem`).

use axum::{
    extract::{FromRequest, FromRequestParts, Request, rejection::BytesRejection},
    http::{HeaderMap, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use harness_inbox::{PublicId, Row as AnyRow};
use serde::{Serialize, de::DeserializeOwned};

use super::{Api, ids::NOT_AN_ID, time::NOT_A_TIME};
use crate::{auth::Principal, problem::Problem};

/// The variables of a path that are no row's id.
pub(super) struct Path<T>(pub(super) T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match axum::extract::Path::from_request_parts(parts, state).await {
            Ok(axum::extract::Path(value)) => Ok(Self(value)),
            Err(_) => {
                let detail = "this address cannot be read: what is no plain letter in it is percent-encoded UTF-8";
                Err(Problem::bad("bad_address", detail))
            }
        }
    }
}

/// The row that the `{id}` of a path names, of the sender's workspace. A text that is no id of this kind, and the id of a
/// row of another workspace, are answered like the id of a row that does not exist.
pub(super) struct Row<T>(pub(super) T);

impl<T: PublicId + Into<AnyRow>> FromRequestParts<Api> for Row<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Self, Problem> {
        let Path(id) = Path::<String>::from_request_parts(parts, api).await?;
        let principal = Principal::from_request_parts(parts, api).await?;
        let id = T::from_public(&id).map_err(|_| Problem::no_row(T::NOUN))?;
        api.own(&principal, id).await.map(Self)
    }
}

impl Api {
    /// Checks that a row belongs to the sender's workspace. Every id that a request names goes through here.
    pub(super) async fn own<T: PublicId + Into<AnyRow>>(&self, principal: &Principal, id: T) -> Result<T, Problem> {
        self.owns(principal, id.into(), T::NOUN).await.map(|()| id)
    }

    /// The same for a row that has no id of its own kind.
    pub(super) async fn owns(&self, principal: &Principal, row: AnyRow, noun: &str) -> Result<(), Problem> {
        let workspace = self.host.inbox().workspace_of(row).await?;
        if workspace == Some(principal.workspace) { Ok(()) } else { Err(Problem::no_row(noun)) }
    }
}

/// The longest key that a request is sent with, in bytes.
const MAX_KEY: usize = 200;

/// The key that a request is sent with, so that it can be sent again and is done once.
pub(super) fn idempotency_key(headers: &HeaderMap) -> Result<Option<&str>, Problem> {
    let Some(given) = headers.get("idempotency-key") else { return Ok(None) };
    let key = given.to_str().ok().filter(|key| (1..=MAX_KEY).contains(&key.len()));
    key.map(Some).ok_or_else(no_idempotency_key)
}

/// A key is needed, or this is none.
pub(super) fn no_idempotency_key() -> Problem {
    let detail =
        format!("send an `Idempotency-Key` header of at most {MAX_KEY} characters: the same key is the same request");
    Problem::bad("no_idempotency_key", &detail)
}

/// The query string. Which parameters are allowed is up to the route (`Routes::taking`).
pub(super) struct Query<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        axum::extract::Query::try_from_uri(&parts.uri).map(|axum::extract::Query(value)| Self(value)).map_err(|error| {
            // The source reads "name: problem"; the error itself adds a prefix.
            let noticed = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
            let (name, noticed) = noticed.split_once(": ").unwrap_or(("", &noticed));
            let code = if noticed.starts_with(NOT_AN_ID) { "bad_id" } else { "bad_parameter" };
            Problem::bad(code, sentence(name, noticed)).at(name)
        })
    }
}

/// A JSON request or response body.
pub(super) struct Json<T>(pub(super) T);

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let mime = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
        let mime = mime.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        if mime != "application/json" && !(mime.starts_with("application/") && mime.ends_with("+json")) {
            let detail = "this address takes JSON: send the header `Content-Type: application/json`";
            return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not_json", detail));
        }
        let Body(bytes) = Body::from_request(request, state).await?;
        document(&bytes).and_then(read).map(Self)
    }
}

/// A complete body.
pub(super) struct Body(pub(super) axum::body::Bytes);

impl<S: Send + Sync> FromRequest<S> for Body {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        match axum::body::Bytes::from_request(request, state).await {
            Ok(bytes) => Ok(Self(bytes)),
            Err(BytesRejection::FailedToBufferBody(error)) => {
                let too_large = error.into_response().status() == StatusCode::PAYLOAD_TOO_LARGE;
                Err(if too_large { too_large_body(super::MAX_BODY as u64) } else { unfinished() })
            }
            Err(_) => Err(unfinished()),
        }
    }
}

pub(super) fn unfinished() -> Problem {
    Problem::bad("body_unfinished", "the body did not come in whole, or not within its time: send it again")
}

/// `bound` is in bytes.
pub(super) fn too_large_body(bound: u64) -> Problem {
    let kib = bound >> 10;
    let bound = if kib.is_multiple_of(1024) { format!("{} MiB", kib >> 10) } else { format!("{kib} KiB") };
    let detail = format!("the body is larger than the {bound} that this address takes");
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", detail)
}

/// Rejects a body whose announced length exceeds the bound, before reading it.
pub(super) fn announced(headers: &HeaderMap, bound: u64) -> Result<(), Problem> {
    let too_large = crate::middleware::body::content_length(headers).is_some_and(|length| length > bound);
    if too_large { Err(too_large_body(bound)) } else { Ok(()) }
}

const NO_OBJECT: &str = "invalid type: another one, expected struct";

/// Parses a body as a JSON object. Every endpoint that accepts JSON expects an object.
pub(super) fn document(bytes: &[u8]) -> Result<serde_json::Value, Problem> {
    let document: serde_json::Value = serde_json::from_slice(bytes).map_err(|error| {
        let detail = match (bytes.is_empty(), error.line(), error.column()) {
            (true, ..) => "the body is empty: this address takes JSON".to_owned(),
            (_, line, column) => format!("the body is not JSON: it goes wrong in line {line}, at byte {column} of it"),
        };
        Problem::bad("not_json", detail)
    })?;
    // serde would accept an array as a struct, in the order of its fields.
    if document.is_object() { Ok(document) } else { Err(Problem::bad("bad_body", sentence("", NO_OBJECT))) }
}

/// Deserializes a document into the type that an endpoint expects.
pub(super) fn read<T: DeserializeOwned>(document: serde_json::Value) -> Result<T, Problem> {
    serde_path_to_error::deserialize(document).map_err(|error| {
        let path = error.path().to_string();
        let path = if path == "." { String::new() } else { path };
        let noticed = error.inner().to_string();
        let code = if noticed.starts_with(NOT_AN_ID) { "bad_id" } else { "bad_body" };
        Problem::bad(code, sentence(&path, &noticed)).at(path)
    })
}

/// Rewrites a serde error for the sender.
fn sentence(path: &str, noticed: &str) -> String {
    // The path replaces " at line 1 column 2".
    let noticed = noticed.split(" at line ").next().unwrap_or(noticed);
    let place = if path.is_empty() { "the body".to_owned() } else { format!("`{path}`") };
    let quoted = |rest: &str| rest.split('`').next().unwrap_or_default().to_owned();
    if let Some(rest) = noticed.strip_prefix("missing field `") {
        return format!("{place} has no `{}`, which is needed there", quoted(rest));
    }
    if let Some(rest) = noticed.strip_prefix("duplicate field `") {
        return format!("`{}` is given twice in {place}", quoted(rest));
    }
    for (beginning, what) in [("unknown field `", "a field"), ("unknown variant `", "a value")] {
        if let Some(rest) = noticed.strip_prefix(beginning) {
            let known = rest.split_once(", expected ").map(|(_, known)| known.trim_start_matches("one of "));
            let known = known.map(|known| format!("; known are {known}")).unwrap_or_default();
            return format!("`{}` is not {what} that is known at {place}{known}", quoted(rest));
        }
    }
    if let Some(rest) = noticed.strip_prefix(NOT_AN_ID).or_else(|| noticed.strip_prefix(NOT_A_TIME)) {
        return format!("{place}: {rest}");
    }
    let kinds = ["invalid type: ", "invalid value: ", "invalid length "];
    if kinds.iter().any(|kind| noticed.starts_with(kind)) || noticed.contains("digit") {
        let expected = noticed.split_once(", expected ").map_or("", |(_, expected)| expected);
        return format!("{place} does not hold what is expected there: {}", kind(expected));
    }
    if path.is_empty() { noticed.to_owned() } else { format!("{place}: {noticed}") }
}

/// The JSON term for a Rust type.
fn kind(expected: &str) -> &'static str {
    let any = |words: &[&str]| words.iter().any(|word| expected.contains(word));
    match expected {
        "" => "a whole number",
        _ if any(&["bool"]) => "true or false",
        _ if any(&["string", "str"]) && !any(&["struct"]) => "a text",
        _ if any(&["sequence", "tuple", "array"]) => "a list",
        _ if any(&["struct", "map"]) => "an object",
        _ if any(&["enum", "variant"]) => "one of its names, or an object with one of them as its only member",
        _ if any(&["u8", "u16", "u32", "u64", "i8", "i16", "i32", "i64", "integer"]) => "a whole number in its range",
        _ if any(&["f32", "f64", "float"]) => "a number",
        _ => "a value of another kind",
    }
}

/// The path of the member `name` with the value `text`, in the notation of serde's paths.
pub(super) fn place_of(document: &serde_json::Value, name: &str, text: &str) -> Option<String> {
    use serde_json::Value;
    let below = |step: String, inner: &Value| {
        let rest = place_of(inner, name, text)?;
        Some(if rest.starts_with('[') { format!("{step}{rest}") } else { format!("{step}.{rest}") })
    };
    match document {
        Value::Object(members) => members.iter().find_map(|(member, inner)| {
            if member == name && inner.as_str() == Some(text) {
                Some(name.to_owned())
            } else {
                below(member.clone(), inner)
            }
        }),
        Value::Array(items) => items.iter().enumerate().find_map(|(at, inner)| below(format!("[{at}]"), inner)),
        _ => None,
    }
}
