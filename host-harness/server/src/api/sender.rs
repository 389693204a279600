//! Owns: what a handler learns of the sender of its request.
//! Does not own: authenticating it (`auth`).

use axum::{extract::FromRequestParts, http::request::Parts};

use harness_inbox::PublicId as _;

use super::ApiError;
use crate::auth::{Denied, Principal, Who};

impl<S: Send + Sync> FromRequestParts<S> for Principal {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        parts.extensions.get::<Self>().cloned().ok_or_else(|| Denied::NoToken.into())
    }
}

impl Principal {
    /// Signs a message that a person writes: they cannot write as anybody else, or as a program.
    pub(super) fn sign(&self, message: &mut serde_json::Map<String, serde_json::Value>) {
        if let Who::User { id, name, .. } = &self.who {
            let sender = serde_json::json!({ "kind": "human", "id": id.public(), "name": name });
            message.insert("sender".to_owned(), sender);
        }
    }
}
