//! Owns: the composer, drawn from a channel's capabilities and the window.
//! Does not own: what is typed into it (`draft`), its builders (`cards`, `quick`), the channel's rules.

use harness_contract::{Severity, Unit, Violation, WindowState, names::feature};
use harness_inbox::{ConversationId, PublicId as _};
use maud::{Markup, html};

use super::{
    buttons,
    can::{Can, length},
    cards,
    draft::{Attached, Draft, Place},
    load::Opened,
    quick, remarks, team, window,
};
use crate::pages::{
    parts::{directed, icon, size},
    reader::Reader,
    words::{count, fill},
};

/// From this share of the limit on, in percent, the counter says so.
const EARLY: u64 = 90;

/// The composer of a conversation. What has `data-live` is drawn anew while somebody types; nothing is typed into it.
pub(super) fn composer(opened: &Opened, draft: &Draft, now: i64, reader: &Reader) -> Markup {
    let words = reader.words;
    if let Some(current) = opened.goes_on_in {
        return continued(opened, current, draft, reader);
    }
    let (Some(context), Some(capabilities)) = (&opened.context, &opened.capabilities) else {
        return html! { div.composer id="composer" { div.closedbox.muted { (words.error_busy) } } };
    };
    let can = Can(capabilities);
    let window = &context.window;
    let shut = matches!(window.state, WindowState::Closed | WindowState::NeverOpened) && draft.comment.is_none();
    let placed: Vec<(Place, &Violation)> =
        draft.remarks.violations.iter().map(|one| (draft.place(one, can), one)).collect();
    let at = |place: Place| placed.iter().filter(move |(found, _)| *found == place).map(|(_, one)| *one);
    let address = format!("/inbox/{}", opened.summary.id.public());
    let idle = shut && !draft.try_anyway && draft.is_empty() && draft.next.is_none();
    let person = window.state == WindowState::HumanOnly;
    let invites = if person {
        words.composer.write_as_person.to_string()
    } else {
        fill(&words.write_to, &[("name", &opened.name)])
    };
    html! {
        form.composer id="composer" method="post" action={ (address) "/reply" } aria-label=(fill(&words.reply_to, &[("name", &opened.name)]))
            data-conversation=(opened.summary.id.public()) data-channel=(opened.channel_name)
            data-write-to=[(invites == fill(&words.write_to, &[("name", &opened.name)])).then_some(&words.write_to)]
            data-files=[serde_json::to_string(&can.file_rules()).ok()]
            data-too-large=(words.file_too_large) data-not-taken=(words.file_not_taken) data-upload-failed=(words.upload_failed)
            data-convert=(words.composer.convert) data-not-converted=(words.composer.not_converted) data-stands-still=(words.composer.stands_still)
            data-still-uploading=(words.composer.still_uploading) data-uploading=(words.uploading) data-remove=(words.remove) data-largest=(opened.largest_file) data-next=[draft.next.as_deref()]
        {
            // Enter in a field of a builder presses the first button of the form.
            button.sr name="change" value="none" formnovalidate tabindex="-1" aria-hidden="true" {}
            input type="hidden" name="key" value=(draft.key);
            (not_sent(&address, (&words.composer.not_sent_elsewhere, &words.composer.lost_elsewhere), &opened.name, reader))
            div id="window" data-live data-ends-in=[window::ends_in(window, now)] {
                (window::bar(window, now, reader, &opened.channel_name, &opened.name))
                (remarks::lines(at(Place::Window)))
                (remarks::lines(at(Place::Whole)))
            }
            div.modes {
                a.btn.small.quiet href=(address) aria-current="true" { (words.reply_mode) }
                a.btn.small.quiet href={ (address) "?mode=note" } id="note" aria-keyshortcuts="n" { (icon("lock")) (words.note_mode) }
                (counter(draft, can, reader))
            }
            div.body {
                @if idle {
                    div.closedbox.stack id="shut" {
                        p.line { (icon("clock")) strong { (fill(&words.composer.closed_title, &[("name", &opened.name)])) } }
                        p.small.muted.needs-script { (words.composer.draft_kept) }
                        p.line.wrap {
                            a.btn.small href={ (address) "?mode=note" } { (icon("lock")) (words.composer.add_note) }
                            a.btn.small.quiet href={ (address) "?anyway=1#composer" } { (words.composer.write_anyway) }
                        }
                    }
                }
                (answered(opened, draft, reader))
                @let invalid = at(Place::Text).next().is_some();
                textarea id="text" name="text" rows="2" dir="auto" aria-label=(words.message) aria-describedby="count text-problem" hidden[idle]
                    aria-invalid=[invalid.then_some("true")] placeholder=(invites) aria-keyshortcuts="r" { (draft.text) }
                div id="text-problem" data-live { (remarks::lines(at(Place::Text))) }
                (no_answer(&words.composer.no_answer))
                // It stays while what is typed is checked.
                div id="sent-before" { (remarks::lines(at(Place::SentBefore))) }
                (team::canned(&opened.team, reader))
                (remarks::split(&draft.remarks, can, can.message_text().map_or("", |limit| unit_word(limit.unit, reader)), reader))
                (tray(&draft.files, at(Place::Files).collect(), reader))
                (quick::builder(draft, can, &placed, &opened.name, reader))
                (buttons::builder(draft, can, &placed, &opened.name, reader))
                @if let Some(all) = &draft.cards {
                    @let found: Vec<cards::Found<'_>> = placed.iter().filter_map(|(place, one)| match place {
                        Place::Card(at, field) => Some((*at, field.clone(), *one)),
                        _ => None,
                    }).collect();
                    @let whole: Vec<_> = at(Place::AllCards).collect();
                    (cards::builder(all, can, (&found, &whole), (&opened.name, opened.links_files), reader))
                }
                (quick::share(draft, &placed, &opened.posts, &opened.channel_name, reader))
                (remarks::notes(&draft.remarks))
            }
            @if !idle { div.tools { (tools(opened, draft, can, reader)) (sending(draft, &placed, shut, person, reader)) } }
        }
    }
}

/// What is shown to somebody who is in another conversation by the time a message or a note of this one was not taken, or
/// its answer was lost.
fn not_sent(address: &str, (refused, lost): (&str, &str), name: &str, reader: &Reader) -> Markup {
    let words = &reader.words.composer;
    html! {
        div.toast data-not-sent role="alert" hidden {
            span data-lost=(fill(lost, &[("name", name)])) { (fill(refused, &[("name", name)])) }
            span data-kept { (words.kept_as_draft) }
            a.textbtn href=(address) { (words.look_at_draft) }
            button.textbtn type="button" { (words.dismiss) }
        }
    }
}

/// What the script shows where there was no answer. Sent again, it has the same key.
fn no_answer(said: &str) -> Markup {
    html! { p.violation id="no-answer" data-tone="warn" role="alert" hidden { (icon("alert")) span { (said) } } }
}

/// In the place of the composer of a conversation that goes on in another one: the way there. What was written before that was
/// known can be read and copied.
fn continued(opened: &Opened, current: ConversationId, draft: &Draft, reader: &Reader) -> Markup {
    let words = &reader.words.composer;
    let (address, name) = (format!("/inbox/{}", opened.summary.id.public()), [("name", opened.name.as_str())]);
    html! {
        form.composer id="composer" method="post" action={ (address) "/reply" } aria-label=(fill(&reader.words.reply_to, &name)) data-conversation=(opened.summary.id.public()) {
            input type="hidden" name="key" value=(draft.key);
            div.body {
                div.closedbox.stack id="continued" {
                    p.line { (icon("archive")) strong { (fill(&words.continued_title, &name)) } }
                    p.line.wrap {
                        a.btn.small.primary href={ "/inbox/" (current.public()) } { (words.go_on_there) }
                        a.btn.small href={ (address) "?mode=note" } { (icon("lock")) (words.add_note) }
                    }
                }
                div.part.unsent {
                    label.small.muted for="text" { (words.not_sent_here) }
                    textarea id="text" name="text" rows="2" dir="auto" readonly placeholder=(words.not_sent_here) { (draft.text) }
                }
            }
        }
    }
}

/// What can be added to the message.
fn tools(opened: &Opened, draft: &Draft, can: Can<'_>, reader: &Reader) -> Markup {
    let words = reader.words;
    let toggle = |name: &str, symbol: &str, label: &str, open: bool, keys: &str| {
        html! {
            button.btn.icon.small.quiet id={ "tool-" (name) } name="change" value=(name) formnovalidate aria-pressed=(open) aria-label=(label) title=(label)
                aria-keyshortcuts=[(!keys.is_empty()).then_some(keys)] { (icon(symbol)) }
        }
    };
    html! {
        span.line.toolset role="toolbar" aria-label=(words.add_to_message) {
            @if !can.file_rules().is_empty() {
                label.btn.icon.small.quiet.needs-script title=(words.attach) {
                    (icon("clip")) span.sr { (words.attach) }
                    input.sr id="choose" type="file" multiple accept=(can.accepted());
                }
            }
            button.btn.icon.small.quiet.needs-script type="button" data-emoji-open="text" aria-haspopup="dialog" aria-label=(words.composer.emoji) title=(words.composer.emoji) { (icon("smile")) }
            @if let Some(heart) = can.heart() {
                button.btn.icon.small.quiet name="sticker" value=(heart) formnovalidate aria-label=(words.send_heart) title=(words.send_heart) { (icon("heart")) }
            }
            @if can.shares() { (toggle("share", "post", &words.composer.share, draft.share.is_some(), "")) }
            @if can.quick_replies() > 0 { (toggle("quick", "replies", &words.quick_replies, draft.quick.is_some(), "Alt+q")) }
            @if can.buttons_per_message() > 0 { (toggle("buttons", "buttons", &words.composer.buttons, draft.buttons.is_some(), "Alt+b")) }
            @if can.cards() > 0 { (toggle("cards", "cards", &words.composer.cards, draft.cards.is_some(), "Alt+c")) }
            @if !opened.team.canned.is_empty() {
                button.btn.icon.small.quiet.needs-script type="button" data-type="/" aria-label=(words.composer.saved_replies_hint) title=(words.composer.saved_replies_hint) { (icon("slash")) }
            }
            @if !can.sends(feature::VOICE) {
                @let reason = can.note(feature::VOICE).map_or_else(|| fill(&words.no_voice, &[("channel", &opened.channel_name)]), str::to_owned);
                button.btn.icon.small.quiet type="button" aria-disabled="true" aria-label=(reason) title=(reason) { (icon("micoff")) }
            }
        }
    }
}

/// The button that sends, and what stands in its way.
fn sending(draft: &Draft, placed: &[(Place, &Violation)], shut: bool, person: bool, reader: &Reader) -> Markup {
    let words = reader.words;
    // That something was sent before is nothing to fix.
    let mut wrong = placed.iter().filter(|(place, one)| one.severity == Severity::Error && *place != Place::SentBefore);
    let errors = wrong.clone().count();
    let first = wrong.next().map(|(place, _)| anchor(place));
    let label = match draft.remarks.messages.len() {
        _ if person => words.composer.send_as_person.to_string(),
        0 | 1 => words.send.to_string(),
        many => count(&words.composer.send_many, many),
    };
    html! {
        span.line.push {
            span.line id="sending" data-live {
                @if errors > 0 { a.violation href={ "#" (first.unwrap_or_default()) } { (icon("stop")) (count(&words.things_to_fix, errors)) } }
                @if shut || draft.try_anyway || placed.iter().any(|(place, _)| *place == Place::Window) {
                    label.check.small { input type="checkbox" name="anyway" value="1" checked[draft.try_anyway]; (words.try_anyway) }
                }
            }
            details.menu.up.needs-script {
                summary.btn.icon.small.quiet aria-label=(words.composer.sending_options) title=(words.composer.sending_options) { (icon("down")) }
                div { label.check { input type="checkbox" id="enter-sends"; span { (words.composer.enter_sends) br; span.small.muted { (words.composer.enter_sends_hint) } } } }
            }
            button.btn.primary id="send" aria-keyshortcuts="Control+Enter" { span id="send-label" data-live { (label) } (directed("send")) }
        }
    }
}

/// The field of a place, for a link to it.
fn anchor(place: &Place) -> String {
    match place {
        Place::Quick(at) => format!("quick-{at}"),
        Place::AllQuick => "quick".to_owned(),
        Place::Button(at, field) if field == "action" => format!("button-{at}-address"),
        Place::Button(at, _) => format!("button-{at}-title"),
        Place::AllButtons => "buttons".to_owned(),
        Place::Card(..) | Place::AllCards => "cards".to_owned(),
        Place::Files => "files".to_owned(),
        Place::Share => "share".to_owned(),
        Place::Window | Place::Whole => "window".to_owned(),
        Place::SentBefore => "sent-before".to_owned(),
        Place::Text => "text".to_owned(),
    }
}

/// The composer for a private note: yellow, with a lock, and the button says what happens.
pub(super) fn note(opened: &Opened, reader: &Reader) -> Markup {
    let (words, id) = (reader.words, opened.summary.id.public());
    html! {
        form.composer.note id="composer" method="post" action={ "/inbox/" (id) "/notes" } aria-label=(words.note_text) data-conversation={ "note-" (id) } data-no-files=(words.composer.no_files_in_notes) data-note {
            input type="hidden" name="key";
            (not_sent(&format!("/inbox/{id}?mode=note"), (&words.composer.note_not_added, &words.composer.note_lost), &opened.name, reader))
            div.modes {
                a.btn.small.quiet href={ "/inbox/" (id) } { (words.reply_mode) }
                a.btn.small.quiet href={ "/inbox/" (id) "?mode=note" } aria-current="true" { (icon("lock")) (words.note_mode) }
            }
            div.body {
                textarea id="text" name="text" rows="2" dir="auto" maxlength="5000" required aria-label=(words.note_text) placeholder=(words.note_placeholder) {}
                (no_answer(&words.composer.note_no_answer))
                (team::mentions(&opened.team, reader))
            }
            div.tools {
                span.line.toolset role="toolbar" aria-label=(words.add_to_message) {
                    button.btn.icon.small.quiet.needs-script type="button" data-emoji-open="text" aria-haspopup="dialog" aria-label=(words.composer.emoji) title=(words.composer.emoji) { (icon("smile")) }
                    @if !opened.team.users.is_empty() {
                        button.btn.icon.small.quiet.needs-script type="button" data-type="@" aria-label=(words.composer.mention) title=(words.composer.mention) { (icon("at")) }
                    }
                }
                span.line.push { (team::face(reader)) button.btn.primary id="send" aria-keyshortcuts="Control+Enter" { (words.add_note) } }
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

fn counter(draft: &Draft, can: Can<'_>, reader: &Reader) -> Markup {
    let limit = if draft.buttons.is_some() { can.button_text() } else { can.message_text() };
    let Some(limit) = limit else { return html! { span.push id="count" {} } };
    let used = length(&draft.text, limit.unit);
    let tone = (used * 100 > limit.max * EARLY).then_some("closing");
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
            div id="file-problems" data-live { (remarks::lines(problems.into_iter())) }
            div id="refused-files" {}
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
            button.btn.icon.small.quiet.needs-script type="button" data-move-file aria-label=(fill(&reader.words.composer.move_up, &[("name", name)])) { (icon("up")) }
            button.btn.icon.small.quiet type="button" data-remove-file aria-label=(fill(&reader.words.remove, &[("name", name)])) { (icon("x")) }
        }
    }
}
