//! Helpers shared by the tests of a store: an account, messages of a customer, replies.
//! Not here: assertions.

use std::sync::Arc;

use harness_contract::{Delivery, DeliverySource, Event, OutboundMessage, SendOutcome, SendStep, WindowPolicy};
use serde_json::{Value, json};

use super::place::Place;
use harness_inbox::{
    AccountId, Applied, ConversationId, DeliveryId, FromDialog, NewAccount, NewDelivery, NewReply, OpenReply,
    ParkingBounds, Proof, Queued, Remarks, StepEnd, StepState, store::Store,
};

/// The current time in most tests, in milliseconds since 1970.
pub(super) const NOW: u64 = 1_700_000_000_000;
pub(super) const CHANNEL: &str = "channel";
/// The digest of the component that translates deliveries.
const TRANSLATOR: &str = "digest";

/// A store with one connected account.
pub(super) struct Stage {
    pub(super) store: Arc<dyn Store>,
    /// The account's row id.
    pub(super) account: AccountId,
}

impl Stage {
    /// Opens a store with the account `shop`.
    pub(super) async fn new(place: &dyn Place) -> Self {
        let store = place.open().await;
        let account = connect(&*store, CHANNEL, "shop").await;
        Self { store, account }
    }

    /// Closes the store and opens it again.
    pub(super) async fn restart(self, place: &dyn Place) -> Self {
        let Self { store, account } = self;
        drop(store);
        Self { store: place.open().await, account }
    }

    /// Records a delivery and applies these events as its translation.
    pub(super) async fn deliver(&self, events: Vec<Event>) -> Applied {
        self.deliver_as(Proof::Channel { slot: "secret".into() }, events).await
    }

    pub(super) async fn deliver_as(&self, proof: Proof, events: Vec<Event>) -> Applied {
        record(&*self.store, proof).await;
        self.translate(events).await
    }

    /// Applies these events as the translation of the oldest waiting delivery.
    pub(super) async fn translate(&self, events: Vec<Event>) -> Applied {
        let mut waiting = self.store.pending(CHANNEL, 1, usize::MAX).await.unwrap();
        let (_, origin) = waiting.remove(0).into_parts();
        self.store.apply(vec![origin.translated(events, TRANSLATOR.into())], BOUNDS).await.unwrap()
    }

    /// The conversation with `ada`, who has written a message.
    pub(super) async fn conversation(&self) -> ConversationId {
        self.deliver(vec![message("shop", "ada", "hello", "hello", NOW)]).await;
        self.store.conversations(1).await.unwrap()[0].id
    }

    /// Queues a reply under a key.
    pub(super) async fn ask(&self, conversation: ConversationId, key: &str, text: &str) -> Queued {
        self.store.queue_reply(new_reply(conversation, key, text)).await.unwrap()
    }

    /// Queues a reply with one step, whose request is about to be sent.
    pub(super) async fn begin(&self, conversation: ConversationId, key: &str) -> OpenReply {
        let queued = self.ask(conversation, key, key).await;
        let open = self.store.open_reply(queued.reply).await.unwrap().unwrap();
        self.store.begin_steps(&open, &[step(0, key)], &Remarks::default(), NOW).await.unwrap();
        assert!(self.store.begin_attempt(queued.reply, 0, NOW).await.unwrap());
        open
    }

    /// Finishes the step of this reply as accepted under this id.
    pub(super) async fn sent(&self, reply: &OpenReply, id: &str) {
        let end = StepEnd::Final(StepState::Sent);
        self.store
            .finish_step(
                reply,
                0,
                outcome(json!({"sent": {"messages": [{"part": 0, "message": {"id": id}}]}})),
                end,
                NOW,
            )
            .await
            .unwrap();
    }
}

/// Bounds that no test exceeds.
pub(super) const BOUNDS: ParkingBounds = ParkingBounds { per_account: 99, per_channel: 99 };

/// A delivery without events; they come with its translation.
pub(super) fn delivery() -> Delivery {
    Delivery {
        source: DeliverySource::Webhook,
        body: b"body".to_vec(),
        headers: Vec::new(),
        query: String::new(),
        received_at: NOW,
        account: None,
    }
}

/// Records a delivery that every query sees from then on.
pub(super) async fn record(store: &dyn Store, proof: Proof) -> DeliveryId {
    let delivery = delivery();
    let id = store.record(NewDelivery { channel: CHANNEL.into(), delivery, proof }).await.unwrap();
    store.all_arrived().await.unwrap();
    id
}

/// Connects an account through a dialog, and returns its row id.
pub(super) async fn connect(store: &dyn Store, channel: &str, id: &str) -> AccountId {
    let (channel, platform_id) = (channel.to_owned(), id.to_owned());
    let dialog = Some(FromDialog::default());
    let new = NewAccount { channel, platform_id, name: "Shop".into(), dialog, now: NOW, ..NewAccount::default() };
    store.connect_account(new).await.unwrap()
}

/// An event with this body, in the conversation with a customer.
pub(super) fn event(account: &str, contact: &str, id: &str, at: u64, body: Value) -> Event {
    serde_json::from_value(json!({
        "id": id, "account": account, "contact": {"id": contact}, "author": "contact", "at": at, "origin": "live",
        "opens": "message", "body": body,
    }))
    .unwrap()
}

/// A message of a customer; `id` is the id of both the message and the event.
pub(super) fn message(account: &str, contact: &str, id: &str, text: &str, at: u64) -> Event {
    event(account, contact, id, at, json!({"message": {"id": id, "text": text, "to_self": false}}))
}

pub(super) fn new_reply(conversation: ConversationId, key: &str, text: &str) -> NewReply {
    let message: OutboundMessage = serde_json::from_value(json!({
        "id": "", "sender": {"kind": "human", "id": "agent"}, "fallback": "usual", "try_anyway": false,
        "parts": [{"text": {"text": text, "format": "plain", "split": false}}],
    }))
    .unwrap();
    NewReply { conversation, key: key.to_owned(), message, user: None, remarks: Remarks::default(), now: NOW }
}

/// A step that sends this text, with the text as its correlation.
pub(super) fn step(part: u32, text: &str) -> SendStep {
    serde_json::from_value(json!({
        "parts": [part], "kind": "message", "rate_class": "messages", "repeatable": false, "echoed": true,
        "request": {"method": "post", "url": "https://platform.example/messages", "body": "empty"},
        "correlation": text, "text": text,
    }))
    .unwrap()
}

pub(super) fn outcome(verdict: Value) -> SendOutcome {
    serde_json::from_value(json!({ "verdict": verdict })).unwrap()
}

pub(super) fn failure(category: &str) -> Value {
    json!({"category": category, "message": "It failed."})
}

/// Open for a day after a message, and for a week for replies by people.
pub(super) fn policy() -> WindowPolicy {
    let day = 24 * 3_600_000;
    serde_json::from_value(json!({
        "customer_first": true, "rules": [{"opener": "message", "open_for": day, "human_until": 7 * day}],
    }))
    .unwrap()
}
