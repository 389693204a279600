//! Owns: the page of the demo: the customer's phone and the controls beside the inbox, and what they do.
//! Does not own: the phone itself (`crate::phone`), the panes of the inbox.

mod phone;
mod tour;

use std::sync::Arc;

use axum::{
    Form, Router,
    extract::{Path, State, rejection::FormRejection},
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
    lenient::Lenient,
    parts::icon,
    reader::Reader,
    redirect::see,
    times,
    words::Words,
};
use crate::phone::{FaultKind, Phone, PhoneAction, PhoneView};

#[derive(Clone)]
struct Demo {
    desk: Desk,
    phone: Arc<dyn Phone>,
}

/// `/demo…`.
pub(super) fn router(desk: Desk, phone: Arc<dyn Phone>) -> Router {
    Router::new()
        .route("/demo", get(page))
        .route("/demo/phone", get(phone_part))
        .route("/demo/act", post(act))
        .route("/demo/files/{message}/{thing}", get(file))
        .with_state(Demo { desk, phone })
}

#[derive(Default, Deserialize)]
struct Asked {
    /// The step of the tour, from 1.
    step: Option<usize>,
}

impl Asked {
    fn step(&self) -> usize {
        self.step.unwrap_or(1).clamp(1, tour::STEPS)
    }
}

async fn page(State(demo): State<Demo>, Lenient(asked): Lenient<Asked>, reader: Reader) -> Response {
    let words = reader.words;
    let view = demo.phone.look().await;
    let opened = match inbox::of_customer(&demo.desk, &view.customer, &reader).await {
        Ok(opened) => opened,
        Err(failed) => return error::failed(&reader, &failed),
    };
    let step = asked.step();
    let content = html! {
        main.demo id="main" tabindex="-1" {
            h1.sr { (words.visit.demo_title) }
            (tour::tour(step, words))
            nav.tabs.if-one-pane aria-label=(words.demo) {
                a href="#stage" { (words.visit.phone) } a href="#controls" { (words.visit.controls) } a href="#beside" { (words.your_inbox) }
            }
            section.stage id="stage" aria-label=(words.visit.customers_phone) { (phone::phone(&view, step, &reader)) }
            section.controls id="controls" aria-label=(words.visit.controls) { (controls(&view, step, &reader)) }
            (inbox::beside(&demo.desk, opened, &reader))
        }
    };
    let frame = Frame { title: &words.demo, place: Place::Demo, pane: None, unread: 0 };
    layout::page(&reader, StatusCode::OK, &frame, &content)
}

/// The phone and what belongs to it, for the script.
async fn phone_part(State(demo): State<Demo>, Lenient(asked): Lenient<Asked>, reader: Reader) -> Response {
    let view = demo.phone.look().await;
    let markup = html! { (phone::phone(&view, asked.step(), &reader)) (clock(&view, asked.step(), &reader)) };
    ([(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"))], markup.into_string())
        .into_response()
}

/// A picture or a sound on the phone.
async fn file(State(demo): State<Demo>, Path((message, thing)): Path<(String, String)>, reader: Reader) -> Response {
    let Ok(thing) = thing.parse() else { return error::no_page(&reader) };
    let Some(file) = demo.phone.file(&message, thing).await else { return error::no_page(&reader) };
    let Ok(mime) = HeaderValue::from_str(&file.mime) else { return error::no_page(&reader) };
    let headers = [
        (header::CONTENT_TYPE, mime),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("default-src 'none'; sandbox")),
        (header::CACHE_CONTROL, HeaderValue::from_static("private, max-age=3600")),
    ];
    (headers, file.content).into_response()
}

async fn act(
    State(demo): State<Demo>,
    Lenient(asked): Lenient<Asked>,
    reader: Reader,
    form: Result<Form<Vec<(String, String)>>, FormRejection>,
) -> Response {
    let Ok(Form(fields)) = form else { return error::no_form(&reader) };
    if let Some(action) = action(&fields) {
        demo.phone.act(action).await;
    }
    see(&tour::at(asked.step()))
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

fn clock(view: &PhoneView, step: usize, reader: &Reader) -> Markup {
    let words = reader.words;
    html! {
        div.stack id="clock" {
            h2 { (words.visit.clock) }
            p.small.num {
                (times::moment(view.now, view.now, reader))
                @if let Some(ahead) = phone::ahead(view, words) { " " span.muted { (ahead) } }
            }
            form.keypad method="post" action=(phone::act(step)) data-phone {
                input type="hidden" name="do" value="hours";
                @for (hours, word) in [("1", &words.visit.plus_hour), ("6", &words.visit.plus_six), ("23", &words.visit.plus_day), ("168", &words.visit.plus_week)] {
                    button.btn.small name="hours" value=(hours) { (word) }
                }
            }
            h2 { (words.visit.go_wrong) }
            @for fault in &view.faults {
                @let word = match fault.kind {
                    FaultKind::Cut => &words.visit.fault_cut,
                    FaultKind::Refuses => &words.visit.fault_refuses,
                    FaultKind::Silent => &words.visit.fault_silent,
                    FaultKind::Slow => &words.visit.fault_slow,
                };
                (switch(&[("do", "fault"), ("kind", fault.kind.name())], fault.on, word, step, words))
            }
        }
    }
}

/// A switch that does its work at once; without a script a button does it.
fn switch(fields: &[(&str, &str)], on: bool, word: &str, step: usize, words: &Words) -> Markup {
    html! {
        form.line.small method="post" action=(phone::act(step)) data-phone data-instant-act {
            @for (name, value) in fields { input type="hidden" name=(name) value=(value); }
            label.line { input.switch type="checkbox" role="switch" name="on" value="1" checked[on]; (word) }
            button.btn.small.no-script { (words.save) }
        }
    }
}

fn controls(view: &PhoneView, step: usize, reader: &Reader) -> Markup {
    let words = reader.words;
    let acts = [
        ("post", "post", &words.visit.act_post),
        ("reel", "reel", &words.visit.act_reel),
        ("story", "story", &words.visit.act_story),
        ("comment", "comment", &words.visit.act_comment),
        ("react", "smile", &words.visit.act_react),
        ("edit", "pen", &words.visit.act_edit),
        ("unsend", "undo", &words.visit.act_unsend),
        ("read", "eye", &words.visit.act_read),
    ];
    html! {
        div.stack {
            h2 { (words.visit.as_customer) }
            form.keypad method="post" action=(phone::act(step)) data-phone {
                @for (act, symbol, word) in acts { button.btn.small name="do" value=(act) { (icon(symbol)) (word) } }
            }
            (switch(&[("do", "web")], view.web, &words.visit.on_the_web, step, words))
        }
        (clock(view, step, reader))
    }
}
