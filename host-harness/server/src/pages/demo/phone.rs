//! Owns: the customer's phone as it is drawn: its messages, what can be tapped there, its entry.
//! Does not own: what happens on it (`crate::phone`), the controls beside it.

use maud::{Markup, html};

use crate::{
    pages::{
        parts::{avatar, directed, icon, linked},
        reader::Reader,
        times,
        words::{Words, fill},
    },
    phone::{PhoneMessage, PhoneQuote, PhoneThing, PhoneView},
};

/// After a pause of this length the time stands between two messages, in milliseconds.
const PAUSE: i64 = 30 * 60_000;

/// A form that acts on the phone.
pub(super) fn act(step: usize) -> String {
    format!("/demo/act?step={step}")
}

/// The phone.
pub(super) fn phone(view: &PhoneView, step: usize, reader: &Reader) -> Markup {
    let words = reader.words;
    let last = view.messages.len().saturating_sub(1);
    let newest_own = view.messages.last().is_some_and(|message| message.own);
    html! {
        div.phone id="phone" data-web[view.web] {
            header {
                (directed("back")) (avatar(&view.business, &view.business, "m", None))
                div.cut { strong.cut { bdi { (view.business) } } p.muted.cut { (if view.web { &words.visit.web_client } else { &words.visit.business_chat }) } }
                span.push.muted.num { (times::clock(view.now, reader)) }
            }
            div.scroll.log tabindex="0" role="log" aria-label=(words.visit.messages_on_phone) {
                ol {
                    @for (at, message) in view.messages.iter().enumerate() {
                        @let before = at.checked_sub(1).and_then(|at| view.messages.get(at));
                        @if before.is_none_or(|before| message.at - before.at > PAUSE) {
                            li.pause { (times::moment(message.at, view.now, reader)) }
                        }
                        (bubble(message, at == last, view, step, words))
                    }
                    @if view.typing { li.item.plain data-from="customer" { div.bubble.typing { i {} i {} i {} span.sr { (words.visit.typing_there) } } } }
                    @if view.seen && newest_own { li.item.plain data-from="agent" { p.outcome { (words.visit.seen) } } }
                }
            }
            form.entry method="post" action=(act(step)) data-phone {
                // The first button is the one that Enter presses.
                button.sr name="do" value="text" tabindex="-1" aria-hidden="true" {}
                button.btn.icon.small.quiet name="do" value="photo" formnovalidate aria-label=(words.visit.send_photo) { (icon("photo")) }
                label.sr for="phone-text" { (words.visit.write_as_customer) }
                input.input id="phone-text" name="text" autocomplete="off" placeholder=(words.message) maxlength="1000" dir="auto";
                button.btn.icon.small.quiet name="do" value="text" aria-label=(words.send) { (directed("send")) }
                button.btn.icon.small.quiet name="do" value="voice" formnovalidate aria-label=(words.visit.send_voice) { (icon("mic")) }
                button.btn.icon.small.quiet name="do" value="heart" formnovalidate aria-label=(words.send_heart) { (icon("heart")) }
            }
        }
    }
}

fn bubble(message: &PhoneMessage, newest: bool, view: &PhoneView, step: usize, words: &Words) -> Markup {
    let hidden = view.web && (!message.cards.is_empty() || (newest && !message.quick_replies.is_empty()));
    html! {
        li.item.plain data-from=(if message.own { "agent" } else { "customer" }) {
            @if message.gone { div.bubble.gone { (words.unsent_short) } } @else {
                @if message.text.is_some() || message.quote.is_some() {
                    div.bubble dir="auto" {
                        @if let Some(quote) = &message.quote { (about(quote, words)) }
                        @if let Some(text) = &message.text { (linked(text)) }
                    }
                }
                @for (at, thing) in message.things.iter().enumerate() { (shown(thing, &message.id, at, words)) }
                @if !message.cards.is_empty() && !view.web {
                    ul.cards tabindex="0" {
                        @for (title, subtitle, buttons) in &message.cards {
                            li { div { strong { (title) } p.muted { (subtitle) } } @for (title, payload) in buttons { (tap("button", title, payload, "cta", step)) } }
                        }
                    }
                }
                @if newest && !view.web && !message.quick_replies.is_empty() {
                    ul.answers { @for (title, payload) in &message.quick_replies { li { (tap("quick", title, payload, "textbtn", step)) } } }
                }
                @if hidden { p.outcome { (icon("info")) (words.visit.not_on_web) } }
                @for reaction in &message.reactions { span.react { (reaction) } }
                @if message.edited { p.outcome { (words.edited) } }
            }
        }
    }
}

fn about(quote: &PhoneQuote, words: &Words) -> Markup {
    match quote {
        PhoneQuote::Comment => html! { span.quote { (icon("comment")) (words.visit.your_comment) } },
        PhoneQuote::ToComment => html! { span.quote { (icon("comment")) (words.visit.about_your_comment) } },
        PhoneQuote::Story => html! { span.quote { (icon("story")) (words.visit.you_replied_to_story) } },
        PhoneQuote::Message(text) => html! { span.quote { (icon("reply")) span.cut { (text) } } },
    }
}

/// Something that can be tapped.
fn tap(what: &str, title: &str, payload: &str, class: &str, step: usize) -> Markup {
    html! {
        form.inline method="post" action=(act(step)) data-phone {
            input type="hidden" name="title" value=(title);
            input type="hidden" name="payload" value=(payload);
            button class=(class) name="do" value=(what) { (title) }
        }
    }
}

/// A photo, a sound, something shared.
fn shown(thing: &PhoneThing, message: &str, at: usize, words: &Words) -> Markup {
    let (symbol, word) = match thing.kind.as_str() {
        "image" => ("photo", words.photo.as_ref()),
        "video" => ("play", words.video.as_ref()),
        "audio" => ("mic", words.voice.as_ref()),
        "file" => ("file", words.file.as_ref()),
        "like_heart" => ("heart", words.heart.as_ref()),
        "share" | "ig_post" => ("post", words.visit.post.as_ref()),
        "ig_reel" | "reel" => ("reel", words.visit.reel.as_ref()),
        "ig_story" | "story" | "story_mention" => ("story", words.visit.story.as_ref()),
        kind => ("info", kind),
    };
    let message: String = url::form_urlencoded::byte_serialize(message.as_bytes()).collect();
    let address = thing.has_file.then(|| format!("/demo/files/{message}/{at}"));
    match (symbol, address) {
        ("heart", _) => {
            html! { div.bubble.bare { svg class="i heart" viewBox="0 0 24 24" role="img" aria-label=(word) {
                path d="M12 20S4 15 4 9.3A4.3 4.3 0 0 1 12 7a4.3 4.3 0 0 1 8 2.3C20 15 12 20 12 20z" {}
            } } }
        }
        ("photo", Some(address)) => {
            html! { figure.media { img src=(address) alt=(word) loading="lazy" width="160" height="160"; } }
        }
        ("mic", Some(address)) => {
            html! { div.bubble.audio { audio controls preload="none" src=(address) aria-label=(word) {} } }
        }
        (_, address) => html! {
            article.share {
                @match address {
                    Some(address) if symbol != "play" && symbol != "file" => span.thumb { img src=(address) alt="" loading="lazy"; },
                    _ => span.thumb.expired { (icon(symbol)) },
                }
                div { p.who { (icon(symbol)) (word) } @if !thing.title.is_empty() { strong dir="auto" { (thing.title) } } }
            }
        },
    }
}

/// "(23 h ahead)", where the clock was moved.
pub(super) fn ahead(view: &PhoneView, words: &Words) -> Option<String> {
    (view.ahead > 60_000).then(|| fill(&words.visit.hours_ahead, &[("n", &(view.ahead / 3_600_000).to_string())]))
}
