//! Owns: what somebody has put into the composer, as its form sends it, and the message that it becomes.
//! Does not own: the composer's markup, whether the message may be sent (the channel).

use harness_contract::{
    ButtonAction, FallbackPolicy, MediaKind, MediaSource, MessageRef, OutboundMedia, OutboundMessage, OutboundPart,
    OutboundText, QuickReply, Sender, SenderKind, TextFormat, Violation,
};
use harness_engine::{Host, HostError};
use harness_inbox::{Row, Upload};

use super::can::Can;
use crate::pages::reader::Reader;

/// The most files in one form.
const MOST_FILES: usize = 30;
/// The most quick replies that are read from one form.
const MOST_QUICK: usize = 50;

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
    pub(super) quick: Vec<String>,
    /// The message that it answers, by the platform's id.
    pub(super) reply_to: Option<String>,
    /// The comment that it answers in private.
    pub(super) comment: Option<String>,
    /// A sticker to send by itself.
    pub(super) sticker: Option<String>,
    pub(super) try_anyway: bool,
    /// What the channel found wrong with it.
    pub(super) violations: Vec<Violation>,
}

impl Draft {
    /// An empty one, with a key of its own.
    pub(super) fn new() -> Result<Self, HostError> {
        let key = hex::encode(harness_engine::random::<16>()?);
        Ok(Self { key, ..Self::default() })
    }

    /// Reads the form. Files that are gone are left out.
    pub(super) async fn of(host: &Host, fields: Vec<(String, String)>, reader: &Reader) -> Self {
        let mut draft = Self::default();
        for (name, value) in fields {
            let given = || Some(value.clone()).filter(|value| !value.is_empty());
            match name.as_str() {
                "key" => draft.key = value.chars().take(64).collect(),
                // Browsers send line breaks of forms as CR LF.
                "text" => draft.text = value.replace("\r\n", "\n"),
                "quick" if draft.quick.len() < MOST_QUICK => {
                    draft.quick.extend(given().map(|one| one.trim().to_owned()))
                }
                "reply_to" => draft.reply_to = given(),
                "comment" => draft.comment = given(),
                "sticker" => draft.sticker = given(),
                "anyway" => draft.try_anyway = true,
                "file" if draft.files.len() < MOST_FILES => {
                    let workspace = host.inbox().workspace_of(Row::Upload(value.clone())).await;
                    if workspace.is_ok_and(|workspace| workspace == Some(reader.workspace))
                        && let Ok((upload, _)) = host.upload(&value).await
                    {
                        draft.files.push(Attached { upload });
                    }
                }
                _ => {}
            }
        }
        draft.quick.retain(|title| !title.is_empty());
        draft
    }

    pub(super) fn is_empty(&self) -> bool {
        self.text.trim().is_empty() && self.files.is_empty() && self.sticker.is_none()
    }

    /// The message. Pictures go together as far as the channel sends them together.
    pub(super) fn message(&self, can: Can<'_>, reader: &Reader) -> OutboundMessage {
        let mut parts = Vec::new();
        if let Some(sticker) = &self.sticker {
            parts.push(OutboundPart::Sticker(sticker.clone()));
        } else {
            if !self.text.trim().is_empty() {
                let text = OutboundText { text: self.text.trim().to_owned(), format: TextFormat::Plain, split: true };
                parts.push(OutboundPart::Text(text));
            }
            for file in &self.files {
                match parts.last_mut() {
                    Some(OutboundPart::Media(together))
                        if file.kind() == MediaKind::Image
                            && together.len() < can.pictures_together()
                            && together.iter().all(|one| one.kind == MediaKind::Image) =>
                    {
                        together.push(file.media());
                    }
                    _ => parts.push(OutboundPart::Media(vec![file.media()])),
                }
            }
        }
        let quick = |title: &String| QuickReply {
            title: title.clone(),
            action: ButtonAction::Postback(title.clone()),
            image_url: None,
        };
        let named = can.sends(harness_contract::names::feature::SENDER_NAME);
        OutboundMessage {
            id: String::new(),
            sender: Sender {
                kind: SenderKind::Human,
                id: reader.name.to_string(),
                name: named.then(|| reader.name.to_string()),
                picture_url: None,
            },
            parts,
            quick_replies: if self.sticker.is_some() { Vec::new() } else { self.quick.iter().map(quick).collect() },
            reply_to: self.reply_to.clone().map(|id| MessageRef { id, context: None }),
            private_reply_to: self.comment.clone(),
            fallback: FallbackPolicy::Usual,
            try_anyway: self.try_anyway,
            options: Vec::new(),
            native: None,
        }
    }

    /// Where in the composer a violation belongs.
    pub(super) fn place(&self, violation: &Violation) -> Place {
        let path = violation.path.as_str();
        if path.starts_with("context") {
            return Place::Window;
        }
        if let Some(rest) = path.strip_prefix("quick_replies") {
            let at = rest.trim_start_matches('[').split(']').next().and_then(|at| at.parse().ok());
            return at.map_or(Place::Whole, Place::Quick);
        }
        let part =
            path.strip_prefix("parts[").and_then(|rest| rest.split(']').next()).and_then(|at| at.parse::<usize>().ok());
        match part {
            Some(0) if !self.text.trim().is_empty() => Place::Text,
            Some(_) if !self.files.is_empty() => Place::Files,
            Some(_) => Place::Text,
            None => Place::Whole,
        }
    }
}

/// The field that a violation belongs to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Place {
    Text,
    Files,
    Quick(usize),
    Window,
    Whole,
}
