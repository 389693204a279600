//! Attachments: all types that Meta documents, sends, or used to send.
//! What belongs here is a single object of `message.attachments`, and removing duplicates of shared posts.

use channel_sdk::json::Json;
use channel_sdk::lenient::{NOTHING, Notes};
use channel_sdk::names::share_kind;

use super::template;
use crate::limits::LIKE_HEART;
use crate::types::{
    Attachment, Card, Media, MediaKind, Retention, Share, Sticker, Story, UnavailableReason, UnknownItem,
};

/// How attachments of a type are handled.
#[derive(Clone, Copy)]
enum Shape {
    Media(MediaKind),
    Share(&'static str),
    StoryMention,
    Sticker,
    LikeHeart,
    Ephemeral,
    Template,
}

/// Meta's types. `unsupported_type` is a file that the API returns only by URL. It is not the flag `is_unsupported`,
/// which comes without content.
const TYPES: &[(&str, Shape)] = &[
    ("image", Shape::Media(MediaKind::Image)),
    ("video", Shape::Media(MediaKind::Video)),
    ("audio", Shape::Media(MediaKind::Audio)),
    ("file", Shape::Media(MediaKind::File)),
    ("media", Shape::Media(MediaKind::Other)),
    ("unsupported_type", Shape::Media(MediaKind::Other)),
    ("share", Shape::Share(share_kind::POST)),
    ("ig_post", Shape::Share(share_kind::POST)),
    ("post", Shape::Share(share_kind::POST)),
    ("ig_reel", Shape::Share(share_kind::REEL)),
    ("reel", Shape::Share(share_kind::REEL)),
    ("ig_story", Shape::Share(share_kind::STORY)),
    ("story", Shape::Share(share_kind::STORY)),
    ("fallback", Shape::Share(share_kind::LINK)),
    ("story_mention", Shape::StoryMention),
    ("sticker", Shape::Sticker),
    ("like_heart", Shape::LikeHeart),
    ("ephemeral", Shape::Ephemeral),
    ("template", Shape::Template),
];

/// All members that a payload may have.
struct Payload<'j, 'a> {
    url: Option<String>,
    title: Option<String>,
    id: Option<String>,
    sticker: Option<String>,
    products: &'j Json<'a>,
    cards: Cards<'j, 'a>,
}

/// The content of a template in an echo.
struct Cards<'j, 'a> {
    /// `generic`, with the elements inside, or the elements themselves, as in Messenger's echoes.
    generic: &'j Json<'a>,
    elements: &'j Json<'a>,
    /// `button`, with text and buttons inside, or these two themselves.
    button: &'j Json<'a>,
    text: &'j Json<'a>,
    buttons: &'j Json<'a>,
}

impl Cards<'_, '_> {
    fn is_there(&self) -> bool {
        let members = [self.generic, self.elements, self.button, self.text, self.buttons];
        members.iter().any(|member| !matches!(member, Json::Null))
    }

    fn read(self, notes: &mut Notes) -> Option<Vec<Card>> {
        let is = |value: &Json<'_>| !matches!(value, Json::Null);
        if is(self.generic) {
            return Some(template::cards(notes, self.generic));
        }
        if is(self.elements) {
            return Some(template::elements(notes, self.elements));
        }
        let [text, buttons] = match is(self.button) {
            true => notes.pick(self.button, &["text", "buttons"]),
            false => [self.text, self.buttons],
        };
        is(buttons).then(|| vec![template::button_card(notes, text, buttons)])
    }
}

/// The members of a payload. In a `fallback` some of them are outside the payload.
const PAYLOAD: &[&str; 16] = &[
    "url",
    "story_media_url",
    "title",
    "ig_post_media_id",
    "reel_video_id",
    "story_media_id",
    "media_id",
    "id",
    "sticker_id",
    "product",
    "generic",
    "elements",
    "button",
    "text",
    "buttons",
    // Redundant with the other members.
    "template_type",
];

impl<'j, 'a> Payload<'j, 'a> {
    fn read(notes: &mut Notes, value: &'j Json<'a>) -> Self {
        let [url, story_url, title, post, reel, story, media, id, sticker, products, cards @ .., _] =
            notes.pick(value, PAYLOAD);
        let [generic, elements, button, text, buttons] = cards;
        let ids = [post, reel, story, media, id];
        let id = ids.into_iter().find(|id| !matches!(id, Json::Null));
        Self {
            url: notes.text(url).or_else(|| notes.text(story_url)),
            title: notes.text(title),
            id: id.and_then(|id| notes.id(id)),
            sticker: notes.id(sticker),
            products,
            cards: Cards { generic, elements, button, text, buttons },
        }
    }
}

/// Parses one attachment and adds it to a message's.
pub(super) fn read(notes: &mut Notes, value: &Json<'_>, into: &mut Vec<Attachment>) {
    if !matches!(value, Json::Object(_)) {
        notes.unexpected();
        let reason = format!("an attachment is {}", value.kind());
        return into.push(Attachment::Unknown(UnknownItem { reason, kind: None }));
    }
    let [name, content, title, url] = notes.pick(value, &["type", "payload", "title", "url"]);
    let mut payload = match content {
        // The payload of a `fallback` may be its URL or title itself.
        Json::Text(_) => Payload::read(notes, &NOTHING),
        content => Payload::read(notes, content),
    };
    payload.title = payload.title.or_else(|| notes.text(title));
    payload.url = payload.url.or_else(|| notes.text(url));
    if let Json::Text(text) = content
        && !text.is_empty()
    {
        let is_address = ["https://", "http://"].iter().any(|scheme| text.starts_with(scheme));
        let room = if is_address { &mut payload.url } else { &mut payload.title };
        match room {
            None => *room = Some(text.to_string()),
            Some(known) if **known == **text => {}
            Some(_) => notes.unknown_member(),
        }
    }
    let name_of_type = notes.text(name);
    let name = name_of_type.unwrap_or_default();
    let shape = TYPES.iter().find(|(known, _)| *known == name).map(|(_, shape)| *shape);
    if !matches!(shape, Some(Shape::Template)) && payload.cards.is_there() {
        notes.unknown_member();
    }
    let attachment = match shape {
        Some(Shape::Media(MediaKind::Image)) if payload.sticker.is_some() => sticker(payload),
        Some(Shape::Media(kind)) => Attachment::Media(media(kind, payload.url, payload.id, payload.title)),
        Some(Shape::Share(kind)) => Attachment::Share(Share {
            kind: kind.to_owned(),
            media_id: payload.id,
            url: payload.url,
            title: payload.title,
            retention: match kind {
                // Meta's terms: story media must not be stored or cached.
                share_kind::STORY => Retention::LinkOnly,
                _ => Retention::Storable,
            },
        }),
        Some(Shape::StoryMention) => Attachment::StoryMention(Story { id: payload.id, url: payload.url }),
        Some(Shape::Sticker) => sticker(payload),
        Some(Shape::LikeHeart) => Attachment::Sticker(Sticker {
            id: LIKE_HEART.to_owned(),
            media: payload.url.map(|url| media(MediaKind::Sticker, Some(url), None, None)),
            emoji: Some("\u{2764}\u{fe0f}".to_owned()),
        }),
        Some(Shape::Ephemeral) => Attachment::Unavailable(UnavailableReason::Ephemeral),
        Some(Shape::Template) => match (payload.products, payload.cards) {
            (Json::Null, cards) => match cards.read(notes) {
                Some(cards) => Attachment::Cards(cards),
                None => unknown(notes, "a template of an unknown kind", name),
            },
            (products, _) => Attachment::Products(template::products(notes, products)),
        },
        None if name.is_empty() => unknown(notes, "an attachment without a type", name),
        None => unknown(notes, "an attachment of a type that this version does not know", name),
    };
    add(attachment, into);
}

fn media(kind: MediaKind, url: Option<String>, handle: Option<String>, caption: Option<String>) -> Media {
    Media {
        kind,
        url,
        handle,
        inline: None,
        mime: None,
        size: None,
        duration: None,
        name: None,
        caption,
        description: None,
        retention: Retention::Storable,
    }
}

fn sticker(payload: Payload<'_, '_>) -> Attachment {
    Attachment::Sticker(Sticker {
        id: payload.sticker.or(payload.id).unwrap_or_default(),
        media: payload.url.map(|url| media(MediaKind::Sticker, Some(url), None, None)),
        emoji: None,
    })
}

fn unknown(notes: &mut Notes, reason: &str, kind: String) -> Attachment {
    notes.unknown_member();
    let kind = (!kind.is_empty()).then_some(kind);
    Attachment::Unknown(UnknownItem { reason: reason.to_owned(), kind })
}

/// Adds an attachment, unless it duplicates another: since November 2025 Meta sends a shared post both as `share` and
/// as `ig_post`, and Messenger's stickers both as `image` and as `sticker`.
fn add(attachment: Attachment, into: &mut Vec<Attachment>) {
    match &attachment {
        Attachment::Share(new) if new.kind == share_kind::POST => {
            for known in into.iter_mut() {
                if let Attachment::Share(known) = known
                    && is_same_post(known, new)
                {
                    known.media_id = known.media_id.take().or_else(|| new.media_id.clone());
                    known.title = known.title.take().or_else(|| new.title.clone());
                    known.url = known.url.take().or_else(|| new.url.clone());
                    return;
                }
            }
        }
        Attachment::Sticker(new) if !new.id.is_empty() => {
            let is_known = |known: &Attachment| matches!(known, Attachment::Sticker(known) if known.id == new.id);
            if into.iter().any(is_known) {
                return;
            }
        }
        _ => {}
    }
    into.push(attachment);
}

fn is_same_post(known: &Share, new: &Share) -> bool {
    if known.kind != share_kind::POST {
        return false;
    }
    match (&known.media_id, &new.media_id) {
        (Some(known), Some(new)) => known == new,
        _ => match (&known.url, &new.url) {
            (Some(known), Some(new)) => known == new || is_same_asset(known, new),
            _ => false,
        },
    }
}

/// Whether both URLs are the same file on Meta's CDN with different signatures.
fn is_same_asset(known: &str, new: &str) -> bool {
    fn asset(url: &str) -> Option<&str> {
        url.split(['?', '&']).find_map(|part| part.strip_prefix("asset_id=")).filter(|id| !id.is_empty())
    }
    asset(known).is_some() && asset(known) == asset(new)
}
