//! Owns: what an entry of a conversation means for the automation: who wrote it, how, and what came before.
//! Does not own: deciding by it.

use harness_contract::{Attachment, Author, EventBody, Message, Referral, ReplyTarget, Sender, SenderKind};
use harness_inbox::{ActivityView, TimelineEntry};

use crate::words::{Words, language};

/// Who wrote an entry.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Writer {
    /// The customer, just now.
    Customer,
    /// A person of the team: here, in the platform's app, or with another program.
    Person,
    /// The assistant, or another program that answers.
    Bot,
    /// A rule of this host, such as a greeting. It answers nothing.
    Rule,
    /// Somebody whose entry is not acted on: history, a conversation that another application has, the account itself,
    /// a customer's bot, the platform.
    Other,
}

/// Who wrote an entry of the timeline.
pub(crate) fn writer(entry: &TimelineEntry) -> Writer {
    if entry.origin != "live" {
        return Writer::Other;
    }
    if entry.direction == "outbound" {
        return match serde_json::from_str::<Sender>(entry.author.get()) {
            Ok(Sender { kind: SenderKind::Bot, .. }) if entry.reply.is_some() => Writer::Bot,
            Ok(Sender { kind: SenderKind::Automation, .. }) if entry.reply.is_some() => Writer::Rule,
            _ => Writer::Person,
        };
    }
    let author = serde_json::from_str::<Author>(entry.author.get());
    let strange = message(entry).is_some_and(|message| message.to_self || message.automatic);
    if matches!(author, Ok(Author::Contact)) && !strange { Writer::Customer } else { Writer::Other }
}

/// The message of an entry; `None` if it was unsent.
pub(crate) fn message(entry: &TimelineEntry) -> Option<Message> {
    let body = entry.body.as_ref().filter(|_| entry.deleted_at.is_none())?;
    serde_json::from_str(body.get()).ok()
}

/// What rules look at.
#[derive(Clone, Debug)]
pub(crate) struct Facts {
    pub(crate) referral: Option<Referral>,
    pub(crate) story_reply: bool,
    pub(crate) comment: bool,
    pub(crate) ad: Option<String>,
    pub(crate) words: Words,
    text: String,
}

impl Facts {
    /// Of a customer's message; `None` for anything else.
    pub(crate) fn of_message(entry: &TimelineEntry) -> Option<Self> {
        if writer(entry) != Writer::Customer {
            return None;
        }
        let message = message(entry)?;
        let text = said(&message);
        let ad = message.referral.as_ref().and_then(|referral| referral.ad.as_ref()?.id.clone());
        Some(Self {
            ad,
            story_reply: matches!(message.reply_to, Some(ReplyTarget::Story(_))),
            comment: false,
            referral: message.referral,
            words: Words::of(&text),
            text,
        })
    }

    /// Of a comment, or of a way into the conversation; `None` for anything else.
    pub(crate) fn of_activity(activity: &ActivityView) -> Option<Self> {
        if activity.origin != "live" {
            return None;
        }
        Self::of_event(serde_json::from_str(activity.body.get()).ok()?)
    }

    /// The same of what the contract says of it.
    pub(crate) fn of_event(body: EventBody) -> Option<Self> {
        let (referral, comment) = match body {
            EventBody::Referral(referral) => (Some(referral), None),
            EventBody::Comment(comment) => (None, Some(comment)),
            _ => return None,
        };
        let ad = referral.as_ref().and_then(|referral| referral.ad.as_ref());
        let ad = ad.or(comment.as_ref().and_then(|comment| comment.ad.as_ref())).and_then(|ad| ad.id.clone());
        let text = comment.as_ref().and_then(|comment| comment.text.clone()).unwrap_or_default();
        Some(Self { referral, story_reply: false, comment: comment.is_some(), ad, words: Words::of(&text), text })
    }

    /// The language of the text.
    pub(crate) fn language(&self) -> Option<&'static str> {
        language(&self.text)
    }
}

/// What a customer wrote or tapped.
pub(crate) fn said(message: &Message) -> String {
    let tapped = message.answer.as_ref().and_then(|answer| answer.title.clone());
    let captions = message.attachments.iter().filter_map(|attachment| match attachment {
        Attachment::Media(media) => media.caption.clone(),
        _ => None,
    });
    message.text.clone().or(tapped).into_iter().chain(captions).collect::<Vec<_>>().join("\n")
}

/// The platform's time of an entry, in milliseconds since 1970.
pub(crate) fn at(entry: &TimelineEntry) -> u64 {
    u64::try_from(entry.at).unwrap_or(0)
}
