//! Promises about replies whose requests deliver several parts, and about replies that a channel rebuilds.
//! Not here: the outcome of a single step (`outbox`).

use harness_contract::{Event, SendStep};
use serde_json::{Value, json};

use super::{
    place::Place,
    stage::{NOW, Stage, event, failure, message, outcome, step},
};
use harness_inbox::{ConversationId, NewReply, OpenReply, Remarks, ReplyId, StepEnd, StepState, TimelineEntry};

impl Stage {
    /// Queues a reply with one part for each text.
    async fn ask_for(&self, conversation: ConversationId, texts: &[&str]) -> ReplyId {
        let parts: Vec<Value> =
            texts.iter().map(|text| json!({"text": {"text": text, "format": "plain", "split": false}})).collect();
        let message = serde_json::from_value(json!({
            "id": "", "sender": {"kind": "human", "id": "agent"}, "fallback": "usual", "try_anyway": false,
            "parts": parts,
        }))
        .unwrap();
        let key = texts.join(" ");
        let new = NewReply { conversation, key, message, user: None, remarks: Remarks::default(), now: NOW };
        self.store.queue_reply(new).await.unwrap().reply
    }

    async fn open(&self, reply: ReplyId) -> OpenReply {
        self.store.open_reply(reply).await.unwrap().unwrap()
    }

    async fn render(&self, reply: ReplyId, steps: &[SendStep]) {
        let open = self.open(reply).await;
        self.store.begin_steps(&open, steps, &Remarks::default(), NOW).await.unwrap();
    }

    async fn end(&self, reply: ReplyId, number: usize, verdict: Value, end: StepEnd) {
        let open = self.open(reply).await;
        assert!(self.store.begin_attempt(reply, number, NOW).await.unwrap());
        self.store.finish_step(&open, number, outcome(verdict), end, NOW).await.unwrap();
    }

    async fn ours(&self, conversation: ConversationId) -> Vec<TimelineEntry> {
        let all = self.store.timeline(conversation, 20).await.unwrap();
        all.into_iter().filter(|entry| entry.direction == "outbound").collect()
    }
}

/// A step that delivers these parts in a single request.
fn together(parts: &[u32], correlation: &str) -> SendStep {
    let mut together = step(0, correlation);
    together.parts = parts.to_vec();
    together.text = None;
    together
}

fn shown(entries: &[TimelineEntry]) -> Vec<(Option<&str>, Option<&str>, Option<StepState>)> {
    entries.iter().map(|entry| (entry.text.as_deref(), entry.platform_id.as_deref(), entry.state)).collect()
}

pub(crate) async fn each_part_of_one_request_is_a_message_with_its_own_id(place: &dyn Place) {
    let stage = Stage::new(place).await;
    let conversation = stage.conversation().await;
    let reply = stage.ask_for(conversation, &["one", "two", "three"]).await;
    stage.render(reply, &[together(&[0, 1], "first"), together(&[2], "second")]).await;
    let named = json!({"sent": {"messages": [
        {"part": 0, "message": {"id": "m0"}}, {"part": 1, "message": {"id": "m1", "context": "quote-1"}},
    ]}});
    stage.end(reply, 0, named, StepEnd::Final(StepState::Sent)).await;
    let stage = stage.restart(place).await;
    let ours = stage.ours(conversation).await;
    assert_eq!(
        shown(&ours),
        [
            (Some("one"), Some("m0"), Some(StepState::Sent)),
            (Some("two"), Some("m1"), Some(StepState::Sent)),
            (Some("three"), None, Some(StepState::Queued)),
        ]
    );
    let view = stage.store.reply(reply).await.unwrap();
    assert_eq!(view.steps.iter().map(|step| step.parts.clone()).collect::<Vec<_>>(), [vec![0, 1], vec![2]]);
    let context = stage.store.message_context(conversation, "m1").await.unwrap();
    assert_eq!(context.as_deref(), Some(b"quote-1".as_slice()), "what the channel gave for it is handed back");
    assert_eq!(stage.store.message_context(conversation, "m0").await.unwrap(), None);
    // Unsending one of them does not affect the other.
    stage.deliver(vec![event("shop", "ada", "gone", NOW + 9, json!({"deleted": {"target": "m0"}}))]).await;
    let ours = stage.ours(conversation).await;
    assert_eq!(ours.iter().map(|entry| entry.deleted_at.is_some()).collect::<Vec<_>>(), [true, false, false]);
}

pub(crate) async fn each_message_of_a_part_that_is_several_is_known_by_its_own_id(place: &dyn Place) {
    let stage = Stage::new(place).await;
    let conversation = stage.conversation().await;
    let reply = stage.ask_for(conversation, &["a long text", "two"]).await;
    stage.render(reply, &[together(&[0, 1], "first")]).await;
    let echo = |id: &str, at| {
        let mut echo = message("shop", "ada", id, "piece", at);
        echo.author = serde_json::from_value(json!({"business": {"app_id": "ours"}})).unwrap();
        echo
    };
    // One echo comes before the answer to the request, and one after it.
    stage.deliver(vec![echo("m0b", NOW + 1)]).await;
    let liked = json!({"reaction": {"target": "m0b", "action": "added", "emoji": "❤️"}});
    stage.deliver(vec![event("shop", "ada", "liked", NOW + 2, liked)]).await;
    let named = json!({"sent": {"messages": [
        {"part": 0, "message": {"id": "m0a"}}, {"part": 0, "message": {"id": "m0b", "context": "quote-b"}},
        {"part": 0, "message": {"id": "m0c"}}, {"part": 1, "message": {"id": "m1"}},
    ]}});
    stage.end(reply, 0, named, StepEnd::Final(StepState::Sent)).await;
    let stage = stage.restart(place).await;
    stage.deliver(vec![echo("m0c", NOW + 3)]).await;
    let ours = stage.ours(conversation).await;
    let sent = Some(StepState::Sent);
    assert_eq!(shown(&ours), [(Some("a long text"), Some("m0a"), sent), (Some("two"), Some("m1"), sent)]);
    assert_eq!(ours[0].further_platform_ids, ["m0b", "m0c"]);
    assert_eq!(ours[0].reactions.len(), 1, "a reaction to a piece is one to the message");
    let context = stage.store.message_context(conversation, "m0b").await.unwrap();
    assert_eq!(context.as_deref(), Some(b"quote-b".as_slice()));
    // The platform takes one piece back: what it said is nowhere any more, and the other part stays.
    stage.deliver(vec![event("shop", "ada", "gone", NOW + 9, json!({"deleted": {"target": "m0c"}}))]).await;
    let ours = stage.ours(conversation).await;
    assert_eq!(shown(&ours), [(None, Some("m0a"), sent), (Some("two"), Some("m1"), sent)]);
}

pub(crate) async fn what_a_request_leaves_does_not_replace_what_came_in_meanwhile(place: &dyn Place) {
    let stage = Stage::new(place).await;
    let with_context = |id: &str, context: &str, at| {
        let mut said = message("shop", "ada", id, id, at);
        said.reply_context = Some(context.as_bytes().to_vec());
        said
    };
    stage.deliver(vec![with_context("one", "token-1", NOW)]).await;
    let conversation = stage.store.conversations(1).await.unwrap()[0].id;
    let stored = async || stage.store.context(conversation, &super::stage::policy(), NOW).await.unwrap().reply_context;
    let spent = || {
        let mut outcome = outcome(json!({"sent": {"messages": []}}));
        outcome.reply_context = Some(b"spent".to_vec());
        outcome
    };
    let first = stage.begin(conversation, "first").await;
    stage.deliver(vec![with_context("two", "token-2", NOW + 1)]).await;
    stage.store.finish_step(&first, 0, spent(), StepEnd::Final(StepState::Sent), NOW + 2).await.unwrap();
    assert_eq!(stored().await.as_deref(), Some(b"token-2".as_slice()));
    let second = stage.begin(conversation, "second").await;
    stage.store.finish_step(&second, 0, spent(), StepEnd::Final(StepState::Sent), NOW + 3).await.unwrap();
    assert_eq!(stored().await.as_deref(), Some(b"spent".as_slice()));
}

pub(crate) async fn parts_that_are_one_message_go_together(place: &dyn Place) {
    let stage = Stage::new(place).await;
    let conversation = stage.conversation().await;
    let reply = stage.ask_for(conversation, &["one", "two"]).await;
    stage.render(reply, &[together(&[0, 1], "mail")]).await;
    let same = json!({"sent": {"messages": [
        {"part": 0, "message": {"id": "mail-1"}}, {"part": 1, "message": {"id": "mail-1"}},
    ]}});
    stage.end(reply, 0, same, StepEnd::Final(StepState::Sent)).await;
    let ours = stage.ours(conversation).await;
    assert_eq!(ours.iter().filter(|entry| entry.state == Some(StepState::Sent)).count(), 2);
    stage.deliver(vec![event("shop", "ada", "gone", NOW + 9, json!({"deleted": {"target": "mail-1"}}))]).await;
    let ours = stage.ours(conversation).await;
    assert!(ours.iter().all(|entry| entry.deleted_at.is_some() && entry.text.is_none()), "{ours:?}");
}

pub(crate) async fn a_reply_is_rendered_anew_from_a_step_on_and_what_was_sent_stays(place: &dyn Place) {
    let stage = Stage::new(place).await;
    let conversation = stage.conversation().await;
    let reply = stage.ask_for(conversation, &["one", "two", "three"]).await;
    stage.render(reply, &[together(&[0], "a"), together(&[1], "b"), together(&[2], "c")]).await;
    let sent = json!({"sent": {"messages": [{"part": 0, "message": {"id": "m0"}}]}});
    stage.end(reply, 0, sent, StepEnd::Final(StepState::Sent)).await;
    stage.end(reply, 1, json!({"rebuild": failure("other")}), StepEnd::Later(NOW)).await;
    let stage = stage.restart(place).await;
    let open = stage.open(reply).await;
    assert_eq!((open.rebuild_from, open.rebuilds, open.steps.len()), (Some(1), 1, 3));
    assert_eq!(stage.ours(conversation).await.len(), 3, "until it is rendered it is shown as it was");
    stage.render(reply, &[together(&[0], "a"), together(&[1, 2], "bc")]).await;
    let open = stage.open(reply).await;
    assert_eq!((open.rebuild_from, open.rebuilds, open.steps.len()), (None, 1, 2));
    assert_eq!(
        shown(&stage.ours(conversation).await),
        [
            (Some("one"), Some("m0"), Some(StepState::Sent)),
            (Some("two"), None, Some(StepState::Queued)),
            (Some("three"), None, Some(StepState::Queued)),
        ]
    );
    let both = json!({"sent": {"messages": [
        {"part": 1, "message": {"id": "m1"}}, {"part": 2, "message": {"id": "m2"}},
    ]}});
    stage.end(reply, 1, both, StepEnd::Final(StepState::Sent)).await;
    assert!(stage.store.open_reply(reply).await.unwrap().is_none(), "nothing of it is left to do");
}

pub(crate) async fn an_answer_may_name_the_thread_in_which_the_message_stands(place: &dyn Place) {
    let stage = Stage::new(place).await;
    let conversation = stage.conversation().await;
    let reply = stage.ask_for(conversation, &["one"]).await;
    stage.render(reply, &[together(&[0], "a")]).await;
    let thread = json!({"id": "T1", "kind": "direct"});
    let sent = json!({"sent": {"messages": [{"part": 0, "message": {"id": "m0"}}], "thread": thread}});
    stage.end(reply, 0, sent, StepEnd::Final(StepState::Sent)).await;
    let mut next = super::stage::message("shop", "ada", "m9", "thanks", NOW + 9);
    next.thread = serde_json::from_value(thread).unwrap();
    stage.deliver(vec![next]).await;
    let conversations = stage.store.conversations(9).await.unwrap();
    assert_eq!(conversations.len(), 1, "{conversations:?}");
    assert_eq!(stage.store.timeline(conversations[0].id, 9).await.unwrap().len(), 3);
}

/// An event in a thread, by this person.
fn in_thread(thread: &str, contact: Option<&str>, id: &str, body: Value) -> Event {
    let mut event = event("shop", contact.unwrap_or_default(), id, NOW, body);
    event.thread = Some(serde_json::from_value(json!({"id": thread, "kind": "group", "title": "Garden"})).unwrap());
    if contact.is_none() {
        event.contact = None;
    }
    event
}

fn said(text: &str) -> Value {
    json!({"message": {"id": text, "text": text, "to_self": false}})
}

pub(crate) async fn a_conversation_of_several_people_is_known_by_its_thread(place: &dyn Place) {
    let stage = Stage::new(place).await;
    let mut bob = in_thread("g", Some("bob"), "e2", said("two"));
    bob.details = serde_json::from_value(json!([{"key": "subject", "label": "Subject", "value": "Tools"}])).unwrap();
    stage
        .deliver(vec![
            in_thread("g", None, "e0", json!({"thread_update": "updated"})),
            in_thread("g", Some("ada"), "e1", said("one")),
            bob,
        ])
        .await;
    let conversations = stage.store.conversations(9).await.unwrap();
    assert_eq!(conversations.len(), 1, "{conversations:?}");
    let found = &conversations[0];
    assert_eq!((found.contact.as_deref(), found.name.as_deref()), (None, Some("Garden")));
    let timeline = stage.store.timeline(found.id, 9).await.unwrap();
    let people: Vec<_> = timeline.iter().map(|entry| entry.contact.as_deref()).collect();
    assert_eq!(people, [Some("ada"), Some("bob")]);
    assert!(
        timeline[1].details.as_ref().unwrap().get().contains("Tools"),
        "what the contract has no field for is kept"
    );
    // A reply there is addressed to no one in particular.
    let policy = super::stage::policy();
    let context = stage.store.context(found.id, &policy, NOW).await.unwrap();
    assert_eq!((context.contact, context.thread.unwrap().id.as_str()), (None, "g"));
    // The thread gets another id and keeps its content.
    let change = json!({"thread_update": {"moved": "g"}});
    let closed = json!({"thread_update": "closed"});
    stage.deliver(vec![in_thread("G", None, "e3", change), in_thread("G", Some("ada"), "e4", said("three"))]).await;
    let conversations = stage.store.conversations(9).await.unwrap();
    assert_eq!(conversations.len(), 1, "{conversations:?}");
    assert_eq!(stage.store.timeline(conversations[0].id, 9).await.unwrap().len(), 3);
    stage.deliver(vec![in_thread("G", None, "e5", closed)]).await;
    let window = stage.store.context(found.id, &policy, NOW).await.unwrap().window;
    assert_eq!(window.state, harness_contract::WindowState::Closed);
    stage.deliver(vec![in_thread("G", None, "e6", json!({"thread_update": "reopened"}))]).await;
    let window = stage.store.context(found.id, &policy, NOW).await.unwrap().window;
    assert_eq!(window.state, harness_contract::WindowState::Open);
}

pub(crate) async fn what_an_erased_person_wrote_among_several_is_gone_and_the_rest_stays(place: &dyn Place) {
    let stage = Stage::new(place).await;
    stage
        .deliver(vec![
            in_thread("g", Some("ada"), "e1", said("her words")),
            in_thread("g", Some("bob"), "e2", said("his")),
        ])
        .await;
    let conversation = stage.store.conversations(9).await.unwrap()[0].id;
    stage.deliver(vec![event("shop", "ada", "erase", NOW, json!({"erasure_request": {}}))]).await;
    let timeline = stage.store.timeline(conversation, 9).await.unwrap();
    let left: Vec<_> = timeline.iter().map(|entry| (entry.text.as_deref(), entry.deleted_at.is_some())).collect();
    assert_eq!(left, [(None, true), (Some("his"), false)]);
    assert_eq!(timeline[0].contact, None, "nor does it say whose they were");
}

pub(crate) async fn a_person_with_another_id_keeps_the_conversation(place: &dyn Place) {
    let stage = Stage::new(place).await;
    let conversation = stage.conversation().await;
    let change = json!({"contact_update": {"previous_ids": ["ada"]}});
    stage.deliver(vec![event("shop", "ada-2", "e1", NOW + 1, change)]).await;
    stage.deliver(vec![super::stage::message("shop", "ada-2", "m2", "still me", NOW + 2)]).await;
    let conversations = stage.store.conversations(9).await.unwrap();
    assert_eq!(conversations.len(), 1, "{conversations:?}");
    assert_eq!(conversations[0].contact.as_deref(), Some("ada-2"));
    assert_eq!(stage.store.timeline(conversations[0].id, 9).await.unwrap().len(), 2);
    let _ = conversation;
}

pub(crate) async fn an_edit_may_replace_attachments_and_context(place: &dyn Place) {
    let stage = Stage::new(place).await;
    let conversation = stage.conversation().await;
    let extra = json!([{"other": {"kind": "poll", "text": "Poll: tea or coffee?", "details": []}}]);
    let edited = json!({"edited": {"target": "hello", "attachments": extra, "context": "new", "revision": 1}});
    stage.deliver(vec![event("shop", "ada", "e1", NOW + 1, edited)]).await;
    let timeline = stage.store.timeline(conversation, 9).await.unwrap();
    assert_eq!(timeline[0].text.as_deref(), Some("hello"), "what the edit does not name stays");
    assert!(timeline[0].body.as_ref().unwrap().get().contains("Poll: tea or coffee?"));
    let context = stage.store.message_context(conversation, "hello").await.unwrap();
    assert_eq!(context.as_deref(), Some(b"new".as_slice()));
}
