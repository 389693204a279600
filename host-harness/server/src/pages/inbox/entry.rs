//! Owns: what a stored message is, for showing it: who wrote it, its content in the contract's types, its name in a list.
//! Does not own: its markup (`bubble`).

use harness_contract::{Attachment, Author, MediaKind, Message, OutboundPart, ReplyTarget, Sender, SenderKind, Share};
use harness_inbox::{StepState, TimelineEntry};

use crate::pages::{
    reader::Reader,
    words::{Words, count, fill},
};

/// Who wrote a message, as the style sheet names them.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum From {
    Customer,
    Agent,
    Bot,
    /// Somebody of the business, in the platform's own app.
    App,
}

impl From {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Agent => "agent",
            Self::Bot => "bot",
            Self::App => "app",
        }
    }
}

/// A message, read. What another version wrote and this one cannot read is `None`.
pub(super) struct Entry<'t> {
    pub(super) row: &'t TimelineEntry,
    pub(super) message: Option<Message>,
    pub(super) part: Option<OutboundPart>,
    pub(super) from: From,
    /// The name of the person or rule that sent it from here.
    pub(super) sender: Option<String>,
}

impl<'t> Entry<'t> {
    pub(super) fn of(row: &'t TimelineEntry) -> Self {
        let message = row.body.as_ref().and_then(|body| serde_json::from_str(body.get()).ok());
        let part = row.part.as_ref().and_then(|part| serde_json::from_str(part.get()).ok());
        let (from, sender) = if row.direction == "inbound" {
            (From::Customer, None)
        } else if row.reply.is_some() {
            match serde_json::from_str::<Sender>(row.author.get()) {
                Ok(Sender { kind: SenderKind::Human, id, name, .. }) => (From::Agent, Some(name.unwrap_or(id))),
                Ok(Sender { id, name, .. }) => (From::Bot, Some(name.unwrap_or(id))),
                Err(_) => (From::Agent, None),
            }
        } else {
            match serde_json::from_str::<Author>(row.author.get()) {
                Ok(Author::Platform) => (From::Bot, None),
                _ => (From::App, None),
            }
        };
        Self { row, message, part, from, sender }
    }

    /// Whether it is an emoji of a heart as a sticker, which is drawn.
    pub(super) fn is_heart(name: &str) -> bool {
        name.contains("heart") || name.starts_with('❤')
    }

    /// What it is, in a few words and with an icon, for the list and for quotes.
    pub(super) fn preview(&self, reader: &Reader, channel: &str) -> (Option<&'static str>, String) {
        let words = reader.words;
        if self.row.deleted_at.is_some() {
            return (None, words.unsent_short.to_string());
        }
        let (icon, text) = self.described(words, channel);
        if self.from == From::Customer {
            return (icon, text);
        }
        match self.row.state {
            Some(StepState::Rejected) => (Some("stop"), fill(&words.not_sent_because, &[("why", &text)])),
            _ => (icon.or(Some("reply")), self.said_by(&text, reader)),
        }
    }

    /// A text with who wrote it: the reader, a colleague, the bot.
    fn said_by(&self, text: &str, reader: &Reader) -> String {
        let words = reader.words;
        let name = match (self.from, &self.sender) {
            (From::Bot, name) => name.as_deref().unwrap_or(&words.automatic),
            (From::Agent, Some(name)) if *name != *reader.name => name,
            _ => return fill(&words.you, &[("text", text)]),
        };
        fill(&words.they, &[("name", name), ("text", text)])
    }

    fn described(&self, words: &Words, channel: &str) -> (Option<&'static str>, String) {
        let text = self.row.text.as_deref().map(str::trim).filter(|text| !text.is_empty());
        let story =
            self.message.as_ref().is_some_and(|message| matches!(message.reply_to, Some(ReplyTarget::Story(_))));
        if story {
            let replied = &words.replied_to_story;
            return (Some("story"), text.map_or_else(|| replied.to_string(), |text| format!("{replied}: {text}")));
        }
        if let Some(text) = text {
            return (None, text.to_owned());
        }
        if let Some(message) = &self.message {
            if let Some(title) = message.answer.as_ref().and_then(|answer| answer.title.clone()) {
                return (None, title);
            }
            if let Some(found) = attachments(&message.attachments, words, channel) {
                return found;
            }
            if message.unavailable.is_some() {
                return (Some("question"), fill(&words.not_handed_over, &[("name", ""), ("channel", channel)]));
            }
        }
        match &self.part {
            Some(OutboundPart::Sticker(id)) if Self::is_heart(id) => (Some("heart"), words.heart.to_string()),
            Some(OutboundPart::Sticker(_)) => (Some("smile"), words.sticker.to_string()),
            Some(OutboundPart::Share(_)) => (Some("post"), fill(&words.shared, &[("what", &words.share_post)])),
            Some(OutboundPart::Cards(cards)) => (Some("cards"), count(&words.cards, cards.len())),
            Some(OutboundPart::Buttons(buttons)) => (Some("replies"), buttons.text.clone()),
            Some(other) => (None, other.name().to_owned()),
            None => (Some("question"), words.file.to_string()),
        }
    }
}

fn attachments(all: &[Attachment], words: &Words, channel: &str) -> Option<(Option<&'static str>, String)> {
    let images = all.iter().filter(|one| matches!(one, Attachment::Media(media) if media.kind == MediaKind::Image));
    let images = images.count();
    if images > 1 {
        return Some((Some("photo"), count(&words.photos, images)));
    }
    Some(match all.first()? {
        Attachment::Media(media) => {
            let (icon, word) = kind(media.kind, words);
            (Some(icon), media.caption.clone().unwrap_or_else(|| word.to_owned()))
        }
        Attachment::Sticker(sticker)
            if sticker.emoji.as_deref().is_some_and(Entry::is_heart) || Entry::is_heart(&sticker.id) =>
        {
            (Some("heart"), words.heart.to_string())
        }
        Attachment::Sticker(_) => (Some("smile"), words.sticker.to_string()),
        Attachment::Share(share) => (Some(share_icon(share)), shared(share, words)),
        Attachment::StoryMention(_) => (Some("story"), words.mentioned_in_story.to_string()),
        Attachment::Location(_) => (Some("route"), words.location.to_string()),
        Attachment::ContactCards(_) => (Some("person"), words.contact_card.to_string()),
        Attachment::Products(_) => (Some("tag"), words.product.to_string()),
        Attachment::Cards(cards) => (Some("cards"), count(&words.cards, cards.len())),
        Attachment::Unavailable(_) => {
            (Some("question"), fill(&words.not_handed_over, &[("name", ""), ("channel", channel)]))
        }
        Attachment::Other(extra) => (None, extra.text.clone()),
        Attachment::Unknown(item) => {
            let kind = item.kind.as_deref().unwrap_or(&words.unknown_kind);
            (Some("question"), fill(&words.unknown_item, &[("channel", channel), ("kind", kind)]))
        }
    })
}

/// The icon and the word for a kind of file.
pub(super) fn kind(kind: MediaKind, words: &Words) -> (&'static str, &str) {
    match kind {
        MediaKind::Image | MediaKind::Animation => ("photo", &words.photo),
        MediaKind::Video => ("play", &words.video),
        MediaKind::Audio => ("mic", &words.audio),
        MediaKind::Voice => ("mic", &words.voice),
        MediaKind::Sticker => ("smile", &words.sticker),
        MediaKind::File | MediaKind::Other => ("file", &words.file),
    }
}

/// The icon for something that was shared.
pub(super) fn share_icon(share: &Share) -> &'static str {
    match share.kind.as_str() {
        "reel" | "video" => "reel",
        "story" => "story",
        _ => "post",
    }
}

/// "Shared a reel".
pub(super) fn shared(share: &Share, words: &Words) -> String {
    let what = match share.kind.as_str() {
        "post" => &words.share_post,
        "reel" => &words.share_reel,
        "story" => &words.share_story,
        "video" => &words.share_video,
        "product" => &words.share_product,
        "profile" => &words.share_profile,
        "link" => &words.share_link,
        _ => &words.share_other,
    };
    fill(&words.shared, &[("what", what)])
}
