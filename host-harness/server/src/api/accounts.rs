//! Owns: endpoints for accounts: listing, connecting, checking, disconnecting.
//! Does not own: the work behind them (the engine).

use axum::{extract::State, http::StatusCode};
use harness_contract::{EntryPoints, text::shown};
use harness_inbox::AccountId;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::routes;

use super::{
    Answer, Api, ApiError, Routes,
    dto::{
        ConnectLinkTag,
        account::{Account, AccountCheck, ChangeAccount, Disconnected},
        connect::{ConnectLink, NewConnectLink},
        contract,
    },
    extract::{self, Body, Json, Path, Query, Row},
    ids::AccountRef,
    paging::List,
};
use crate::auth::{Principal, Scope};
use harness_engine::{ConnectError, ConnectStage, ConnectView, Entered, HostError, Secret, Typed};
use serde_json::Value;

pub(super) fn routes() -> Routes {
    Routes::default()
        .at(Scope::Read, routes!(list_accounts))
        .at(Scope::Read, routes!(get_account))
        .at(Scope::Accounts, routes!(change_account))
        .at(Scope::Accounts, routes!(disconnect_account))
        .at(Scope::Accounts, routes!(check_account, probe_account))
        .at(Scope::Accounts, routes!(renew_account))
        .at(Scope::Accounts, routes!(fetch_history))
        .at(Scope::Accounts, routes!(set_entry_points))
        .at(Scope::Accounts, routes!(begin_connecting))
        .at(Scope::Accounts, routes!(get_connecting))
        .at(Scope::Accounts, routes!(select_account))
        .at(Scope::Accounts, routes!(enter_values))
}

/// All accounts.
#[utoipa::path(get, path = "/accounts", tag = "Accounts", responses((status = 200, body = List<Account>)))]
async fn list_accounts(State(api): State<Api>, principal: Principal) -> Answer<List<Account>> {
    let mut rows = api.host.inbox().accounts().await?;
    rows.retain(|row| row.workspace == principal.workspace);
    Ok(Json(List::whole(rows.into_iter().map(Account::from).collect())))
}

/// One account.
#[utoipa::path(
    get, path = "/accounts/{id}", tag = "Accounts", params(("id" = AccountRef, Path)),
    responses((status = 200, body = Account)),
)]
async fn get_account(State(api): State<Api>, Row(id): Row<AccountId>) -> Answer<Account> {
    Ok(Json(api.host.inbox().account_row(id).await?.into()))
}

/// Changes what the host does for an account.
#[utoipa::path(
    patch, path = "/accounts/{id}", tag = "Accounts", params(("id" = AccountRef, Path)), request_body = ChangeAccount,
    responses((status = 200, body = Account)),
)]
async fn change_account(
    State(api): State<Api>,
    Row(id): Row<AccountId>,
    Json(given): Json<ChangeAccount>,
) -> Answer<Account> {
    if let Some(choice) = given.when_closed {
        api.host.choose_when_closed(id, choice.into()).await?;
    }
    Ok(Json(api.host.inbox().account_row(id).await?.into()))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Disconnect {
    /// Whether its conversations are kept.
    #[param(inline)]
    #[serde(default)]
    conversations: Conversations,
}

#[derive(Clone, Copy, Default, Deserialize, PartialEq, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Conversations {
    #[default]
    Keep,
    Delete,
}

/// Disconnects an account: unsubscribes it on its platform and forgets its credentials.
#[utoipa::path(
    delete, path = "/accounts/{id}", tag = "Accounts", params(("id" = AccountRef, Path), Disconnect),
    responses((status = 200, body = Disconnected)),
)]
async fn disconnect_account(
    State(api): State<Api>,
    Row(id): Row<AccountId>,
    Query(how): Query<Disconnect>,
) -> Answer<Disconnected> {
    let warning = api.host.disconnect(id, how.conversations == Conversations::Delete).await?;
    Ok(Json(Disconnected { warning }))
}

/// Checks an account, line by line.
#[utoipa::path(
    get, path = "/accounts/{id}/check", tag = "Accounts", params(("id" = AccountRef, Path)),
    responses((status = 200, body = AccountCheck)),
)]
async fn check_account(State(api): State<Api>, Row(id): Row<AccountId>) -> Answer<AccountCheck> {
    Ok(Json(api.host.check(id, false).await?.into()))
}

/// Checks an account, and sends a signal to a customer to try it out.
#[utoipa::path(
    post, path = "/accounts/{id}/check", tag = "Accounts", params(("id" = AccountRef, Path)),
    responses((status = 200, body = AccountCheck)),
)]
async fn probe_account(State(api): State<Api>, Row(id): Row<AccountId>) -> Answer<AccountCheck> {
    Ok(Json(api.host.check(id, true).await?.into()))
}

/// Renews the account's credentials ahead of time.
#[utoipa::path(
    post, path = "/accounts/{id}/renew", tag = "Accounts", params(("id" = AccountRef, Path)),
    responses(
        (status = 200, body = Account, description = "They are renewed: the account as it is now."),
        (status = 409, description = "The account is disconnected."),
        (status = 422, description = "There is nothing to renew: the account stands in the configuration, or the channel does not renew."),
        (status = 502, description = "The platform refused, or did not answer."),
    ),
)]
async fn renew_account(State(api): State<Api>, Row(id): Row<AccountId>) -> Answer<Account> {
    api.host.renew(id).await?;
    Ok(Json(api.host.inbox().account_row(id).await?.into()))
}

/// Reads the account's history at the platform again, in the background.
#[utoipa::path(
    post, path = "/accounts/{id}/fetch-history", tag = "Accounts", params(("id" = AccountRef, Path)),
    responses(
        (status = 202, description = "It is read. Messages that are missing come in like any other; nothing comes twice."),
        (status = 409, description = "The account is disconnected."),
        (status = 422, description = "This account's history is not read."),
    ),
)]
async fn fetch_history(State(api): State<Api>, Row(id): Row<AccountId>) -> Result<StatusCode, ApiError> {
    api.host.fetch_history(id).await?;
    Ok(StatusCode::ACCEPTED)
}

/// Sets the account's ice breakers and menu on its platform.
#[utoipa::path(
    put, path = "/accounts/{id}/entry-points", tag = "Accounts", params(("id" = AccountRef, Path)),
    request_body = contract::EntryPoints,
    responses(
        (status = 204, description = "They are set."),
        (status = 409, description = "The account is disconnected, or was connected again meanwhile."),
        (status = 422, description = "The channel does not do this, or not like this."),
        (status = 502, description = "The platform refused, or did not answer."),
    ),
)]
async fn set_entry_points(
    State(api): State<Api>,
    Row(id): Row<AccountId>,
    Body(body): Body,
) -> Result<StatusCode, ApiError> {
    let wanted: EntryPoints = extract::document(&body).and_then(extract::read)?;
    api.host.configure(id, wanted).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What is to be connected.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct BeginConnecting {
    /// The channel's id.
    channel: String,
    /// The only login that the link allows, one of the manifest's.
    #[serde(default)]
    login: Option<String>,
}

/// Makes a link for a person who connects an account.
#[utoipa::path(
    post, path = "/connect", tag = "Connecting", request_body = BeginConnecting,
    responses(
        (status = 201, body = NewConnectLink),
        (status = 404, description = "There is no such channel."),
        (status = 409, description = "The channel has no logins, or not this one."),
    ),
)]
async fn begin_connecting(
    State(api): State<Api>,
    principal: Principal,
    Json(begin): Json<BeginConnecting>,
) -> Result<(StatusCode, Json<NewConnectLink>), ApiError> {
    let ticket = match api.host.begin_connecting_in(principal.workspace, &begin.channel, begin.login.as_deref()).await {
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
    Ok((StatusCode::CREATED, Json(NewConnectLink { object: ConnectLinkTag::Tag, ticket, link })))
}

/// A link of the sender's workspace. Those of others do not exist for them.
fn own_link(api: &Api, principal: &Principal, ticket: &str) -> Result<ConnectView, ApiError> {
    let view = api.host.connecting(ticket)?;
    if view.workspace == principal.workspace { Ok(view) } else { Err(ConnectError::Expired.into()) }
}

/// How far connecting has come.
#[utoipa::path(
    get, path = "/connect/{ticket}", tag = "Connecting", params(("ticket" = String, Path)),
    responses((status = 200, body = ConnectLink)),
)]
async fn get_connecting(
    State(api): State<Api>,
    principal: Principal,
    Path(ticket): Path<String>,
) -> Answer<ConnectLink> {
    let view = own_link(&api, &principal, &ticket)?;
    let received = match view.stage {
        ConnectStage::Connected { account } => {
            let row = api.host.inbox().account_row(account).await?;
            Some(api.host.inbox().received_since(account, row.connected_at).await?)
        }
        _ => None,
    };
    Ok(Json(ConnectLink::of(view, received)))
}

/// Which account is to be connected.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SelectAccount {
    /// The `id` of a candidate.
    candidate: String,
}

/// Chooses the account to connect.
#[utoipa::path(
    post, path = "/connect/{ticket}/select", tag = "Connecting", params(("ticket" = String, Path)),
    request_body = SelectAccount,
    responses(
        (status = 200, body = ConnectLink),
        (status = 409, description = "Nothing is to be chosen now."),
        (status = 422, description = "The channel does not take this choice."),
        (status = 502, description = "The platform refused, or did not answer."),
    ),
)]
async fn select_account(
    State(api): State<Api>,
    principal: Principal,
    Path(ticket): Path<String>,
    Json(select): Json<SelectAccount>,
) -> Answer<ConnectLink> {
    own_link(&api, &principal, &ticket)?;
    if let Err(error) = api.host.connect_select(&ticket, &select.candidate, None).await {
        let HostError::Connect(ConnectError::NoCandidate) = error else { return Err(error.into()) };
        let detail = format!(
            "there is no account `{}` among those that can be chosen here; `GET /api/v1/connect/{{ticket}}` lists them",
            shown(&select.candidate)
        );
        return Err(ApiError::new(StatusCode::NOT_FOUND, "no_such_candidate", detail).at("candidate"));
    }
    Ok(Json(ConnectLink::of(api.host.connecting(&ticket)?, None)))
}

/// What a person typed in.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes what `typed` reads")]
struct EnterValues {
    /// By the keys of the fields: texts and whole numbers.
    #[schema(value_type = std::collections::BTreeMap<String, EnteredValue>)]
    values: (),
}

#[derive(ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "describes what `typed` reads")]
enum EnteredValue {
    Text(String),
    Number(i64),
}

/// Takes what a person typed in.
#[utoipa::path(
    post, path = "/connect/{ticket}/enter", tag = "Connecting", params(("ticket" = String, Path)),
    request_body = EnterValues,
    responses(
        (status = 200, body = ConnectLink),
        (status = 409, description = "Nothing is to be typed in now."),
        (status = 422, description = "Something does not fit: `fields` says what."),
        (status = 502, description = "The platform refused, or did not answer."),
    ),
)]
async fn enter_values(
    State(api): State<Api>,
    principal: Principal,
    Path(ticket): Path<String>,
    Json(entered): Json<Value>,
) -> Answer<ConnectLink> {
    own_link(&api, &principal, &ticket)?;
    match api.host.connect_enter(&ticket, typed(entered)?, None).await? {
        Entered::Taken(_) => Ok(Json(ConnectLink::of(api.host.connecting(&ticket)?, None))),
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
