//! Owns: a decision of the bot in words, and the page with the newest of them.
//! Does not own: deciding (the automation).

use axum::{
    extract::{Path, Query, State, rejection::QueryRejection},
    http::StatusCode,
    response::Response,
};
use harness_automation::{Consumer, Decision, Outcome, Reason};
use harness_engine::Host;
use harness_inbox::{DecisionView, PublicId as _};
use maud::{Markup, html};
use serde::Deserialize;

use super::tabs;
use crate::pages::{
    channels, error,
    layout::{self, Frame, Place},
    parts::icon,
    reader::Reader,
    times,
    words::fill,
};

/// Decisions of one page.
const PAGE: usize = 50;

#[derive(Default, Deserialize)]
pub(super) struct Which {
    before: Option<i64>,
}

/// `GET /bot/{account}/log`.
pub(super) async fn page(
    State(host): State<Host>,
    Path(id): Path<String>,
    reader: Reader,
    which: Result<Query<Which>, QueryRejection>,
) -> Response {
    let account = match channels::account(&host, &id, &reader).await {
        Ok(account) => account,
        Err(answer) => return answer,
    };
    let before = which.map(|Query(which)| which.before).unwrap_or_default();
    let page = match host.automations().decisions_before(account.id, None, before, PAGE).await {
        Ok(page) => page,
        Err(failed) => return error::failed(&reader, &failed.into()),
    };
    let now = times::now(&host);
    let words = &reader.words.bot_pages;
    let content = html! {
        main.page id="main" tabindex="-1" {
            div.page-head {
                div {
                    p.crumbs { a href="/channels" { (reader.words.channels) } " / " bdi { (account.name) } }
                    h1 { (words.log) } p { (words.log_hint) }
                }
            }
            (tabs(&account, false, &reader))
            div.stack.wide {
                @if page.entries.is_empty() { section.panel.empty { p { (words.nothing_decided) } } } @else {
                    section.panel.flush aria-label=(words.log) { ul { @for one in &page.entries { (row(one, now, &reader)) } } }
                }
                @if let Some(next) = page.next { p { a.btn href={ "/bot/" (id) "/log?before=" (next) } { (words.older) } } }
            }
        }
    };
    let frame = Frame { title: &words.log, place: Place::Bot, pane: None, unread: 0 };
    layout::page(&reader, StatusCode::OK, &frame, &content)
}

/// A recorded decision. One that this version cannot read is left out.
fn row(view: &DecisionView, now: i64, reader: &Reader) -> Markup {
    let consumer = serde_json::from_value::<Consumer>(view.consumer.clone().into()).ok();
    let decision = serde_json::from_str::<Decision>(&view.decision).ok();
    html! {
        @if let (Some(consumer), Some(decision)) = (consumer, decision) {
            li.check-row data-tone=(tone(&decision)) {
                (icon(symbol(consumer)))
                div {
                    strong { (name(consumer, reader)) ": " (outcome(&decision, reader)) }
                    p.small.muted { (why(&decision, reader)) }
                }
                div.acts {
                    (times::relative(times::of(view.at), now, reader))
                    @if let Some(conversation) = view.conversation {
                        a.btn.small href={ "/inbox/" (conversation.public()) } { (reader.words.bot_pages.conversation) }
                    }
                }
            }
        }
    }
}

pub(super) fn symbol(consumer: Consumer) -> &'static str {
    match consumer {
        Consumer::Welcome => "send",
        Consumer::Routing => "route",
        Consumer::Assistant => "bot",
    }
}

fn tone(decision: &Decision) -> &'static str {
    match decision.outcome {
        Outcome::Sent | Outcome::Placed => "open",
        Outcome::HandedOver => "warn",
        Outcome::Skipped => "closed",
    }
}

pub(super) fn name(consumer: Consumer, reader: &Reader) -> &str {
    let words = &reader.words.bot_pages;
    match consumer {
        Consumer::Welcome => &words.welcome,
        Consumer::Routing => &words.routing,
        Consumer::Assistant => &words.assistant,
    }
}

pub(super) fn outcome<'w>(decision: &Decision, reader: &'w Reader) -> &'w str {
    let words = &reader.words.bot_pages;
    match decision.outcome {
        Outcome::Sent => &words.sent,
        Outcome::Placed => &words.placed,
        Outcome::HandedOver => &words.handed_over,
        Outcome::Skipped => &words.skipped,
    }
}

/// The rule, the reason, the model.
pub(super) fn why(decision: &Decision, reader: &Reader) -> String {
    let words = &reader.words.bot_pages;
    let mut said = Vec::new();
    match decision.rule.as_str() {
        // The part itself, not a rule of somebody's.
        "" | "welcome" | "assistant" => {}
        "default" => said.push(words.by_default.to_string()),
        rule => said.push(fill(&words.by_rule, &[("rule", rule)])),
    }
    said.extend(decision.reason.map(|why| reason(why, reader).to_owned()));
    said.extend(decision.detail.clone());
    said.extend(decision.made_by.as_ref().map(|made| fill(&words.made_by, &[("model", &made.model)])));
    said.join(" · ")
}

fn reason(reason: Reason, reader: &Reader) -> &str {
    let words = &reader.words.bot_pages;
    match reason {
        Reason::Off => &words.reason_off,
        Reason::NotNew => &words.reason_not_new,
        Reason::Welcomed => &words.reason_welcomed,
        Reason::Person => &words.reason_person,
        Reason::HandedOver => &words.reason_handed_over,
        Reason::Window => &words.reason_window,
        Reason::PlacedByPerson => &words.reason_placed_by_person,
        Reason::OtherCollection => &words.reason_other_collection,
        Reason::NothingToAnswer => &words.reason_nothing_to_answer,
        Reason::Refused => &words.reason_refused,
        Reason::NoChannel => &words.reason_no_channel,
        Reason::AskedForPerson => &words.reason_asked_for_person,
        Reason::MaxTurns => &words.reason_max_turns,
        Reason::Budget => &words.reason_budget,
        Reason::ModelFailed => &words.reason_model_failed,
        Reason::Nonsense => &words.reason_nonsense,
        Reason::LowConfidence => &words.reason_low_confidence,
        Reason::ModelAsked => &words.reason_model_asked,
        Reason::TooLong => &words.reason_too_long,
        Reason::NeverEnding => &words.reason_never_ending,
        Reason::Continued => &words.reason_continued,
    }
}
