//! Pages for people: connecting an account, the state of a request for deletion. Belongs here: HTML without
//! scripts, and the cookie that binds a link to one browser. What happens behind the buttons is `connect`.

use axum::{
    Form, Router,
    body::Bytes,
    extract::{DefaultBodyLimit, Path, RawQuery, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    middleware,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use harness_contract::{Candidate, Media, manifest::Callback};
use harness_inbox::AccountRow;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use serde::Deserialize;

use crate::{
    body::{self, BodyTime},
    browser,
    callbacks::MAX_CALLBACK,
    connect::{ConnectError, ConnectStage, ConnectView},
    error::HostError,
    host::Host,
    listen::Limits,
};

const COOKIE: &str = "harness-connect";
/// The longest form, in bytes.
const MAX_FORM: usize = 16 << 10;
/// Its SHA-256 stands in the content security policy, made from this text.
const STYLE: &str = include_str!("pages.css");

#[derive(Clone)]
struct Pages {
    host: Host,
}

/// `/connect/…`, `/oauth/{channel}/callback` and `/callbacks/…`.
pub(crate) fn router(host: Host, limits: &Limits) -> Router {
    let time = BodyTime { base: limits.body_time, largest: 0 };
    let forms = Router::new()
        .route("/connect", get(no_link_here))
        .route("/connect/{ticket}", get(link).post(start))
        .route("/connect/{ticket}/select", post(select))
        .layer(DefaultBodyLimit::max(MAX_FORM))
        .layer(middleware::from_fn_with_state(host.clone(), browser::no_foreign_forms));
    Router::new()
        .merge(forms)
        .route("/oauth/{channel}/callback", get(oauth_callback))
        .route("/callbacks/{channel}/{name}", post(callback).layer(DefaultBodyLimit::max(MAX_CALLBACK)))
        .route("/callbacks/{channel}/{name}/{code}", get(callback_state))
        .layer(middleware::from_fn_with_state(time, body::within))
        .with_state(Pages { host })
}

/// A page with headers that leave it nothing to load and nobody to be framed by. `form_to` is where its forms
/// may lead besides this host.
fn page(status: StatusCode, title: &str, form_to: &[String], refresh: bool, content: &Markup) -> Response {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    use sha2::{Digest as _, Sha256};
    let style = STANDARD.encode(Sha256::digest(STYLE.as_bytes()));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{style}'; img-src https: data:; form-action 'self' {}; base-uri 'none'; frame-ancestors 'none'",
        form_to.join(" ")
    );
    let body = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                @if refresh { meta http-equiv="refresh" content="2"; }
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body { main { h1 { (title) } (content) } }
        }
    };
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (
            header::CONTENT_SECURITY_POLICY,
            HeaderValue::from_str(&policy).unwrap_or(HeaderValue::from_static("default-src 'none'")),
        ),
        // Not `no-referrer`: with that, browsers do not say that the page's own forms are its own.
        (header::REFERRER_POLICY, HeaderValue::from_static("same-origin")),
        (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin")),
    ];
    (status, headers, body.into_string()).into_response()
}

fn sorry(status: StatusCode, sentence: &str) -> Response {
    let content = html! { p.problem role="alert" { (sentence) } };
    page(status, "This did not work", &[], false, &content)
}

impl IntoResponse for ConnectError {
    fn into_response(self) -> Response {
        sorry(StatusCode::BAD_REQUEST, &self.to_string())
    }
}

fn failed(error: &HostError) -> Response {
    match error {
        HostError::Connect(error) => error.into_response(),
        error => sorry(StatusCode::BAD_GATEWAY, &error.to_string()),
    }
}

fn see(place: &str) -> Response {
    let place = HeaderValue::from_str(place).unwrap_or(HeaderValue::from_static("/connect"));
    (StatusCode::SEE_OTHER, [(header::LOCATION, place)]).into_response()
}

fn cookie(headers: &HeaderMap) -> &str {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == COOKIE).map(|(_, value)| value).unwrap_or_default()
}

/// Links are made over the API alone, which knows who asks.
async fn no_link_here() -> Response {
    sorry(
        StatusCode::FORBIDDEN,
        "Ask for a link: `cargo harness connect CHANNEL` makes one, and so does `POST /api/v1/connect`.",
    )
}

/// The link: where connecting stands, and how it goes on.
async fn link(State(pages): State<Pages>, Path(ticket): Path<String>, headers: HeaderMap) -> Response {
    let host = &pages.host;
    let new = match host.open_link(&ticket, Some(cookie(&headers))) {
        Ok(new) => new,
        Err(error) => return failed(&error),
    };
    let mut response = match host.connecting(&ticket) {
        Ok(view) => show(host, &ticket, &view).await,
        Err(error) => error.into_response(),
    };
    if let Some(new) = new {
        let secure = if host.is_public_over_tls() { "; Secure" } else { "" };
        // Lax: the platform's redirect back is a navigation, which brings it; forms of other sites do not.
        let value = format!("{COOKIE}={new}; Path=/; HttpOnly; SameSite=Lax; Max-Age=3600{secure}");
        if let Ok(value) = HeaderValue::from_str(&value) {
            response.headers_mut().append(header::SET_COOKIE, value);
        }
    }
    response
}

async fn show(host: &Host, ticket: &str, view: &ConnectView) -> Response {
    let Ok(registered) = host.channel(&view.channel) else { return ConnectError::Expired.into_response() };
    let manifest = registered.channel.manifest();
    let name = &manifest.channel.name;
    let title = format!("Connect {name}");
    let here = format!("/connect/{ticket}");
    let logins = |again: bool| {
        html! {
            form method="post" action=(here) {
                @for (id, login) in &manifest.logins {
                    @if again || view.login.as_ref().is_none_or(|wanted| wanted == id) {
                        button type="submit" name="login" value=(id) { "Connect with " (login.name) }
                    }
                }
            }
        }
    };
    let dialogs = host.dialog_origins(&registered);
    match &view.stage {
        ConnectStage::Waiting => {
            let content = html! {
                p { "You will be sent to the platform, where you permit this inbox to read and answer messages." }
                (logins(false))
            };
            page(StatusCode::OK, &title, &dialogs, false, &content)
        }
        ConnectStage::Visiting => {
            let content = html! {
                p { "The platform's page is open. If it is not, or if you came back without an answer, begin again." }
                (logins(true))
            };
            page(StatusCode::OK, &title, &dialogs, false, &content)
        }
        ConnectStage::Choosing { candidates } => {
            let content = html! {
                @if candidates.is_empty() {
                    p.problem role="alert" { "The platform shows no account that could be connected." }
                    (logins(true))
                } @else {
                    p { "Choose the account to connect." }
                    form method="post" action={ (here) "/select" } {
                        @for candidate in candidates { (choice(candidate)) }
                        button type="submit" { "Connect" }
                    }
                    details { summary { "It is not in the list" } (logins(true)) }
                }
            };
            page(StatusCode::OK, &title, &dialogs, false, &content)
        }
        ConnectStage::Failed { sentence } => {
            let content = html! { p.problem role="alert" { (sentence) } (logins(true)) };
            page(StatusCode::OK, &title, &dialogs, false, &content)
        }
        ConnectStage::Connected { account } => match host.inbox().account_row(*account).await {
            Ok(row) => connected(host, &row).await,
            Err(error) => failed(&error.into()),
        },
    }
}

fn choice(candidate: &Candidate) -> Markup {
    html! {
        label.choice {
            input type="radio" name="candidate" value=(candidate.id) required disabled[candidate.obstacle.is_some()];
            (picture(candidate.picture.as_ref()))
            span {
                strong { (candidate.name) }
                @if let Some(username) = &candidate.username { " @" (username) }
                @if let Some(obstacle) = &candidate.obstacle { br; small.problem { (obstacle) } }
            }
        }
    }
}

fn picture(media: Option<&Media>) -> Markup {
    match media.and_then(|media| media.url.as_deref()) {
        Some(url) if url.starts_with("https://") => {
            html! { img src=(url) alt="" width="48" height="48" referrerpolicy="no-referrer"; }
        }
        _ => html! {},
    }
}

async fn connected(host: &Host, row: &AccountRow) -> Response {
    let received = host.inbox().received_since(row.id, row.connected_at).await.unwrap_or(false);
    let content = html! {
        p.account {
            (picture(row.picture.as_ref()))
            span { strong { (row.name) } @if let Some(username) = &row.username { " @" (username) } }
        }
        @if received {
            p.done role="status" { "Received: the first message is in the inbox. You can close this page." }
        } @else {
            p role="status" { "Send a test message to this account from another one. This page says \"Received\" when it arrives." }
        }
    };
    page(StatusCode::OK, "Connected", &[], !received, &content)
}

#[derive(Deserialize)]
struct Start {
    login: String,
}

async fn start(
    State(pages): State<Pages>,
    Path(ticket): Path<String>,
    headers: HeaderMap,
    Form(start): Form<Start>,
) -> Response {
    match pages.host.start_connecting(&ticket, &start.login, cookie(&headers)).await {
        Ok(url) => see(url.as_str()),
        // Its sentence stands on the link's page.
        Err(HostError::Account(_)) => see(&format!("/connect/{ticket}")),
        Err(error) => failed(&error),
    }
}

#[derive(Deserialize)]
struct Select {
    candidate: String,
}

async fn select(
    State(pages): State<Pages>,
    Path(ticket): Path<String>,
    headers: HeaderMap,
    Form(select): Form<Select>,
) -> Response {
    match pages.host.connect_select(&ticket, &select.candidate, Some(cookie(&headers))).await {
        Ok(()) => see(&format!("/connect/{ticket}")),
        Err(error) => failed(&error),
    }
}

async fn oauth_callback(
    State(pages): State<Pages>,
    Path(channel): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let query = query.unwrap_or_default();
    match pages.host.connect_callback(&channel, &query, cookie(&headers)).await {
        // What stands in the address is not left in the browser's history.
        Ok(ticket) => see(&format!("/connect/{ticket}")),
        Err(error) => failed(&error),
    }
}

/// A platform's call; refused without a word where it is not genuine.
async fn callback(State(pages): State<Pages>, Path((channel, name)): Path<(String, String)>, body: Bytes) -> Response {
    match pages.host.callback(&channel, &name, &body).await {
        Ok(Some(answer)) => axum::Json(answer).into_response(),
        Ok(None) => StatusCode::OK.into_response(),
        Err(HostError::Refused(reason)) => {
            tracing::info!(channel = %channel.escape_debug(), %reason, "a callback was refused");
            (StatusCode::FORBIDDEN, "forbidden\n").into_response()
        }
        Err(error) => {
            tracing::error!(channel = %channel.escape_debug(), %error, "a genuine callback was not acknowledged");
            (StatusCode::SERVICE_UNAVAILABLE, "try again later\n").into_response()
        }
    }
}

async fn callback_state(
    State(pages): State<Pages>,
    Path((channel, name, code)): Path<(String, String, String)>,
) -> Response {
    let registered = pages.host.channel(&channel).ok();
    let recipe = registered.as_ref().and_then(|registered| registered.channel.manifest().callbacks.get(&name));
    let Some(Callback::SignedRequest { about, .. }) = recipe else {
        return sorry(StatusCode::NOT_FOUND, "There is no such request.");
    };
    let Ok(state) = pages.host.callback_state(&code).await else {
        return sorry(StatusCode::NOT_FOUND, "There is no request with this code.");
    };
    let content = html! {
        p { (about) }
        dl {
            dt { "Code" } dd { (code) }
            dt { "State" }
            dd {
                @if state.finished_at.is_some() {
                    "Done: " (state.accounts) " accounts with their conversations and " (state.contacts) " contacts were deleted."
                } @else { "Received, and being worked on." }
            }
        }
    };
    page(StatusCode::OK, "Your request", &[], state.finished_at.is_none(), &content)
}
