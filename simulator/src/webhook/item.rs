//! The items of `messaging[]` and `standby[]`: every kind that Meta documents or that was captured.
//! What belongs here: typed builders for one item; wrapping them in a delivery is `envelope`.

use serde::Serialize;
use serde_json::{Value, json};

use crate::webhook::attachment::Attachment;

/// `{"id": "…"}` of sender and recipient.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Party {
    /// The Instagram-scoped or business id.
    pub id: String,
}

/// One item: who, to whom, when, and what.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Item {
    /// The sender; captured `message_edit` events have none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sender: Option<Party>,
    /// The recipient; can be missing like the sender.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recipient: Option<Party>,
    /// Milliseconds since 1970.
    pub timestamp: i64,
    /// What happened.
    #[serde(flatten)]
    pub kind: Kind,
    /// Self messaging: for postbacks the flag is here, beside the kind.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub is_self: bool,
}

impl Item {
    /// An item from `sender` to `recipient`.
    pub fn new(sender: &str, recipient: &str, timestamp: i64, kind: Kind) -> Self {
        Self {
            sender: Some(Party { id: sender.to_owned() }),
            recipient: Some(Party { id: recipient.to_owned() }),
            timestamp,
            kind,
            is_self: false,
        }
    }

    /// An item without parties, as captured for `message_edit`.
    pub fn anonymous(timestamp: i64, kind: Kind) -> Self {
        Self { sender: None, recipient: None, timestamp, kind, is_self: false }
    }
}

/// What happened: serialises to the one key of the item, for example `"message": {…}`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Kind {
    /// A message, an echo, or an unsend (`is_deleted`).
    Message(MessageBody),
    /// The customer edited a message. Captures with `num_edit` 0 and no text are events that are not edits.
    MessageEdit {
        /// The edited message.
        mid: String,
        /// The new text; captures with `num_edit` 0 have none.
        #[serde(skip_serializing_if = "Option::is_none")]
        text: Option<String>,
        /// Which edit this is. A number in captures, a string in Meta's placeholder.
        num_edit: Value,
    },
    /// A reaction was set or removed.
    Reaction(Reaction),
    /// The customer saw the thread up to a message (field `messaging_seen`); there is no watermark.
    Read {
        /// The last message seen.
        mid: String,
    },
    /// A tap on a template button, an ice breaker or the persistent menu.
    Postback(Postback),
    /// An existing thread was opened through a link; opens the window.
    Referral(Referral),
    /// An opt-in (`messaging_optins`), as Meta shapes it.
    Optin(Value),
    /// Another app handed the thread over.
    PassThreadControl(ThreadControl),
    /// Another app took the thread.
    TakeThreadControl(ThreadControl),
    /// Another app asks for the thread.
    RequestThreadControl {
        /// The app that asks.
        requested_owner_app_id: String,
        /// Free text of that app.
        metadata: String,
    },
}

/// The content of `message`. Fields can be combined; those that are `None`, empty or false are left out.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct MessageBody {
    /// The message id.
    pub mid: String,
    /// The text; for a quick reply tap the button's title.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Media, shares, stories, templates.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<Attachment>,
    /// `{"payload": …}` of a quick reply tap.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quick_reply: Option<QuickReplyTap>,
    /// What the message replies to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<ReplyTo>,
    /// The ad, link or product that the message came from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub referral: Option<Referral>,
    /// The business itself sent it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub is_echo: bool,
    /// Sender and recipient are the same account.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub is_self: bool,
    /// The message was unsent; the only other field is the mid.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub is_deleted: bool,
    /// The API cannot express the message; the only other field is the mid.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub is_unsupported: bool,
    /// Echo: which app sent it; absent for messages written in the Instagram app.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub app_id: Option<String>,
    /// Echo: the metadata that the app sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metadata: Option<String>,
}

impl MessageBody {
    /// A plain text.
    pub fn text(text: impl Into<String>) -> Self {
        Self { text: Some(text.into()), ..Self::default() }
    }

    /// Attachments without text.
    pub fn attachments(attachments: impl IntoIterator<Item = Attachment>) -> Self {
        Self { attachments: attachments.into_iter().collect(), ..Self::default() }
    }

    /// The same message as a reply.
    pub fn replying_to(self, target: ReplyTo) -> Self {
        Self { reply_to: Some(target), ..self }
    }

    /// The same message with its referral.
    pub fn referred_by(self, referral: Referral) -> Self {
        Self { referral: Some(referral), ..self }
    }
}

/// The tap on a quick reply.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct QuickReplyTap {
    /// The payload that the business gave the button.
    pub payload: String,
}

/// What a message replies to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum ReplyTo {
    /// Another message.
    Message {
        /// Its mid.
        mid: String,
        /// Whether the customer replies to their own message (since December 2025).
        #[serde(skip_serializing_if = "Option::is_none")]
        is_self_reply: Option<bool>,
    },
    /// A story of the account.
    Story {
        /// The story.
        story: Story,
    },
}

impl ReplyTo {
    /// A reply to a message.
    pub fn mid(mid: impl Into<String>) -> Self {
        Self::Message { mid: mid.into(), is_self_reply: None }
    }

    /// A reply to a story.
    pub fn story(id: impl Into<String>, url: impl Into<String>) -> Self {
        Self::Story { story: Story { id: id.into(), url: url.into() } }
    }
}

/// A story of the account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Story {
    /// The story's media id.
    pub id: String,
    /// Its address on the CDN, valid for 24 hours at most.
    pub url: String,
}

/// A reaction to a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reaction {
    /// The message.
    pub mid: String,
    /// `react` or `unreact`.
    pub action: String,
    /// The name: angry, sad, wow, love, like, laugh, other. Some captures omit it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reaction: Option<String>,
    /// The emoji, which is authoritative.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub emoji: Option<String>,
}

impl Reaction {
    /// A reaction that was set; the platform names seven emoji and calls the rest `other`.
    pub fn react(mid: &str, emoji: &str) -> Self {
        let name = match emoji.trim_end_matches('\u{fe0f}') {
            "❤" => "love",
            "😂" | "😆" => "laugh",
            "😮" => "wow",
            "😢" => "sad",
            "😠" | "😡" => "angry",
            "👍" => "like",
            _ => "other",
        };
        Self {
            mid: mid.to_owned(),
            action: "react".to_owned(),
            reaction: Some(name.to_owned()),
            emoji: Some(emoji.to_owned()),
        }
    }

    /// A reaction that was removed: mid and action only.
    pub fn unreact(mid: &str) -> Self {
        Self { mid: mid.to_owned(), action: "unreact".to_owned(), reaction: None, emoji: None }
    }
}

/// A tap on a button.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Postback {
    /// The tap's own id; absent in old and ice breaker samples.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mid: Option<String>,
    /// The button's title.
    pub title: String,
    /// The button's payload.
    pub payload: String,
    /// The link that opened the thread, if one did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub referral: Option<Referral>,
}

/// Where a customer came from.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Referral(pub Value);

impl Referral {
    /// An ad that opens a thread ("click to direct").
    pub fn ad(reference: &str, ad_id: &str, ad_title: &str) -> Self {
        Self(json!({
            "ref": reference, "ad_id": ad_id, "source": "ADS", "type": "OPEN_THREAD",
            "ads_context_data": {"ad_title": ad_title, "photo_url": "https://scontent.cdninstagram.com/ad.jpg"},
        }))
    }

    /// An `ig.me` link.
    pub fn link(reference: &str) -> Self {
        Self(json!({"ref": reference, "source": "SHORTLINKS", "type": "OPEN_THREAD"}))
    }

    /// A product of the account's shop.
    pub fn product(id: &str) -> Self {
        Self(json!({"product": {"id": id}}))
    }

    pub(crate) fn is_ad(&self) -> bool {
        self.0.get("source").is_some_and(|source| source == "ADS")
    }
}

/// A change of the thread's owner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ThreadControl {
    /// The app that had it.
    pub previous_owner_app_id: String,
    /// The app that has it now.
    pub new_owner_app_id: String,
    /// Free text of the app that acted.
    pub metadata: String,
}
