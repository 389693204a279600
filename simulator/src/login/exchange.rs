//! `POST api.instagram.com/oauth/access_token`: exchanges the Instagram login's code for a token.
//! What belongs here: this endpoint, whose errors have their own envelope.

use std::sync::Arc;

use axum::Json;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::config::Login;
use crate::core::Core;
use crate::faults::{Fault, Scope};
use crate::graph;
use crate::graph::account::app_scoped_id;
use crate::graph::answer::without_words;
use crate::graph::oauth::{REDIRECT_SENTENCE, SHORT_INSTAGRAM_S};
use crate::graph::request::{GraphRequest, redacted};
use crate::login::codes::CodeProblem;
use crate::server::HangUp;
use crate::settings::{AnswerForm, UserIdForm};
use crate::state::log::{RequestRecord, Verdict};
use crate::state::tokens::Holder;

/// Serves the endpoint. Errors are `{"error_type", "code": 400, "error_message"}` with status 400
/// (Meta's documentation, business login for Instagram).
pub(crate) async fn serve(core: &Arc<Core>, request: Request) -> Response {
    let request = GraphRequest::read(graph::Host::Instagram, "oauth/access_token", request).await;
    let fault = core.world().take_fault(Scope::Login);
    let outcome = match &fault {
        Some(fault) if !fault.lets_run() => Err("An unexpected error has occurred. Please retry later.".to_owned()),
        _ => exchange(core, &request),
    };
    let response = match (fault.as_ref().and_then(without_words), &outcome) {
        // A refusal stays a refusal, as on the Graph hosts.
        (Some(response), _) if fault.as_ref().is_some_and(|fault| !fault.lets_run()) || outcome.is_ok() => response,
        (_, Ok(body)) => (StatusCode::OK, Json(body.clone())).into_response(),
        (_, Err(sentence)) => {
            let body = json!({"error_type": "OAuthException", "code": 400, "error_message": sentence});
            (StatusCode::BAD_REQUEST, Json(body)).into_response()
        }
    };
    record(core, &request, &response, outcome.is_ok(), fault.as_ref());
    core.hold_back(fault.as_ref()).await;
    response
}

fn exchange(core: &Core, request: &GraphRequest) -> Result<Value, String> {
    if request.method != Method::POST {
        return Err("This endpoint takes POST only".to_owned());
    }
    // Meta's samples send a form, plain or multipart; nothing else is accepted.
    if request.body_is_json {
        return Err("You must provide a client_id".to_owned());
    }
    let need = |name: &str| {
        request.text(name).filter(|text| !text.is_empty()).ok_or_else(|| format!("You must provide a {name}"))
    };
    if need("client_id")? != core.config.instagram_app_id {
        return Err("Invalid platform app".to_owned());
    }
    if need("client_secret")? != core.config.instagram_app_secret.expose() {
        return Err("Error validating client secret.".to_owned());
    }
    if need("grant_type")? != "authorization_code" {
        return Err("Invalid grant_type".to_owned());
    }
    let (redirect_uri, code) = (need("redirect_uri")?, need("code")?);
    let code = core.redeem(Login::Instagram, &code, &redirect_uri).map_err(|problem| match problem {
        CodeProblem::Unknown | CodeProblem::Used => "Matching code was not found or was already used".to_owned(),
        CodeProblem::Expired => "This authorization code has expired".to_owned(),
        CodeProblem::Redirect => REDIRECT_SENTENCE.to_owned(),
    })?;
    let ig_id = match &code.holder {
        Holder::Account(ig_id) => ig_id.clone(),
        Holder::App | Holder::Person | Holder::Page(_) => String::new(),
    };
    let permissions: Vec<String> = code.grant.scopes.iter().flatten().cloned().collect();
    let token = core.new_token(code.holder, code.grant, SHORT_INSTAGRAM_S, false);
    let user_id = core.instagram_user_id(&ig_id);
    let form = core.world().app.instagram_token_answer;
    Ok(match form {
        // A number beyond 2^53, which some JSON parsers round.
        AnswerForm::Flat => json!({
            "access_token": token, "user_id": user_id.parse::<u64>().unwrap_or_default(), "permissions": permissions,
        }),
        AnswerForm::Wrapped => json!({"data": [{
            "access_token": token, "user_id": user_id, "permissions": permissions.join(","),
        }]}),
    })
}

impl Core {
    /// The Instagram login's `user_id` of an account outside of `/me`.
    pub(crate) fn instagram_user_id(&self, ig_id: &str) -> String {
        let form = self.world().app.instagram_user_id;
        match form {
            UserIdForm::AppScoped => app_scoped_id(self, ig_id),
            UserIdForm::Account => ig_id.to_owned(),
        }
    }
}

fn record(core: &Core, request: &GraphRequest, response: &Response, accepted: bool, fault: Option<&Fault>) {
    let hangs_up = response.extensions().get::<HangUp>().is_some();
    core.record(RequestRecord {
        at_ms: core.clock.now_ms(),
        method: request.method.to_string(),
        host: "api.instagram.com".to_owned(),
        version: None,
        path: request.path(),
        token_place: None,
        has_proof: false,
        body: redacted(&request.params),
        verdict: Verdict {
            accepted,
            status: (!hangs_up).then(|| response.status().as_u16()),
            code: None,
            subcode: None,
            message_id: None,
            fault: fault.map(|fault| fault.name().to_owned()),
        },
    });
}
