//! Owns: the page of a team's tokens for programs.
//! Does not own: storing them (`auth`), what a scope allows (the API).

use axum::{
    extract::{Path, State},
    response::Response,
};
use maud::{Markup, html};

use super::{Admin, Desk, Tab, done, shown};
use crate::{
    auth::{Scope, StoredToken, TokenError, TokenRequest, WorkspaceTokenError},
    pages::{
        error,
        forms::{Choice, Field, Sent, Wrong, once},
        parts::icon,
        reader::Reader,
        times,
        words::fill,
    },
};

const DAY_MS: u64 = 24 * 3_600_000;
/// The lifetimes that the form offers, in days. 0: it does not end.
const LIFETIMES: [u64; 5] = [30, 90, 180, 365, 0];

#[derive(Default)]
struct Tried {
    wrong: Wrong,
    name: String,
    scopes: Vec<Scope>,
    days: Option<u64>,
    /// A token that was made.
    made: Option<(String, String)>,
}

/// `GET /settings/tokens`.
pub(super) async fn page(State(desk): State<Desk>, Admin(reader): Admin) -> Response {
    draw(&desk, &reader, &Tried { scopes: vec![Scope::Read], ..Tried::default() }).await
}

fn failed(reader: &Reader, failed: &WorkspaceTokenError) -> Response {
    tracing::error!(error = %failed, "the file of the API's tokens failed");
    error::ours(reader)
}

async fn draw(desk: &Desk, reader: &Reader, tried: &Tried) -> Response {
    let words = &reader.words.settings;
    let tokens = match desk.access.tokens_of(reader.workspace).await {
        Ok(tokens) => tokens,
        Err(problem) => return failed(reader, &problem),
    };
    let now = times::now(&desk.host);
    let content = html! {
        p.muted { (words.tokens_hint) " " a href="/api/reference" { (words.api_reference) } }
        @if let Some((name, token)) = &tried.made {
            (once("token", &fill(&words.token_made, &[("name", name)]), &words.shown_once, token, reader))
        }
        @if desk.access.keeps_tokens() {
            (form(tried, reader))
        } @else {
            div.callout data-tone="warn" { (icon("info")) div { (words.no_tokens_here) } }
        }
        @if !tokens.is_empty() {
            section.panel.flush aria-labelledby="tokens" {
                header { h2 id="tokens" { (words.tokens_there) } }
                ul { @for token in &tokens { (one(token, now, reader)) } }
            }
        }
    };
    shown(Tab::Tokens, &tried.wrong, reader, &content)
}

fn scope_hint(scope: Scope, reader: &Reader) -> &str {
    let words = &reader.words.settings;
    match scope {
        Scope::Read => &words.scope_read,
        Scope::Reply => &words.scope_reply,
        Scope::Accounts => &words.scope_accounts,
        Scope::Admin => &words.scope_admin,
        Scope::Observe | Scope::Host => "",
    }
}

/// The scopes that an admin of a workspace may give.
fn given() -> impl Iterator<Item = Scope> {
    Scope::ALL.into_iter().filter(|scope| scope.is_of_workspace())
}

fn form(tried: &Tried, reader: &Reader) -> Markup {
    let (words, wrong) = (&reader.words.settings, &tried.wrong);
    let scopes: Vec<_> = given()
        .map(|scope| Choice {
            value: scope.name(),
            label: scope.name(),
            hint: Some(scope_hint(scope, reader)),
            chosen: tried.scopes.contains(&scope),
        })
        .collect();
    let days = LIFETIMES.map(|days| days.to_string());
    let ends = LIFETIMES.map(|days| match days {
        0 => words.no_end.to_string(),
        days => fill(&words.days, &[("n", &days.to_string())]),
    });
    let lifetimes: Vec<_> = days.iter().zip(&ends).map(|(days, end)| (days.as_str(), end.as_str())).collect();
    let chosen = tried.days.unwrap_or(90).to_string();
    html! {
        section.panel.stack aria-labelledby="make" {
            header { h2 id="make" { (words.make_token) } }
            form.stack.narrow-form method="post" action="/settings/tokens" novalidate {
                (Field { id: "name", label: &words.name, hint: Some(&words.token_name_hint), wrong }.line("text", "off", &tried.name))
                (Field { id: "scopes", label: &words.may, hint: None, wrong }.choices("checkbox", &scopes))
                (Field { id: "days", label: &words.ends_after, hint: None, wrong }.select(&lifetimes, &chosen))
                p { button.btn.primary { (words.make_token) } }
            }
        }
    }
}

fn one(token: &StoredToken, now: i64, reader: &Reader) -> Markup {
    let words = &reader.words.settings;
    let moment = |at: u64| times::moment_inside(times::of(at), now, reader);
    let is_over = token.expires_at.is_some_and(|end| i64::try_from(end).is_ok_and(|end| end <= now));
    html! {
        li.check-row {
            (icon("code"))
            div {
                strong { (token.name) }
                p.small { @for scope in &token.scopes { span.chip { (scope.name()) } " " } }
                p.small.muted {
                    (match token.last_used_at { Some(at) => fill(&words.last_used, &[("time", &moment(at))]), None => words.never_used.to_string() })
                    " · "
                    @match token.expires_at {
                        Some(_) if is_over => span.chip data-tone="fail" { (icon("stop")) (words.is_over) },
                        Some(end) => (fill(&words.ends_at, &[("time", &moment(end))])),
                        None => (words.no_end),
                    }
                }
            }
            form.acts method="post" action={ "/settings/tokens/" (token.id()) } {
                button.btn.small { (words.revoke) span.sr { " " (token.name) } }
            }
        }
    }
}

/// `POST /settings/tokens`.
pub(super) async fn create(State(desk): State<Desk>, Admin(reader): Admin, sent: Sent) -> Response {
    let words = &reader.words.settings;
    let name = sent.one("name");
    let scopes: Vec<Scope> = sent.all("scopes").into_iter().filter_map(|scope| scope.parse().ok()).collect();
    let days = sent.one("days").parse::<u64>().ok().filter(|days| LIFETIMES.contains(days));
    let Some(days) = days else { return error::no_form(&reader) };
    let now = desk.host.clock().now();
    let expires_at = (days > 0).then(|| now.saturating_add(days.saturating_mul(DAY_MS)));
    let request = TokenRequest { name: name.to_owned(), scopes: scopes.clone(), expires_at };
    // The operator's scopes are not an admin's to give.
    let has = |scope: Scope| scope.is_of_workspace();
    let mut tried = Tried { name: name.chars().take(80).collect(), scopes, days: Some(days), ..Tried::default() };
    match desk.access.create_token(reader.workspace, request, has, now).await {
        Ok((token, stored)) => {
            tried = Tried { made: Some((stored.name, token)), scopes: vec![Scope::Read], ..Tried::default() };
        }
        Err(WorkspaceTokenError::NoScope) => tried.wrong.add("scopes", &words.no_scope),
        Err(WorkspaceTokenError::File(TokenError::Name(_))) => tried.wrong.add("name", &words.bad_token_name),
        Err(WorkspaceTokenError::File(TokenError::Taken(_))) => tried.wrong.add("name", &words.token_name_taken),
        Err(problem @ (WorkspaceTokenError::TooMany | WorkspaceTokenError::File(TokenError::TooMany))) => {
            tried.wrong.add("name", &problem.to_string());
        }
        Err(WorkspaceTokenError::NotYours(_)) => return error::not_allowed(&reader),
        Err(problem) => return failed(&reader, &problem),
    }
    draw(&desk, &reader, &tried).await
}

/// `POST /settings/tokens/{token}`: revokes it.
pub(super) async fn revoke(State(desk): State<Desk>, Admin(reader): Admin, Path(id): Path<String>) -> Response {
    match desk.access.revoke_token(reader.workspace, id).await {
        Ok(()) => done(Tab::Tokens),
        Err(WorkspaceTokenError::Unknown | WorkspaceTokenError::NoFile) => error::no_page(&reader),
        Err(problem) => failed(&reader, &problem),
    }
}
