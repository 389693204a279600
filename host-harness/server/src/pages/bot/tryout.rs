//! Owns: trying the bot's settings beside the form: on a conversation of the past, or on a message that somebody writes as a
//! customer would.
//! Does not own: what it would do (the automation's dry run).

use harness_automation::{AutomationError, CameAs, Consumer, DryRun, Outcome, Settings, Would, Written};
use harness_contract::names::referral_source;
use harness_engine::Host;
use harness_inbox::{AccountId, ConversationFilter, ConversationId, ConversationSummary, MessageId, PublicId as _};
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
/// The longest text that is tried, in characters.
const MOST_TEXT: usize = 5_000;
/// The longest id or parameter, in characters.
const MOST_ID: usize = 500;
/// How a customer may have come, as it is offered.
const REFERRALS: [&str; 6] = [
    referral_source::AD,
    referral_source::LINK,
    referral_source::PRODUCT,
    referral_source::POST,
    referral_source::STORY,
    referral_source::CUSTOMER_CHAT,
];

/// What somebody wants to try.
#[derive(Default)]
pub(super) struct Asked {
    /// `None`: nothing was chosen yet.
    by_message: Option<bool>,
    conversation: Option<ConversationId>,
    written: Written,
    asks_model: bool,
}

impl Asked {
    /// Reads the fields of the panel.
    pub(super) fn read(fields: &[(String, String)]) -> Self {
        let given = |name: &str| fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
        let short = |name: &str| {
            let value: String = given(name).unwrap_or_default().trim().chars().take(MOST_ID).collect();
            Some(value).filter(|value| !value.is_empty())
        };
        let came = given("try_came").unwrap_or_default();
        Self {
            by_message: given("try_as").map(|way| way == "message"),
            conversation: given("try_with").and_then(|id| ConversationId::from_public(id).ok()),
            written: Written {
                // Browsers send line breaks of forms as CR LF.
                text: given("try_text").unwrap_or_default().replace("\r\n", "\n").chars().take(MOST_TEXT).collect(),
                came_as: CameAs::ALL.into_iter().find(|one| one.name() == came).unwrap_or_default(),
                referral: short("try_referral"),
                ad: short("try_ad"),
                ref_parameter: short("try_ref"),
            },
            asks_model: given("try_model").is_some(),
        }
    }

    /// The conversation to try with; `None` where a message is tried.
    pub(super) fn past(&self) -> Option<Option<ConversationId>> {
        (!self.by_message.unwrap_or(self.conversation.is_none())).then_some(self.conversation)
    }
}

/// What was asked to be tried, and what came of it.
#[derive(Default)]
pub(super) struct Tried {
    asked: Asked,
    /// What it would greet with.
    greeting: String,
    /// `None` if nothing was tried.
    outcome: Option<Result<Seen, Untried>>,
}

impl From<Asked> for Tried {
    /// Not tried yet.
    fn from(asked: Asked) -> Self {
        Self { asked, ..Self::default() }
    }
}

/// What a customer said, and what would be done about it.
struct Seen {
    said: Vec<(Option<MessageId>, String)>,
    run: DryRun,
}

/// Why nothing can be said about it.
enum Untried {
    /// There is no message yet.
    NothingWritten,
    /// As a sentence.
    Problem(String),
}

impl From<AutomationError> for Untried {
    fn from(problem: AutomationError) -> Self {
        match problem {
            AutomationError::NothingWritten => Self::NothingWritten,
            AutomationError::Host(failed) => Self::Problem(failed.for_people()),
            problem => Self::Problem(as_sentence(&problem.to_string())),
        }
    }
}

/// The newest conversations of an account.
pub(super) async fn conversations(host: &Host, account: AccountId) -> Vec<ConversationSummary> {
    let filter = ConversationFilter { account: Some(account), ..ConversationFilter::default() };
    host.inbox().conversations_of(filter, None, CONVERSATIONS).await.map(|page| page.entries).unwrap_or_default()
}

/// Tries settings: on a conversation, which is one of the account's, or on the message.
pub(super) async fn tried(
    host: &Host,
    (account, conversation): (AccountId, Option<ConversationId>),
    settings: &Settings,
    asked: Asked,
) -> Tried {
    let run = async {
        let Some(conversation) = conversation else {
            let run =
                harness_automation::dry_run_written(host, account, &asked.written, settings, asked.asks_model).await?;
            return Ok(Seen { said: vec![(None, asked.written.text.clone())], run });
        };
        let run = harness_automation::dry_run(host, conversation, settings, asked.asks_model).await?;
        let page = host.inbox().timeline_before(conversation, None, MESSAGES).await;
        let entries = page.map_err(harness_engine::HostError::from).map_err(AutomationError::from)?.entries;
        let inbound = entries.into_iter().filter(|entry| entry.direction == "inbound");
        Ok::<_, AutomationError>(Seen {
            said: inbound.map(|entry| (Some(entry.id), entry.text.unwrap_or_default())).collect(),
            run,
        })
    };
    let outcome = Some(run.await.map_err(Untried::from));
    Tried { asked, greeting: settings.welcome.text.clone(), outcome }
}

/// The panel beside the form; its fields are of the form.
pub(super) fn panel(conversations: &[ConversationSummary], tried: &Tried, reader: &Reader) -> Markup {
    let words = &reader.words.bot_pages;
    let by_message = conversations.is_empty() || tried.asked.by_message == Some(true);
    html! {
        aside.panel.stack.tryout aria-labelledby="tryout-title" {
            header { h2 id="tryout-title" { (words.try_it) } span.chip data-tone="accent" { (icon("eye")) (words.nothing_is_sent) } }
            p.small.muted { (words.try_hint) }
            @if conversations.is_empty() { input type="hidden" name="try_as" value="message"; } @else {
                fieldset.field {
                    legend { (words.try_as) }
                    label.check { input type="radio" name="try_as" value="conversation" checked[!by_message]; (words.try_conversation) }
                    label.check { input type="radio" name="try_as" value="message" checked[by_message]; (words.try_message) }
                }
                div.field data-tries="conversation" {
                    label for="try-with" { (words.conversation) }
                    select.input id="try-with" name="try_with" {
                        @for one in conversations {
                            @let name = one.name.clone().or_else(|| one.username.clone()).unwrap_or_else(|| one.id.public());
                            option value=(one.id.public()) selected[tried.asked.conversation == Some(one.id)] { (name) }
                        }
                    }
                }
            }
            (message(&tried.asked.written, reader))
            label.check.small {
                input type="checkbox" name="try_model" value="1" checked[tried.asked.asks_model];
                span { (words.ask_model) " " span.muted { (words.ask_model_hint) } }
            }
            p { button.btn name="do" value="try" { (icon("play")) (words.try_it) } }
            div id="tried" role="status" aria-live="polite" { (came_of_it(tried, reader)) }
        }
    }
}

/// The fields for a message, and for what rules look at besides its words.
fn message(written: &Written, reader: &Reader) -> Markup {
    let words = &reader.words.bot_pages;
    let came = |one: CameAs| match one {
        CameAs::Message => &words.came_message,
        CameAs::StoryReply => &words.came_story_reply,
        CameAs::Comment => &words.came_comment,
        CameAs::Referral => &words.came_referral,
    };
    let referral = |source: &str| match source {
        referral_source::AD => &words.referral_ad,
        referral_source::LINK => &words.referral_link,
        referral_source::PRODUCT => &words.referral_product,
        referral_source::POST => &words.referral_post,
        referral_source::STORY => &words.referral_story,
        _ => &words.referral_chat,
    };
    let field = |id: &str, name: &str, label: &str, value: Option<&str>| {
        html! { div.field { label for=(id) { (label) } input.input id=(id) name=(name) value=[value] dir="auto" autocomplete="off" spellcheck="false"; } }
    };
    html! {
        div.stack data-tries="message" {
            div.field {
                label for="try-text" { (words.try_text) }
                textarea.input id="try-text" name="try_text" rows="3" dir="auto" { (written.text) }
            }
            div.field {
                label for="try-came" { (words.came) }
                select.input id="try-came" name="try_came" {
                    @for one in CameAs::ALL { option value=(one.name()) selected[written.came_as == one] { (came(one)) } }
                }
            }
            div.field {
                label for="try-referral" { (words.referral) }
                select.input id="try-referral" name="try_referral" {
                    option value="" { (words.referral_none) }
                    @for source in REFERRALS { option value=(source) selected[written.referral.as_deref() == Some(source)] { (referral(source)) } }
                }
            }
            (field("try-ad", "try_ad", &words.referral_ad_id, written.ad.as_deref()))
            (field("try-ref", "try_ref", &words.referral_parameter, written.ref_parameter.as_deref()))
        }
    }
}

fn came_of_it(tried: &Tried, reader: &Reader) -> Markup {
    let words = &reader.words.bot_pages;
    html! {
        @match &tried.outcome {
            None => {},
            Some(Err(Untried::NothingWritten)) => p.activity { (icon("info")) (words.try_nothing_written) },
            Some(Err(Untried::Problem(problem))) => div.callout data-tone="fail" { (icon("stop")) div { (problem) } },
            Some(Ok(Seen { said, run })) => {
                @if run.would.is_empty() && !run.would_ask_model { p.activity { (icon("info")) (words.would_do_nothing) } }
                ol.stack {
                    @for (message, text) in said {
                        @if message.is_some() || !text.trim().is_empty() {
                            li.item.plain data-from="customer" { div.bubble dir="auto" { (linked(if text.is_empty() { "…" } else { text })) } }
                        }
                        @for one in run.would.iter().filter(|one| one.message == *message) { (decided(one, &tried.greeting, reader)) }
                    }
                    @if run.would_ask_model {
                        li.activity { (icon(symbol(Consumer::Assistant))) strong { (name(Consumer::Assistant, reader)) } ": " (words.would_ask_model) }
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
