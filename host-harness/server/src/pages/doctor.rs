//! Owns: the check-up of an account: what was found, what to do about it, and a button for what the host can do itself.
//! Does not own: what a check looks at (the engine and the channel).

use axum::{
    Form, Router,
    extract::{Path, State, rejection::FormRejection},
    http::StatusCode,
    response::Response,
    routing::get,
};
use harness_contract::{CheckLevel, CheckResult};
use harness_engine::{Host, HostError};
use harness_inbox::{AccountRow, AccountState, PublicId as _, WhenClosed};
use maud::{Markup, html};
use serde::Deserialize;

use super::{
    channels, error,
    layout::{self, Frame, Place},
    parts::{avatar, icon},
    reader::Reader,
    redirect::see,
    times,
    words::{count, fill},
};

/// `/channels/{account}`.
pub(super) fn router(host: Host) -> Router {
    Router::new().route("/channels/{account}", get(page).post(fix)).with_state(host)
}

/// What the host can do about a finding.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Fix {
    /// Connect the account again.
    Connect,
    /// Renew the credentials, or connect the account again.
    Renew,
    /// Read the platform's archive again.
    Fetch,
    /// Read deliveries again that could not be read.
    ReadAgain,
    /// Look at deliveries in this state.
    Look(&'static str),
    /// Look at the plugin.
    Plugin,
}

impl Fix {
    /// By the name of a check: the host's own, and those that every platform with tokens has.
    fn of(check: &CheckResult) -> Option<Self> {
        if !matches!(check.level, CheckLevel::Warning | CheckLevel::Failed) {
            return None;
        }
        match check.name.as_str() {
            "connected" | "permissions" | "token-valid" | "webhook-fields" => Some(Self::Connect),
            "token-expiry" => Some(Self::Renew),
            "webhooks-arrive" => Some(Self::Fetch),
            "not-taken" => Some(Self::ReadAgain),
            "parked" => Some(Self::Look("unrouted")),
            "granted" | "signed" | "channel-loaded" | "backlog" => Some(Self::Plugin),
            _ => None,
        }
    }
}

async fn page(State(host): State<Host>, Path(id): Path<String>, reader: Reader) -> Response {
    match channels::account(&host, &id, &reader).await {
        Ok(account) => shown(&host, &account, None, &reader).await,
        Err(answer) => answer,
    }
}

/// What a button did.
enum Done {
    Probed,
    /// With the time at which the new credentials end, if they do.
    Renewed(Option<u64>),
    /// With the reason, for people.
    NotRenewed(String),
    Fetching,
}

impl Done {
    fn said(&self, host: &Host, reader: &Reader) -> String {
        let words = &reader.words.connecting;
        match self {
            Self::Probed => words.probed.to_string(),
            Self::Renewed(None) => words.renewed.to_string(),
            Self::Renewed(Some(end)) => {
                let day = times::day_name(times::day(times::of(*end), reader), times::now(host), reader);
                fill(&words.renewed_until, &[("day", &day)])
            }
            Self::NotRenewed(reason) => fill(&words.not_renewed, &[("reason", reason)]),
            Self::Fetching => words.fetching.to_string(),
        }
    }
}

async fn shown(host: &Host, account: &AccountRow, done: Option<Done>, reader: &Reader) -> Response {
    let words = reader.words;
    let health = match host.check(account.id, matches!(done, Some(Done::Probed))).await {
        Ok(health) => health,
        Err(failed) => return error::failed(reader, &failed),
    };
    let account = &health.account;
    let (good, bad): (Vec<&CheckResult>, Vec<&CheckResult>) =
        health.checks.iter().partition(|check| matches!(check.level, CheckLevel::Passed | CheckLevel::Skipped));
    let (tone, symbol, state) = channels::state(account, reader);
    let of_all = [("n", bad.len().to_string()), ("all", health.checks.len().to_string())];
    let of_all =
        fill(&words.connecting.need_attention, &of_all.each_ref().map(|(name, value)| (*name, value.as_str())));
    let content = html! {
        main.page id="main" tabindex="-1" {
            div.narrow.stack.wide {
                div.page-head {
                    (avatar(&account.name, &account.platform_id, "", Some(&account.channel)))
                    div { p.crumbs { a href="/channels" { (words.channels) } " / " (words.check_up) } h1 { bdi { (account.name) } } }
                    span.chip data-tone=(tone) { (icon(symbol)) (state) }
                    @if !bad.is_empty() { span.chip data-tone="warn" { (icon("alert")) (of_all) } }
                    (again(account, reader))
                }
                @if let Some(done) = &done { (said(done, host, reader)) }
                @if reader.is_done { div.callout data-tone="open" role="status" { (icon("check")) div { strong { (words.connecting.being_done) } } } }
                @if !bad.is_empty() {
                    section.panel.flush aria-labelledby="bad" {
                        header { h2 id="bad" { (words.needs_attention) } }
                        ul { @for check in bad { (row(check, account, reader)) } }
                    }
                }
                @if !good.is_empty() {
                    section.panel.flush aria-labelledby="good" {
                        header { h2 id="good" { (words.all_good) } span.chip data-tone="open" { (icon("check")) (count(&words.checks, good.len())) } }
                        ul { @for check in good { (row(check, account, reader)) } }
                    }
                }
                @if reader.is_admin { (ahead(account, reader)) (closed(account, reader)) (connection(account, reader)) }
            }
        }
    };
    let frame = Frame { title: &words.check_up, place: Place::Channels, pane: None, unread: 0 };
    layout::page(reader, StatusCode::OK, &frame, &content)
}

fn said(done: &Done, host: &Host, reader: &Reader) -> Markup {
    let (tone, symbol) = if matches!(done, Done::NotRenewed(_)) { ("fail", "stop") } else { ("open", "check") };
    html! {
        div.callout data-tone=(tone) role="status" tabindex="-1" autofocus { (icon(symbol)) div { (done.said(host, reader)) } }
    }
}

fn renews(account: &AccountRow) -> bool {
    account.state != AccountState::Disconnected && account.refresh_at.is_some()
}

fn reads_history(account: &AccountRow) -> bool {
    account.state == AccountState::Connected && account.history_at.is_some()
}

/// What the host does by itself, done now.
fn ahead(account: &AccountRow, reader: &Reader) -> Markup {
    let words = &reader.words.connecting;
    if !renews(account) && !reads_history(account) {
        return html! {};
    }
    html! {
        section.panel.stack aria-labelledby="ahead" {
            h2 id="ahead" { (words.ahead) }
            form.stack method="post" action={ "/channels/" (account.id.public()) } {
                @if renews(account) {
                    div {
                        button.btn name="do" value="renew" aria-describedby="renew-hint" { (icon("refresh")) (words.renew) }
                        p.small.muted id="renew-hint" { (words.renew_hint) }
                    }
                }
                @if reads_history(account) {
                    div {
                        button.btn name="do" value="fetch" aria-describedby="fetch-hint" { (icon("archive")) (words.fetch) }
                        p.small.muted id="fetch-hint" { (words.fetch_hint) }
                    }
                }
            }
        }
    }
}

/// Checking again, and the check that a customer can notice.
fn again(account: &AccountRow, reader: &Reader) -> Markup {
    let words = &reader.words.connecting;
    html! {
        form.line.wrap method="post" action={ "/channels/" (account.id.public()) } {
            a.btn.small href={ "/channels/" (account.id.public()) } { (icon("refresh")) (words.check_again) }
            @if reader.is_admin && account.state == AccountState::Connected {
                button.btn.small name="do" value="probe" title=(words.probe_hint) { (icon("send")) (words.probe) }
            }
        }
    }
}

fn row(check: &CheckResult, account: &AccountRow, reader: &Reader) -> Markup {
    let (tone, symbol) = match check.level {
        CheckLevel::Passed => ("open", "ok"),
        CheckLevel::Warning => ("warn", "alert"),
        CheckLevel::Failed => ("fail", "stop"),
        CheckLevel::Skipped => ("closed", "info"),
    };
    html! {
        li.check-row data-tone=(tone) {
            (icon(symbol))
            div { strong dir="auto" { (check.finding) } @if let Some(fix) = &check.fix { p.small.muted dir="auto" { (fix) } } }
            @if let Some(fix) = Fix::of(check).filter(|_| reader.is_admin) { div.acts { (button(fix, check, account, reader)) } }
        }
    }
}

fn button(fix: Fix, check: &CheckResult, account: &AccountRow, reader: &Reader) -> Markup {
    let words = reader.words;
    let place = format!("/channels/{}", account.id.public());
    let deliveries = |state: &str| format!("/inspector?channel={}&state={state}", account.channel);
    html! {
        @match fix {
            Fix::Connect => form method="post" action="/channels/connect" {
                input type="hidden" name="channel" value=(account.channel);
                button.btn.small.primary { (words.connect_again) span.sr { ": " (check.finding) } }
            },
            Fix::Renew => {
                @if renews(account) {
                    form method="post" action=(place) { button.btn.small.primary name="do" value="renew" { (words.connecting.renew) } }
                }
                (button(Fix::Connect, check, account, reader))
            },
            Fix::Fetch => @if reads_history(account) {
                form method="post" action=(place) { button.btn.small.primary name="do" value="fetch" { (words.connecting.fetch) } }
            },
            Fix::ReadAgain => @if reader.is_of_host {
                form method="post" action=(place) { button.btn.small.primary name="do" value="read-again" { (words.connecting.read_again) } }
                a.btn.small href=(deliveries("failed")) { (words.connecting.look) }
            },
            Fix::Look(state) => @if reader.is_of_host { a.btn.small href=(deliveries(state)) { (words.connecting.look) } },
            Fix::Plugin => a.btn.small href={ "/plugins/" (account.channel) } { (words.connecting.see_plugin) },
        }
    }
}

/// What becomes of closed conversations when the customer writes again.
fn closed(account: &AccountRow, reader: &Reader) -> Markup {
    let words = &reader.words.connecting;
    html! {
        section.panel.stack aria-labelledby="closed-title" {
            h2 id="closed-title" { (words.closed_title) }
            form.line.wrap method="post" action={ "/channels/" (account.id.public()) } {
                label for="when-closed" { (words.when_closed) }
                select.input id="when-closed" name="when_closed" aria-describedby="when-closed-hint" {
                    @for (choice, word) in [(WhenClosed::Reopen, &words.when_closed_reopen), (WhenClosed::New, &words.when_closed_new)] {
                        option value=(choice.name()) selected[account.when_closed == choice] { (word) }
                    }
                }
                button.btn name="do" value="when-closed" { (reader.words.save) }
            }
            p.small.muted id="when-closed-hint" { (words.when_closed_hint) }
        }
    }
}

fn connection(account: &AccountRow, reader: &Reader) -> Markup {
    let words = reader.words;
    html! {
        section.panel.stack aria-labelledby="leave" {
            h2 id="leave" { (words.change_connection) }
            div.line.wrap {
                form method="post" action="/channels/connect" {
                    input type="hidden" name="channel" value=(account.channel);
                    button.btn { (icon("refresh")) (words.connect_again) }
                }
                a.btn href={ "/bot/" (account.id.public()) } { (icon("bot")) (words.bot) }
            }
            @if account.state != AccountState::Disconnected {
                // Two steps, against slips.
                details {
                    summary { (words.disconnect) "…" }
                    form.stack method="post" action={ "/channels/" (account.id.public()) "/disconnect" } {
                        p.small.muted { (words.disconnect_hint) }
                        p { button.btn { (icon("offline")) (words.disconnect) } }
                    }
                }
            } @else { p.small.muted { (words.disconnect_hint) } }
        }
    }
}

#[derive(Deserialize)]
struct Asked {
    r#do: String,
    when_closed: Option<String>,
}

/// Does what a button is for.
async fn fix(
    State(host): State<Host>,
    Path(id): Path<String>,
    reader: Reader,
    form: Result<Form<Asked>, FormRejection>,
) -> Response {
    let Ok(Form(asked)) = form else { return error::no_form(&reader) };
    if !reader.is_admin {
        return error::not_allowed(&reader);
    }
    let account = match channels::account(&host, &id, &reader).await {
        Ok(account) => account,
        Err(answer) => return answer,
    };
    match asked.r#do.as_str() {
        "probe" => shown(&host, &account, Some(Done::Probed), &reader).await,
        "renew" => {
            let done = match host.renew(account.id).await {
                Ok(end) => Done::Renewed(end),
                // The platform says why, or the channel.
                Err(failed @ HostError::Account(_)) => Done::NotRenewed(failed.for_people()),
                Err(failed) => return error::failed(&reader, &failed),
            };
            shown(&host, &account, Some(done), &reader).await
        }
        "fetch" => match host.fetch_history(account.id).await {
            Ok(()) => shown(&host, &account, Some(Done::Fetching), &reader).await,
            Err(failed) => error::failed(&reader, &failed),
        },
        "when-closed" => {
            let Some(choice) = asked.when_closed.as_deref().and_then(WhenClosed::from_name) else {
                return error::no_form(&reader);
            };
            match host.choose_when_closed(account.id, choice).await {
                Ok(()) => see(&format!("/channels/{id}#closed-title")),
                Err(failed) => error::failed(&reader, &failed),
            }
        }
        // Deliveries may be about several workspaces.
        "read-again" if reader.is_of_host => match host.retry_failed(Some(account.channel)).await {
            Ok(_) => see(&format!("/channels/{id}?done")),
            Err(failed) => error::failed(&reader, &failed),
        },
        "read-again" => error::not_allowed(&reader),
        _ => error::no_form(&reader),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_wrong_has_a_button() {
        let check = |level| CheckResult { name: "connected".into(), level, finding: "x".into(), fix: None };
        assert_eq!(Fix::of(&check(CheckLevel::Failed)), Some(Fix::Connect));
        assert_eq!(Fix::of(&check(CheckLevel::Passed)), None);
        assert_eq!(Fix::of(&check(CheckLevel::Skipped)), None);
    }
}
