//! Owns: how a page shows steps that a person does elsewhere or fills in: fields with their problems, a code, a QR
//! code.
//! Does not own: the page around it (`show`), validating the values (the engine).

use harness_contract::{InputField, SettingValue};
use harness_engine::{Problems, Typed};
use maud::{Markup, html};
use qrcode::{Color, QrCode};

use super::frame;
use crate::pages::{parts::icon, reader::Reader, words::count};

/// Prefix of the names of form fields.
pub(super) const FIELD: &str = "value.";
/// The margin around a QR code, in modules.
const QUIET: usize = 4;

/// The previous try, shown again.
#[derive(Default)]
pub(super) struct Tried {
    pub(super) problems: Problems,
    /// The values typed in. Secrets are not shown again.
    pub(super) typed: Typed,
}

/// A form. `problem` concerns all fields.
pub(super) fn form(fields: &[InputField], problem: Option<&str>, tried: &Tried, here: &str, reader: &Reader) -> Markup {
    let words = &reader.words.connecting;
    html! {
        @if let Some(problem) = problem { (frame::problem(problem)) }
        @if !tried.problems.is_empty() {
            div.callout data-tone="fail" role="alert" tabindex="-1" autofocus {
                (icon("stop"))
                div {
                    strong { (words.not_all_fits) }
                    @if fields.iter().any(|field| field.secret) { " " (words.type_again) }
                    ul {
                        @for (at, field) in fields.iter().enumerate() {
                            @if let Some(problem) = tried.problems.get(&field.key) { li { a href={ "#field-" (at) } { (field.label) ": " (problem) } } }
                        }
                    }
                }
            }
        }
        // `novalidate`: the page shows its own sentences instead of the browser's.
        form.panel.stack method="post" action={ (here) "/enter" } autocomplete="off" novalidate {
            @for (at, one) in fields.iter().enumerate() { (field(one, at, tried, reader)) }
            p { button.btn.primary type="submit" { (words.go_on) } }
        }
    }
}

fn field(field: &InputField, at: usize, tried: &Tried, reader: &Reader) -> Markup {
    let (id, name) = (format!("field-{at}"), format!("{FIELD}{}", field.key));
    let problem = tried.problems.get(&field.key);
    let described = [field.hint.is_some().then(|| format!("{id}-hint")), problem.map(|_| format!("{id}-problem"))];
    let described: Vec<_> = described.into_iter().flatten().collect();
    let described = (!described.is_empty()).then(|| described.join(" "));
    let invalid = problem.map(|_| "true");
    let value = if field.secret { String::new() } else { shown_again(field, tried) };
    let (kind, mode, completion) = match field.kind.as_str() {
        _ if field.secret => ("password", None, "off"),
        "phone" => ("tel", None, "tel"),
        "email" => ("email", None, "email"),
        "url" => ("url", None, "url"),
        "number" => ("text", Some("numeric"), "off"),
        "code" => ("text", None, "one-time-code"),
        _ => ("text", None, "off"),
    };
    html! {
        div.field {
            label for=(id) { (field.label) }
            @if let Some(hint) = &field.hint { p.hint id={ (id) "-hint" } { (hint) } }
            @if let Some(problem) = problem { p.violation id={ (id) "-problem" } { (icon("stop")) (problem) } }
            @if field.kind == "choice" && !field.secret {
                select.input id=(id) name=(name) aria-describedby=[described] aria-invalid=[invalid] {
                    @if !field.one_of.contains(&value) { option value="" { (reader.words.connecting.choose) } }
                    @for choice in &field.one_of { option value=(choice) selected[*choice == value] { (choice) } }
                }
            } @else if field.kind == "long_text" {
                textarea.input.secret[field.secret] id=(id) name=(name) rows="6" autocomplete="off" spellcheck="false"
                    aria-describedby=[described] aria-invalid=[invalid] { (value) }
            } @else {
                input.input id=(id) name=(name) type=(kind) inputmode=[mode] autocomplete=(completion) value=(value)
                    spellcheck="false" autocapitalize="none" aria-describedby=[described] aria-invalid=[invalid];
            }
        }
    }
}

/// The value shown in a field that is not secret: the last one typed in, or the channel's default.
fn shown_again(field: &InputField, tried: &Tried) -> String {
    if let Some(typed) = tried.typed.get(&field.key) {
        return String::from_utf8_lossy(typed.expose()).into_owned();
    }
    match &field.default {
        Some(SettingValue::Text(text)) => text.clone(),
        Some(SettingValue::Number(number)) => number.to_string(),
        _ => String::new(),
    }
}

/// What the person does elsewhere. `left` is the remaining time in milliseconds, if limited.
pub(super) fn waiting_for(
    text: &str,
    qr: Option<&str>,
    code: Option<&str>,
    left: Option<u64>,
    reader: &Reader,
) -> Markup {
    let words = &reader.words.connecting;
    let minutes = left.map(|left| left.div_ceil(60_000)).filter(|minutes| *minutes <= 120);
    html! {
        section.panel.stack {
            p role="status" { (text) }
            @if let Some(qr) = qr { (qr_code(qr, reader)) }
            @if let Some(code) = code { p.big-code { (code) } }
            p.small.muted {
                (words.goes_on)
                @if let Some(minutes) = minutes { " " @if minutes == 1 { (words.minute_left) } @else { (count(&words.minutes_left, minutes)) } }
            }
        }
    }
}

/// A QR code as a picture. Content that fits no code is shown as text.
fn qr_code(content: &str, reader: &Reader) -> Markup {
    let Ok(code) = QrCode::new(content) else { return html! { p.big-code { (content) } } };
    let side = code.width();
    let colors = code.to_colors();
    let mut dark = String::new();
    for (y, row) in colors.chunks(side.max(1)).enumerate() {
        for (x, _) in row.iter().enumerate().filter(|(_, color)| **color == Color::Dark) {
            dark.push_str(&format!("M{} {}h1v1h-1z", x + QUIET, y + QUIET));
        }
    }
    let all = side + 2 * QUIET;
    html! {
        svg.qr viewBox={ "0 0 " (all) " " (all) } role="img" aria-label=(reader.words.connecting.qr_code) shape-rendering="crispEdges" {
            rect width=(all) height=(all) fill="#fff" {}
            path d=(dark) fill="#000" {}
        }
    }
}
