//! Owns: the OpenAPI document: what the routes say of themselves, completed by what holds for all of them.
//! Does not own: the routes, pages made from the document (`reference`).

use axum::{
    Router,
    http::{HeaderValue, header},
    routing::get,
};
use bytes::Bytes;
use serde_json::{Map, Value, json};
use utoipa::{PartialSchema as _, ToSchema as _, openapi::OpenApi};

use super::dto::contract;
use crate::problem;

/// `/api/v1/openapi.json`.
pub(super) fn router(document: &Value) -> Router {
    let document = Bytes::from(serde_json::to_string_pretty(document).unwrap_or_default() + "\n");
    let json = [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))];
    Router::new().route("/api/v1/openapi.json", get(move || async move { (json, document) }))
}

/// The complete document.
pub(super) fn document(routes: &OpenApi) -> Value {
    let mut document = serde_json::to_value(routes).unwrap_or_default();
    *at(&mut document, &["openapi"]) = "3.1.0".into();
    *at(&mut document, &["info"]) = json!({
        "title": "Inbox host",
        "version": "1",
        "description": "Conversations of all channels, and replies to them. `docs/api.md` is the introduction.",
        "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
    });
    *at(&mut document, &["servers"]) = json!([{ "url": "/api/v1" }]);
    *at(&mut document, &["components", "securitySchemes"]) = json!({ "token": {
        "type": "http", "scheme": "bearer",
        "description": "A token of the API. Each operation names the scope that it needs; `admin` has all that concern one workspace.",
    }, "session": {
        "type": "apiKey", "in": "cookie", "name": "__Host-session",
        "description": "A person who has signed in, on a page of this host. Without TLS the cookie is `session`.",
    }});
    let problem = serde_json::to_value(problem::Document::schema()).unwrap_or_default();
    *at(&mut document, &["components", "schemas", &problem::Document::name()]) = problem;
    let violations = ["components", "schemas", &problem::Document::name(), "properties", "violations", "items"];
    *at(&mut document, &violations) = json!({ "$ref": "#/components/schemas/ContractViolation" });
    mend(&mut document);
    let paths = document.get_mut("paths").and_then(Value::as_object_mut);
    for operation in
        paths.into_iter().flat_map(Map::values_mut).filter_map(Value::as_object_mut).flat_map(Map::values_mut)
    {
        add_problems(operation);
    }
    contract::complete(&mut document);
    document
}

/// Mends what the library cannot say: the name of a kind of object, and a description beside a type that is named.
fn mend(value: &mut Value) {
    match value {
        Value::Object(members) => {
            if members.get("enum") == Some(&json!(["Tag"]))
                && let Some(name) = members.get("title").cloned()
            {
                members.insert("enum".into(), json!([name]));
            }
            for described in members.get_mut("allOf").and_then(Value::as_array_mut).into_iter().flatten() {
                let Some(schema) = described.as_object_mut() else { continue };
                if schema.len() == 2 && schema.contains_key("description") {
                    schema.remove("type");
                }
            }
            members.values_mut().for_each(mend);
        }
        Value::Array(items) => items.iter_mut().for_each(mend),
        _ => {}
    }
}

/// The member at this path, which is made if it is missing.
fn at<'a>(document: &'a mut Value, path: &[&str]) -> &'a mut Value {
    path.iter().fold(document, |value, name| {
        if !value.is_object() {
            *value = Value::Object(Map::new());
        }
        match value {
            Value::Object(members) => members.entry(*name).or_insert(Value::Null),
            other => other,
        }
    })
}

/// Adds the problems that may occur with every operation of its kind.
fn add_problems(operation: &mut Value) {
    let parameters = operation.get("parameters").and_then(Value::as_array);
    let names_a_row = parameters.into_iter().flatten().any(|parameter| {
        parameter["in"] == "path" || parameter["name"].as_str().is_some_and(|name| name.ends_with("_id"))
    });
    let has_body = operation.get("requestBody").is_some();
    let mut expected = vec![
        ("400", "The request is invalid: `path` names the field or the parameter."),
        ("401", "There is no token, or not a valid one."),
        ("403", "The token lacks the scope, or the request comes from the page of another site."),
        ("500", "The host failed; its log says why, under the `request_id`."),
        ("503", "The host cannot do this now: try again later."),
    ];
    if names_a_row {
        expected.push(("404", "There is nothing with this id."));
    }
    if has_body {
        expected.push(("413", "The body is too large."));
        expected.push(("415", "The body is not JSON."));
    }
    let Some(responses) = operation.get_mut("responses").and_then(Value::as_object_mut) else { return };
    for (status, description) in expected {
        if !responses.contains_key(status) {
            responses.insert(status.to_owned(), json!({ "description": description }));
        }
    }
    for (status, response) in responses.iter_mut() {
        let is_problem = status.starts_with(['4', '5']);
        if is_problem && response.get("content").is_none() {
            let schema = json!({ "$ref": "#/components/schemas/Problem" });
            response["content"] = json!({ problem::MIME: { "schema": schema } });
        }
    }
    responses.sort_keys();
}
