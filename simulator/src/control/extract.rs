//! Extractors of control requests (body, query, path) with one form of error.
//! What belongs here: extractors. The handlers' types define valid requests.

use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::response::Response;
use http::request::Parts;
use serde::de::DeserializeOwned;

use crate::control::{ControlError, refuse};

/// The longest body: a medium in base64.
const MAX_BODY: usize = 64 * 1024 * 1024;

/// A JSON body of any content type. An empty body is `{}`.
pub(crate) struct Body<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = ControlError;

    async fn from_request(request: Request, _state: &S) -> Result<Self, ControlError> {
        let bytes = axum::body::to_bytes(request.into_body(), MAX_BODY)
            .await
            .map_err(|error| ControlError::Bad(format!("the body could not be read: {error}")))?;
        let bytes = if bytes.trim_ascii().is_empty() { b"{}" } else { bytes.as_ref() };
        serde_json::from_slice(bytes).map(Self).map_err(|error| {
            let what = if error.is_data() { "the body does not fit" } else { "the body is not JSON" };
            ControlError::Bad(format!("{what}: {error}"))
        })
    }
}

/// The parameters of the query.
pub(crate) struct Query<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = ControlError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ControlError> {
        match axum::extract::Query::from_request_parts(parts, state).await {
            Ok(axum::extract::Query(query)) => Ok(Self(query)),
            Err(rejection) => Err(ControlError::Bad(format!("the query does not fit: {}", rejection.body_text()))),
        }
    }
}

/// The parts of the path.
pub(crate) struct Path<T>(pub(crate) T);

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = ControlError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ControlError> {
        match axum::extract::Path::from_request_parts(parts, state).await {
            Ok(axum::extract::Path(path)) => Ok(Self(path)),
            Err(rejection) => Err(ControlError::Bad(format!("the path does not fit: {}", rejection.body_text()))),
        }
    }
}

/// A path below `/sim` that does not exist.
pub(crate) async fn unknown_path(request: Request) -> Response {
    refuse(
        http::StatusCode::NOT_FOUND,
        &format!("there is nothing at {} /sim{}; GET /sim says what is played", request.method(), request.uri().path()),
    )
}

/// A method that a path does not take.
pub(crate) async fn wrong_method(request: Request) -> Response {
    refuse(
        http::StatusCode::METHOD_NOT_ALLOWED,
        &format!("/sim{} does not take {}", request.uri().path(), request.method()),
    )
}
