//! A customer of an account: a handle whose methods do what people do in Instagram's app.
//! What belongs here: each action's effect on the thread and the webhook that follows from it.

mod actions;
mod elsewhere;

use std::sync::Arc;

use serde::Serialize;
use serde_json::{Value, json};

use crate::core::Core;
use crate::state::thread::{Author, CustomerProfile, Thread, ThreadMessage};
use crate::webhook::hold::{Outgoing, Part};
use crate::webhook::item::{Item, Kind, MessageBody, ReplyTo};
use crate::webhook::sender::Delivery;

/// The result of a customer's action.
#[derive(Debug, Clone, Serialize)]
pub struct Sent {
    /// The id of the message (or of the message that was reacted to, edited, unsent or seen);
    /// for comments the comment's id.
    pub id: String,
    /// The event's `timestamp`, milliseconds.
    pub at_ms: i64,
    /// The delivery and the receiver's answer.
    pub delivery: Delivery,
}

impl Sent {
    /// The mid, under the name of webhooks.
    pub fn mid(&self) -> &str {
        &self.id
    }

    /// The bytes that were posted.
    pub fn body(&self) -> &[u8] {
        &self.delivery.body
    }

    /// The receiver's status; `None` without an answer or URL, or while webhooks are held.
    pub fn status(&self) -> Option<u16> {
        self.delivery.status()
    }
}

/// A customer in their thread with one account.
#[derive(Clone)]
pub struct Customer {
    core: Arc<Core>,
    ig_id: String,
    igsid: String,
}

impl Customer {
    pub(crate) fn new(core: Arc<Core>, ig_id: String, igsid: String) -> Self {
        core.with_thread(&ig_id, &igsid, |_| ());
        Self { core, ig_id, igsid }
    }

    /// The customer's Instagram-scoped id.
    pub fn igsid(&self) -> &str {
        &self.igsid
    }

    /// The thread's messages as the customer sees them, oldest first.
    pub fn transcript(&self) -> Vec<ThreadMessage> {
        self.thread(|thread| thread.messages.clone())
    }

    /// The newest message from the business.
    pub fn last_reply(&self) -> Option<ThreadMessage> {
        self.transcript().into_iter().rev().find(|message| message.from == Author::Business)
    }

    /// Whether "typing" is shown to the customer.
    pub fn sees_typing(&self) -> bool {
        self.thread(|thread| thread.business_is_typing)
    }

    /// When the business marked the thread as seen, milliseconds.
    pub fn seen_by_business_at(&self) -> Option<i64> {
        self.thread(|thread| thread.business_saw_ms)
    }

    /// Changes the profile that `GET /{IGSID}` returns.
    pub fn set_profile(&self, change: impl FnOnce(&mut CustomerProfile)) {
        self.thread(|thread| change(&mut thread.profile));
    }

    /// Blocks the business: sends get 551/1545041, the profile 230.
    pub fn block(&self) {
        self.thread(|thread| thread.blocked = true);
    }

    /// Unblocks the business.
    pub fn unblock(&self) {
        self.thread(|thread| thread.blocked = false);
    }

    /// Makes another app the thread's owner (`Some`), or no other (`None`). Events of a thread with another owner
    /// arrive in `standby`, and sends get 100/2534037.
    pub fn set_thread_owner(&self, app_id: Option<&str>) {
        self.thread(|thread| thread.owner = app_id.map(str::to_owned));
    }

    /// Sends any message body, with a new mid if it has none. The other message methods use this.
    pub async fn message(&self, mut body: MessageBody) -> Sent {
        let micros = self.core.clock.now_micros();
        let from_ad = body.referral.as_ref().is_some_and(|referral| referral.is_ad());
        let mid = self.thread(|thread| {
            if body.mid.is_empty() {
                body.mid = self.core.ids.mid(&self.ig_id, &thread.fbid, micros);
            }
            if from_ad {
                thread.ad_opened_ms = Some(micros / 1000);
            }
            interact(thread, micros / 1000);
            thread.messages.push(shown(&body, micros / 1000));
            body.mid.clone()
        });
        self.event(Kind::Message(body), mid, micros / 1000).await
    }

    /// Sends any event of the customer without changing the thread: for repeats, and for events without a cause.
    pub async fn raw_event(&self, kind: Kind) -> Sent {
        let id = match &kind {
            Kind::Message(body) => body.mid.clone(),
            Kind::MessageEdit { mid, .. } | Kind::Read { mid } => mid.clone(),
            Kind::Reaction(reaction) => reaction.mid.clone(),
            Kind::Postback(postback) => postback.mid.clone().unwrap_or_default(),
            _ => String::new(),
        };
        self.event(kind, id, self.core.clock.now_ms()).await
    }

    /// Sends any item for this customer's account, even without a sender.
    pub async fn raw_item(&self, item: Item) -> Sent {
        let at_ms = item.timestamp;
        let delivery = self.emit(Part::Messaging(item)).await;
        Sent { id: String::new(), at_ms, delivery }
    }

    async fn event(&self, kind: Kind, id: String, at_ms: i64) -> Sent {
        let item = Item::new(&self.igsid, &self.ig_id, at_ms, kind);
        let standby = self.thread(|thread| thread.owner.is_some());
        let part = if standby { Part::Standby(item) } else { Part::Messaging(item) };
        Sent { id, at_ms, delivery: self.emit(part).await }
    }

    async fn emit(&self, part: Part) -> Delivery {
        let login = self.core.webhook_login(&self.ig_id);
        self.core.emit(Outgoing { ig_id: self.ig_id.clone(), login, part }).await
    }

    fn thread<T>(&self, change: impl FnOnce(&mut Thread) -> T) -> T {
        self.core.with_thread(&self.ig_id, &self.igsid, change)
    }
}

/// Opens the window: messages, taps and referrals do; reactions, seen and edits do not.
fn interact(thread: &mut Thread, at_ms: i64) {
    thread.last_interaction_ms = Some(at_ms);
    thread.consented = true;
}

/// The message as it stands in the thread.
fn shown(body: &MessageBody, at_ms: i64) -> ThreadMessage {
    let story = match &body.reply_to {
        Some(ReplyTo::Story { story }) => Some(json!({"reply_to": {"id": story.id, "link": story.url}})),
        _ => body.attachments.iter().find(|attachment| attachment.kind == "story_mention").map(|mention| {
            let link = mention.payload.as_ref().and_then(|payload| payload.get("url"));
            json!({"mention": {"link": link, "id": Value::Null}})
        }),
    };
    ThreadMessage {
        text: body.text.clone(),
        attachments: body.attachments.iter().map(|attachment| json!(attachment)).collect(),
        reply_to: match &body.reply_to {
            Some(ReplyTo::Message { mid, .. }) => Some(mid.clone()),
            _ => None,
        },
        story,
        unsupported: body.is_unsupported,
        ..ThreadMessage::new(body.mid.clone(), Author::Customer, at_ms)
    }
}
