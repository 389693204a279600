//! Owns: the pages for connecting an account and for the status of a deletion request; the cookie that binds a link to
//! one browser.
//! Does not own: what the page of a link shows (`show`), what its buttons do (the engine).

mod frame;
mod show;
mod steps;

use std::sync::Arc;

use axum::{
    Form, Router,
    extract::{
        DefaultBodyLimit, Path, RawQuery, State,
        rejection::{FormRejection, PathRejection},
    },
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    middleware,
    response::Response,
    routing::{get, post},
};
use harness_contract::manifest::Callback;
use maud::html;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use self::{
    frame::{failed, not_connected, page, sorry},
    show::{Shop, WAIT, Waiting},
    steps::{FIELD, Tried},
};
use crate::{
    listener::Limits,
    middleware::body::{self, BodyTime},
    pages::{
        layout::Needs,
        reader::{self, Reader},
        redirect::see,
        words::{count, fill},
    },
};
use harness_engine::{Entered, Host, HostError, Secret, Typed};
use url::Url;

/// Prefix of cookie names. Each link has its own cookie.
const COOKIE: &str = "harness-connect";
/// Maximum size of a form, in bytes.
const MAX_FORM: usize = 16 << 10;
#[derive(Clone)]
struct Pages {
    host: Host,
    waiting: Arc<Waiting>,
}

/// `/connect/…`, `/oauth/{channel}/callback` and the pages behind `/callbacks/…`.
pub(super) fn router(host: Host, limits: &Limits) -> Router {
    let time = BodyTime { base: limits.body_time, largest: 0 };
    let forms = Router::new()
        .route("/connect", get(no_link_here))
        .route("/connect/{ticket}", get(link).post(start))
        .route("/connect/{ticket}/select", post(select))
        .route("/connect/{ticket}/enter", post(enter))
        .layer(DefaultBodyLimit::max(MAX_FORM))
        .layer(middleware::from_fn_with_state(host.clone(), reader::no_foreign_forms));
    Router::new()
        .merge(forms)
        .route("/oauth/{channel}/callback", get(oauth_callback))
        .route("/callbacks/{channel}/{name}/{code}", get(callback_state))
        .layer(middleware::from_fn_with_state(time, body::within))
        .with_state(Pages { host, waiting: Arc::default() })
}

/// The page for an unknown address.
fn no_page(reader: &Reader) -> Response {
    sorry(reader, StatusCode::NOT_FOUND, &reader.words.connecting.no_page)
}

/// The page for an incomplete or malformed form.
fn not_filled_in(reader: &Reader, what: &str) -> Response {
    sorry(reader, StatusCode::BAD_REQUEST, &format!("{what} {}", reader.words.error_form_hint))
}

/// Redirects to the platform's dialog, or else to the link's page.
fn go_on(dialog: Option<&Url>, ticket: &str) -> Response {
    dialog.map_or_else(|| see(&format!("/connect/{ticket}")), |dialog| see(dialog.as_str()))
}

/// The cookies of links in a request, as names and values.
fn cookies(headers: &HeaderMap) -> impl Iterator<Item = (&str, &str)> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let pairs = cookies.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.filter(|(name, _)| name.starts_with(COOKIE))
}

fn values(headers: &HeaderMap) -> Vec<&str> {
    cookies(headers).map(|(_, value)| value).collect()
}

/// The name of a link's cookie: two links in one browser must not overwrite each other's.
fn cookie_name(ticket: &str) -> String {
    let id = Sha256::digest(ticket.as_bytes());
    format!("{COOKIE}-{}", hex::encode(id.get(..8).unwrap_or_default()))
}

fn own_cookie<'h>(headers: &'h HeaderMap, ticket: &str) -> Option<&'h str> {
    let name = cookie_name(ticket);
    cookies(headers).find(|(known, _)| *known == name).map(|(_, value)| value)
}

fn with_cookie(mut response: Response, host: &Host, ticket: &str, value: &str) -> Response {
    let secure = if host.is_public_over_tls() { "; Secure" } else { "" };
    let name = cookie_name(ticket);
    // Lax: sent with the platform's redirect, which is a navigation, but not with forms of other sites.
    let value = format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age=3600{secure}");
    if let Ok(value) = HeaderValue::from_str(&value) {
        response.headers_mut().append(header::SET_COOKIE, value);
    }
    response
}

/// Whether the request is a prefetch, or not a `GET`: nobody is looking at the page yet.
fn is_ahead_of_time(method: &Method, headers: &HeaderMap) -> bool {
    const NAMES: [&str; 4] = ["sec-purpose", "purpose", "x-purpose", "x-moz"];
    let says = |name: &&str| {
        headers.get_all(*name).iter().filter_map(|value| value.to_str().ok()).any(|value| {
            let value = value.to_ascii_lowercase();
            ["prefetch", "preview", "prerender"].iter().any(|word| value.contains(word))
        })
    };
    method != Method::GET || NAMES.iter().any(says)
}

/// Links are created only by the API, which authenticates the sender.
async fn no_link_here(reader: Reader) -> Response {
    sorry(&reader, StatusCode::FORBIDDEN, &reader.words.connecting.no_link)
}

/// The page of a link: the progress of connecting, and the next step. `GET` changes nothing, so previews and prefetches
/// do not use the link up. Only the button starts.
async fn link(
    State(pages): State<Pages>,
    reader: Reader,
    ticket: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let Ok(Path(ticket)) = ticket else { return no_page(&reader) };
    let host = &pages.host;
    let view = match host.look(&ticket, &values(&headers)) {
        Ok(view) => view,
        Err(error) => return not_connected(&reader, &error),
    };
    let waits = query.as_deref() == Some(WAIT);
    let response = show::stage(&Shop { host, waiting: &pages.waiting, reader: &reader }, &ticket, view, waits).await;
    if host.claimed_by(&ticket, &values(&headers)).or(own_cookie(&headers, &ticket)).is_some() {
        return response;
    }
    // The link is not claimed yet, and the cookie does not claim it. The button does.
    match host.new_cookie() {
        Ok(new) => with_cookie(response, host, &ticket, &new),
        Err(error) => failed(&reader, &error),
    }
}

#[derive(Deserialize)]
struct Start {
    login: String,
}

async fn start(
    State(pages): State<Pages>,
    reader: Reader,
    ticket: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    form: Result<Form<Start>, FormRejection>,
) -> Response {
    let Ok(Path(ticket)) = ticket else { return no_page(&reader) };
    let Ok(Form(start)) = form else { return not_filled_in(&reader, &reader.words.connecting.no_way_chosen) };
    let host = &pages.host;
    let values = values(&headers);
    let shown = host.claimed_by(&ticket, &values).or(own_cookie(&headers, &ticket));
    let new = match host.open_link(&ticket, shown).await {
        Ok(new) => new,
        Err(error) => return failed(&reader, &error),
    };
    let cookie = new.as_deref().or(shown).unwrap_or_default();
    let response = match host.start_connecting(&ticket, &start.login, cookie).await {
        Ok(to) => go_on(to.as_ref(), &ticket),
        // The link's page shows the sentence.
        Err(HostError::Account(_)) => see(&format!("/connect/{ticket}")),
        Err(error) => failed(&reader, &error),
    };
    match &new {
        Some(new) => with_cookie(response, host, &ticket, new),
        None => response,
    }
}

#[derive(Deserialize)]
struct Select {
    candidate: String,
}

async fn select(
    State(pages): State<Pages>,
    reader: Reader,
    ticket: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    form: Result<Form<Select>, FormRejection>,
) -> Response {
    let Ok(Path(ticket)) = ticket else { return no_page(&reader) };
    let Ok(Form(select)) = form else { return not_filled_in(&reader, &reader.words.connecting.none_chosen) };
    match pages.host.connect_select(&ticket, &select.candidate, Some(&values(&headers))).await {
        Ok(to) => go_on(to.as_ref(), &ticket),
        Err(error) => failed(&reader, &error),
    }
}

async fn enter(
    State(pages): State<Pages>,
    reader: Reader,
    ticket: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    form: Result<Form<Vec<(String, String)>>, FormRejection>,
) -> Response {
    let Ok(Path(ticket)) = ticket else { return no_page(&reader) };
    let Ok(Form(pairs)) = form else { return not_filled_in(&reader, &reader.words.connecting.not_filled_in) };
    let fields = pairs
        .into_iter()
        .filter_map(|(name, value)| Some((name.strip_prefix(FIELD)?.to_owned(), Secret::new(value.into_bytes()))));
    let typed: Typed = fields.collect();
    let (host, cookies) = (&pages.host, values(&headers));
    let problems = match host.connect_enter(&ticket, typed.clone(), Some(&cookies)).await {
        Ok(Entered::Taken(to)) => return go_on(to.as_ref(), &ticket),
        Ok(Entered::Refused(problems)) => problems,
        Err(error) => return failed(&reader, &error),
    };
    match host.look(&ticket, &cookies) {
        Ok(view) => {
            show::refused(
                &Shop { host, waiting: &pages.waiting, reader: &reader },
                &ticket,
                view,
                &Tried { problems, typed },
            )
            .await
        }
        Err(error) => not_connected(&reader, &error),
    }
}

async fn oauth_callback(
    State(pages): State<Pages>,
    reader: Reader,
    method: Method,
    channel: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let Ok(Path(channel)) = channel else { return no_page(&reader) };
    if is_ahead_of_time(&method, &headers) {
        // An error, so that the browser does not reuse this response for the real visit.
        return sorry(&reader, StatusCode::SERVICE_UNAVAILABLE, &reader.words.connecting.for_the_browser);
    }
    let query = query.unwrap_or_default();
    match pages.host.connect_callback(&channel, &query, &values(&headers)).await {
        // A redirect, so that the code in the address does not stay in the browser's history.
        Ok(ticket) => see(&format!("/connect/{ticket}")),
        Err(error) => failed(&reader, &error),
    }
}

async fn callback_state(
    State(pages): State<Pages>,
    reader: Reader,
    path: Result<Path<(String, String, String)>, PathRejection>,
) -> Response {
    let Ok(Path((channel, name, code))) = path else { return no_page(&reader) };
    let registered = pages.host.channel(&channel).ok();
    let recipe = registered.as_ref().and_then(|registered| registered.channel.manifest().callbacks.get(&name));
    let Some(Callback::SignedRequest { description, .. }) = recipe else {
        return sorry(&reader, StatusCode::NOT_FOUND, &reader.words.connecting.no_request);
    };
    let Ok(state) = pages.host.callback_state(&code).await else {
        return sorry(&reader, StatusCode::NOT_FOUND, &reader.words.connecting.no_request_with_code);
    };
    let words = &reader.words.connecting;
    let content = html! {
        section.panel.stack {
            p { (description) }
            dl.facts {
                dt { (words.code) } dd { code { (code) } }
                dt { (words.state) }
                dd {
                    @if state.finished_at.is_some() {
                        (fill(&words.deleted, &[("accounts", &count(&words.accounts, state.accounts)), ("people", &count(&words.people, state.contacts))]))
                    } @else { (words.worked_on) }
                }
            }
        }
    };
    let goes_on = state.finished_at.is_none().then(|| (10, format!("/callbacks/{channel}/{name}/{code}")));
    page(&reader, &words.your_request, None, &Needs { goes_on, ..Needs::default() }, &content)
}
