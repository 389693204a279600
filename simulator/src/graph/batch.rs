//! `POST /` with `batch`: several requests in one (Meta's documentation, batch requests).
//! What belongs here: splitting a batch and joining its answers. Each entry is served, recorded and subject to faults
//! like a request of its own, in order.

use std::sync::Arc;

use axum::body::to_bytes;
use axum::response::Response;
use http::Method;
use serde_json::{Map, Value, json};

use crate::core::Core;
use crate::graph::error::GraphError;
use crate::graph::request::GraphRequest;
use crate::graph::{answer, fields, one};
use crate::server::HangUp;

/// Meta's limit.
const MOST: usize = 50;

/// Whether a request is a batch.
pub(crate) fn is(request: &GraphRequest) -> bool {
    request.segments.is_empty() && request.method == Method::POST && request.params.contains_key("batch")
}

pub(crate) async fn serve(core: &Arc<Core>, batch: GraphRequest) -> Response {
    let entries = match entries(&batch) {
        Ok(entries) => entries,
        Err(error) => return answer::conclude(core, batch, Some(Err(error)), None).await,
    };
    let with_headers = batch.text("include_headers").is_none_or(|text| !text.eq_ignore_ascii_case("false"));
    let mut answers = Vec::new();
    for entry in entries {
        let response = one(core, entry.request).await;
        answers.push(written(response, with_headers, entry.hides_success).await);
    }
    answer::plain(&batch, Value::Array(answers))
}

struct Entry {
    request: GraphRequest,
    hides_success: bool,
}

fn entries(batch: &GraphRequest) -> Result<Vec<Entry>, GraphError> {
    let list = batch.params.get("batch").map(|list| fields::array(list, "batch")).transpose()?.unwrap_or_default();
    if list.is_empty() || list.len() > MOST {
        return Err(GraphError::parameter(format!("Param batch must hold 1 to {MOST} requests")));
    }
    list.iter().map(|entry| read(batch, fields::object(entry, "batch")?)).collect()
}

fn read(batch: &GraphRequest, entry: &Map<String, Value>) -> Result<Entry, GraphError> {
    let method = fields::optional_text(entry, "method", "batch")?.unwrap_or("GET").to_ascii_uppercase();
    let method = [Method::GET, Method::POST, Method::DELETE, Method::HEAD]
        .into_iter()
        .find(|known| known.as_str() == method)
        .ok_or_else(|| GraphError::unsupported_method(&method))?;
    let relative_url = fields::text(entry, "relative_url", "batch")?;
    let body = fields::optional_text(entry, "body", "batch")?.unwrap_or("");
    let refers = relative_url.contains("{result=") || body.contains("{result=") || body.contains("%7Bresult%3D");
    if refers || entry.contains_key("depends_on") {
        return Err(GraphError::not_played("entries of a batch that use the answer of another one"));
    }
    let mut request = GraphRequest::of_batch(batch, method, relative_url, body);
    if is(&request) {
        return Err(GraphError::parameter("A batch cannot hold a batch"));
    }
    if let Some(name) = fields::optional_text(entry, "attached_files", "batch")? {
        let file = name.split(',').next().and_then(|name| batch.files.get(name.trim()));
        let file = file.ok_or_else(|| GraphError::parameter(format!("File {name} has not been attached")))?;
        request.set_file(file.clone());
    }
    let shows = entry.get("omit_response_on_success").and_then(Value::as_bool) == Some(false);
    // Meta omits the successful answer of a named entry by default.
    Ok(Entry { request, hides_success: entry.contains_key("name") && !shows })
}

/// `null` is Meta's answer for an entry that timed out.
async fn written(response: Response, with_headers: bool, hides_success: bool) -> Value {
    if response.extensions().get::<HangUp>().is_some() || (hides_success && response.status().is_success()) {
        return Value::Null;
    }
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let mut answer = Map::new();
    answer.insert("code".to_owned(), json!(parts.status.as_u16()));
    if with_headers {
        let headers: Vec<Value> = parts
            .headers
            .iter()
            .map(|(name, value)| json!({"name": name.as_str(), "value": String::from_utf8_lossy(value.as_bytes())}))
            .collect();
        answer.insert("headers".to_owned(), json!(headers));
    }
    answer.insert("body".to_owned(), json!(String::from_utf8_lossy(&body)));
    Value::Object(answer)
}
