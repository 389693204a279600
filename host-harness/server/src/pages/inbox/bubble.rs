//! Owns: the content of one message: text, files, shares, stories, stickers, cards.
//! Does not own: the line around it and its outcome (`thread`, `outcome`).

use harness_contract::{Attachment, Card, MediaKind, Message, OutboundPart, ReplyTarget, Share, Story};
use harness_inbox::{MediaState, MediaView, PublicId as _};
use maud::{Markup, html};

use super::{
    entry::{Entry, kind, share_icon, shared},
    files::PDF,
    thread::Thread,
};
use crate::pages::{
    parts::{icon, linked, size},
    times,
    words::{count, fill},
};

/// The bubbles of a message.
pub(super) fn content(entry: &Entry<'_>, thread: &Thread<'_>) -> Markup {
    let (words, row) = (thread.reader.words, entry.row);
    if let Some(at) = row.deleted_at {
        let time = times::clock(at, thread.reader);
        let unsent = if row.direction == "inbound" {
            fill(&words.unsent, &[("name", thread.name), ("time", &time)])
        } else {
            fill(&words.unsent_own, &[("time", &time)])
        };
        return html! { div.bubble.gone { (unsent) } };
    }
    let message = entry.message.as_ref();
    let text = row.text.as_deref().filter(|text| !text.is_empty());
    let text = text.or_else(|| message.and_then(|message| message.answer.as_ref()?.title.as_deref()));
    let quote = message.and_then(|message| message.reply_to.as_ref()).map(|target| quote(target, entry, thread));
    html! {
        @if text.is_some() || quote.is_some() {
            div.bubble dir="auto" { @if let Some(quote) = quote { (quote) } @if let Some(text) = text { (linked(text)) } }
        }
        @if let Some(message) = message {
            (files(message, entry, thread))
            @for attachment in &message.attachments { (other(attachment, entry, thread)) }
            @if let Some(reason) = message.unavailable.as_ref().filter(|_| message.attachments.is_empty()) { (unavailable(reason.name() == "ephemeral", thread)) }
        }
        @match &entry.part {
            Some(OutboundPart::Sticker(id)) if Entry::is_heart(id) => (heart(&words.heart)),
            Some(OutboundPart::Sticker(id)) => div.bubble { (words.sticker) ": " (id) },
            Some(OutboundPart::Share(_)) => div.bubble.file { (icon("post")) span { (fill(&words.shared, &[("what", &words.share_post)])) } },
            Some(OutboundPart::Buttons(buttons)) => {
                @if text.is_none() { div.bubble dir="auto" { (linked(&buttons.text)) } }
                ul.answers { @for button in &buttons.buttons { li { (button.title) } } }
            },
            _ => {},
        }
        @if text.is_none() && message.is_none() && entry.part.is_none() { div.bubble.gone { (words.media_refused) } }
    }
}

/// What a message answers.
fn quote(target: &ReplyTarget, entry: &Entry<'_>, thread: &Thread<'_>) -> Markup {
    let words = thread.reader.words;
    match target {
        ReplyTarget::Message(id) => {
            let text = thread.text_of(id);
            html! { span.quote { (icon("reply")) span.cut { (text) } } }
        }
        ReplyTarget::Story(story) => html! {
            span.quote {
                (story_picture(story, entry, thread))
                span { strong { (words.replied_to_story) } @if !has_story(entry) { br; (story_gone(thread)) } }
            }
        },
        ReplyTarget::Other(what) => html! { span.quote { (what) } },
    }
}

/// The story's file of a message, if it is here.
fn stored_story<'e>(entry: &'e Entry<'_>) -> Option<&'e MediaView> {
    entry.row.media.iter().find(|media| media.kind == "story" && media.state == MediaState::Stored)
}

fn has_story(entry: &Entry<'_>) -> bool {
    stored_story(entry).is_some()
}

fn story_gone(thread: &Thread<'_>) -> String {
    fill(&thread.reader.words.story_kept_away, &[("channel", thread.channel_name)])
}

fn story_picture(_: &Story, entry: &Entry<'_>, thread: &Thread<'_>) -> Markup {
    match stored_story(entry) {
        Some(media) => html! { span.thumb.tall { img src=(thread.media_address(media)) alt="" loading="lazy"; } },
        None => html! { span.thumb.tall.expired { (icon("story")) } },
    }
}

fn heart(label: &str) -> Markup {
    html! { div.bubble.bare { svg class="i heart" viewBox="0 0 24 24" width="44" height="44" role="img" aria-label=(label) {
        path d="M12 20S4 15 4 9.3A4.3 4.3 0 0 1 12 7a4.3 4.3 0 0 1 8 2.3C20 15 12 20 12 20z" {}
    } } }
}

/// The files of a message. Pictures stand side by side.
fn files(message: &Message, entry: &Entry<'_>, thread: &Thread<'_>) -> Markup {
    let of_kind = |wanted: fn(MediaKind) -> bool| {
        message.attachments.iter().enumerate().filter_map(move |(at, attachment)| match attachment {
            Attachment::Media(media) if wanted(media.kind) => Some((at, media)),
            _ => None,
        })
    };
    let pictures: Vec<_> = of_kind(|kind| matches!(kind, MediaKind::Image | MediaKind::Animation)).collect();
    html! {
        @if !pictures.is_empty() {
            figure.media {
                @for (at, media) in &pictures { (picture(media, thread.file(entry, *at), pictures.len(), thread)) }
            }
        }
        @for (at, media) in of_kind(|kind| !matches!(kind, MediaKind::Image | MediaKind::Animation)) {
            (file(media, thread.file(entry, at), thread))
        }
    }
}

/// A file of a message: where it can be loaded from here, or why not.
pub(super) enum Source {
    Here { address: String, mime: String, size: Option<u64> },
    Not(String),
}

fn picture(media: &harness_contract::Media, source: Source, all: usize, thread: &Thread<'_>) -> Markup {
    let words = thread.reader.words;
    match source {
        Source::Here { address, .. } => html! {
            a href=(address) data-viewer aria-label=(words.open_photo) {
                img src=(address) alt=(media.description.as_deref().unwrap_or(&words.photo)) loading="lazy"
                    width="176" height="176" data-of=(all);
            }
        },
        Source::Not(reason) => {
            html! { span.missing { (icon("photo")) span { (words.photo) br; span.muted { (reason) } } } }
        }
    }
}

fn file(media: &harness_contract::Media, source: Source, thread: &Thread<'_>) -> Markup {
    let words = thread.reader.words;
    let (symbol, word) = kind(media.kind, words);
    let name = media.name.as_deref().unwrap_or(word);
    match source {
        Source::Not(reason) => html! {
            div.bubble.file { (icon(symbol)) span { strong { (name) } br; span.muted { (reason) } } }
        },
        Source::Here { address, mime, size: bytes } => match media.kind {
            MediaKind::Video => {
                html! { video.bubble.bare.video controls preload="metadata" src=(address) aria-label=(name) {} }
            }
            MediaKind::Audio | MediaKind::Voice => html! {
                div.bubble.audio { audio controls preload="metadata" src=(address) aria-label=(name) {} }
            },
            MediaKind::Sticker => html! { img.sticker src=(address) alt=(words.sticker) loading="lazy"; },
            _ => html! {
                a.bubble.file href=(address) target="_blank" rel="noopener" download=[media.name.as_deref().filter(|_| !mime.starts_with("image/"))] {
                    (icon(symbol))
                    span {
                        strong { bdi { (name) } } br;
                        span.muted { (mime.rsplit('/').next().unwrap_or_default().to_uppercase()) @if let Some(bytes) = bytes { ", " (size(bytes)) } }
                    }
                }
                // It is loaded once somebody opens it. What is sent from here is no message's file yet, and is downloaded.
                @if mime == PDF && address.starts_with("/inbox/media/") {
                    details.pdf {
                        summary.btn.small.quiet { (icon("eye")) (words.preview) span.sr { ": " (name) } }
                        iframe data-src={ (address) "/preview" } title=(name) {}
                        p.small { a href={ (address) "/preview" } target="_blank" rel="noopener" { (words.open_alone) } }
                    }
                }
            },
        },
    }
}

/// Everything that came with a message and is not a file.
fn other(attachment: &Attachment, entry: &Entry<'_>, thread: &Thread<'_>) -> Markup {
    let words = thread.reader.words;
    match attachment {
        Attachment::Media(_) => html! {},
        Attachment::Sticker(sticker) => match (&sticker.media, sticker.emoji.as_deref()) {
            (_, emoji) if emoji.is_some_and(Entry::is_heart) || Entry::is_heart(&sticker.id) => heart(&words.heart),
            (_, Some(emoji)) => html! { div.bubble.bare.emoji { (emoji) } },
            _ => html! { div.bubble { (words.sticker) } },
        },
        Attachment::Share(share) => card_of(share, entry, thread),
        Attachment::StoryMention(story) => html! {
            article.share {
                (story_picture(story, entry, thread))
                div { p.who { (icon("story")) (words.mentioned_in_story) } @if !has_story(entry) { p.muted { (story_gone(thread)) } } }
            }
        },
        Attachment::Location(place) => html! {
            div.bubble.file { (icon("route")) span {
                strong { (place.name.as_deref().unwrap_or(&words.location)) } br;
                span.muted.num { @if let Some(address) = &place.address { (address) br; } (place.latitude) ", " (place.longitude) }
            } }
        },
        Attachment::ContactCards(cards) => html! {
            @for card in cards {
                div.bubble.file { (icon("person")) span {
                    strong { (card.name) }
                    @for line in card.phones.iter().chain(&card.emails) { br; (line) }
                } }
            }
        },
        Attachment::Products(products) => html! {
            @for product in products {
                div.bubble.file { (icon("tag")) span {
                    strong { (product.title.as_deref().unwrap_or(&words.product)) }
                    @if let Some(price) = &product.price { br; span.muted { (price) } }
                } }
            }
        },
        Attachment::Cards(all) => cards(all, thread),
        Attachment::Unavailable(reason) => unavailable(reason.name() == "ephemeral", thread),
        Attachment::Other(extra) => html! {
            div.bubble dir="auto" {
                (extra.text)
                @if !extra.details.is_empty() {
                    dl.facts { @for detail in &extra.details { dt { (detail.label) } dd { (detail.value) } } }
                }
            }
        },
        Attachment::Unknown(item) => html! {
            div.bubble.gone {
                (fill(&words.unknown_item, &[("channel", thread.channel_name), ("kind", item.kind.as_deref().unwrap_or(&words.unknown_kind))]))
                // Only whoever may look at it is shown the way.
                @if thread.reader.is_of_host {
                    " " a href={ "/inspector/messages/" (entry.row.id.public()) } { (words.plugins.show_delivery) }
                }
            }
        },
    }
}

fn unavailable(disappears: bool, thread: &Thread<'_>) -> Markup {
    let words = thread.reader.words;
    let sentence = if disappears { &words.ephemeral } else { &words.not_handed_over };
    html! { div.bubble.gone { (fill(sentence, &[("name", thread.name), ("channel", thread.channel_name)])) } }
}

/// A shared post, reel or story.
fn card_of(share: &Share, entry: &Entry<'_>, thread: &Thread<'_>) -> Markup {
    let words = thread.reader.words;
    let stored = entry.row.media.iter().find(|media| media.kind == "share" && media.state == MediaState::Stored);
    let picture = stored.filter(|media| media.mime.as_deref().is_some_and(|mime| mime.starts_with("image/")));
    // An address of the platform's, and only if it is one.
    let there = share.url.as_deref().filter(|url| url.starts_with("https://"));
    html! {
        article.share {
            @match picture {
                Some(media) => span.thumb { img src=(thread.media_address(media)) alt="" loading="lazy"; },
                None => span.thumb.expired { (icon(share_icon(share))) },
            }
            div {
                p.who { (icon(share_icon(share))) (shared(share, words)) }
                @if let Some(title) = &share.title { p { strong dir="auto" { (title) } } }
                @if let Some(there) = there {
                    a href=(there) target="_blank" rel="noopener noreferrer" { (fill(&words.open_there, &[("channel", thread.channel_name)])) }
                }
            }
        }
    }
}

/// A carousel.
fn cards(all: &[Card], thread: &Thread<'_>) -> Markup {
    html! {
        ul.cards aria-label=(count(&thread.reader.words.cards, all.len())) tabindex="0" {
            @for card in all {
                li {
                    div { strong { (card.title) } @if let Some(subtitle) = &card.subtitle { p.muted { (subtitle) } } }
                    @for button in &card.buttons { span.cta { (button.title) } }
                }
            }
        }
    }
}
