//! Owns: the composer, drawn from a channel's capabilities and the window.
//! Does not own: what is typed into it (`draft`), the channel's rules.

use harness_contract::{
    Severity, Unit, Violation, WindowState,
    names::{feature, text_field},
};
use harness_inbox::PublicId as _;
use maud::{Markup, html};

use super::{
    can::{Can, length},
    draft::{Attached, Draft, Place},
    load::Opened,
    team, window,
};
use crate::pages::{
    parts::{directed, icon, size},
    reader::Reader,
    words::{count, fill},
};

/// From this share of the limit on, in percent, the counter says so.
const EARLY: u64 = 90;

/// The composer of a conversation.
pub(super) fn composer(opened: &Opened, draft: &Draft, now: i64, reader: &Reader) -> Markup {
    let words = reader.words;
    let (Some(context), Some(capabilities)) = (&opened.context, &opened.capabilities) else {
        return html! { div.composer id="composer" { div.closedbox.muted { (words.error_busy) } } };
    };
    let can = Can(capabilities);
    let window = &context.window;
    let shut = matches!(window.state, WindowState::Closed | WindowState::NeverOpened) && draft.comment.is_none();
    let problems: Vec<(Place, &Violation)> = draft.violations.iter().map(|one| (draft.place(one), one)).collect();
    let errors = problems.iter().filter(|(_, one)| one.severity == Severity::Error).count();
    let at = |place: Place| problems.iter().filter(move |(found, _)| *found == place).map(|(_, one)| *one);
    html! {
        form.composer id="composer" method="post" action={ "/inbox/" (opened.summary.id.public()) "/reply" } aria-label=(fill(&words.reply_to, &[("name", &opened.name)]))
            data-conversation=(opened.summary.id.public()) data-channel=(opened.channel_name)
            data-files=[serde_json::to_string(&can.file_rules()).ok()]
            data-too-large=(words.file_too_large) data-not-taken=(words.file_not_taken) data-upload-failed=(words.upload_failed)
            data-uploading=(words.uploading) data-remove=(words.remove) data-split=(words.split_into) data-largest=(opened.largest_file)
        {
            input type="hidden" name="key" value=(draft.key);
            (window::bar(window, now, reader, &opened.channel_name))
            (found(at(Place::Window), "window-problem"))
            (found(at(Place::Whole), "whole-problem"))
            div.modes {
                a.btn.small.quiet href={ "/inbox/" (opened.summary.id.public()) } aria-current="true" { (words.reply_mode) }
                a.btn.small.quiet href={ "/inbox/" (opened.summary.id.public()) "?mode=note" } id="note" aria-keyshortcuts="n" { (icon("lock")) (words.note_mode) }
                (counter(&draft.text, can, reader))
            }
            div.body {
                (answered(opened, draft, reader))
                @let invalid = at(Place::Text).next().is_some();
                textarea id="text" name="text" rows="2" dir="auto" aria-label=(words.message) aria-describedby="count text-problem"
                    aria-invalid=[invalid.then_some("true")] placeholder=(fill(&words.write_to, &[("name", &opened.name)]))
                    aria-keyshortcuts="r" { (draft.text) }
                (found(at(Place::Text), "text-problem"))
                (team::canned(&opened.team, reader))
                p.part.small.muted.line id="split" hidden { (icon("info")) span {} }
                (tray(&draft.files, at(Place::Files).collect(), reader))
                @if can.quick_replies() > 0 { (quick_replies(opened, draft, can, &problems, reader)) }
            }
            div.tools role="toolbar" aria-label=(words.add_to_message) {
                @if !can.file_rules().is_empty() {
                    label.btn.icon.small.quiet.needs-script title=(words.attach) {
                        (icon("clip")) span.sr { (words.attach) }
                        input.sr id="choose" type="file" multiple accept=(can.accepted());
                    }
                }
                @if let Some(heart) = can.heart() {
                    button.btn.icon.small.quiet name="sticker" value=(heart) formnovalidate aria-label=(words.send_heart) title=(words.send_heart) { (icon("heart")) }
                }
                @if !can.sends(feature::VOICE) {
                    @let reason = fill(&words.no_voice, &[("channel", &opened.channel_name)]);
                    button.btn.icon.small.quiet type="button" aria-disabled="true" aria-label=(reason) title=(reason) { (icon("micoff")) }
                }
                span.line.push {
                    @if errors > 0 { a.violation href="#text" { (icon("stop")) (count(&words.things_to_fix, errors)) } }
                    @if shut || problems.iter().any(|(place, _)| *place == Place::Window) {
                        label.check.small { input type="checkbox" name="anyway" value="1" checked[draft.try_anyway]; (words.try_anyway) }
                    }
                    button.btn.primary id="send" aria-keyshortcuts="Control+Enter" { (words.send) (directed("send")) }
                }
            }
        }
    }
}

/// The composer for a private note: yellow, with a lock, and the button says what happens.
pub(super) fn note(opened: &Opened, reader: &Reader) -> Markup {
    let (words, id) = (reader.words, opened.summary.id.public());
    html! {
        form.composer.note id="composer" method="post" action={ "/inbox/" (id) "/notes" } aria-label=(words.note_text) data-conversation={ "note-" (id) } data-note {
            div.modes {
                a.btn.small.quiet href={ "/inbox/" (id) } { (words.reply_mode) }
                a.btn.small.quiet href={ "/inbox/" (id) "?mode=note" } aria-current="true" { (icon("lock")) (words.note_mode) }
            }
            div.body {
                textarea id="text" name="text" rows="2" dir="auto" maxlength="5000" required aria-label=(words.note_text) placeholder=(words.note_placeholder) {}
            }
            div.tools {
                span.line.push { (team::face(reader)) button.btn.primary id="send" aria-keyshortcuts="Control+Enter" { (words.add_note) } }
            }
        }
    }
}

/// Problems under their field.
fn found<'v>(problems: impl Iterator<Item = &'v Violation>, id: &str) -> Markup {
    html! {
        div id=(id) {
            @for problem in problems {
                p.violation.part data-tone=[(problem.severity != Severity::Error).then_some("warn")] role="alert" {
                    (icon(if problem.severity == Severity::Error { "stop" } else { "alert" })) span { (problem.message) }
                }
            }
        }
    }
}

fn unit_word(unit: Unit, reader: &Reader) -> &str {
    let words = reader.words;
    match unit {
        Unit::Bytes => &words.unit_bytes,
        Unit::Utf16Units => &words.unit_utf16_units,
        Unit::Characters => &words.unit_characters,
        _ => &words.unit_items,
    }
}

fn counter(text: &str, can: Can<'_>, reader: &Reader) -> Markup {
    let Some(limit) = can.message_text() else { return html! { span.push id="count" {} } };
    let used = length(text, limit.unit);
    let tone = if used > limit.max {
        Some("fail")
    } else if used * 100 > limit.max * EARLY {
        Some("closing")
    } else {
        None
    };
    let values = [
        ("used", used.to_string()),
        ("max", limit.max.to_string()),
        ("unit", unit_word(limit.unit, reader).to_owned()),
    ];
    let values: Vec<_> = values.iter().map(|(name, value)| (*name, value.as_str())).collect();
    html! {
        span.push.counter.num id="count" data-max=(limit.max) data-unit=(limit.unit.name()) data-tone=[tone]
            data-words=(fill(&reader.words.counter, &[("used", "{used}"), ("max", &limit.max.to_string()), ("unit", unit_word(limit.unit, reader))])) {
            bdi { (fill(&reader.words.counter, &values)) }
        }
    }
}

/// The message or the comment that is answered.
fn answered(opened: &Opened, draft: &Draft, reader: &Reader) -> Markup {
    let words = reader.words;
    let text = draft.reply_to.as_ref().map(|id| opened.said.get(id).cloned().unwrap_or_else(|| "…".to_owned()));
    let remove = fill(&words.remove, &[("name", "")]);
    html! {
        p.part.small.line id="answered" hidden[text.is_none() && draft.comment.is_none()] data-words=(words.replying_to) data-private=(words.reply_privately) {
            (icon("reply"))
            span.cut {
                @if let Some(text) = &text { (fill(&words.replying_to, &[("text", text)])) }
                @else if draft.comment.is_some() { (words.reply_privately) }
            }
            a.btn.icon.small.quiet.push href={ "/inbox/" (opened.summary.id.public()) } data-forget aria-label=(remove.trim()) { (icon("x")) }
            input type="hidden" name="reply_to" value=(draft.reply_to.as_deref().unwrap_or_default());
            input type="hidden" name="comment" value=(draft.comment.as_deref().unwrap_or_default());
        }
    }
}

/// The attached files.
fn tray(files: &[Attached], problems: Vec<&Violation>, reader: &Reader) -> Markup {
    html! {
        div.part.stack id="files" hidden[files.is_empty() && problems.is_empty()] {
            ul.tray { @for file in files { (attached(file, reader)) } }
            div id="file-problems" {
                @for problem in problems { p.violation role="alert" { (icon("stop")) span { (problem.message) } } }
            }
        }
    }
}

/// One of them. The script puts the same in when an upload has ended.
pub(super) fn attached(file: &Attached, reader: &Reader) -> Markup {
    let upload = &file.upload;
    let name = upload.name.as_deref().unwrap_or(&reader.words.file);
    let (symbol, word) = super::entry::kind(file.kind(), reader.words);
    html! {
        li data-handle=(upload.handle) {
            @if file.kind() == harness_contract::MediaKind::Image {
                span.thumb { img src={ "/inbox/files/" (upload.handle) } alt=""; }
            } @else { (icon(symbol)) }
            span { bdi { (name) } br; span.muted { (word) ", " (size(upload.size)) } }
            input type="hidden" name="file" value=(upload.handle);
            button.btn.icon.small.quiet type="button" data-remove-file aria-label=(fill(&reader.words.remove, &[("name", name)])) { (icon("x")) }
        }
    }
}

fn quick_replies(
    opened: &Opened,
    draft: &Draft,
    can: Can<'_>,
    problems: &[(Place, &Violation)],
    reader: &Reader,
) -> Markup {
    let words = reader.words;
    let most = can.quick_replies();
    let limit = can.limit(text_field::QUICK_REPLY_TITLE);
    let rows = draft.quick.len().max(3).min(usize::try_from(most).unwrap_or(3));
    let hidden_on = can.not_shown_on(feature::QUICK_REPLIES);
    html! {
        details.part.field id="quick" open[!draft.quick.is_empty()] data-most=(most) {
            summary.small { strong { (words.quick_replies) } " "
                span.muted { @if !hidden_on.is_empty() { (fill(&words.shown_only_in_app, &[("surfaces", &hidden_on.join(", "))])) } }
            }
            div.builder {
                div.builder-rows {
                    @for at in 0..rows {
                        @let title = draft.quick.get(at).map(String::as_str).unwrap_or_default();
                        @let problem = problems.iter().find(|(place, _)| *place == Place::Quick(at));
                        div {
                            div.line {
                                input.input.small name="quick" value=(title) dir="auto" aria-label={ (words.quick_replies) " " (at + 1) }
                                    aria-invalid=[problem.map(|_| "true")] aria-describedby=[problem.map(|_| format!("quick-{at}"))]
                                    data-max=[limit.map(|limit| limit.max)] data-unit=[limit.map(|limit| limit.unit.name())];
                                @if let Some(limit) = limit { span.counter.num { bdi { (length(title, limit.unit)) "/" (limit.max) } } }
                            }
                            @if let Some((_, problem)) = problem { p.violation id={ "quick-" (at) } { (icon("stop")) span { (problem.message) } } }
                        }
                    }
                }
                div.preview-phone aria-hidden="true" {
                    p.muted { (opened.name) }
                    p.bubble id="preview-text" { (draft.text) }
                    ul.answers id="preview-quick" { @for title in &draft.quick { li { (title) } } }
                }
            }
        }
    }
}
