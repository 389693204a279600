//! Owns: the page of channels and their accounts: their state, connecting, disconnecting.
//! Does not own: the steps of connecting (`connect`), the check-up of an account (`doctor`).

use axum::{
    Form, Router,
    extract::{Path, State, rejection::FormRejection},
    http::StatusCode,
    response::Response,
    routing::{get, post},
};
use harness_engine::Host;
use harness_inbox::{AccountId, AccountRow, AccountState, PublicId as _};
use maud::{Markup, html};
use serde::Deserialize;

use super::{
    error,
    layout::{self, Frame, Place},
    parts::{avatar, icon, mark},
    reader::Reader,
    redirect::see,
};

/// `/channels…`.
pub(super) fn router(host: Host) -> Router {
    Router::new()
        .route("/channels", get(all))
        .route("/channels/connect", post(connect))
        .route("/channels/{account}/disconnect", post(disconnect))
        .with_state(host)
}

/// The account that an address names, if it is of the reader's workspace.
pub(super) async fn account(host: &Host, id: &str, reader: &Reader) -> Result<AccountRow, Response> {
    let id: AccountId = reader.row(host, id).await?;
    host.inbox().account_row(id).await.map_err(|failed| error::failed(reader, &failed.into()))
}

/// The accounts of the reader's workspace.
pub(super) async fn accounts(host: &Host, reader: &Reader) -> Result<Vec<AccountRow>, Response> {
    let inbox = host.inbox();
    let failed = |failed: harness_inbox::InboxError| error::failed(reader, &failed.into());
    let mut own = Vec::new();
    for account in inbox.accounts().await.map_err(failed)? {
        if reader.owns(host, account.id).await.map_err(failed)? {
            own.push(account);
        }
    }
    Ok(own)
}

async fn all(State(host): State<Host>, reader: Reader) -> Response {
    let words = reader.words;
    let accounts = match accounts(&host, &reader).await {
        Ok(accounts) => accounts,
        Err(answer) => return answer,
    };
    let content = html! {
        main.page id="main" tabindex="-1" {
            div.narrow.stack.wide {
                div.page-head { div { h1 { (words.channels) } p { (words.channels_hint) } } }
                @if !accounts.is_empty() {
                    section.panel.flush aria-labelledby="accounts" {
                        header { h2 id="accounts" { (words.connected_accounts) } }
                        @for account in &accounts { (account_row(account, &host, &reader)) }
                    }
                }
                (offered(&host, &reader))
            }
        }
    };
    let frame = Frame { title: &words.channels, place: Place::Channels, pane: None, unread: 0 };
    layout::page(&reader, StatusCode::OK, &frame, &content)
}

fn account_row(account: &AccountRow, host: &Host, reader: &Reader) -> Markup {
    let words = reader.words;
    let (tone, symbol, state) = state(account, reader);
    let channel = host.channel(&account.channel).map(|loaded| loaded.channel.manifest().channel.name.clone());
    let id = account.id.public();
    html! {
        div.check-row data-tone=(tone) {
            (avatar(&account.name, &account.platform_id, "m", Some(&account.channel)))
            div {
                strong { bdi { (account.name) } }
                p.small.muted {
                    (channel.unwrap_or_else(|_| account.channel.clone()))
                    @if let Some(username) = &account.username { " · " bdi { "@" (username) } }
                }
                p.small { span.chip { (icon(symbol)) (state) } @if let Some(problem) = &account.problem { " " (problem) } }
            }
            div.acts {
                a.btn.small href={ "/channels/" (id) } { (words.check_up) }
                a.btn.small href={ "/bot/" (id) } { (words.bot) }
            }
        }
    }
}

pub(super) fn state<'w>(account: &AccountRow, reader: &'w Reader) -> (&'static str, &'static str, &'w str) {
    let words = reader.words;
    match account.state {
        AccountState::Connected => ("open", "check", &words.connected),
        AccountState::NeedsReconnect => ("fail", "stop", &words.needs_reconnect),
        AccountState::Disconnected => ("closed", "offline", &words.disconnected),
    }
}

/// The channels that can be connected, each with its ways to sign in.
pub(super) fn offered(host: &Host, reader: &Reader) -> Markup {
    let words = reader.words;
    html! {
        section.panel.flush aria-labelledby="offered" {
            header { h2 id="offered" { (words.connect_channel) } }
            @for loaded in host.channels() {
                @let manifest = loaded.channel.manifest();
                div.check-row {
                    (mark(&manifest.channel.id))
                    div { strong { (manifest.channel.name) } p.small.muted { (manifest.channel.description) } }
                    div.acts {
                        @if !manifest.logins.is_empty() {
                            form method="post" action="/channels/connect" {
                                input type="hidden" name="channel" value=(manifest.channel.id);
                                button.btn.small.primary { (words.connect) span.sr { " " (manifest.channel.name) } }
                            }
                        }
                    }
                }
            }
        }
    }
}

#[derive(Deserialize)]
struct Connect {
    channel: String,
}

/// Makes a link for connecting, and goes there.
async fn connect(State(host): State<Host>, reader: Reader, form: Result<Form<Connect>, FormRejection>) -> Response {
    let Ok(Form(connect)) = form else { return error::no_form(&reader) };
    if !reader.is_admin {
        return error::not_allowed(&reader);
    }
    match host.begin_connecting_in(reader.workspace, &connect.channel, None).await {
        Ok(ticket) => see(&format!("/connect/{ticket}")),
        Err(failed) => error::failed(&reader, &failed),
    }
}

/// Disconnects an account; its conversations stay.
async fn disconnect(State(host): State<Host>, Path(id): Path<String>, reader: Reader) -> Response {
    if !reader.is_admin {
        return error::not_allowed(&reader);
    }
    let account = match account(&host, &id, &reader).await {
        Ok(account) => account,
        Err(answer) => return answer,
    };
    match host.disconnect(account.id, false).await {
        Ok(_) => see(&format!("/channels/{id}")),
        Err(failed) => error::failed(&reader, &failed),
    }
}
