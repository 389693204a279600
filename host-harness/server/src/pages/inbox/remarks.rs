//! Owns: what the channel says about a message before it is sent: problems, notes, and the messages that it becomes.
//! Does not own: saying it (the channel), the fields that it stands beside.

use harness_contract::{Degradation, Severity, StepKind, Violation, names::violation_code};
use harness_engine::Preview;
use maud::{Markup, html};

use super::can::{Can, length};
use crate::pages::{
    parts::icon,
    reader::Reader,
    words::{count, fill},
};

/// What the channel says.
#[derive(Default)]
pub(super) struct Remarks {
    pub(super) violations: Vec<Violation>,
    pub(super) degradations: Vec<Degradation>,
    /// The messages that the customer gets: the text of each, where it has one.
    pub(super) messages: Vec<Option<String>>,
}

impl From<Preview> for Remarks {
    fn from(preview: Preview) -> Self {
        let Preview { violations, degradations, steps } = preview;
        let messages = steps.into_iter().filter(|step| step.kind == StepKind::Message).map(|step| step.text).collect();
        Self { violations, degradations, messages }
    }
}

impl From<Vec<Violation>> for Remarks {
    fn from(violations: Vec<Violation>) -> Self {
        Self { violations, ..Self::default() }
    }
}

impl Remarks {
    /// Without what is said about fields that are still empty: they are not reached yet.
    pub(super) fn of_what_is_typed(mut self) -> Self {
        let missing = [violation_code::MISSING_FIELD, violation_code::TEXT_EMPTY];
        self.violations.retain(|one| !missing.contains(&one.code.as_str()));
        self
    }
}

/// Problems under their field.
pub(super) fn lines<'v>(problems: impl Iterator<Item = &'v Violation>) -> Markup {
    html! {
        @for problem in problems {
            @let error = problem.severity == Severity::Error;
            p.violation data-tone=[(!error).then_some("warn")] { (icon(if error { "stop" } else { "alert" })) span { (problem.message) } }
        }
    }
}

/// Problems without the one that is said already: on which surfaces it is not shown.
pub(super) fn unsaid<'v>(
    problems: impl Iterator<Item = &'v Violation>,
    hidden_on: &[String],
) -> impl Iterator<Item = &'v Violation> {
    let is_said = !hidden_on.is_empty();
    problems.filter(move |one| !is_said || one.code != violation_code::NOT_SHOWN_EVERYWHERE)
}

/// What the customer will not see as asked. What a problem says already is not said twice.
pub(super) fn notes(remarks: &Remarks) -> Markup {
    let said = |sentence: &str| remarks.violations.iter().any(|one| one.message == sentence);
    let notes: Vec<_> = remarks.degradations.iter().filter(|note| !said(&note.message)).collect();
    html! {
        div id="notes" data-live {
            @for note in notes { p.part.small.muted.line { (icon("info")) span { (note.message) } } }
        }
    }
}

/// The messages that it arrives as, where they are several.
pub(super) fn split(remarks: &Remarks, can: Can<'_>, unit: &str, reader: &Reader) -> Markup {
    let words = &reader.words.composer;
    let messages = &remarks.messages;
    let measured = can.message_text().map(|limit| limit.unit);
    let lengths: Vec<String> = measured
        .map(|unit| messages.iter().flatten().map(|text| length(text, unit).to_string()).collect())
        .unwrap_or_default();
    html! {
        div id="split" data-live {
            @if messages.len() > 1 {
                details.part.small {
                    summary.muted {
                        (count(&words.arrives_as, messages.len()))
                        @if lengths.len() == messages.len() { ": " (fill(&words.lengths, &[("lengths", &lengths.join(" + ")), ("unit", unit)])) }
                    }
                    ol.split { @for text in messages { li dir="auto" { (text.as_deref().unwrap_or("…")) } } }
                }
            }
        }
    }
}
