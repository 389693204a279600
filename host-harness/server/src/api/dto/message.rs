//! Owns: messages in the API's JSON, in one shape for every kind and both directions.
//! Does not own: attachments (`attachment`), what is asked to be sent (`reply`).

use harness_contract as contract_types;
use harness_engine::Host;
use harness_inbox::{ConversationId, ReactionView, StepState, TimelineEntry};
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::{
    Fact, Identifiers, IdentityRule, MessageTag, activity::Activity, attachment::Attachment, contract, parsed,
};
use crate::api::{
    ids::{ContactRef, ConversationRef, Id, MessageRef, ReplyRef},
    time::Time,
};

/// A message: text, attachments or both, from either side.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Message {
    object: MessageTag,
    id: MessageRef,
    conversation_id: ConversationRef,
    /// `inbound` or `outbound`.
    direction: String,
    /// When it was written, by the platform's clock.
    created_at: Time,
    sender: Author,
    /// The platform's id.
    platform_id: Option<String>,
    /// The platform's ids of further messages that this one stands for too: one part of a reply that the platform shows as
    /// several. Each can be answered.
    further_platform_ids: Vec<String>,
    /// `live`, `standby` (another application answers at the moment), `history`, `test` or `other`.
    origin: String,
    /// Whether it arrived after a newer message.
    late: bool,
    /// Without markup.
    text: Option<String>,
    /// The same text with its formatting, where it has any.
    #[schema(value_type = Option<contract::FormattedText>)]
    formatted: Option<contract_types::FormattedText>,
    attachments: Vec<Attachment>,
    /// Set when the person tapped something instead of typing.
    #[schema(value_type = Option<contract::Answer>)]
    answer: Option<contract_types::Answer>,
    context: Context,
    reactions: Vec<Reaction>,
    /// Facts to show beside it.
    details: Vec<Fact>,
    /// Why the platform keeps its content to itself: `ephemeral`, `platform_unsupported` or `other`.
    unavailable: Option<&'static str>,
    /// A program of somebody else's wrote it, as the platform says. A bot does not answer it.
    automatic: bool,
    /// The same for messages that the platform shows as one album.
    album: Option<String>,
    /// Rises with every edit; null if it was not edited.
    revision: Option<i64>,
    /// When it was unsent. Nothing of its content is kept.
    deleted_at: Option<Time>,
    /// The reply that it belongs to, if it was sent from here.
    reply_id: Option<ReplyRef>,
    /// What was asked to be sent.
    #[schema(value_type = Option<contract::OutboundPart>)]
    part: Option<Box<RawValue>>,
    /// How far sending it has come.
    state: Option<SendState>,
    /// How sending it ended: the contract's `send-result`.
    #[schema(value_type = Option<contract::SendResult>)]
    outcome: Option<Box<RawValue>>,
}

/// Who wrote a message.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MessageSender)]
pub(crate) struct Author {
    /// `contact`; `human`, `bot` or `automation` for what was sent from here; `business` for what was sent by another
    /// application or in the platform's own app; `platform`; `unknown`.
    kind: String,
    /// Of the customer.
    contact_id: Option<ContactRef>,
    /// Of the customer.
    identifiers: Identifiers,
    /// The id that the sender was given when it was sent from here.
    sender_id: Option<String>,
    name: Option<String>,
}

/// What a message refers to.
#[derive(Debug, Default, Serialize, ToSchema)]
#[schema(as = MessageContext)]
pub(crate) struct Context {
    /// What it answers.
    reply_to: Option<ReplyTo>,
    /// How the person came here: an ad, a link, a product.
    #[schema(value_type = Option<contract::Referral>)]
    referral: Option<contract_types::Referral>,
}

/// What a message answers.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(crate) struct ReplyTo {
    /// `message`, `story` or `other`.
    kind: &'static str,
    /// The platform's id of the message or of the story.
    platform_id: Option<String>,
    /// The platform's address of the story, valid for a limited time.
    platform_url: Option<String>,
}

/// A reaction to a message.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Reaction {
    /// `contact` or `business`.
    kind: &'static str,
    /// Of the customer.
    identifiers: Identifiers,
    emoji: Option<String>,
    /// The platform's name for it.
    name: Option<String>,
}

/// How far sending has come. `ambiguous`: the platform may have accepted it; it is never sent again by itself.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SendState {
    Queued,
    Sending,
    Sent,
    Rejected,
    Ambiguous,
    Cancelled,
}

impl From<StepState> for SendState {
    fn from(state: StepState) -> Self {
        match state {
            StepState::Queued => Self::Queued,
            StepState::Sending => Self::Sending,
            StepState::Sent => Self::Sent,
            StepState::Rejected => Self::Rejected,
            StepState::Ambiguous => Self::Ambiguous,
            StepState::Cancelled => Self::Cancelled,
        }
    }
}

impl Message {
    /// With the addresses from which browsers load its files.
    pub(crate) fn signed(mut self, host: &Host) -> Self {
        self.attachments.iter_mut().for_each(|attachment| attachment.signed(host));
        self
    }

    pub(crate) fn of(row: TimelineEntry, conversation: ConversationId, rule: &IdentityRule) -> Self {
        let body: Option<contract_types::Message> = parsed(row.body.as_deref());
        let sent = row.part.is_some();
        let sender = Author::of(&row, sent, rule);
        let mut message = Self {
            object: MessageTag::Tag,
            id: row.id.into(),
            conversation_id: conversation.into(),
            direction: row.direction,
            created_at: row.at.into(),
            sender,
            platform_id: row.platform_id,
            further_platform_ids: row.further_platform_ids,
            origin: row.origin,
            late: row.late,
            text: row.text,
            formatted: None,
            attachments: Vec::new(),
            answer: None,
            context: Context::default(),
            reactions: row.reactions.into_iter().map(|reaction| Reaction::of(reaction, rule)).collect(),
            details: parsed(row.details.as_deref()).unwrap_or_default(),
            unavailable: None,
            automatic: false,
            album: None,
            revision: row.revision,
            deleted_at: row.deleted_at.map(Time::from),
            reply_id: row.reply.map(Id::from),
            part: row.part,
            state: row.state.map(SendState::from),
            outcome: row.outcome,
        };
        if let Some(body) = body {
            message.attachments = body.attachments.into_iter().map(|one| Attachment::of(one, sent)).collect();
            message.formatted = body.formatted;
            message.answer = body.answer;
            message.context = Context { reply_to: body.reply_to.map(ReplyTo::from), referral: body.referral };
            message.unavailable = body.unavailable.map(|reason| reason.name());
            message.automatic = body.automatic;
            message.album = body.album;
        }
        for file in row.media {
            let place = usize::try_from(file.attachment).ok().and_then(|at| message.attachments.get_mut(at));
            match place {
                Some(attachment) => *attachment = std::mem::take(attachment).with(file),
                None => message.attachments.push(Attachment::file(file)),
            }
        }
        message
    }
}

impl Author {
    fn of(row: &TimelineEntry, sent: bool, rule: &IdentityRule) -> Self {
        let nobody = |kind: &str| Self {
            kind: kind.to_owned(),
            contact_id: None,
            identifiers: Identifiers::default(),
            sender_id: None,
            name: None,
        };
        if sent {
            return match parsed::<contract_types::Sender>(Some(&row.author)) {
                Some(sender) => Self { sender_id: Some(sender.id), name: sender.name, ..nobody(sender.kind.name()) },
                None => nobody("business"),
            };
        }
        match parsed::<contract_types::Author>(Some(&row.author)) {
            Some(contract_types::Author::Contact) => Self {
                contact_id: row.contact_id.map(Id::from),
                identifiers: rule.identifiers(row.contact.clone()),
                name: row.name.clone(),
                ..nobody("contact")
            },
            Some(author) => nobody(author.name()),
            None => nobody("unknown"),
        }
    }
}

impl From<contract_types::ReplyTarget> for ReplyTo {
    fn from(target: contract_types::ReplyTarget) -> Self {
        match target {
            contract_types::ReplyTarget::Message(id) => {
                Self { kind: "message", platform_id: Some(id), platform_url: None }
            }
            contract_types::ReplyTarget::Story(story) => {
                Self { kind: "story", platform_id: story.id, platform_url: story.url }
            }
            contract_types::ReplyTarget::Other(_) => Self { kind: "other", ..Self::default() },
        }
    }
}

impl Reaction {
    fn of(row: ReactionView, rule: &IdentityRule) -> Self {
        let ours = row.actor == "business";
        let kind = if ours { "business" } else { "contact" };
        let identifiers = rule.identifiers(Some(row.actor).filter(|_| !ours));
        Self { kind, identifiers, emoji: row.emoji, name: row.name }
    }
}

/// An entry of a conversation: `object` says which.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum TimelineItem {
    /// `message`
    Message(Box<Message>),
    /// `activity`
    Activity(Box<Activity>),
}
