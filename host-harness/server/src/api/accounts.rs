//! Owns: endpoints for accounts: listing, connecting, checking, disconnecting.
//! Does not own: the work behind them (the engine).

use axum::{
    extract::State,
    http::StatusCode,
    routing::{delete, get, post, put},
};
use harness_contract::{EntryPoints, text::shown};
use harness_inbox::{AccountId, AccountRow};
use serde::{Deserialize, Serialize};

use super::{
    Answer, Api, ApiError, Routes,
    extract::{self, Body, Json, Path, Query},
};
use crate::auth::Scope;
use harness_engine::{AccountHealth, ConnectError, ConnectStage, ConnectView, Entered, HostError, Secret, Typed};
use serde_json::Value;

pub(super) fn routes() -> Routes {
    Routes::default()
        .at("/accounts", Scope::Read, get(accounts))
        .at("/accounts/{id}", Scope::Read, get(account))
        .taking("/accounts/{id}", Scope::Accounts, &["conversations"], delete(disconnect))
        .at("/accounts/{id}/check", Scope::Accounts, get(check).post(probe))
        .at("/accounts/{id}/entry-points", Scope::Accounts, put(entry_points))
        .at("/connect", Scope::Accounts, post(begin))
        .at("/connect/{ticket}", Scope::Accounts, get(connecting))
        .at("/connect/{ticket}/select", Scope::Accounts, post(select))
        .at("/connect/{ticket}/enter", Scope::Accounts, post(enter))
}

async fn accounts(State(api): State<Api>) -> Answer<Vec<AccountRow>> {
    Ok(Json(api.host.inbox().accounts().await?))
}

async fn account(State(api): State<Api>, Path(id): Path<AccountId>) -> Answer<AccountRow> {
    Ok(Json(api.host.inbox().account_row(id).await?))
}

#[derive(Deserialize)]
struct Disconnect {
    /// `keep` (the default) or `delete`.
    #[serde(default)]
    conversations: Conversations,
}

#[derive(Clone, Copy, Default, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Conversations {
    #[default]
    Keep,
    Delete,
}

#[derive(Serialize)]
struct Disconnected {
    /// Why the platform could not be told. The account is disconnected regardless.
    warning: Option<String>,
}

async fn disconnect(
    State(api): State<Api>,
    Path(id): Path<AccountId>,
    Query(how): Query<Disconnect>,
) -> Answer<Disconnected> {
    let warning = api.host.disconnect(id, how.conversations == Conversations::Delete).await?;
    Ok(Json(Disconnected { warning }))
}

async fn check(State(api): State<Api>, Path(id): Path<AccountId>) -> Answer<AccountHealth> {
    Ok(Json(api.host.check(id, false).await?))
}

/// `POST`: like [`check`], and also sends a signal to a customer.
async fn probe(State(api): State<Api>, Path(id): Path<AccountId>) -> Answer<AccountHealth> {
    Ok(Json(api.host.check(id, true).await?))
}

/// `PUT` with the contract's `entry-points`.
async fn entry_points(
    State(api): State<Api>,
    Path(id): Path<AccountId>,
    Body(body): Body,
) -> Result<StatusCode, ApiError> {
    let wanted: EntryPoints = extract::document(&body).and_then(extract::read)?;
    api.host.configure(id, wanted).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
struct Begin {
    channel: String,
    #[serde(default)]
    login: Option<String>,
}

#[derive(Serialize)]
struct Link {
    /// Identifies the attempt in later requests. A credential, like the link.
    ticket: String,
    /// For the person who connects.
    link: String,
}

async fn begin(State(api): State<Api>, Json(begin): Json<Begin>) -> Result<(StatusCode, Json<Link>), ApiError> {
    let ticket = match api.host.begin_connecting(&begin.channel, begin.login.as_deref()).await {
        Ok(ticket) => ticket,
        Err(HostError::Connect(ConnectError::NoLogin)) => {
            let registered = api.host.channel(&begin.channel)?;
            let known: Vec<_> = registered.channel.manifest().logins.keys().map(String::as_str).collect();
            let login = begin.login.as_deref().unwrap_or_default();
            let detail = format!(
                "the channel `{}` has no login `{}`; it has `{}`",
                shown(&begin.channel),
                shown(login),
                known.join("`, `")
            );
            return Err(ApiError::new(StatusCode::CONFLICT, "no_such_login", detail).at("login"));
        }
        Err(error @ HostError::NoChannel(..)) => return Err(ApiError::from(error).at("channel")),
        Err(error) => return Err(error.into()),
    };
    let link = api.host.link(&ticket)?;
    Ok((StatusCode::CREATED, Json(Link { ticket, link })))
}

#[derive(Serialize)]
struct Connecting {
    #[serde(flatten)]
    view: ConnectView,
    /// Whether a message has arrived since. Set for connected accounts only.
    received: Option<bool>,
}

async fn connecting(State(api): State<Api>, Path(ticket): Path<String>) -> Answer<Connecting> {
    let view = api.host.connecting(&ticket)?;
    let received = match view.stage {
        ConnectStage::Connected { account } => {
            let row = api.host.inbox().account_row(account).await?;
            Some(api.host.inbox().received_since(account, row.connected_at).await?)
        }
        _ => None,
    };
    Ok(Json(Connecting { view, received }))
}

#[derive(Deserialize)]
struct Select {
    candidate: String,
}

async fn select(State(api): State<Api>, Path(ticket): Path<String>, Json(select): Json<Select>) -> Answer<ConnectView> {
    if let Err(error) = api.host.connect_select(&ticket, &select.candidate, None).await {
        let HostError::Connect(ConnectError::NoCandidate) = error else { return Err(error.into()) };
        let detail = format!(
            "there is no account `{}` among those that can be chosen here; `GET /api/v1/connect/{{ticket}}` lists them",
            shown(&select.candidate)
        );
        return Err(ApiError::new(StatusCode::NOT_FOUND, "no_such_candidate", detail).at("candidate"));
    }
    Ok(Json(api.host.connecting(&ticket)?))
}

/// `{"values": {KEY: VALUE}}`, each value a string or a whole number.
async fn enter(State(api): State<Api>, Path(ticket): Path<String>, Json(entered): Json<Value>) -> Answer<ConnectView> {
    match api.host.connect_enter(&ticket, typed(entered)?, None).await? {
        Entered::Taken(_) => Ok(Json(api.host.connecting(&ticket)?)),
        Entered::Refused(problems) => Err(ApiError::not_entered(problems)),
    }
}

/// Parsed by hand: errors of a JSON library quote unexpected values, which may be credentials.
fn typed(entered: Value) -> Result<Typed, ApiError> {
    let wrong = |detail: &str, path: String| Err(ApiError::bad("bad_body", detail).at(path));
    let Value::Object(mut body) = entered else { return wrong("the body is an object", String::new()) };
    let values = body.remove("values");
    if let Some(key) = body.keys().next() {
        return wrong("the body has `values` and nothing else", shown(key));
    }
    let Some(Value::Object(values)) = values else {
        return wrong("`values` is an object: a value for each field, by its key", "values".into());
    };
    let mut typed = Typed::new();
    for (key, value) in values {
        let text = match value {
            Value::String(text) => text,
            Value::Number(number) if number.is_i64() => number.to_string(),
            _ => return wrong("a value is a text or a whole number", format!("values.{}", shown(&key))),
        };
        typed.insert(key, Secret::new(text.into_bytes()));
    }
    Ok(typed)
}
