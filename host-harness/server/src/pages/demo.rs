//! Owns: the page of the demo: the customer's phone and the controls beside the inbox, and the tour through it.
//! Does not own: the phone (`crate::phone`), the panes of the inbox.

use std::sync::Arc;

use axum::{
    Form, Router,
    extract::{Query, State, rejection::FormRejection},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
    routing::{get, post},
};
use maud::{Markup, html};
use serde::Deserialize;

use super::{
    error,
    inbox::{self, Desk},
    layout::{self, Frame, Place},
    parts::{avatar, directed, icon, linked},
    reader::Reader,
    times,
    words::{Words, fill},
};
use crate::phone::{FaultKind, Phone, PhoneAction, PhoneMessage, PhoneView};

/// Steps of the tour.
const STEPS: usize = 11;

#[derive(Clone)]
struct Demo {
    desk: Desk,
    phone: Arc<dyn Phone>,
}

/// `/demo…`.
pub(super) fn router(desk: Desk, phone: Arc<dyn Phone>) -> Router {
    Router::new()
        .route("/demo", get(page))
        .route("/demo/phone", get(phone_part).post(act))
        .route("/demo/act", post(act))
        .with_state(Demo { desk, phone })
}

#[derive(Default, Deserialize)]
struct Asked {
    /// The step of the tour, from 1.
    step: Option<usize>,
}

async fn page(State(demo): State<Demo>, Query(asked): Query<Asked>, reader: Reader) -> Response {
    let words = reader.words;
    let view = demo.phone.look().await;
    let opened = match inbox::of_customer(&demo.desk, &view.customer, &reader).await {
        Ok(opened) => opened,
        Err(failed) => return error::failed(&reader, &failed),
    };
    let step = asked.step.unwrap_or(1).clamp(1, STEPS);
    let content = html! {
        main.demo id="main" tabindex="-1" {
            h1.sr { (words.demo_title) }
            section.stage aria-label=(words.customers_phone) { (phone(&view, &reader)) }
            section.controls aria-label=(words.controls) { (tour(step, words)) (controls(&view, &reader)) }
            (inbox::beside(&demo.desk, opened, &reader))
        }
    };
    let frame = Frame { title: &words.demo, place: Place::Demo, pane: None, unread: 0 };
    layout::page(&reader, StatusCode::OK, &frame, &content)
}

/// The phone and what belongs to it, for the script.
async fn phone_part(State(demo): State<Demo>, reader: Reader) -> Response {
    let view = demo.phone.look().await;
    let markup = html! { (phone(&view, &reader)) (clock(&view, &reader)) };
    ([(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"))], markup.into_string())
        .into_response()
}

async fn act(
    State(demo): State<Demo>,
    reader: Reader,
    form: Result<Form<Vec<(String, String)>>, FormRejection>,
) -> Response {
    let Ok(Form(fields)) = form else { return error::no_form(&reader) };
    if let Some(action) = action(&fields) {
        demo.phone.act(action).await;
    }
    (StatusCode::SEE_OTHER, [(header::LOCATION, HeaderValue::from_static("/demo"))]).into_response()
}

fn action(fields: &[(String, String)]) -> Option<PhoneAction> {
    let given = |name: &str| fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    let tapped = || Some((given("title")?.to_owned(), given("payload")?.to_owned()));
    let fault = |name: &str| FaultKind::ALL.into_iter().find(|kind| kind.name() == name);
    Some(match given("do")? {
        "text" => PhoneAction::Text(given("text").map(str::trim).filter(|text| !text.is_empty())?.to_owned()),
        "photo" => PhoneAction::Photo,
        "voice" => PhoneAction::Voice,
        "heart" => PhoneAction::Heart,
        "post" => PhoneAction::Post,
        "reel" => PhoneAction::Reel,
        "story" => PhoneAction::Story,
        "comment" => PhoneAction::Comment,
        "react" => PhoneAction::React,
        "edit" => PhoneAction::Edit,
        "unsend" => PhoneAction::Unsend,
        "read" => PhoneAction::Read,
        "quick" => tapped().map(|(title, payload)| PhoneAction::Quick(title, payload))?,
        "button" => tapped().map(|(title, payload)| PhoneAction::Button(title, payload))?,
        "web" => PhoneAction::Web(given("on") == Some("1")),
        "hours" => PhoneAction::Hours(given("hours")?.parse().ok().filter(|hours| *hours <= 24 * 30)?),
        "fault" => PhoneAction::Fault(fault(given("kind")?)?, given("on") == Some("1")),
        _ => return None,
    })
}

fn phone(view: &PhoneView, reader: &Reader) -> Markup {
    let words = reader.words;
    let last = view.messages.len().saturating_sub(1);
    html! {
        div.phone id="phone" {
            header {
                (directed("back")) (avatar(&view.business, &view.business, "m", None))
                div.cut { strong.cut { bdi { (view.business) } } p.muted.cut { (words.business_chat) } }
                span.push.muted.num { (times::clock(view.now, reader)) }
            }
            div.scroll.log tabindex="0" role="log" aria-label=(words.messages_on_phone) {
                ol {
                    @for (at, message) in view.messages.iter().enumerate() { (bubble(message, at == last, view, words)) }
                    @if view.typing { li.item.plain data-from="customer" { div.bubble.typing { i {} i {} i {} span.sr { (words.typing_there) } } } }
                    @if view.seen && view.messages.last().is_some_and(|message| message.own) {
                        li.item.plain data-from="agent" { p.outcome { (words.seen) } }
                    }
                }
            }
            form.entry method="post" action="/demo/act" data-phone {
                button.btn.icon.small.quiet name="do" value="photo" formnovalidate aria-label=(words.send_photo) { (icon("photo")) }
                label.sr for="phone-text" { (words.write_as_customer) }
                input.input id="phone-text" name="text" autocomplete="off" placeholder=(words.message) maxlength="1000";
                button.btn.icon.small.quiet name="do" value="text" aria-label=(words.send) { (directed("send")) }
                button.btn.icon.small.quiet name="do" value="voice" formnovalidate aria-label=(words.send_voice) { (icon("mic")) }
                button.btn.icon.small.quiet name="do" value="heart" formnovalidate aria-label=(words.send_heart) { (icon("heart")) }
            }
        }
    }
}

fn bubble(message: &PhoneMessage, newest: bool, view: &PhoneView, words: &Words) -> Markup {
    let hidden = view.web && (!message.cards.is_empty() || (newest && !message.quick_replies.is_empty()));
    html! {
        li.item.plain data-from=(if message.own { "agent" } else { "customer" }) {
            @if message.gone { div.bubble.gone { (words.unsent_short) } } @else {
                @if let Some(text) = &message.text { div.bubble dir="auto" { (linked(text)) } }
                @for kind in &message.kinds { (thing(kind, words)) }
                @if !message.cards.is_empty() && !view.web {
                    ul.cards tabindex="0" {
                        @for (title, subtitle, buttons) in &message.cards {
                            li { div { strong { (title) } p.muted { (subtitle) } } @for (title, payload) in buttons { (tap("button", title, payload, "cta")) } }
                        }
                    }
                }
                @if newest && !view.web && !message.quick_replies.is_empty() {
                    ul.answers { @for (title, payload) in &message.quick_replies { li { (tap("quick", title, payload, "textbtn")) } } }
                }
                @if hidden { p.outcome { (icon("info")) (words.not_on_web) } }
                @for reaction in &message.reactions { span.react { (reaction) } }
            }
        }
    }
}

/// Something that can be tapped.
fn tap(what: &str, title: &str, payload: &str, class: &str) -> Markup {
    html! {
        form.inline method="post" action="/demo/act" data-phone {
            input type="hidden" name="title" value=(title);
            input type="hidden" name="payload" value=(payload);
            button class=(class) name="do" value=(what) { (title) }
        }
    }
}

fn thing(kind: &str, words: &Words) -> Markup {
    let (symbol, word) = match kind {
        "image" => ("photo", words.photo.as_ref()),
        "video" => ("play", words.video.as_ref()),
        "audio" => ("mic", words.voice.as_ref()),
        "file" => ("file", words.file.as_ref()),
        "like_heart" => ("heart", words.heart.as_ref()),
        "share" => ("post", words.share_post.as_ref()),
        "ig_reel" | "reel" => ("reel", words.share_reel.as_ref()),
        "story" => ("story", words.share_story.as_ref()),
        _ => ("info", kind),
    };
    html! { div.bubble.file { (icon(symbol)) span { (word) } } }
}

fn clock(view: &PhoneView, reader: &Reader) -> Markup {
    let words = reader.words;
    html! {
        div.stack id="clock" {
            h2 { (words.clock) }
            p.small.num {
                (times::moment(view.now, view.now, reader))
                @if view.ahead > 60_000 { " " span.muted { (fill(&words.hours_ahead, &[("n", &(view.ahead / 3_600_000).to_string())])) } }
            }
            form.acts method="post" action="/demo/act" data-phone {
                input type="hidden" name="do" value="hours";
                @for (hours, word) in [("1", &words.plus_hour), ("6", &words.plus_six), ("23", &words.plus_day), ("168", &words.plus_week)] {
                    button.btn.small name="hours" value=(hours) { (word) }
                }
            }
            h2 { (words.go_wrong) }
            @for fault in &view.faults {
                @let word = match fault.kind {
                    FaultKind::Cut => &words.fault_cut,
                    FaultKind::Refuses => &words.fault_refuses,
                    FaultKind::Silent => &words.fault_silent,
                    FaultKind::Slow => &words.fault_slow,
                };
                (switch(&[("do", "fault"), ("kind", fault.kind.name())], fault.on, word, words))
            }
        }
    }
}

/// A switch that does its work at once; without a script a button does it.
fn switch(fields: &[(&str, &str)], on: bool, word: &str, words: &Words) -> Markup {
    html! {
        form.line.small method="post" action="/demo/act" data-phone data-instant-act {
            @for (name, value) in fields { input type="hidden" name=(name) value=(value); }
            label.line { input.switch type="checkbox" role="switch" name="on" value="1" checked[on]; (word) }
            button.btn.small.no-script { (words.save) }
        }
    }
}

fn controls(view: &PhoneView, reader: &Reader) -> Markup {
    let words = reader.words;
    let acts = [
        ("post", "post", &words.act_post),
        ("reel", "reel", &words.act_reel),
        ("story", "story", &words.act_story),
        ("comment", "comment", &words.act_comment),
        ("react", "smile", &words.act_react),
        ("edit", "pen", &words.act_edit),
        ("unsend", "undo", &words.act_unsend),
        ("read", "eye", &words.act_read),
    ];
    html! {
        div.stack {
            h2 { (words.as_customer) }
            form.acts method="post" action="/demo/act" data-phone {
                @for (act, symbol, word) in acts { button.btn.small name="do" value=(act) { (icon(symbol)) (word) } }
            }
            (switch(&[("do", "web")], view.web, &words.on_the_web, words))
        }
        (clock(view, reader))
    }
}

/// The tour: a sentence for each step, which says what to do and what to look at.
fn tour(step: usize, words: &Words) -> Markup {
    let steps: [&str; STEPS] = [
        &words.tour_1,
        &words.tour_2,
        &words.tour_3,
        &words.tour_4,
        &words.tour_5,
        &words.tour_6,
        &words.tour_7,
        &words.tour_8,
        &words.tour_9,
        &words.tour_10,
        &words.tour_11,
    ];
    let sentence = steps.get(step.saturating_sub(1)).copied().unwrap_or_default();
    html! {
        div.callout data-tone="accent" id="tour" {
            div {
                strong { (fill(&words.tour_step, &[("n", &step.to_string()), ("all", &STEPS.to_string())])) }
                p.small { (sentence) }
                p.line {
                    @if step > 1 { a.btn.small href={ "/demo?step=" (step - 1) } { (words.tour_back) } }
                    @if step < STEPS { a.btn.small.primary href={ "/demo?step=" (step + 1) } { (words.tour_next) } }
                }
            }
        }
    }
}
