//! Owns: the page of a link, for shop owners: the progress of connecting, the choices, and possible causes if no
//! message arrives.
//! Does not own: the frame of a page, what its buttons do.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{http::StatusCode, response::Response};
use harness_contract::{Candidate, CheckLevel, CheckResult, Media};
use harness_inbox::{AccountId, AccountRow, AccountState};
use maud::{Markup, html};
use tokio::sync::Semaphore;
use url::Url;

use super::{
    frame::{Step, failed, not_connected, page, problem},
    steps::{self, Tried},
};
use crate::pages::{
    layout::Needs,
    parts::{avatar, icon},
    reader::Reader,
    words::fill,
};
use harness_engine::{ConnectError, ConnectStage, ConnectView, Host, is_media_host};

/// The query for long polling: the response waits for a change.
pub(super) const WAIT: &str = "wait";
/// How long such a response waits. The browser keeps showing the previous page.
const PATIENCE: Duration = Duration::from_secs(10);
/// Changes read at a time while one waits.
const CHANGES: usize = 100;
/// Maximum number of waiting responses. Beyond it, pages poll instead.
const WAITING: usize = 64;
/// How long without a message until a page names possible causes, in milliseconds.
const SILENCE: u64 = 60_000;
/// How long the results of an account's check are cached, in milliseconds.
const FRESH: u64 = 60_000;

/// Shared by the pages that wait.
pub(super) struct Waiting {
    places: Semaphore,
    /// The last results of each account's check, with their time.
    findings: Mutex<HashMap<AccountId, Found>>,
}

type Found = (u64, Arc<[CheckResult]>);

impl Default for Waiting {
    fn default() -> Self {
        Self { places: Semaphore::new(WAITING), findings: Mutex::default() }
    }
}

/// What a page is made with.
#[derive(Clone, Copy)]
pub(super) struct Shop<'s> {
    pub(super) host: &'s Host,
    pub(super) waiting: &'s Waiting,
    pub(super) reader: &'s Reader,
}

/// The page of a link. `waits` is set if the browser already shows it and waits for a change.
pub(super) async fn stage(shop: &Shop<'_>, ticket: &str, mut view: ConnectView, waits: bool) -> Response {
    let place = waits.then(|| shop.waiting.places.try_acquire().ok()).flatten();
    if place.is_some() && matches!(view.stage, ConnectStage::Working | ConnectStage::WaitingFor { .. }) {
        shop.host.await_change(ticket, &view.stage, PATIENCE).await;
        match shop.host.connecting(ticket) {
            Ok(now) => view = now,
            Err(error) => return not_connected(shop.reader, &error),
        }
    }
    page_of(shop, ticket, view, (place.is_some(), waits), &Tried::default()).await
}

/// The page of a link after invalid values were typed in.
pub(super) async fn refused(shop: &Shop<'_>, ticket: &str, view: ConnectView, tried: &Tried) -> Response {
    let mut response = page_of(shop, ticket, view, (false, false), tried).await;
    *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
    response
}

async fn page_of(
    shop: &Shop<'_>,
    ticket: &str,
    view: ConnectView,
    (has_place, waits): (bool, bool),
    tried: &Tried,
) -> Response {
    let Shop { host, reader, .. } = *shop;
    let words = &reader.words.connecting;
    let Ok(registered) = host.channel(&view.channel) else {
        return not_connected(reader, &ConnectError::Expired);
    };
    let manifest = registered.channel.manifest();
    let named = |sentence: &str| fill(sentence, &[("channel", &manifest.channel.name)]);
    let here = format!("/connect/{ticket}");
    let next = format!("{here}?{WAIT}");
    let logins = html! {
        form.line.wrap method="post" action=(here) {
            @for (id, login) in &manifest.logins {
                @if view.only.as_ref().is_none_or(|only| only == id) {
                    button.btn.primary type="submit" name="login" value=(id) { (fill(&words.connect_with, &[("login", &login.name)])) }
                }
            }
        }
    };
    let again = html! { details { summary { (words.begin_again) } div.padded { (logins) } } };
    let mut needs = Needs { form_to: host.dialog_origins(&registered), ..Needs::default() };
    let mut step = Step::SignIn;
    let content = match &view.stage {
        ConnectStage::Waiting => html! {
            section.panel.stack {
                @if manifest.logins.values().any(|login| login.authorization_url.is_some()) {
                    p { (named(&words.you_will_be_sent)) }
                } @else {
                    p { (words.you_will_be_asked) }
                }
                (logins)
            }
        },
        ConnectStage::Visiting => html! {
            section.panel.stack {
                @if let Some(dialog) = &view.visit {
                    p { a.btn.primary href=(dialog) { (named(&words.go_on_at)) } }
                }
                p { (words.visiting) }
                (logins)
            }
        },
        ConnectStage::Working => {
            needs.goes_on = Some((1, next));
            html! { p.line role="status" { (icon("clock")) (words.working) } }
        }
        ConnectStage::Choosing { candidates } => {
            step = Step::Choose;
            let pictures = Pictures { hosts: &registered.media_hosts };
            needs.pictures = pictures.origins(candidates.iter().map(|candidate| candidate.picture.as_ref()));
            choices(candidates, &here, &logins, pictures, reader)
        }
        ConnectStage::Entering { fields, problem } => html! {
            (steps::form(fields, problem.as_deref(), tried, &here, reader))
            (again)
        },
        ConnectStage::WaitingFor { text, qr, code, until, again_at: _ } => {
            // The next response waits for a change, so the browser shows this page until then.
            needs.goes_on = Some((if waits && !has_place { 10 } else { 1 }, next));
            let left = until.map(|until| until.saturating_sub(host.clock().now()));
            html! {
                (steps::waiting_for(text, qr.as_deref(), code.as_deref(), left, reader))
                (again)
            }
        }
        ConnectStage::Failed { sentence } => html! {
            (problem(sentence))
            section.panel.stack { p { (words.try_again_here) } (logins) }
        },
        ConnectStage::Connected { account } => {
            let row = match host.inbox().account_row(*account).await {
                Ok(row) => row,
                Err(error) => return failed(reader, &error.into()),
            };
            let pictures = Pictures { hosts: &registered.media_hosts };
            return connected(shop, &row, next, (has_place, waits), pictures).await;
        }
    };
    page(reader, &named(&words.title), Some(step), &needs, &content)
}

fn choices(candidates: &[Candidate], here: &str, logins: &Markup, pictures: Pictures<'_>, reader: &Reader) -> Markup {
    let words = &reader.words.connecting;
    let any = candidates.iter().any(|candidate| candidate.obstacle.is_none());
    html! {
        @if any {
            form.stack.wide method="post" action={ (here) "/select" } {
                fieldset {
                    legend { (words.choose_account) }
                    div.stack { @for (at, candidate) in candidates.iter().enumerate() { (choice(candidate, at, pictures, reader)) } }
                }
                p { button.btn.primary type="submit" { (reader.words.connect) } }
            }
            details { summary { (words.not_in_list) } div.stack.padded { (hints(reader)) (logins) } }
        } @else if candidates.is_empty() {
            (problem(&words.none_found))
            section.panel.stack { (hints(reader)) (logins) }
        } @else {
            (problem(&words.none_possible))
            ul.stack { @for candidate in candidates { li.choice { (described(candidate, pictures)) } } }
            section.panel.stack { p { (words.when_mended) } (logins) }
        }
    }
}

/// The most common reasons why an account is not in the list.
fn hints(reader: &Reader) -> Markup {
    let words = &reader.words.connecting;
    html! {
        ul.bullets.small { li { (words.hint_professional) } li { (words.hint_ticked) } li { (words.hint_admin) } }
    }
}

fn choice(candidate: &Candidate, at: usize, pictures: Pictures<'_>, reader: &Reader) -> Markup {
    let id = format!("candidate-{at}");
    html! {
        div.choice {
            input type="radio" name="candidate" id=(id) value=(candidate.id) required disabled[candidate.obstacle.is_some()]
                aria-describedby=[candidate.obstacle.is_some().then(|| format!("{id}-obstacle"))];
            (pictures.shown(candidate.picture.as_ref(), &candidate.name))
            div.stack {
                label for=(id) {
                    strong { bdi { (candidate.name) } }
                    @if let Some(username) = &candidate.username { " " bdi { "@" (username) } }
                }
                @if let Some(obstacle) = &candidate.obstacle { div id={ (id) "-obstacle" } { (obstacle_of(obstacle)) } }
            }
            @if candidate.obstacle.is_none() { span.chip data-tone="open" { (icon("check")) (reader.words.connecting.ready) } }
        }
    }
}

fn obstacle_of(obstacle: &str) -> Markup {
    html! { div.callout data-tone="warn" { (icon("alert")) div.small { (obstacle) } } }
}

fn described(candidate: &Candidate, pictures: Pictures<'_>) -> Markup {
    html! {
        (pictures.shown(candidate.picture.as_ref(), &candidate.name))
        div.stack {
            div {
                strong { bdi { (candidate.name) } }
                @if let Some(username) = &candidate.username { " " bdi { "@" (username) } }
            }
            @if let Some(obstacle) = &candidate.obstacle { (obstacle_of(obstacle)) }
        }
    }
}

/// Pictures on pages. Loading one reveals the visitor to its server, so only hosts granted for files are allowed.
#[derive(Clone, Copy)]
struct Pictures<'h> {
    hosts: &'h [String],
}

impl Pictures<'_> {
    fn address(self, media: Option<&Media>) -> Option<Url> {
        let url = Url::parse(media?.url.as_deref()?).ok()?;
        is_media_host(self.hosts, &url).then_some(url)
    }

    /// The picture, or the first letters of the name.
    fn shown(self, media: Option<&Media>, name: &str) -> Markup {
        html! {
            @match self.address(media) {
                Some(url) => img.picture src=(url) alt="" width="48" height="48" referrerpolicy="no-referrer";,
                None => (avatar(name, name, "", None)),
            }
        }
    }

    /// Their origins, for the content security policy.
    fn origins<'m>(self, media: impl Iterator<Item = Option<&'m Media>>) -> Vec<String> {
        let mut origins: Vec<String> =
            media.filter_map(|media| self.address(media)).map(|url| url.origin().ascii_serialization()).collect();
        origins.sort();
        origins.dedup();
        origins
    }
}

async fn connected(
    shop: &Shop<'_>,
    row: &AccountRow,
    next: String,
    (has_place, waits): (bool, bool),
    pictures: Pictures<'_>,
) -> Response {
    let Shop { host, waiting, reader } = *shop;
    let words = &reader.words.connecting;
    let mut received = has_received(host, row).await;
    if !received && has_place {
        received = await_message(host, row).await;
    }
    let findings = if waits && !received { waiting.findings(host, row).await } else { Arc::default() };
    let silent = host.clock().now().saturating_sub(row.connected_at) >= SILENCE;
    let worth_saying = |found: &&CheckResult| match found.level {
        CheckLevel::Failed => true,
        CheckLevel::Warning => silent,
        _ => false,
    };
    let found: Vec<_> = findings.iter().filter(worth_saying).collect();
    let content = html! {
        section.panel.stack {
            header {
                (pictures.shown(row.picture.as_ref(), &row.name))
                div { h2 { bdi { (row.name) } } @if let Some(username) = &row.username { p.small.muted { bdi { "@" (username) } } } }
            }
            @if row.state == AccountState::Disconnected {
                (problem(&words.disconnected_since))
            } @else if received {
                div.callout data-tone="open" role="status" { (icon("ok")) div { strong { (words.received) } " " (words.received_hint) } }
                p { a.btn.primary href="/inbox" { (reader.words.go_to_inbox) } }
            } @else {
                p role="status" { (words.send_test_message) }
                @if silent { p { (words.silent) } }
                @if !found.is_empty() {
                    ul.stack {
                        @for line in &found {
                            li.callout data-tone="warn" { (icon("alert")) div { strong { (line.finding) } @if let Some(fix) = &line.fix { " " (fix) } } }
                        }
                    }
                } @else if silent {
                    p { (words.nothing_wrong) }
                }
            }
        }
        @if row.conversations_deleted_at.is_some() { p.small.muted { (words.deleted_before) } }
    };
    let done = received || row.state == AccountState::Disconnected;
    // The next response waits for a change, so the browser shows this page until then.
    let wait = if waits && !has_place { 10 } else { 1 };
    let goes_on = (!done).then_some((wait, next));
    let pictures = pictures.origins(std::iter::once(row.picture.as_ref()));
    page(reader, &words.connected, Some(Step::Test), &Needs { goes_on, pictures, ..Needs::default() }, &content)
}

async fn has_received(host: &Host, row: &AccountRow) -> bool {
    host.inbox().received_since(row.id, row.connected_at).await.unwrap_or(false)
}

/// Waits for a message. Returns whether one arrived.
async fn await_message(host: &Host, row: &AccountRow) -> bool {
    let mut changes = host.inbox().follow();
    let came = async {
        while !has_received(host, row).await {
            loop {
                let Ok(news) = changes.next(CHANGES).await else { return };
                if news.missed || news.changes.iter().any(|change| change.account == Some(row.id)) {
                    break;
                }
            }
        }
    };
    let _ = tokio::time::timeout(PATIENCE, came).await;
    has_received(host, row).await
}

impl Waiting {
    /// The results of the account's check, cached.
    async fn findings(&self, host: &Host, row: &AccountRow) -> Arc<[CheckResult]> {
        let now = host.clock().now();
        let known = |found: &Found| now.saturating_sub(found.0) < FRESH;
        let findings = || self.findings.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, found)) = findings().get(&row.id).filter(|found| known(found)) {
            return Arc::clone(found);
        }
        let Ok(health) = host.check(row.id, false).await else { return Arc::default() };
        let found: Arc<[CheckResult]> = health.checks.into();
        let mut all = findings();
        all.retain(|_, found| known(found));
        all.insert(row.id, (now, Arc::clone(&found)));
        found
    }
}
