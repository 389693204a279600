//! Owns: the tour through the demo: a sentence for each step, which says what to do and what to look at.
//! Does not own: the phone, the controls.

use maud::{Markup, html};

use crate::pages::{
    parts::icon,
    words::{Words, fill},
};

/// Steps of the tour.
pub(super) const STEPS: usize = 11;

/// The address of the demo at a step.
pub(super) fn at(step: usize) -> String {
    format!("/demo?step={step}")
}

/// The step's box.
pub(super) fn tour(step: usize, words: &Words) -> Markup {
    let steps: [&str; STEPS] = [
        &words.visit.tour_1,
        &words.visit.tour_2,
        &words.visit.tour_3,
        &words.visit.tour_4,
        &words.visit.tour_5,
        &words.visit.tour_6,
        &words.visit.tour_7,
        &words.visit.tour_8,
        &words.visit.tour_9,
        &words.visit.tour_10,
        &words.visit.tour_11,
    ];
    let sentence = steps.get(step.saturating_sub(1)).copied().unwrap_or_default();
    html! {
        section.tour id="tour" aria-label=(words.visit.tour) {
            div.callout data-tone="accent" {
                div {
                    strong { (fill(&words.visit.tour_step, &[("n", &step.to_string()), ("all", &STEPS.to_string())])) }
                    p.small { (sentence) }
                    p.line {
                        @if step > 1 { a.btn.small href=(at(step - 1)) { (words.visit.tour_back) } }
                        @if step < STEPS { a.btn.small.primary href=(at(step + 1)) { (words.visit.tour_next) } }
                        @else { a.btn.small.primary href="/inbox" { (icon("inbox")) (words.visit.tour_end) } }
                    }
                }
            }
        }
    }
}
