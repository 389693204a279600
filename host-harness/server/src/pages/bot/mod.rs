//! Owns: the page of an account's bot: welcome message, collection rules, AI assistant; the switch for all bots.
//! Does not own: the settings and what they do (the automation), the try-out (`tryout`), the log (`decisions`).

mod decisions;
mod tryout;

use axum::{
    Form, Router,
    extract::{Path, State, rejection::FormRejection},
    http::StatusCode,
    response::Response,
    routing::{get, post},
};
use harness_automation::{AutomationError, Choice, Condition, Configured, Rule, Settings};
use harness_engine::{Host, Secret};
use harness_inbox::{AccountRow, CollectionId, CollectionView, PublicId};
use maud::{Markup, html};
use serde::Deserialize;

use super::{
    channels, error,
    layout::{self, Frame, Place},
    parts::icon,
    reader::Reader,
    redirect::see,
};

/// Rules that the form has room for beyond those that are there.
const EMPTY_RULES: usize = 2;
/// The most rules that one form brings.
const MOST_RULES: usize = 50;

/// `/bot…`.
pub(super) fn router(host: Host) -> Router {
    Router::new()
        .route("/bot", get(first))
        .route("/bot/all", post(switch))
        .route("/bot/{account}", get(one).post(save))
        .route("/bot/{account}/log", get(decisions::page))
        .with_state(host)
}

/// The bot of the first account; without one there is nothing to set up.
async fn first(State(host): State<Host>, reader: Reader) -> Response {
    match channels::accounts(&host, &reader).await {
        Ok(accounts) => match accounts.first() {
            Some(account) => see(&format!("/bot/{}", account.id.public())),
            None => see("/channels"),
        },
        Err(answer) => answer,
    }
}

/// What the form says, besides the settings themselves.
#[derive(Default)]
struct Tried {
    problem: Option<String>,
    saved: bool,
    tryout: tryout::Tried,
}

async fn one(State(host): State<Host>, Path(id): Path<String>, reader: Reader) -> Response {
    let account = match channels::account(&host, &id, &reader).await {
        Ok(account) => account,
        Err(answer) => return answer,
    };
    match harness_automation::configured(&host, account.id).await {
        Ok(configured) => shown(&host, &account, &configured, &Tried::default(), StatusCode::OK, &reader).await,
        Err(failed) => sorry(&reader, &failed),
    }
}

fn sorry(reader: &Reader, failed: &AutomationError) -> Response {
    match failed {
        AutomationError::Host(failed) => error::failed(reader, failed),
        failed => {
            tracing::error!(error = %failed, "the bot's settings cannot be shown");
            error::page(
                reader,
                StatusCode::INTERNAL_SERVER_ERROR,
                &reader.words.error_ours,
                &reader.words.error_ours_hint,
            )
        }
    }
}

async fn save(
    State(host): State<Host>,
    Path(id): Path<String>,
    reader: Reader,
    form: Result<Form<Vec<(String, String)>>, FormRejection>,
) -> Response {
    let Ok(Form(fields)) = form else { return error::no_form(&reader) };
    if !reader.is_admin {
        return error::not_allowed(&reader);
    }
    let account = match channels::account(&host, &id, &reader).await {
        Ok(account) => account,
        Err(answer) => return answer,
    };
    let mut configured = match harness_automation::configured(&host, account.id).await {
        Ok(configured) => configured,
        Err(failed) => return sorry(&reader, &failed),
    };
    let collections = match host.inbox().collections(reader.workspace).await {
        Ok(collections) => collections,
        Err(failed) => return error::failed(&reader, &failed.into()),
    };
    read(&fields, &collections, &mut configured.settings);
    let given = |name: &str| fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    let asked = tryout::Asked::read(&fields);
    if given("do") == Some("try") {
        let conversation = match asked.past() {
            Some(None) => return error::no_form(&reader),
            Some(Some(conversation)) => match host.inbox().account_of(conversation).await {
                Ok(of) if of == account.id => Some(conversation),
                _ => return error::no_page(&reader),
            },
            None => None,
        };
        let tryout = tryout::tried(&host, (account.id, conversation), &configured.settings, asked).await;
        let tried = Tried { tryout, ..Tried::default() };
        return shown(&host, &account, &configured, &tried, StatusCode::OK, &reader).await;
    }
    // What was written to try it stays.
    let tryout = tryout::Tried::from(asked);
    let saved = async {
        harness_automation::configure(&host, account.id, &configured.settings).await?;
        let key = fields.iter().find(|(name, value)| name == "key" && !value.is_empty());
        if let Some((_, key)) = key {
            let key = Secret::new(key.trim().as_bytes().to_vec());
            harness_automation::set_model_key(&host, account.id, Some(key)).await?;
        }
        Ok::<_, AutomationError>(())
    };
    match saved.await {
        Ok(()) => {
            let tried = Tried { saved: true, tryout, ..Tried::default() };
            match harness_automation::configured(&host, account.id).await {
                Ok(configured) => shown(&host, &account, &configured, &tried, StatusCode::OK, &reader).await,
                Err(failed) => sorry(&reader, &failed),
            }
        }
        Err(AutomationError::Host(failed)) => error::failed(&reader, &failed),
        Err(problem) => {
            let tried = Tried { problem: Some(problem.to_string()), tryout, ..Tried::default() };
            shown(&host, &account, &configured, &tried, StatusCode::UNPROCESSABLE_ENTITY, &reader).await
        }
    }
}

/// Takes over what the form has. What it has no field for stays. A collection of another workspace is none.
fn read(fields: &[(String, String)], collections: &[CollectionView], settings: &mut Settings) {
    let collection = |id: &str| {
        let id = CollectionId::from_public(id).ok()?;
        collections.iter().any(|known| known.id == id).then_some(id)
    };
    let given = |name: &str| fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.trim());
    let all = |name: &str| {
        fields.iter().filter(|(known, _)| known == name).map(|(_, value)| value.trim()).collect::<Vec<_>>()
    };
    let on = |name: &str| given(name).is_some();
    settings.on = on("on");
    settings.welcome.on = on("welcome");
    settings.welcome.text = given("welcome_text").unwrap_or_default().replace("\r\n", "\n");
    let choice = |title: &&str| Choice { title: (*title).to_owned(), payload: (*title).to_owned() };
    settings.welcome.quick_replies =
        all("welcome_quick").iter().filter(|title| !title.is_empty()).map(choice).collect();
    settings.routing.on = on("routing");
    settings.routing.default = given("default").and_then(collection);
    let (words, places) = (all("rule_words"), all("rule_collection"));
    let before = std::mem::take(&mut settings.routing.rules);
    for (at, (words, place)) in words.iter().zip(places).enumerate().take(MOST_RULES) {
        let keywords: Vec<String> =
            words.split(',').map(str::trim).filter(|word| !word.is_empty()).map(str::to_owned).collect();
        // A rule that knows more than keywords keeps the rest.
        let known = before.get(at).cloned().unwrap_or_default();
        let when = Condition { keywords, ..known.when.clone() };
        if when == Condition::default() {
            continue;
        }
        let name = if known.name.is_empty() { (*words).chars().take(60).collect() } else { known.name.clone() };
        settings.routing.rules.push(Rule { name, when, collection: collection(place), ..known });
    }
    let assistant = &mut settings.assistant;
    assistant.on = on("assistant");
    assistant.base_url = given("base_url").unwrap_or_default().to_owned();
    assistant.model = given("model").unwrap_or_default().to_owned();
    assistant.instructions = given("instructions").unwrap_or_default().replace("\r\n", "\n");
    assistant.disclosure = given("disclosure").unwrap_or_default().to_owned();
    assistant.hand_over_text = given("hand_over_text").unwrap_or_default().to_owned();
}

async fn shown(
    host: &Host,
    account: &AccountRow,
    configured: &Configured,
    tried: &Tried,
    status: StatusCode,
    reader: &Reader,
) -> Response {
    let words = reader.words;
    let collections = match host.inbox().collections(reader.workspace).await {
        Ok(collections) => collections,
        Err(failed) => return error::failed(reader, &failed.into()),
    };
    let settings = &configured.settings;
    let conversations = tryout::conversations(host, account.id).await;
    let content = html! {
        main.page id="main" tabindex="-1" {
            div.page-head {
                div { p.crumbs { a href="/channels" { (words.channels) } " / " bdi { (account.name) } } h1 { (words.bot) } p { (words.bot_hint) } }
                @if reader.is_admin { (all(configured.off, account, reader)) }
            }
            (tabs(account, true, reader))
            form.two method="post" action={ "/bot/" (account.id.public()) } autocomplete="off" novalidate data-tryout {
                div.stack.wide {
                    @if let Some(problem) = &tried.problem {
                        div.callout data-tone="fail" role="alert" tabindex="-1" autofocus { (icon("stop")) div { strong { (words.not_saved) } " " (problem) } }
                    }
                    @if tried.saved { div.callout data-tone="open" role="status" { (icon("check")) div { strong { (words.saved) } } } }
                    @if configured.off { div.callout data-tone="warn" { (icon("alert")) div { (words.bot_all_off) } } }
                    label.line { input.switch type="checkbox" role="switch" name="on" value="1" checked[settings.on]; strong { (words.bot_on) } }
                    (welcome(settings, reader))
                    (routing(settings, &collections, reader))
                    (assistant(configured, reader))
                    @if reader.is_admin { p { button.btn.primary name="do" value="save" { (words.save) } } }
                }
                @if reader.is_admin { (tryout::panel(&conversations, &tried.tryout, reader)) }
            }
        }
    };
    let frame = Frame { title: &words.bot, place: Place::Bot, pane: None, unread: 0 };
    layout::page(reader, status, &frame, &content)
}

/// The two pages of an account's bot.
fn tabs(account: &AccountRow, is_settings: bool, reader: &Reader) -> Markup {
    let (words, id) = (&reader.words.bot_pages, account.id.public());
    html! {
        nav.tabs aria-label=(reader.words.bot) {
            a href={ "/bot/" (id) } aria-current=[is_settings.then_some("page")] { (words.settings) }
            a href={ "/bot/" (id) "/log" } aria-current=[(!is_settings).then_some("page")] { (words.log) }
        }
    }
}

/// The switch for all bots of the team.
fn all(off: bool, account: &AccountRow, reader: &Reader) -> Markup {
    let words = &reader.words.bot_pages;
    html! {
        form method="post" action="/bot/all" {
            input type="hidden" name="account" value=(account.id.public());
            @if off { button.btn name="switch" value="on" { (icon("play")) (words.all_on) } }
            @else { button.btn name="switch" value="off" { (icon("stop")) (words.all_off) } }
        }
    }
}

#[derive(Deserialize)]
struct Switch {
    switch: String,
    account: String,
}

/// Switches all bots of the team off or on.
async fn switch(State(host): State<Host>, reader: Reader, form: Result<Form<Switch>, FormRejection>) -> Response {
    let Ok(Form(wanted)) = form else { return error::no_form(&reader) };
    if !reader.is_admin {
        return error::not_allowed(&reader);
    }
    let account = match channels::account(&host, &wanted.account, &reader).await {
        Ok(account) => account,
        Err(answer) => return answer,
    };
    let off = wanted.switch == "off";
    match host.automations().set_automation_off(reader.workspace, off, host.clock().now()).await {
        Ok(_) => see(&format!("/bot/{}", account.id.public())),
        Err(failed) => error::failed(&reader, &failed.into()),
    }
}

/// A section with a switch in its head.
fn section(id: &str, title: &str, hint: &str, on: bool, content: &Markup) -> Markup {
    html! {
        section.panel.stack aria-labelledby={ (id) "-title" } {
            header {
                h2 id={ (id) "-title" } { (title) }
                input.switch.push type="checkbox" role="switch" name=(id) value="1" checked[on] aria-labelledby={ (id) "-title" };
            }
            p.small.muted { (hint) }
            (content)
        }
    }
}

fn welcome(settings: &Settings, reader: &Reader) -> Markup {
    let (words, welcome) = (reader.words, &settings.welcome);
    let rows = welcome.quick_replies.len().max(3);
    section(
        "welcome",
        &words.welcome_message,
        &words.welcome_message_hint,
        welcome.on,
        &html! {
            div.field { label for="welcome-text" { (words.message) } textarea.input id="welcome-text" name="welcome_text" rows="3" dir="auto" { (welcome.text) } }
            fieldset.field {
                legend { (words.quick_replies) }
                div.line.wrap {
                    @for at in 0..rows {
                        @let title = welcome.quick_replies.get(at).map(|choice| choice.title.as_str()).unwrap_or_default();
                        input.input.small name="welcome_quick" value=(title) dir="auto" aria-label={ (words.quick_replies) " " (at + 1) };
                    }
                }
            }
        },
    )
}

fn choose(
    name: &str,
    id: &str,
    chosen: Option<CollectionId>,
    label: &str,
    collections: &[CollectionView],
    reader: &Reader,
) -> Markup {
    html! {
        select.input id=(id) name=(name) aria-label=(label) {
            option value="" selected[chosen.is_none()] { (reader.words.no_collection) }
            @for one in collections { option value=(one.id.public()) selected[chosen == Some(one.id)] { (one.name) } }
        }
    }
}

fn routing(settings: &Settings, collections: &[CollectionView], reader: &Reader) -> Markup {
    let (words, routing) = (reader.words, &settings.routing);
    let empty = Rule::default();
    let rules = routing.rules.iter().chain(std::iter::repeat_n(&empty, EMPTY_RULES));
    section(
        "routing",
        &words.collection_rules,
        &words.collection_rules_hint,
        routing.on,
        &html! {
            table.table {
                thead { tr { th scope="col" { (words.rule_words) } th scope="col" { (words.collection) } } }
                tbody {
                    @for (at, rule) in rules.enumerate() {
                        tr {
                            td { input.input name="rule_words" value=(rule.when.keywords.join(", ")) dir="auto" aria-label={ (words.rule_words) " " (at + 1) }; }
                            td { (choose("rule_collection", &format!("rule-{at}"), rule.collection, &words.collection, collections, reader)) }
                        }
                    }
                }
            }
            div.field { label for="default" { (words.otherwise) } (choose("default", "default", routing.default, &words.otherwise, collections, reader)) }
        },
    )
}

fn assistant(configured: &Configured, reader: &Reader) -> Markup {
    let (words, assistant) = (reader.words, &configured.settings.assistant);
    let field = |name: &str, label: &str, value: &str| {
        html! {
            div.field { label for=(name) { (label) } input.input id=(name) name=(name) value=(value) dir="auto" spellcheck="false"; }
        }
    };
    section(
        "assistant",
        &words.assistant,
        &words.assistant_hint,
        assistant.on,
        &html! {
            (field("base_url", &words.assistant_address, &assistant.base_url))
            (field("model", &words.assistant_model, &assistant.model))
            div.field {
                label for="key" { (words.assistant_key) }
                span.hint id="key-hint" { @if configured.has_model_key { (words.assistant_key_stored) } @else { (words.assistant_key_missing) } }
                input.input id="key" name="key" type="password" autocomplete="off" aria-describedby="key-hint";
            }
            div.field { label for="instructions" { (words.assistant_instructions) } textarea.input id="instructions" name="instructions" rows="6" dir="auto" { (assistant.instructions) } }
            (field("disclosure", &words.assistant_disclosure, &assistant.disclosure))
            (field("hand_over_text", &words.assistant_hand_over, &assistant.hand_over_text))
        },
    )
}
