//! Owns: the quiet lines of a thread: comments, mentions, referrals, handovers, and what this version cannot show.
//! Does not own: messages.

use harness_contract::{EventBody, Referral};
use harness_inbox::{ActivityView, PublicId as _};
use maud::{Markup, html};

use super::thread::Thread;
use crate::pages::{
    parts::{avatar, icon, linked},
    times,
    words::fill,
};

/// One line.
pub(super) fn line(activity: &ActivityView, thread: &Thread<'_>) -> Markup {
    let words = thread.reader.words;
    let body = serde_json::from_str::<EventBody>(activity.body.get()).ok();
    let time = times::of_day(activity.at, thread.reader);
    let id = format!("a-{}", activity.id.public());
    if let Some(EventBody::Comment(comment)) = &body {
        let place = match comment.place.as_str() {
            "post" => &words.place_post,
            "reel" => &words.place_reel,
            "story" => &words.place_story,
            "live" => &words.place_live,
            "ad" => &words.place_ad,
            _ => &words.place_other,
        };
        return html! {
            li.item id=(id) data-from="customer" tabindex="-1" {
                (avatar(thread.name, thread.contact, "m", None))
                div.bubble dir="auto" {
                    span.quote { (icon("comment")) strong { (fill(&words.commented_without_text, &[("place", place)])) } }
                    @if let Some(text) = &comment.text { (linked(text)) }
                }
                p.outcome {
                    (time)
                    @if thread.continued_in.is_none() {
                        a.textbtn href={ "/inbox/" (thread.id.public()) "?comment=" (comment_address(&comment.id)) "#text" } data-comment=(comment.id) {
                            (words.reply_privately)
                        }
                    }
                }
            }
        };
    }
    let (symbol, text) = match &body {
        Some(EventBody::Referral(from)) => {
            return html! { li.activity id=(id) { (referral(from, thread)) ", " (time) } };
        }
        Some(EventBody::Mention(_)) => ("at", words.mentioned.to_string()),
        Some(EventBody::Handover(_)) => ("route", words.handed_over.to_string()),
        Some(EventBody::Call(_)) => ("phone", words.called.to_string()),
        Some(EventBody::OptIn(opt)) if opt.action.name() == "withdrawn" => ("stop", words.opted_out.to_string()),
        Some(EventBody::OptIn(_)) => ("ok", words.opted_in.to_string()),
        Some(EventBody::Activity(extra)) => ("info", extra.text.clone()),
        Some(EventBody::Unknown(item)) => {
            let kind = item.kind.as_deref().unwrap_or(&words.unknown_kind);
            ("question", fill(&words.unknown_item, &[("channel", thread.channel_name), ("kind", kind)]))
        }
        _ => ("info", fill(&words.something_happened, &[("kind", &activity.kind)])),
    };
    html! { li.activity id=(id) { (icon(symbol)) (text) ", " (time) } }
}

fn comment_address(id: &str) -> String {
    url::form_urlencoded::byte_serialize(id.as_bytes()).collect()
}

/// "Came from your ad “Autumn glazes”".
pub(super) fn referral(referral: &Referral, thread: &Thread<'_>) -> Markup {
    let words = thread.reader.words;
    let came = match referral.source.as_str() {
        "ad" => words.from_ad.to_string(),
        "link" => words.from_link.to_string(),
        source => fill(&words.from_elsewhere, &[("source", source)]),
    };
    let what = referral.ad.as_ref().and_then(|ad| ad.title.as_deref()).or(referral.r#ref.as_deref());
    html! { (icon("ad")) (came) @if let Some(what) = what { " " strong { "“" bdi { (what) } "”" } } }
}
