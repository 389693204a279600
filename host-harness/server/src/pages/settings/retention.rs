//! Owns: the page that says what is kept for how long.
//! Does not own: the periods (the operator's configuration), removing (the engine's maintenance).

use std::time::Duration;

use axum::{extract::State, response::Response};
use harness_engine::Host;
use maud::{Markup, html};

use super::{Admin, Tab, shown};
use crate::pages::{forms::Wrong, parts::icon, reader::Reader, words::fill};

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

/// `GET /settings/retention`.
pub(super) async fn page(State(host): State<Host>, Admin(reader): Admin) -> Response {
    let words = &reader.words.settings;
    let kept = host.retention();
    let parked = host.budget().parked;
    // What, how long, and the key of the configuration that decides it.
    let rows = [
        (&words.keep_conversations, words.until_deleted.to_string(), None),
        (&words.keep_unsent, words.within_a_minute.to_string(), None),
        (&words.keep_stories, words.never_stored.to_string(), None),
        (&words.keep_deliveries, period(kept.deliveries, &reader), Some("[retention] deliveries-days")),
        (&words.keep_parked, period(parked, &reader), Some("[budget] parked-days")),
        (&words.keep_files, period(kept.unused_files, &reader), Some("[retention] unused-files-days")),
        (&words.keep_changes, period(kept.changes, &reader), Some("[retention] changes-days")),
        (&words.keep_sessions, words.sessions_end.to_string(), None),
    ];
    let content = html! {
        p.muted { (words.retention_hint) }
        section.panel.flush aria-label=(words.retention) {
            div.scroll-x tabindex="0" role="group" aria-label=(words.retention) {
                table.table {
                    thead { tr { th scope="col" { (words.what) } th scope="col" { (words.how_long) } th scope="col" { (words.decided_by) } } }
                    tbody { @for (what, how_long, key) in &rows { (row(what, how_long, *key, &reader)) } }
                }
            }
        }
        div.callout data-tone="accent" { (icon("info")) div { (words.deletion_requests) } }
    };
    shown(Tab::Retention, &Wrong::default(), &reader, &content)
}

fn row(what: &str, how_long: &str, key: Option<&str>, reader: &Reader) -> Markup {
    html! {
        tr {
            th scope="row" { (what) }
            td { (how_long) }
            td { @match key { Some(key) => code { (key) }, None => span.muted { (reader.words.settings.always_so) } } }
        }
    }
}
