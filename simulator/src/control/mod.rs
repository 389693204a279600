//! The JSON surface below `/sim`: the simulator's handle for other programs.
//! What belongs here: routes and their documents; each calls what the library offers in Rust.

mod app;
mod customers;
mod extract;
mod observe;
mod script;

use std::sync::Arc;

use axum::Json;
use axum::Router;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, patch, post};
use http::StatusCode;
use serde_json::json;

use crate::core::Core;
use crate::error::SimulatorError;

pub(crate) fn router() -> Router<Arc<Core>> {
    Router::new()
        .route("/", get(observe::summary))
        .route("/accounts", get(observe::accounts))
        .route("/accounts/{ig_id}", patch(script::change_account))
        .route("/app", get(app::settings).post(app::change))
        .route("/deauthorize", post(app::deauthorize))
        .route("/data-deletion", post(app::request_deletion))
        .route("/callbacks", get(app::callbacks))
        .route("/requests", get(observe::requests))
        .route("/deliveries", get(observe::deliveries))
        .route("/customers/{igsid}/transcript", get(observe::transcript))
        .route("/customers/{igsid}/history", post(app::history))
        .route("/customers/{igsid}/{action}", post(customers::act))
        .route("/media", post(script::host_file))
        .route("/webhook", post(script::set_webhook))
        .route("/webhook/verify", post(script::verify))
        .route("/webhook/raw", post(script::raw))
        .route("/webhook/hold", post(script::hold))
        .route("/webhook/release", post(script::release))
        .route("/webhook/redeliver", post(script::redeliver))
        .route("/faults", get(script::faults).post(script::inject).delete(script::clear_faults))
        .route("/answers", get(script::held_answers))
        .route("/answers/release", post(script::release_answers))
        .route("/clock", get(observe::clock).post(script::move_clock))
        .fallback(extract::unknown_path)
        .method_not_allowed_fallback(extract::wrong_method)
}

/// The form of every error below `/sim`, and of paths that lead to no host.
pub(crate) fn refuse(status: StatusCode, sentence: &str) -> Response {
    (status, Json(json!({ "error": sentence }))).into_response()
}

/// Why a control request failed.
pub(crate) enum ControlError {
    /// An invalid request; the sentence says what is valid.
    Bad(String),
    /// The library refused it.
    Simulator(SimulatorError),
}

impl From<SimulatorError> for ControlError {
    fn from(error: SimulatorError) -> Self {
        Self::Simulator(error)
    }
}

impl IntoResponse for ControlError {
    fn into_response(self) -> Response {
        let (status, text) = match self {
            Self::Bad(text) => (StatusCode::BAD_REQUEST, text),
            Self::Simulator(error @ SimulatorError::UnknownAccount(_)) => (StatusCode::NOT_FOUND, error.to_string()),
            Self::Simulator(error) => (StatusCode::CONFLICT, error.to_string()),
        };
        refuse(status, &text)
    }
}

impl Core {
    /// The named account, or the first.
    pub(crate) fn account_or_first(&self, named: Option<&str>) -> Result<String, ControlError> {
        let world = self.world();
        let account = match named {
            Some(ig_id) => world.account(ig_id),
            None => world.accounts.first(),
        };
        account
            .map(|account| account.ig_id.clone())
            .ok_or_else(|| SimulatorError::UnknownAccount(named.unwrap_or("").to_owned()).into())
    }
}
