//! Owns: the frame of a page for connecting: who connects an account need not be of the team, so it has no navigation.
//! Does not own: the content of pages, the document around it (`layout`).

use axum::{http::StatusCode, response::Response};
use harness_engine::{ConnectError, HostError};
use maud::{Markup, html};

use crate::pages::{
    error,
    forms::as_sentence,
    layout::{self, Needs},
    parts::icon,
    reader::Reader,
};

/// Where a person is on their way.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Step {
    SignIn,
    Choose,
    Test,
}

impl Step {
    fn name(self) -> &'static str {
        match self {
            Self::SignIn => "sign-in",
            Self::Choose => "choose",
            Self::Test => "test",
        }
    }
}

/// A page with the steps, of which one is now.
pub(super) fn page(reader: &Reader, title: &str, step: Option<Step>, needs: &Needs, content: &Markup) -> Response {
    let words = &reader.words.connecting;
    let steps =
        [(Step::SignIn, &words.step_sign_in), (Step::Choose, &words.step_choose), (Step::Test, &words.step_test)];
    let now = steps.iter().position(|(one, _)| Some(*one) == step);
    let body = html! {
        body {
            main.page.alone id="main" tabindex="-1" data-stage=[step.map(Step::name)]
                data-goes-on=[needs.goes_on.as_ref().map(|(_, place)| place)]
                data-after=[needs.goes_on.as_ref().map(|(seconds, _)| seconds)] {
                div.narrow.stack.wide {
                    div.stack {
                        (layout::sign(36))
                        h1 { (title) }
                        @if let Some(now) = now {
                            ol.steps aria-label=(words.steps) {
                                @for (at, (_, name)) in steps.iter().enumerate() {
                                    li data-done[at < now] aria-current=[(at == now).then_some("step")] {
                                        (name) @if at < now { span.sr { " " (words.step_done) } }
                                    }
                                }
                            }
                        }
                    }
                    (content)
                }
            }
        }
    };
    layout::document_with(reader, StatusCode::OK, title, needs, &body)
}

/// A problem, in words.
pub(super) fn problem(sentence: &str) -> Markup {
    html! { div.callout data-tone="fail" role="alert" { (icon("stop")) div dir="auto" { (sentence) } } }
}

/// An error page with one sentence.
pub(super) fn sorry(reader: &Reader, status: StatusCode, sentence: &str) -> Response {
    error::page(reader, status, &reader.words.connecting.sorry, &as_sentence(sentence))
}

/// The error page for connecting.
pub(super) fn not_connected(reader: &Reader, error: &ConnectError) -> Response {
    sorry(reader, StatusCode::BAD_REQUEST, &error.to_string())
}

/// The error page for a failed request to the host.
pub(super) fn failed(reader: &Reader, error: &HostError) -> Response {
    match error {
        HostError::Connect(error) => not_connected(reader, error),
        error => {
            tracing::error!(%error, "a page could not be answered");
            sorry(reader, StatusCode::BAD_GATEWAY, &error.for_people())
        }
    }
}
