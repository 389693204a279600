//! Owns: sending a browser on to another page once a form is done with.
//! Does not own: which page.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};

/// Sends the browser to a page, which it asks for anew. A place that no header can hold leads to the inbox.
pub(super) fn see(place: &str) -> Response {
    let place = HeaderValue::from_str(place).unwrap_or(HeaderValue::from_static("/"));
    (StatusCode::SEE_OTHER, [(header::LOCATION, place)]).into_response()
}
