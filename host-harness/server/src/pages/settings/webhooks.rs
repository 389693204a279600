//! Owns: the pages of the addresses that are told what changes: adding one, its events, its last deliveries, testing it.
//! Does not own: telling them (the engine).

use axum::{
    extract::{Path, State},
    response::Response,
};
use harness_engine::{Host, HostError, WebhookError};
use harness_inbox::{
    ChangeKind, InboxError, KindFilter, PublicId as _, WebhookAttempt, WebhookChange, WebhookId, WebhookState,
    WebhookView,
};
use maud::{Markup, html};

use super::{Admin, Desk, Tab, done, shown};
use crate::pages::{
    error,
    forms::{Choice, Field, Sent, Wrong, once},
    parts::icon,
    reader::Reader,
    redirect::see,
    times,
    words::fill,
};

/// Attempts that the page shows.
const ATTEMPTS: usize = 30;
/// The longest address, in characters.
const LONGEST: usize = 2000;

/// What a form brought.
#[derive(Default)]
struct Tried {
    wrong: Wrong,
    url: String,
    kinds: KindFilter,
    /// The secret of an address that was added.
    secret: Option<String>,
    /// How a test ended.
    tested: Option<WebhookAttempt>,
}

/// `GET /settings/webhooks`.
pub(super) async fn page(State(desk): State<Desk>, Admin(reader): Admin) -> Response {
    all(&desk, &reader, &Tried::default()).await
}

async fn all(desk: &Desk, reader: &Reader, tried: &Tried) -> Response {
    let words = &reader.words.settings;
    let webhooks = match desk.host.webhooks(reader.workspace).await {
        Ok(webhooks) => webhooks,
        Err(failed) => return error::failed(reader, &failed),
    };
    let content = html! {
        p.muted { (words.webhooks_hint) " " a href="/api/reference" { (words.api_reference) } }
        @if !webhooks.is_empty() {
            section.panel.flush aria-labelledby="addresses" {
                header { h2 id="addresses" { (words.addresses) } }
                ul {
                    @for one in &webhooks {
                        @let (tone, symbol, state) = state(one, reader);
                        li.check-row data-tone=(tone) {
                            (icon(symbol))
                            div {
                                a href={ "/settings/webhooks/" (one.id.public()) } dir="ltr" { (one.url) }
                                p.small { span.chip { (state) } @if let Some(problem) = &one.problem { " " (problem) } }
                            }
                        }
                    }
                }
            }
        }
        section.panel.stack aria-labelledby="add" {
            header { h2 id="add" { (words.add_webhook) } }
            form.stack.narrow-form method="post" action="/settings/webhooks" novalidate {
                (fields(tried, reader))
                p { button.btn.primary { (words.add_webhook) } }
            }
        }
    };
    shown(Tab::Webhooks, &tried.wrong, reader, &content)
}

fn state<'w>(webhook: &WebhookView, reader: &'w Reader) -> (&'static str, &'static str, &'w str) {
    let words = &reader.words.settings;
    match webhook.state {
        WebhookState::Active if webhook.failing_since.is_some() => ("warn", "alert", &words.hook_failing),
        WebhookState::Active => ("open", "ok", &words.hook_active),
        WebhookState::Paused => ("closed", "clock", &words.hook_paused),
        WebhookState::Failed => ("fail", "stop", &words.hook_failed),
    }
}

/// The part of a kind's name that it shares with those like it.
fn group(kind: ChangeKind) -> &'static str {
    kind.name().split_once('.').map_or(kind.name(), |(group, _)| group)
}

fn fields(tried: &Tried, reader: &Reader) -> Markup {
    let (words, wrong) = (&reader.words.settings, &tried.wrong);
    let some = !tried.kinds.names().is_empty();
    let which = [
        Choice { value: "all", label: &words.all_events, hint: None, chosen: !some },
        Choice { value: "some", label: &words.some_events, hint: None, chosen: some },
    ];
    let mut groups: Vec<(&str, Vec<ChangeKind>)> = Vec::new();
    for kind in ChangeKind::ALL.iter().copied() {
        match groups.last_mut() {
            Some((known, kinds)) if *known == group(kind) => kinds.push(kind),
            _ => groups.push((group(kind), vec![kind])),
        }
    }
    html! {
        (Field { id: "url", label: &words.address, hint: Some(&words.address_hint), wrong }.line("url", "off", &tried.url))
        (Field { id: "which", label: &words.events, hint: None, wrong }.choices("radio", &which))
        div.tiles.kinds role="group" aria-label=(words.choose_events) {
            @for (group, kinds) in &groups {
                fieldset {
                    legend { code { (group) } }
                    @for kind in kinds {
                        label.check.small {
                            input type="checkbox" name="kinds" value=(kind.name()) checked[some && tried.kinds.matches(*kind)];
                            code { (kind.name()) }
                        }
                    }
                }
            }
        }
    }
}

/// The events that a form asks for. Where all of a group are ticked, those that a later version adds to it come too.
fn kinds(sent: &Sent) -> Result<KindFilter, &'static str> {
    if sent.one("which") != "some" {
        return Ok(KindFilter::default());
    }
    let ticked = sent.all("kinds");
    let is_ticked = |kind: &ChangeKind| ticked.contains(&kind.name());
    let names = ChangeKind::ALL.iter().filter(|kind| is_ticked(kind)).map(|kind| {
        let group = group(*kind);
        let whole = ChangeKind::ALL.iter().filter(|other| self::group(**other) == group).all(is_ticked);
        if whole { format!("{group}.*") } else { kind.name().to_owned() }
    });
    match KindFilter::new(names) {
        Ok(kinds) if !kinds.names().is_empty() => Ok(kinds),
        _ => Err("which"),
    }
}

fn tried(sent: &Sent, reader: &Reader) -> Tried {
    let mut tried = Tried { url: sent.one("url").to_owned(), ..Tried::default() };
    if tried.url.chars().count() > LONGEST {
        tried.wrong.add("url", &fill(&reader.words.settings.long_address, &[("max", &LONGEST.to_string())]));
        tried.url = tried.url.chars().take(LONGEST).collect();
    }
    tried
}

/// The field that an error is about; the error itself if it is about none.
fn wrong(failed: HostError, reader: &Reader) -> Result<Wrong, HostError> {
    match failed {
        HostError::Webhook(ref error @ WebhookError::Address(_)) => Ok(Wrong::of("url", &error.to_string())),
        HostError::Webhook(WebhookError::Position(..)) => {
            Ok(Wrong::of("position", &reader.words.settings.bad_position))
        }
        HostError::Webhook(WebhookError::Inbox(ref error @ InboxError::TooMany { .. })) => {
            Ok(Wrong::of("url", &error.to_string()))
        }
        failed => Err(failed),
    }
}

/// `POST /settings/webhooks`.
pub(super) async fn add(State(desk): State<Desk>, Admin(reader): Admin, sent: Sent) -> Response {
    let mut tried = tried(&sent, &reader);
    match kinds(&sent) {
        Ok(kinds) => tried.kinds = kinds,
        Err(field) => tried.wrong.add(field, &reader.words.settings.no_events),
    }
    if tried.wrong.is_empty() {
        match desk.host.add_webhook(reader.workspace, &tried.url, tried.kinds.clone()).await {
            Ok((webhook, secret)) => {
                let secret = Some(String::from_utf8_lossy(secret.expose()).into_owned());
                return shown_one(&desk.host, &webhook, &reader, &Tried { secret, ..Tried::default() }).await;
            }
            Err(failed) => match wrong(failed, &reader) {
                Ok(wrong) => tried.wrong = wrong,
                Err(failed) => return error::failed(&reader, &failed),
            },
        }
    }
    all(&desk, &reader, &tried).await
}

/// `GET /settings/webhooks/{webhook}`.
pub(super) async fn one(State(desk): State<Desk>, Admin(reader): Admin, Path(id): Path<String>) -> Response {
    match here(&desk, &id, &reader).await {
        Ok(webhook) => shown_one(&desk.host, &webhook, &reader, &Tried::default()).await,
        Err(answer) => answer,
    }
}

async fn here(desk: &Desk, id: &str, reader: &Reader) -> Result<WebhookView, Response> {
    let id: WebhookId = reader.row(&desk.host, id).await?;
    desk.host.webhook(id).await.map_err(|failed| error::failed(reader, &failed))
}

async fn shown_one(host: &Host, webhook: &WebhookView, reader: &Reader, tried: &Tried) -> Response {
    let words = &reader.words.settings;
    let attempts = match host.webhook_attempts(webhook.id).await {
        Ok(attempts) => attempts,
        Err(failed) => return error::failed(reader, &failed),
    };
    let now = times::now(host);
    let (tone, symbol, state) = state(webhook, reader);
    let action = format!("/settings/webhooks/{}", webhook.id.public());
    let given = if tried.wrong.is_empty() {
        &Tried { url: webhook.url.clone(), kinds: webhook.kinds.clone(), ..Tried::default() }
    } else {
        tried
    };
    let content = html! {
        @if let Some(secret) = &tried.secret { (once("secret", &words.secret_made, &words.secret_hint, secret, reader)) }
        @if let Some(attempt) = &tried.tested { (tested(attempt, reader)) }
        section.panel.stack aria-labelledby="state" {
            header { h2 id="state" dir="ltr" { (webhook.url) } span.chip data-tone=(tone) { (icon(symbol)) (state) } }
            @if let Some(problem) = &webhook.problem { p { (problem) } }
            @if let Some(since) = webhook.failing_since {
                p.small.muted {
                    (fill(&words.failing_since, &[("time", &times::moment_inside(times::of(since), now, reader)), ("n", &webhook.attempts.to_string())]))
                }
            }
            p.small.muted { (fill(&words.position_is, &[("n", &webhook.position.to_string())])) }
            form.line.wrap method="post" action=(action) {
                button.btn name="do" value="test" { (icon("send")) (words.send_test) }
                @if webhook.state == WebhookState::Active {
                    button.btn name="do" value="pause" { (icon("clock")) (words.pause) }
                } @else {
                    button.btn.primary name="do" value="resume" { (icon("refresh")) (words.switch_on_again) }
                }
            }
        }
        (table(&attempts, now, reader))
        section.panel.stack aria-labelledby="edit" {
            header { h2 id="edit" { (words.change_webhook) } }
            form.stack.narrow-form method="post" action=(action) novalidate {
                (fields(given, reader))
                p { button.btn.primary name="do" value="save" { (reader.words.save) } }
            }
        }
        section.panel.stack aria-labelledby="replay" {
            header { h2 id="replay" { (words.replay) } }
            form.stack.narrow-form method="post" action=(action) novalidate {
                (Field { id: "position", label: &words.replay_after, hint: Some(&words.replay_hint), wrong: &tried.wrong }
                    .line("text", "off", ""))
                p { button.btn name="do" value="replay" { (words.replay) } }
            }
        }
        form method="post" action=(action) {
            p { button.btn name="do" value="delete" { (icon("x")) (words.delete_webhook) } }
        }
    };
    shown(Tab::Webhooks, &tried.wrong, reader, &content)
}

fn tested(attempt: &WebhookAttempt, reader: &Reader) -> Markup {
    let words = &reader.words.settings;
    let (tone, symbol) = if attempt.problem.is_none() { ("open", "ok") } else { ("fail", "stop") };
    html! {
        div.callout data-tone=(tone) role="status" tabindex="-1" autofocus {
            (icon(symbol))
            div {
                strong { @if attempt.problem.is_none() { (words.test_taken) } @else { (words.test_refused) } }
                @if let Some(status) = attempt.status { " " (fill(&words.answered, &[("status", &status.to_string())])) }
                @if let Some(problem) = &attempt.problem { " " (problem) }
            }
        }
    }
}

fn table(attempts: &[WebhookAttempt], now: i64, reader: &Reader) -> Markup {
    let words = &reader.words.settings;
    html! {
        section.panel.flush aria-labelledby="attempts" {
            header { h2 id="attempts" { (words.last_deliveries) } }
            @if attempts.is_empty() { p.empty { (words.no_deliveries) } } @else {
                div.scroll-x tabindex="0" role="group" aria-labelledby="attempts" {
                    table.table {
                        thead { tr { th scope="col" { (words.event) } th scope="col" { (words.when) } th scope="col" { (words.answer) } } }
                        tbody {
                            @for attempt in attempts.iter().take(ATTEMPTS) {
                                tr {
                                    th scope="row" { @if attempt.seq == 0 { (words.test) } @else { (attempt.seq) } }
                                    td { (times::relative(times::of(attempt.at), now, reader)) }
                                    td {
                                        @if attempt.problem.is_none() {
                                            span.chip data-tone="open" { (icon("check")) @match attempt.status { Some(status) => (status), None => (words.taken) } }
                                        } @else {
                                            span.chip data-tone="fail" { (icon("stop")) @match attempt.status { Some(status) => (status), None => (words.no_answer) } }
                                            " " (attempt.problem.as_deref().unwrap_or_default())
                                        }
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// `POST /settings/webhooks/{webhook}`.
pub(super) async fn change(
    State(desk): State<Desk>,
    Admin(reader): Admin,
    Path(id): Path<String>,
    sent: Sent,
) -> Response {
    let webhook = match here(&desk, &id, &reader).await {
        Ok(webhook) => webhook,
        Err(answer) => return answer,
    };
    let words = &reader.words.settings;
    let mut change = WebhookChange { url: None, kinds: None, paused: None, position: None };
    let mut tried = tried(&sent, &reader);
    match sent.one("do") {
        "pause" => change.paused = Some(true),
        "resume" => change.paused = Some(false),
        "test" => {
            return match desk.host.test_webhook(webhook.id).await {
                Ok(attempt) => {
                    let tried = Tried { tested: Some(attempt), ..Tried::default() };
                    shown_one(&desk.host, &webhook, &reader, &tried).await
                }
                Err(failed) => error::failed(&reader, &failed),
            };
        }
        "delete" => {
            return match desk.host.delete_webhook(webhook.id).await {
                Ok(()) => done(Tab::Webhooks),
                Err(failed) => error::failed(&reader, &failed),
            };
        }
        "replay" => {
            tried.url = webhook.url.clone();
            tried.kinds = webhook.kinds.clone();
            match sent.one("position").parse() {
                Ok(position) => change.position = Some(position),
                Err(_) => tried.wrong.add("position", &words.bad_position),
            }
        }
        "save" => {
            change.url = Some(tried.url.clone());
            match kinds(&sent) {
                Ok(kinds) => {
                    tried.kinds = kinds.clone();
                    change.kinds = Some(kinds);
                }
                Err(field) => tried.wrong.add(field, &words.no_events),
            }
        }
        _ => return error::no_form(&reader),
    }
    if tried.wrong.is_empty() {
        match desk.host.change_webhook(webhook.id, change).await {
            Ok(_) => return see(&format!("/settings/webhooks/{id}?done")),
            Err(failed) => match wrong(failed, &reader) {
                Ok(wrong) => tried.wrong = wrong,
                Err(failed) => return error::failed(&reader, &failed),
            },
        }
    }
    shown_one(&desk.host, &webhook, &reader, &tried).await
}
