//! Owns: trying the bot's settings on a conversation of the past, beside the form.
//! Does not own: what it would do (the automation's dry run).

use harness_automation::{AutomationError, Consumer, Outcome, Settings, Would};
use harness_engine::Host;
use harness_inbox::{AccountId, ConversationFilter, ConversationId, ConversationSummary, PublicId as _, TimelineEntry};
use maud::{Markup, html};

use super::decisions::{name, outcome, symbol, why};
use crate::pages::{
    forms::as_sentence,
    parts::{icon, linked},
    reader::Reader,
};

/// Conversations that are offered.
const CONVERSATIONS: usize = 20;
/// Messages that are shown with what would have been done about them.
const MESSAGES: usize = 30;

/// The messages and what would be done about them, or why that cannot be said.
type Outcomes = Result<(Vec<TimelineEntry>, Vec<Would>), String>;

/// What was asked to be tried, and what came of it.
#[derive(Default)]
pub(super) struct Tried {
    pub(super) conversation: Option<ConversationId>,
    pub(super) asks_model: bool,
    /// What it would greet with.
    greeting: String,
    /// `None` if nothing was tried.
    outcome: Option<Outcomes>,
}

/// The newest conversations of an account.
pub(super) async fn conversations(host: &Host, account: AccountId) -> Vec<ConversationSummary> {
    let filter = ConversationFilter { account: Some(account), ..ConversationFilter::default() };
    host.inbox().conversations_of(filter, None, CONVERSATIONS).await.map(|page| page.entries).unwrap_or_default()
}

/// Tries settings on a conversation.
pub(super) async fn tried(host: &Host, conversation: ConversationId, settings: &Settings, asks_model: bool) -> Tried {
    let run = async {
        let would = harness_automation::dry_run(host, conversation, settings, asks_model).await?;
        let page = host.inbox().timeline_before(conversation, None, MESSAGES).await;
        Ok::<_, AutomationError>((page.map_err(harness_engine::HostError::from)?.entries, would))
    };
    let outcome = run.await.map_err(|problem| match problem {
        AutomationError::Host(failed) => failed.for_people(),
        problem => as_sentence(&problem.to_string()),
    });
    Tried {
        conversation: Some(conversation),
        asks_model,
        greeting: settings.welcome.text.clone(),
        outcome: Some(outcome),
    }
}

/// The panel beside the form; its fields are of the form.
pub(super) fn panel(conversations: &[ConversationSummary], tried: &Tried, reader: &Reader) -> Markup {
    let words = &reader.words.bot_pages;
    let name = |one: &ConversationSummary| {
        one.name.clone().or_else(|| one.username.clone()).unwrap_or_else(|| one.id.public())
    };
    html! {
        aside.panel.stack aria-labelledby="tryout-title" {
            header { h2 id="tryout-title" { (words.try_it) } span.chip data-tone="accent" { (icon("eye")) (words.nothing_is_sent) } }
            p.small.muted { (words.try_hint) }
            @if conversations.is_empty() { p.small { (words.no_conversations) } } @else {
                div.field {
                    label for="try-with" { (words.conversation) }
                    select.input id="try-with" name="try_with" {
                        @for one in conversations {
                            option value=(one.id.public()) selected[tried.conversation == Some(one.id)] { (name(one)) }
                        }
                    }
                }
                label.check.small {
                    input type="checkbox" name="try_model" value="1" checked[tried.asks_model];
                    span { (words.ask_model) " " span.muted { (words.ask_model_hint) } }
                }
                p { button.btn name="do" value="try" { (icon("play")) (words.try_it) } }
            }
            div id="tried" role="status" aria-live="polite" { (came_of_it(tried, reader)) }
        }
    }
}

fn came_of_it(tried: &Tried, reader: &Reader) -> Markup {
    let words = &reader.words.bot_pages;
    html! {
        @match &tried.outcome {
            None => {},
            Some(Err(problem)) => div.callout data-tone="fail" { (icon("stop")) div { (problem) } },
            Some(Ok((entries, would))) => {
                @if would.is_empty() { p.activity { (icon("info")) (words.would_do_nothing) } }
                ol.stack {
                    @for entry in entries.iter().filter(|entry| entry.direction == "inbound") {
                        li.item.plain data-from="customer" { div.bubble dir="auto" { (linked(entry.text.as_deref().unwrap_or("…"))) } }
                        @for one in would.iter().filter(|one| one.message == entry.id) { (decided(one, &tried.greeting, reader)) }
                    }
                }
            },
        }
    }
}

fn decided(would: &Would, greeting: &str, reader: &Reader) -> Markup {
    let greets = would.consumer == Consumer::Welcome && would.decision.outcome == Outcome::Sent;
    let says = would.says.iter().map(String::as_str).chain(greets.then_some(greeting));
    html! {
        li.activity {
            (icon(symbol(would.consumer)))
            strong { (name(would.consumer, reader)) } ": " (outcome(&would.decision, reader)) " " span.muted { (why(&would.decision, reader)) }
        }
        @for said in says {
            li.item data-from="bot" {
                p.who { (icon("bot")) (name(would.consumer, reader)) }
                div.bubble dir="auto" { (linked(said)) }
            }
        }
    }
}
