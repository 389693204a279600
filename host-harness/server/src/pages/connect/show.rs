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
    frame::{Frame, failed, not_connected, page},
    steps::{self, Tried},
};
use harness_engine::{ConnectError, ConnectStage, ConnectView, Host, is_media_host};

/// The query for long polling: the response waits for a change.
pub(crate) const WAIT: &str = "wait";
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
pub(crate) struct Waiting {
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

/// The page of a link. `waits` is set if the browser already shows it and waits for a change.
pub(crate) async fn stage(
    host: &Host,
    waiting: &Waiting,
    ticket: &str,
    mut view: ConnectView,
    waits: bool,
) -> Response {
    let place = waits.then(|| waiting.places.try_acquire().ok()).flatten();
    if place.is_some() && matches!(view.stage, ConnectStage::Working | ConnectStage::WaitingFor { .. }) {
        host.await_change(ticket, &view.stage, PATIENCE).await;
        match host.connecting(ticket) {
            Ok(now) => view = now,
            Err(error) => return not_connected(&error),
        }
    }
    page_of(host, waiting, ticket, view, (place.is_some(), waits), &Tried::default()).await
}

/// The page of a link after invalid values were typed in.
pub(crate) async fn refused(
    host: &Host,
    waiting: &Waiting,
    ticket: &str,
    view: ConnectView,
    tried: &Tried,
) -> Response {
    let mut response = page_of(host, waiting, ticket, view, (false, false), tried).await;
    *response.status_mut() = StatusCode::UNPROCESSABLE_ENTITY;
    response
}

async fn page_of(
    host: &Host,
    waiting: &Waiting,
    ticket: &str,
    view: ConnectView,
    (has_place, waits): (bool, bool),
    tried: &Tried,
) -> Response {
    let Ok(registered) = host.channel(&view.channel) else { return not_connected(&ConnectError::Expired) };
    let manifest = registered.channel.manifest();
    let title = format!("Connect {}", manifest.channel.name);
    let here = format!("/connect/{ticket}");
    let next = format!("{here}?{WAIT}");
    let logins = html! {
        form method="post" action=(here) {
            @for (id, login) in &manifest.logins {
                @if view.only.as_ref().is_none_or(|only| only == id) {
                    button type="submit" name="login" value=(id) { "Connect with " (login.name) }
                }
            }
        }
    };
    let mut frame = Frame { form_to: host.dialog_origins(&registered), ..Frame::default() };
    let content = match &view.stage {
        ConnectStage::Waiting => html! {
            @if manifest.logins.values().any(|login| login.authorization_url.is_some()) {
                p { "You will be sent to " (manifest.channel.name) ", where you permit this inbox to read and answer messages." }
            } @else {
                p { "You will be asked, step by step, for what this inbox needs to read and answer messages." }
            }
            (logins)
        },
        ConnectStage::Visiting => html! {
            @if let Some(dialog) = &view.visit {
                p { a.button href=(dialog) { "Go on at " (manifest.channel.name) } }
            }
            p { "The next step is in the window that has just opened. If there is none, or if you came back without an answer, begin again." }
            (logins)
        },
        ConnectStage::Working => {
            frame.goes_on = Some((1, next));
            html! { p role="status" { "One moment: your account is being connected. This page goes on by itself." } }
        }
        ConnectStage::Choosing { candidates } => {
            let pictures = Pictures { hosts: &registered.media_hosts };
            frame.pictures = pictures.origins(candidates.iter().map(|candidate| candidate.picture.as_ref()));
            choices(candidates, &here, &logins, pictures)
        }
        ConnectStage::Entering { fields, problem } => html! {
            (steps::form(fields, problem.as_deref(), tried, &here))
            details { summary { "Begin again" } (logins) }
        },
        ConnectStage::WaitingFor { text, qr, code, until, again_at: _ } => {
            // The next response waits for a change, so the browser shows this page until then.
            frame.goes_on = Some((if waits && !has_place { 10 } else { 1 }, next));
            let left = until.map(|until| until.saturating_sub(host.clock().now()));
            html! {
                (steps::waiting_for(text, qr.as_deref(), code.as_deref(), left))
                details { summary { "Begin again" } (logins) }
            }
        }
        ConnectStage::Failed { sentence } => html! {
            p.problem role="alert" { (sentence) }
            p { "You can try again from here." }
            (logins)
        },
        ConnectStage::Connected { account } => {
            let row = match host.inbox().account_row(*account).await {
                Ok(row) => row,
                Err(error) => return failed(&error.into()),
            };
            let pictures = Pictures { hosts: &registered.media_hosts };
            return connected(host, waiting, &row, next, (has_place, waits), pictures).await;
        }
    };
    page(StatusCode::OK, &title, &frame, &content)
}

fn choices(candidates: &[Candidate], here: &str, logins: &Markup, pictures: Pictures<'_>) -> Markup {
    let any = candidates.iter().any(|candidate| candidate.obstacle.is_none());
    html! {
        @if any {
            form method="post" action={ (here) "/select" } {
                fieldset {
                    legend { "Choose the account to connect" }
                    @for candidate in candidates { (choice(candidate, pictures)) }
                }
                button type="submit" { "Connect" }
            }
            details { summary { "It is not in the list" } (hints()) (logins) }
        } @else if candidates.is_empty() {
            p.problem role="alert" { "No account was found that could be connected." }
            (hints())
            (logins)
        } @else {
            p.problem role="alert" { "None of these can be connected as things are. What is missing stands beside each." }
            ul { @for candidate in candidates { li.choice { (described(candidate, pictures)) } } }
            p { "When that is mended, try again." }
            (logins)
        }
    }
}

/// The most common reasons why an account is not in the list.
fn hints() -> Markup {
    html! {
        ul {
            li { "Is it a professional account, of a business or a creator? Personal ones cannot be connected." }
            li { "Did you tick it when you were asked which accounts and pages this inbox may use?" }
            li { "Are you an administrator of it? If not, somebody who is must open this link." }
        }
    }
}

fn choice(candidate: &Candidate, pictures: Pictures<'_>) -> Markup {
    html! {
        label.choice {
            input type="radio" name="candidate" value=(candidate.id) required disabled[candidate.obstacle.is_some()];
            (described(candidate, pictures))
        }
    }
}

fn described(candidate: &Candidate, pictures: Pictures<'_>) -> Markup {
    html! {
        (pictures.shown(candidate.picture.as_ref()))
        span {
            strong { (candidate.name) }
            @if let Some(username) = &candidate.username { " @" (username) }
            @if let Some(obstacle) = &candidate.obstacle { br; small.problem { (obstacle) } }
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

    fn shown(self, media: Option<&Media>) -> Markup {
        html! {
            @if let Some(url) = self.address(media) {
                img src=(url) alt="" width="48" height="48" referrerpolicy="no-referrer";
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
    host: &Host,
    waiting: &Waiting,
    row: &AccountRow,
    next: String,
    (has_place, waits): (bool, bool),
    pictures: Pictures<'_>,
) -> Response {
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
        p.account {
            (pictures.shown(row.picture.as_ref()))
            span { strong { (row.name) } @if let Some(username) = &row.username { " @" (username) } }
        }
        @if row.state == AccountState::Disconnected {
            p.problem role="alert" { "It was disconnected since. To connect it again, ask for a new link." }
        } @else if received {
            p.done role="status" { "Received: the first message is in the inbox. You can close this page." }
        } @else {
            p role="status" { "Send a test message to this account from another one. This page says \"Received\" when it arrives." }
            @if silent { p { "Nothing has come in for a minute. This may be the reason:" } }
            @if !found.is_empty() {
                ul { @for line in &found { li { (line.finding) @if let Some(fix) = &line.fix { " " (fix) } } } }
            } @else if silent {
                p { "Nothing wrong was found. Was the message sent to this account, and from another one than this?" }
            }
        }
        @if row.conversations_deleted_at.is_some() {
            p { "Conversations of this account were deleted here before. They stay deleted: what was said until then does not come back." }
        }
    };
    let done = received || row.state == AccountState::Disconnected;
    // The next response waits for a change, so the browser shows this page until then.
    let wait = if waits && !has_place { 10 } else { 1 };
    let goes_on = (!done).then_some((wait, next));
    let pictures = pictures.origins(std::iter::once(row.picture.as_ref()));
    page(StatusCode::OK, "Connected", &Frame { goes_on, pictures, ..Frame::default() }, &content)
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
