//! Owns: the API's reference as a page: made from the description when the host starts, without scripts.
//! Does not own: the description (`openapi`).

use axum::{
    Router,
    http::{HeaderValue, header},
    routing::get,
};
use bytes::Bytes;
use maud::{DOCTYPE, Markup, html};
use serde_json::Value;

/// Its own style alone.
const POLICY: &str =
    "default-src 'none'; style-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";
const STYLE: &str = include_str!("reference.css");

/// `/api/reference` and its style.
pub(super) fn router(document: &Value) -> Router {
    let html = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
    ];
    let css = [(header::CONTENT_TYPE, HeaderValue::from_static("text/css; charset=utf-8"))];
    let page = Bytes::from(page(document).into_string());
    Router::new()
        .route("/api/reference", get(move || async move { (html, page) }))
        .route("/api/reference.css", get(move || async move { (css, STYLE) }))
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn members(value: Option<&Value>) -> impl Iterator<Item = (&String, &Value)> {
    value.and_then(Value::as_object).into_iter().flatten()
}

fn items(value: Option<&Value>) -> impl Iterator<Item = &Value> {
    value.and_then(Value::as_array).into_iter().flatten()
}

fn page(document: &Value) -> Markup {
    let schemas = document.pointer("/components/schemas");
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { "API reference" }
                link rel="stylesheet" href="/api/reference.css";
            }
            body {
                main {
                    h1 { "API reference" }
                    p {
                        "Everything below " code { "/api/v1" } ". The same for programs: "
                        a href="/api/v1/openapi.json" { "openapi.json" } " (OpenAPI 3.1)."
                    }
                    nav aria-label="Operations" {
                        ul {
                            @for (path, item) in members(document.get("paths")) {
                                @for (method, operation) in members(Some(item)) {
                                    li {
                                        a href={ "#" (text(operation, "operationId")) } {
                                            code { (method.to_uppercase()) " " (path) }
                                        }
                                    }
                                }
                            }
                        }
                    }
                    @for (path, item) in members(document.get("paths")) {
                        @for (method, one) in members(Some(item)) { (operation(method, path, one)) }
                    }
                    h2 { "Types" }
                    @for (name, schema) in members(schemas) { (type_of(name, schema)) }
                }
            }
        }
    }
}

fn operation(method: &str, path: &str, operation: &Value) -> Markup {
    let scopes = items(operation.pointer("/security/0/token")).filter_map(Value::as_str);
    html! {
        section id=(text(operation, "operationId")) {
            h2 { code { (method.to_uppercase()) " " (path) } }
            p { (text(operation, "summary")) " " (text(operation, "description")) }
            @for scope in scopes { p { "Scope: " code { (scope) } } }
            @if operation.get("parameters").is_some() {
                table {
                    caption { "Parameters" }
                    tbody {
                        @for parameter in items(operation.get("parameters")) {
                            tr {
                                th scope="row" { code { (text(parameter, "name")) } " in " (text(parameter, "in")) }
                                td { (kind(parameter.get("schema"))) }
                                td { (text(parameter, "description")) }
                            }
                        }
                    }
                }
            }
            @if let Some(body) = operation.pointer("/requestBody/content") {
                p { "Body: " @for (mime, content) in members(Some(body)) { (kind(content.get("schema"))) " as " (mime) } }
            }
            table {
                caption { "Answers" }
                tbody {
                    @for (status, answer) in members(operation.get("responses")) {
                        tr {
                            th scope="row" { (status) }
                            td {
                                @for (_, content) in members(answer.get("content")) { (kind(content.get("schema"))) }
                            }
                            td { (text(answer, "description")) }
                        }
                    }
                }
            }
        }
    }
}

fn type_of(name: &str, schema: &Value) -> Markup {
    let required: Vec<_> = items(schema.get("required")).filter_map(Value::as_str).collect();
    html! {
        section id={ "type-" (name) } {
            h3 { (name) }
            p { (text(schema, "description")) }
            @if schema.get("properties").is_some() {
                table {
                    tbody {
                        @for (field, of) in members(schema.get("properties")) {
                            tr {
                                th scope="row" { code { (field) } @if required.contains(&field.as_str()) { " *" } }
                                td { (kind(Some(of))) }
                                td { (text(of, "description")) }
                            }
                        }
                    }
                }
            } @else {
                p { (kind(Some(schema))) }
            }
        }
    }
}

/// A schema in a few words, with links to the types that it names.
fn kind(schema: Option<&Value>) -> Markup {
    let Some(schema) = schema else { return html! {} };
    if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
        let name = reference.rsplit('/').next().unwrap_or_default();
        return html! { a href={ "#type-" (name) } { (name) } };
    }
    if schema.get("enum").is_some() {
        let names = items(schema.get("enum")).filter_map(Value::as_str).collect::<Vec<_>>().join("`, `");
        return html! { "`" (names) "`" };
    }
    for key in ["oneOf", "anyOf", "allOf"] {
        if schema.get(key).is_some() {
            return html! {
                @for (index, one) in items(schema.get(key)).enumerate() { @if index > 0 { " or " } (kind(Some(one))) }
            };
        }
    }
    let names = match schema.get("type") {
        Some(Value::String(name)) => name.clone(),
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" or "),
        _ => "anything".to_owned(),
    };
    let fields =
        members(schema.get("properties")).map(|(field, of)| html! { code { (field) } ": " (kind(Some(of))) " " });
    html! {
        (names)
        @if let Some(items) = schema.get("items") { " of " (kind(Some(items))) }
        @for field in fields { " " (field) }
    }
}
