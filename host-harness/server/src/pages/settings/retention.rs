//! Owns: the page that says what is kept for how long, and on which it is changed.
//! Does not own: what the configuration says, removing (the engine's maintenance).

use std::time::Duration;

use axum::{extract::State, response::Response};
use harness_engine::{Host, Period, Periods};
use harness_inbox::Kept;
use maud::{Markup, html};

use super::{Admin, Tab, done, shown};
use crate::pages::{
    error,
    forms::{Field, Sent, Wrong},
    parts::icon,
    reader::Reader,
    words::fill,
};

const DAY: u64 = 24 * 3600;

/// A period for people.
fn period(age: Option<Duration>, reader: &Reader) -> String {
    let words = &reader.words.settings;
    match age.map(|age| age.as_secs()) {
        None => words.for_ever.to_string(),
        Some(seconds) if seconds.is_multiple_of(DAY) => fill(&words.days, &[("n", &(seconds / DAY).to_string())]),
        Some(seconds) => fill(&words.hours, &[("n", &seconds.div_ceil(3600).to_string())]),
    }
}

/// What it is, for people.
fn name(what: Kept, reader: &Reader) -> &str {
    let words = &reader.words.settings;
    match what {
        Kept::Deliveries => &words.keep_deliveries,
        Kept::Parked => &words.keep_parked,
        Kept::UnusedFiles => &words.keep_files,
        Kept::Changes => &words.keep_changes,
    }
}

/// The key of the configuration that decides it where nobody has set it.
fn key(what: Kept) -> &'static str {
    match what {
        Kept::Deliveries => "[retention] deliveries-days",
        Kept::Parked => "[budget] parked-days",
        Kept::UnusedFiles => "[retention] unused-files-days",
        Kept::Changes => "[retention] changes-days",
    }
}

/// `GET /settings/retention`.
pub(super) async fn page(State(host): State<Host>, Admin(reader): Admin) -> Response {
    draw(&host, &reader, &Wrong::default(), None).await
}

async fn draw(host: &Host, reader: &Reader, wrong: &Wrong, sent: Option<&Sent>) -> Response {
    let words = &reader.words.settings;
    let periods = match host.retention().await {
        Ok(periods) => periods,
        Err(failed) => return error::failed(reader, &failed.into()),
    };
    let always = html! { span.muted { (words.always_so) } };
    let content = html! {
        p.muted { (words.retention_hint) }
        section.panel.flush aria-label=(words.retention) {
            div.scroll-x tabindex="0" role="group" aria-label=(words.retention) {
                table.table {
                    thead { tr { th scope="col" { (words.what) } th scope="col" { (words.how_long) } th scope="col" { (words.decided_by) } } }
                    tbody {
                        (row(&words.keep_conversations, &words.until_deleted, &always))
                        (row(&words.keep_unsent, &words.within_a_minute, &always))
                        (row(&words.keep_stories, &words.never_stored, &always))
                        @for one in periods.all() {
                            (row(name(one.what, reader), &period(one.age(), reader), &decided_by(one, reader)))
                        }
                        (row(&words.keep_sessions, &words.sessions_end, &always))
                    }
                }
            }
        }
        // The periods are the whole host's.
        @if reader.is_of_host { (form(&periods, wrong, sent, reader)) }
        div.callout data-tone="accent" { (icon("info")) div { (words.deletion_requests) } }
    };
    shown(Tab::Retention, wrong, reader, &content)
}

fn row(what: &str, how_long: &str, decided_by: &Markup) -> Markup {
    html! { tr { th scope="row" { (what) } td { (how_long) } td { (decided_by) } } }
}

/// What counts, and what the configuration says where it does not.
fn decided_by(one: &Period, reader: &Reader) -> Markup {
    let words = &reader.words.settings;
    let configured = fill(&words.configuration_says, &[("period", &period(one.configured, reader))]);
    html! {
        @if one.set.is_some() { (words.set_here) br; span.small.muted { (configured) ", " code dir="ltr" { (key(one.what)) } } }
        @else { code dir="ltr" { (key(one.what)) } }
    }
}

fn form(periods: &Periods, wrong: &Wrong, sent: Option<&Sent>, reader: &Reader) -> Markup {
    let words = &reader.words.settings;
    html! {
        form.panel.stack.wide method="post" action="/settings/retention" novalidate {
            h2 { (words.change_periods) }
            p.muted { (words.change_periods_hint) }
            @for one in periods.all() {
                @let id = one.what.name();
                @let set = one.set.map(|days| days.unwrap_or(0).to_string()).unwrap_or_default();
                @let value = sent.map_or(set.as_str(), |sent| sent.one(id));
                @let hint = fill(&words.configuration_says, &[("period", &period(one.configured, reader))]);
                (Field { id, label: name(one.what, reader), hint: Some(&hint), wrong }.line("number", "off", value))
            }
            p { button.btn.primary { (reader.words.save) } }
        }
    }
}

/// `POST /settings/retention`.
pub(super) async fn save(State(host): State<Host>, Admin(reader): Admin, sent: Sent) -> Response {
    if !reader.is_of_host {
        return error::not_allowed(&reader);
    }
    let (mut wrong, mut periods) = (Wrong::default(), Vec::new());
    for what in Kept::ALL {
        match sent.one(what.name()) {
            "" => periods.push((what, None)),
            typed => match typed.parse::<u32>().ok().filter(|days| *days <= Kept::MOST_DAYS) {
                Some(days) => periods.push((what, Some(days))),
                None => {
                    let most = Kept::MOST_DAYS.to_string();
                    wrong.add(what.name(), &fill(&reader.words.settings.wrong_days, &[("most", &most)]));
                }
            },
        }
    }
    if !wrong.is_empty() {
        return draw(&host, &reader, &wrong, Some(&sent)).await;
    }
    match host.set_retention(periods).await {
        Ok(()) => done(Tab::Retention),
        Err(failed) => error::failed(&reader, &failed.into()),
    }
}
