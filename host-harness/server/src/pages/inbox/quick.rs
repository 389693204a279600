//! Owns: the builder of quick replies and the field for a post of the business's own.
//! Does not own: whether they may be sent (the channel), the rest of the composer.

use harness_contract::{
    Violation,
    names::{feature, text_field},
};
use maud::{Markup, html};

use super::{
    builders::{self, counter},
    can::Can,
    draft::{Draft, Place},
    remarks,
};
use crate::pages::{
    parts::icon,
    reader::Reader,
    words::{count, fill},
};

/// The builder, if it is open.
pub(super) fn builder(
    draft: &Draft,
    can: Can<'_>,
    problems: &[(Place, &Violation)],
    name: &str,
    reader: &Reader,
) -> Markup {
    let Some(quick) = &draft.quick else { return html! {} };
    let words = &reader.words.composer;
    let limit = can.limit(text_field::QUICK_REPLY_TITLE);
    let hidden_on = can.not_shown_on(feature::QUICK_REPLIES);
    let at = |wanted: &Place| builders::wrong(problems, |place| place == wanted);
    html! {
        div.part.field id="quick" {
            (builders::head(&reader.words.quick_replies, (quick.len(), can.quick_replies()), hidden_on, "quick", reader))
            div.builder {
                div.builder-rows {
                    @for (number, title) in quick.iter().enumerate() {
                        @let named = count(&words.quick_reply, number + 1);
                        @let wrong = at(&Place::Quick(number));
                        div {
                            div.line {
                                @if number > 0 {
                                    button.btn.icon.small.quiet name="change" value={ "quick.up." (number) } formnovalidate
                                        aria-label=(fill(&words.move_up, &[("name", &named)])) { (icon("up")) }
                                }
                                input.input.small id={ "quick-" (number) } name="quick" value=(title) dir="auto" aria-label=(named) autocomplete="off"
                                    aria-invalid=[(!wrong.is_empty()).then_some("true")] aria-describedby={ "quick-" (number) "-problem" }
                                    data-max=[limit.map(|limit| limit.max)] data-unit=[limit.map(|limit| limit.unit.name())];
                                (counter(title, limit))
                                button.btn.icon.small.quiet name="change" value={ "quick.remove." (number) } formnovalidate
                                    aria-label=(fill(&reader.words.remove, &[("name", &named)])) { (icon("x")) }
                            }
                            div id={ "quick-" (number) "-problem" } data-live { (remarks::lines(wrong.into_iter())) }
                        }
                    }
                    @if quick.len() < can.quick_replies() {
                        p { button.btn.small.quiet id="add-quick" name="change" value="quick.add" formnovalidate { (icon("plus")) (words.add_quick_reply) } }
                    }
                    div id="quick-problem" data-live { (remarks::lines(remarks::unsaid(at(&Place::AllQuick).into_iter(), hidden_on))) }
                }
                div.preview-phone aria-hidden="true" {
                    p.muted { (fill(&words.as_seen, &[("name", name)])) }
                    div id="quick-preview" data-live {
                        @if !draft.text.trim().is_empty() { p.bubble dir="auto" { (draft.text.trim()) } }
                        ul.answers { @for (_, title) in draft.titles() { li dir="auto" { (title) } } }
                    }
                }
            }
        }
    }
}

/// The field for a post of the business's own, if somebody asked for it. `known`: posts that are known here.
pub(super) fn share(
    draft: &Draft,
    problems: &[(Place, &Violation)],
    known: &[(String, String)],
    channel: &str,
    reader: &Reader,
) -> Markup {
    let Some(id) = &draft.share else { return html! {} };
    let words = &reader.words.composer;
    let wrong = builders::wrong(problems, |place| *place == Place::Share);
    html! {
        div.part.field id="sharing" {
            div.line {
                label for="share" { (words.share_id) }
                button.btn.icon.small.quiet.push name="change" value="share" formnovalidate aria-label=(fill(&reader.words.remove, &[("name", &words.share_id)])) { (icon("x")) }
            }
            input.input id="share" name="share" value=(id) autocomplete="off" dir="ltr" list=[(!known.is_empty()).then_some("known-posts")]
                aria-invalid=[(!wrong.is_empty()).then_some("true")] aria-describedby="share-hint share-problem";
            @if !known.is_empty() {
                datalist id="known-posts" { @for (id, said) in known { option value=(id) { (said) } } }
            }
            p.hint id="share-hint" { (fill(&words.share_hint, &[("channel", channel)])) }
            div id="share-problem" data-live { (remarks::lines(wrong.into_iter())) }
        }
    }
}
