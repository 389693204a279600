//! The Graph hosts' token endpoints: codes to tokens, short-lived to long-lived, refresh.
//! What belongs here: `/oauth/access_token`, `/access_token`, `/refresh_access_token`.

use serde_json::{Value, json};

use crate::config::Login;
use crate::core::Core;
use crate::graph::error::GraphError;
use crate::graph::request::GraphRequest;
use crate::graph::{Done, Host, Outcome};
use crate::login::codes::CodeProblem;
use crate::state::tokens::{Grant, Holder, Minted};

/// A short-lived user token of the Facebook login: "about an hour or two" (Meta's documentation).
const SHORT_FACEBOOK_S: i64 = 5183;
/// A short-lived token of the Instagram login: one hour.
pub(crate) const SHORT_INSTAGRAM_S: i64 = 3600;
/// A long-lived token: 60 days, less the seconds that Meta's sample shows.
const LONG_S: i64 = 5_183_944;
/// The age from which a long-lived Instagram token can be refreshed.
const REFRESHABLE_AFTER_MS: i64 = 24 * 3600 * 1000;

/// The endpoint of a path, if it is one of these.
pub(crate) fn endpoint(request: &GraphRequest) -> Option<&'static str> {
    let segments: Vec<&str> = request.segments.iter().map(String::as_str).collect();
    match (request.host, segments.as_slice()) {
        (Host::Facebook, ["oauth", "access_token"]) => Some("facebook"),
        (Host::Instagram, ["access_token"]) => Some("exchange"),
        (Host::Instagram, ["refresh_access_token"]) => Some("refresh"),
        _ => None,
    }
}

pub(crate) fn handle(core: &Core, request: &GraphRequest, endpoint: &str) -> Outcome {
    let method = request.method.as_str();
    match (endpoint, method) {
        ("facebook", "GET" | "POST") => facebook(core, request),
        ("exchange", "GET") => exchange(core, request),
        ("refresh", "GET") => refresh(core, request),
        _ => Err(GraphError::unsupported_method(method)),
    }
}

fn facebook(core: &Core, request: &GraphRequest) -> Outcome {
    let client = required(request, "client_id")
        .map_err(|_| GraphError::new(101, None).saying("Missing client_id parameter."))?;
    if client != core.config.app_id {
        return Err(GraphError::new(101, None)
            .saying("Error validating application. Cannot get application info due to a system error."));
    }
    check_secret(core, request, Login::Facebook)?;
    match request.text("grant_type").as_deref() {
        None | Some("authorization_code") => code(core, request),
        Some("fb_exchange_token") => lengthen(core, request),
        Some("client_credentials") => Ok(Done::answering(app_token(core))),
        Some(other) => Err(GraphError::parameter(format!("Param grant_type has the unknown value {other}"))),
    }
}

fn code(core: &Core, request: &GraphRequest) -> Outcome {
    let value = required(request, "code")?;
    let redirect_uri = required(request, "redirect_uri")?;
    let code = core.redeem(Login::Facebook, &value, &redirect_uri).map_err(|problem| match problem {
        CodeProblem::Unknown => GraphError::new(100, Some(36_009)).saying("This authorization code is invalid."),
        CodeProblem::Used => GraphError::new(100, Some(36_009)).saying("This authorization code has been used."),
        CodeProblem::Expired => GraphError::new(100, Some(36_009)).saying("This authorization code has expired."),
        CodeProblem::Redirect => GraphError::new(100, Some(36_008)).saying(REDIRECT_SENTENCE),
    })?;
    Ok(Done::answering(core.hand_out(code.holder, code.grant, SHORT_FACEBOOK_S, false)))
}

/// Meta's sentence for a `redirect_uri` that differs from the dialog's.
pub(crate) const REDIRECT_SENTENCE: &str = "Error validating verification code. Please make sure your redirect_uri is \
                                            identical to the one you used in the OAuth dialog request";

fn lengthen(core: &Core, request: &GraphRequest) -> Outcome {
    let token = required(request, "fb_exchange_token")?;
    let (holder, grant) = living(core, Login::Facebook, &token)?;
    if holder != Holder::Person {
        return Err(GraphError::parameter("Param fb_exchange_token must be a user access token"));
    }
    Ok(Done::answering(core.hand_out(holder, grant, LONG_S, true)))
}

fn app_token(core: &Core) -> Value {
    let token = core.mint.app_token(&core.config.app_id);
    let minted = Minted {
        holder: Holder::App,
        grant: Grant::default(),
        issued_ms: core.clock.now_ms(),
        expires_ms: None,
        long_lived: true,
        serial: 0,
    };
    core.world().tokens.add(token.clone(), minted);
    json!({"access_token": token, "token_type": "bearer"})
}

/// Short-lived to long-lived (Meta's documentation, business login for Instagram).
fn exchange(core: &Core, request: &GraphRequest) -> Outcome {
    grant_type(request, "ig_exchange_token")?;
    check_secret(core, request, Login::Instagram)?;
    let token = sent_token(request)?;
    let (holder, grant) = living(core, Login::Instagram, &token)?;
    if core.world().tokens.get(&token).is_none_or(|minted| minted.long_lived) {
        return Err(GraphError::parameter("Only a short-lived access token can be exchanged"));
    }
    Ok(Done::answering(core.hand_out(holder, grant, LONG_S, true)))
}

/// The rules of Meta's business login page: 24 hours old, not expired, basic permission granted.
fn refresh(core: &Core, request: &GraphRequest) -> Outcome {
    grant_type(request, "ig_refresh_token")?;
    let token = sent_token(request)?;
    let (holder, grant) = living(core, Login::Instagram, &token)?;
    let (long_lived, issued_ms) = {
        let world = core.world();
        // Configured tokens are long-lived from the start, like those of the dashboard.
        world.tokens.get(&token).map_or((true, core.started_ms), |minted| (minted.long_lived, minted.issued_ms))
    };
    if !grant.has("instagram_business_basic") {
        return Err(GraphError::new(10, None));
    }
    if !long_lived || core.clock.now_ms().saturating_sub(issued_ms) < REFRESHABLE_AFTER_MS {
        return Err(GraphError::parameter("The access token must be long-lived and at least 24 hours old"));
    }
    Ok(Done::answering(core.hand_out(holder, grant, LONG_S, true)))
}

fn grant_type(request: &GraphRequest, wanted: &str) -> Result<(), GraphError> {
    match request.text("grant_type").as_deref() {
        Some(given) if given == wanted => Ok(()),
        _ => Err(GraphError::parameter(format!("Param grant_type must be {wanted}"))),
    }
}

fn required(request: &GraphRequest, name: &str) -> Result<String, GraphError> {
    request
        .text(name)
        .filter(|text| !text.is_empty())
        .ok_or_else(|| GraphError::parameter(format!("The parameter {name} is required.")))
}

fn sent_token(request: &GraphRequest) -> Result<String, GraphError> {
    let token = request.token.as_ref().map(|(_, token)| token.clone());
    token.ok_or_else(|| GraphError::parameter("The parameter access_token is required."))
}

fn check_secret(core: &Core, request: &GraphRequest, login: Login) -> Result<(), GraphError> {
    match required(request, "client_secret") {
        Ok(secret) if secret == core.app_secret(login).expose() => Ok(()),
        Ok(_) => Err(GraphError::client_secret("Error validating client secret.")),
        Err(_) => Err(GraphError::client_secret("Missing client_secret parameter.")),
    }
}

/// The holder of a usable token.
fn living(core: &Core, login: Login, token: &str) -> Result<(Holder, Grant), GraphError> {
    let world = core.world();
    let holder = world.holder(login, token).ok_or_else(GraphError::unparsable_token)?;
    if let Some(subcode) = world.death(login, token, core.clock.now_ms()) {
        return Err(GraphError::new(190, Some(subcode)));
    }
    let minted = world.tokens.get(token);
    Ok((holder, minted.map(|minted| minted.grant.clone()).unwrap_or_default()))
}

impl Core {
    /// Creates and stores a token, and writes the answer of both Graph hosts.
    pub(crate) fn hand_out(&self, holder: Holder, grant: Grant, seconds: i64, long_lived: bool) -> Value {
        let token = self.new_token(holder, grant, seconds, long_lived);
        json!({"access_token": token, "token_type": "bearer", "expires_in": seconds})
    }

    pub(crate) fn new_token(&self, holder: Holder, grant: Grant, seconds: i64, long_lived: bool) -> String {
        let token = match holder {
            Holder::Account(_) => self.mint.instagram_token(),
            Holder::App | Holder::Person | Holder::Page(_) => self.mint.facebook_token(),
        };
        let issued_ms = self.clock.now_ms();
        let expires_ms = Some(issued_ms.saturating_add(seconds.saturating_mul(1000)));
        let minted = Minted { holder, grant, issued_ms, expires_ms, long_lived, serial: 0 };
        self.world().tokens.add(token.clone(), minted);
        token
    }
}
