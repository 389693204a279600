//! Owns: what somebody has put into the composer, and the message that it becomes.
//! Does not own: reading its form (`form`), the composer's markup, whether the message may be sent (the channel).

use harness_contract::{
    ButtonAction, ButtonMessage, FallbackPolicy, MediaKind, MediaSource, MessageRef, OutboundMedia, OutboundMessage,
    OutboundPart, OutboundText, QuickReply, Sender, SenderKind, TextFormat, Violation,
};
use harness_engine::HostError;
use harness_inbox::Upload;

use super::{buttons::TypedButton, can::Can, cards::Cards, load::SENT_BEFORE, remarks::Remarks};
use crate::pages::reader::Reader;

/// An attached file.
pub(super) struct Attached {
    pub(super) upload: Upload,
}

impl Attached {
    pub(super) fn kind(&self) -> MediaKind {
        match self.upload.mime.as_deref().unwrap_or_default().split('/').next() {
            Some("image") => MediaKind::Image,
            Some("video") => MediaKind::Video,
            Some("audio") => MediaKind::Audio,
            _ => MediaKind::File,
        }
    }

    fn media(&self) -> OutboundMedia {
        let Upload { handle, name, mime, size, .. } = &self.upload;
        OutboundMedia {
            kind: self.kind(),
            source: MediaSource::File(harness_contract::FileRef { handle: handle.clone(), size: *size }),
            mime: mime.clone(),
            size: Some(*size),
            duration: None,
            preview: None,
            name: name.clone(),
            caption: None,
            description: None,
        }
    }
}

/// The composer's content.
#[derive(Default)]
pub(super) struct Draft {
    /// The idempotency key: the same form sent twice is one reply.
    pub(super) key: String,
    pub(super) text: String,
    pub(super) files: Vec<Attached>,
    /// The titles of quick replies, blank ones among them; `None` where the builder is not open.
    pub(super) quick: Option<Vec<String>>,
    /// Buttons under the text, blank ones among them; `None` where the builder is not open.
    pub(super) buttons: Option<Vec<TypedButton>>,
    /// `None` where the builder is not open.
    pub(super) cards: Option<Cards>,
    /// The id of a post of the business's own; `None` where nobody asked for one.
    pub(super) share: Option<String>,
    /// The message that it answers, by the platform's id.
    pub(super) reply_to: Option<String>,
    /// The comment that it answers in private.
    pub(super) comment: Option<String>,
    /// A sticker to send by itself.
    pub(super) sticker: Option<String>,
    pub(super) try_anyway: bool,
    /// Which field is to be typed into next, by its id.
    pub(super) next: Option<String>,
    /// What the channel says about it.
    pub(super) remarks: Remarks,
}

/// Where a part of the message comes from.
#[derive(Clone, Copy)]
enum Source {
    Text,
    /// The text, with buttons under it.
    Buttons,
    Files,
    Cards,
    Share,
    Sticker,
}

/// The field that a violation belongs to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Place {
    Text,
    Files,
    /// A quick reply, by its number among the typed ones.
    Quick(usize),
    AllQuick,
    /// A field of a button under the text, by the button's number in the builder.
    Button(usize, String),
    AllButtons,
    /// A card's field, by the card's number in the builder.
    Card(usize, String),
    AllCards,
    Share,
    Window,
    /// What is said about the message that was sent from here before.
    SentBefore,
    Whole,
}

impl Draft {
    /// An empty one, with a key of its own.
    pub(super) fn new() -> Result<Self, HostError> {
        let key = hex::encode(harness_engine::random::<16>()?);
        Ok(Self { key, ..Self::default() })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.parts(1).is_empty()
    }

    /// The quick replies in which something is typed, each with its number in the builder.
    pub(super) fn titles(&self) -> impl Iterator<Item = (usize, &str)> {
        let all = self.quick.iter().flatten().map(|title| title.trim()).enumerate();
        all.filter(|(_, title)| !title.is_empty())
    }

    /// The buttons in which something is typed, each with its number in the builder.
    pub(super) fn typed_buttons(&self) -> impl Iterator<Item = (usize, &TypedButton)> {
        self.buttons.iter().flatten().enumerate().filter(|(_, button)| !button.is_blank())
    }

    /// What is sent, in order, and where each comes from. Pictures go together as far as the channel sends them together.
    fn parts(&self, pictures_together: usize) -> Vec<(Source, OutboundPart)> {
        if let Some(sticker) = &self.sticker {
            return vec![(Source::Sticker, OutboundPart::Sticker(sticker.clone()))];
        }
        let mut parts: Vec<(Source, OutboundPart)> = Vec::new();
        let cards = self.cards.as_ref().map(Cards::cards).filter(|cards| !cards.is_empty());
        let share = self.share.as_deref().map(str::trim).filter(|id| !id.is_empty());
        let mut further: Vec<(Source, OutboundPart)> = Vec::new();
        further.extend(cards.map(|cards| (Source::Cards, OutboundPart::Cards(cards))));
        further.extend(share.map(|id| (Source::Share, OutboundPart::Share(id.to_owned()))));
        // Quick replies stand under the last part, and not every channel has them under cards and posts.
        if self.titles().next().is_some() {
            parts.append(&mut further);
        }
        let buttons: Vec<_> = self.typed_buttons().map(|(_, button)| button.button()).collect();
        if !buttons.is_empty() {
            let text = self.text.trim().to_owned();
            let message = ButtonMessage { text, buttons, ..ButtonMessage::default() };
            parts.push((Source::Buttons, OutboundPart::Buttons(message)));
        } else if !self.text.trim().is_empty() {
            let text = OutboundText { text: self.text.trim().to_owned(), format: TextFormat::Plain, split: true };
            parts.push((Source::Text, OutboundPart::Text(text)));
        }
        for file in &self.files {
            match parts.last_mut() {
                Some((_, OutboundPart::Media(together)))
                    if file.kind() == MediaKind::Image
                        && together.len() < pictures_together
                        && together.iter().all(|one| one.kind == MediaKind::Image) =>
                {
                    together.push(file.media());
                }
                _ => parts.push((Source::Files, OutboundPart::Media(vec![file.media()]))),
            }
        }
        parts.append(&mut further);
        parts
    }

    /// The message.
    pub(super) fn message(&self, can: Can<'_>, reader: &Reader) -> OutboundMessage {
        let parts = self.parts(can.pictures_together()).into_iter().map(|(_, part)| part).collect();
        let quick = |(_, title): (usize, &str)| QuickReply {
            title: title.to_owned(),
            action: ButtonAction::Postback(title.to_owned()),
            image_url: None,
        };
        OutboundMessage {
            quick_replies: if self.sticker.is_some() { Vec::new() } else { self.titles().map(quick).collect() },
            reply_to: self.reply_to.clone().map(|id| MessageRef { id, context: None }),
            private_reply_to: self.comment.clone(),
            try_anyway: self.try_anyway,
            ..written_by(reader, Some(can), parts)
        }
    }

    /// Where in the composer a violation belongs.
    pub(super) fn place(&self, violation: &Violation, can: Can<'_>) -> Place {
        let path = violation.path.as_str();
        if path.starts_with("context") {
            return Place::Window;
        }
        if violation.code == SENT_BEFORE {
            return Place::SentBefore;
        }
        let (list, rest) = path.split_once('[').map_or((path, ""), |(list, rest)| (list, rest));
        let (at, field) = rest.split_once(']').unwrap_or_default();
        let (at, field) = (at.parse::<usize>().ok(), field.trim_start_matches('.'));
        match (list, at) {
            ("quick_replies", Some(at)) => {
                self.titles().nth(at).map_or(Place::AllQuick, |(number, _)| Place::Quick(number))
            }
            ("quick_replies", None) => Place::AllQuick,
            ("parts", Some(at)) => match self.parts(can.pictures_together()).get(at) {
                Some((Source::Text, _)) => Place::Text,
                Some((Source::Files, _)) => Place::Files,
                Some((Source::Buttons, _)) => self.place_of_button(field),
                Some((Source::Cards, _)) => self.place_of_card(field),
                Some((Source::Share, _)) => Place::Share,
                Some((Source::Sticker, _)) => Place::Whole,
                None => Place::Text,
            },
            _ => Place::Whole,
        }
    }

    /// `buttons.text`, `buttons.buttons`, `buttons.buttons[0].title`.
    fn place_of_button(&self, path: &str) -> Place {
        let Some(path) = path.strip_prefix("buttons.buttons") else { return Place::Text };
        let found = path.strip_prefix('[').and_then(|rest| rest.split_once(']'));
        let button = found.and_then(|(at, field)| {
            let (number, _) = self.typed_buttons().nth(at.parse().ok()?)?;
            Some(Place::Button(number, field.trim_start_matches('.').to_owned()))
        });
        button.unwrap_or(Place::AllButtons)
    }

    /// `cards[2].buttons[0].title`.
    fn place_of_card(&self, path: &str) -> Place {
        let found = path.strip_prefix("cards[").and_then(|rest| rest.split_once(']'));
        let card = found.and_then(|(at, field)| {
            let number = self.cards.as_ref()?.number_of(at.parse().ok()?)?;
            Some(Place::Card(number, field.trim_start_matches('.').to_owned()))
        });
        card.unwrap_or(Place::AllCards)
    }
}

/// A message of the reader's with these parts.
pub(super) fn written_by(reader: &Reader, can: Option<Can<'_>>, parts: Vec<OutboundPart>) -> OutboundMessage {
    let named = can.is_some_and(|can| can.sends(harness_contract::names::feature::SENDER_NAME));
    OutboundMessage {
        id: String::new(),
        sender: Sender {
            kind: SenderKind::Human,
            id: reader.name.to_string(),
            name: named.then(|| reader.name.to_string()),
            picture_url: None,
        },
        parts,
        quick_replies: Vec::new(),
        reply_to: None,
        private_reply_to: None,
        fallback: FallbackPolicy::Usual,
        try_anyway: false,
        options: Vec::new(),
        native: None,
    }
}
