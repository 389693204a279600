//! Owns: the page of an account's bot: welcome message, collection rules, AI assistant; the switch for all bots.
//! Does not own: the settings and what they do (the automation), the try-out (`tryout`), the log (`decisions`).

mod decisions;
mod form;
mod tryout;

use axum::{
    Form, Router,
    extract::{Path, State, rejection::FormRejection},
    http::StatusCode,
    response::Response,
    routing::{get, post},
};
use harness_automation::{AutomationError, Configured, Rule, Settings};
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
    /// What is wrong, with the field that it is about.
    problems: Vec<(Option<String>, String)>,
    saved: bool,
    tryout: tryout::Tried,
    /// What the form was drawn from; `None`: from what is stored now.
    base: Option<String>,
    /// The stored rules from which those of the form were made; `None`: each from itself.
    origins: Option<Vec<String>>,
}

impl Tried {
    /// The same form once more.
    fn drawn(fields: &[(String, String)], origins: Vec<String>) -> Self {
        let base = fields.iter().find(|(name, _)| name == form::BASE).map(|(_, base)| base.clone());
        Self { base, origins: Some(origins), ..Self::default() }
    }
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
    let before = form::digest(&configured.settings);
    let origins = form::read(&fields, &collections, &mut configured.settings);
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
        let tried = Tried { tryout, ..Tried::drawn(&fields, origins) };
        return shown(&host, &account, &configured, &tried, StatusCode::OK, &reader).await;
    }
    // What was written to try it stays.
    let tryout = tryout::Tried::from(asked);
    if given(form::BASE).is_some_and(|base| base != before) {
        let problems = vec![(None, reader.words.bot_pages.changed_meanwhile.to_string())];
        let tried = Tried { problems, tryout, ..Tried::drawn(&fields, origins) };
        return shown(&host, &account, &configured, &tried, StatusCode::CONFLICT, &reader).await;
    }
    let key = given("key").map(str::trim).filter(|key| !key.is_empty());
    let key = key.map(|key| Secret::new(key.as_bytes().to_vec()));
    match harness_automation::configure_with_key(&host, account.id, &configured.settings, key).await {
        Ok(()) => {
            let tried = Tried { saved: true, tryout, ..Tried::default() };
            match harness_automation::configured(&host, account.id).await {
                Ok(configured) => shown(&host, &account, &configured, &tried, StatusCode::OK, &reader).await,
                Err(failed) => sorry(&reader, &failed),
            }
        }
        Err(AutomationError::Host(failed)) => error::failed(&reader, &failed),
        Err(problem) => {
            let tried = Tried { problems: form::problems(&problem, &reader), tryout, ..Tried::drawn(&fields, origins) };
            shown(&host, &account, &configured, &tried, StatusCode::UNPROCESSABLE_ENTITY, &reader).await
        }
    }
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
                input type="hidden" name=(form::BASE) value=(tried.base.clone().unwrap_or_else(|| form::digest(settings)));
                div.stack.wide {
                    @if !tried.problems.is_empty() {
                        div.callout data-tone="fail" role="alert" tabindex="-1" autofocus {
                            (icon("stop"))
                            div {
                                strong { (words.not_saved) }
                                ul { @for (field, sentence) in &tried.problems {
                                    li { @match field { Some(field) => a href={ "#" (field) } { (sentence) }, None => (sentence) } }
                                } }
                            }
                        }
                    }
                    @if tried.saved { div.callout data-tone="open" role="status" { (icon("check")) div { strong { (words.saved) } } } }
                    @if configured.off { div.callout data-tone="warn" { (icon("alert")) div { (words.bot_all_off) } } }
                    label.line { input.switch type="checkbox" role="switch" name="on" value="1" checked[settings.on]; strong { (words.bot_on) } }
                    (welcome(settings, reader))
                    (routing(settings, tried.origins.as_deref(), &collections, reader))
                    (assistant(configured, reader))
                    @if reader.is_admin { p { button.btn.primary name="do" value="save" { (words.save) } } }
                }
                @if reader.is_admin { (tryout::panel(&conversations, &tried.tryout, reader)) }
            }
        }
    };
    let title = match tried.problems.is_empty() {
        true => words.bot.to_string(),
        false => format!("{}: {}", words.settings.error_title, words.bot),
    };
    let frame = Frame { title: &title, place: Place::Bot, pane: None, unread: 0 };
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

fn routing(settings: &Settings, origins: Option<&[String]>, collections: &[CollectionView], reader: &Reader) -> Markup {
    let (words, routing) = (reader.words, &settings.routing);
    let empty = Rule::default();
    let rules = routing.rules.iter().enumerate().map(|(at, rule)| match origins {
        Some(origins) => (rule, origins.get(at).cloned().unwrap_or_default()),
        None => (rule, form::digest(rule)),
    });
    let rules = rules.chain(std::iter::repeat_n((&empty, String::new()), EMPTY_RULES));
    section(
        "routing",
        &words.collection_rules,
        &words.collection_rules_hint,
        routing.on,
        &html! {
            table.table {
                thead { tr { th scope="col" { (words.rule_words) } th scope="col" { (words.collection) } } }
                tbody {
                    @for (at, (rule, origin)) in rules.enumerate() {
                        tr {
                            td { input type="hidden" name=(form::ORIGIN) value=(origin); input.input name="rule_words" value=(rule.when.keywords.join(", ")) dir="auto" aria-label={ (words.rule_words) " " (at + 1) }; }
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
