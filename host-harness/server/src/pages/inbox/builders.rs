//! Owns: what the composer's builders have in common: their head, a field with its counter, what is wrong with a part.
//! Does not own: the builders (`buttons`, `cards`, `quick`).

use harness_contract::{Bound, Violation};
use maud::{Markup, html};

use super::{can::length, draft::Place, remarks};
use crate::pages::{parts::icon, reader::Reader, words::fill};

/// The head of a builder: its name, how much there is of how much, where it is not shown, and the button that closes it
/// with this change.
pub(super) fn head(
    name: &str,
    (used, most): (usize, usize),
    hidden_on: &[String],
    closes: &str,
    reader: &Reader,
) -> Markup {
    html! {
        div.line.wrap.small {
            strong { (name) }
            span.muted.num { (fill(&reader.words.composer.number_of, &[("n", &used.to_string()), ("max", &most.to_string())])) }
            @if !hidden_on.is_empty() { span.muted { (fill(&reader.words.shown_only_in_app, &[("surfaces", &hidden_on.join(", "))])) } }
            button.btn.icon.small.quiet.push name="change" value=(closes) formnovalidate aria-label=(fill(&reader.words.remove, &[("name", name)])) { (icon("x")) }
        }
    }
}

/// The problems of the places that are wanted.
pub(super) fn wrong<'v>(problems: &[(Place, &'v Violation)], wanted: impl Fn(&Place) -> bool) -> Vec<&'v Violation> {
    problems.iter().filter(|(place, _)| wanted(place)).map(|(_, violation)| *violation).collect()
}

/// A field of a builder, with its counter and what is wrong with it.
pub(super) fn field(
    (id, name): (&str, &str),
    label: &str,
    value: &str,
    limit: Option<&Bound>,
    wrong: &[&Violation],
    kind: &str,
) -> Markup {
    html! {
        div.field {
            div.line { label for=(id) { (label) } (counter(value, limit)) }
            input.input id=(id) name=(name) value=(value) type=(kind) dir="auto" autocomplete="off"
                aria-invalid=[(!wrong.is_empty()).then_some("true")] aria-describedby={ (id) "-problem" }
                data-max=[limit.map(|limit| limit.max)] data-unit=[limit.map(|limit| limit.unit.name())];
            div id={ (id) "-problem" } data-live { (remarks::lines(wrong.iter().copied())) }
        }
    }
}

/// How long a field's text is, of how much.
pub(super) fn counter(value: &str, limit: Option<&Bound>) -> Markup {
    html! {
        @if let Some(limit) = limit {
            @let used = length(value, limit.unit);
            span.counter.num.push data-counter data-tone=[(used > limit.max).then_some("fail")] { bdi { (used) "/" (limit.max) } }
        }
    }
}
