//! Promises about replies: keys, attempts, outcomes, fair order, pauses, lookups of ambiguous steps.
//! Not here: unsolicited platform events, except echoes.

use std::collections::{BTreeMap, HashSet};

use harness_contract::{Event, MessageRef, OutboundPart, Scope, SendOutcome, Violation};
use serde_json::json;

use super::{
    place::Place,
    stage::{NOW, Stage, connect, event, failure, message, new_reply, outcome, step},
};
use harness_inbox::{
    AccountId, AccountState, ConversationId, HistoryMark, InboxError, NewDelivery, NewReply, Proof, Queued, Remarks,
    ReplyId, ReplyVerdict, ReplyView, Seen, SeenMessage, Settlement, StepEnd, StepState, TimelineEntry, store::Store,
};

const MINUTE: u64 = 60_000;

fn states(view: &ReplyView) -> Vec<StepState> {
    view.steps.iter().map(|step| step.state).collect()
}

pub(crate) async fn a_key_asks_for_one_reply(place: &dyn Place) {
    let stage = Stage::new(place).await;
    let conversation = stage.conversation().await;
    let first = stage.ask(conversation, "key", "hello").await;
    assert!(first.new && !stage.store.has_reply(conversation, "other").await.unwrap());
    let stage = stage.restart(place).await;
    assert_eq!(stage.ask(conversation, "key", "hello").await, Queued { reply: first.reply, new: false });
    let other = stage.store.queue_reply(new_reply(conversation, "key", "something else")).await;
    assert!(matches!(other, Err(InboxError::KeyReused(_))), "{other:?}");
    // A refused reply was never sent to the platform.
    stage.store.refuse_reply(first.reply, Vec::new(), NOW).await.unwrap();
    assert_eq!(stage.store.reply(first.reply).await.unwrap().verdict, ReplyVerdict::Refused);
    assert!(!stage.store.has_reply(conversation, "key").await.unwrap());
    assert!(stage.ask(conversation, "key", "something else").await.new);
    let nowhere = stage.store.queue_reply(new_reply(ConversationId::new(conversation.get() + 1), "key", "hello")).await;
    assert!(matches!(nowhere, Err(InboxError::NotFound { .. })));
}

pub(crate) async fn a_queued_reply_is_in_the_timeline_at_once(place: &dyn Place) {
    let stage = Stage::new(place).await;
    let (store, conversation) = (&*stage.store, stage.conversation().await);
    let shown = async || {
        let all = store.timeline(conversation, 9).await.unwrap();
        let of = |entry: &TimelineEntry| (entry.id, entry.text.clone().unwrap_or_default(), entry.state);
        all.iter().filter(|entry| entry.direction == "outbound").map(of).collect::<Vec<_>>()
    };
    let mut new = new_reply(conversation, "key", "one and two");
    new.message.parts.push(OutboundPart::Typing(true));
    new.message.parts.push(OutboundPart::Sticker("like".into()));
    new.message.reply_to = Some(MessageRef { id: "hello".into(), context: None });
    let reply = store.queue_reply(NewReply { now: NOW + 5, ..new }).await.unwrap().reply;
    assert_eq!(store.reply(reply).await.unwrap().created_at, NOW + 5);
    let queued = shown().await;
    let of =
        |queued: &[(_, String, _)]| queued.iter().map(|(_, text, state)| (text.clone(), *state)).collect::<Vec<_>>();
    let waits = Some(StepState::Queued);
    assert_eq!(of(&queued), [("one and two".to_owned(), waits), (String::new(), waits)], "a signal is not a message");
    let first =
        store.timeline(conversation, 9).await.unwrap().into_iter().find(|entry| entry.id == queued[0].0).unwrap();
    assert_eq!(
        (first.at, store.conversation(conversation).await.unwrap().last_at),
        ((NOW + 5) as i64, (NOW + 5) as i64)
    );
    let body = first.body.unwrap();
    assert!(body.get().contains(r#""reply_to":{"message":"hello"}"#), "{body}");

    // The channel splits the text, and leaves the sticker out.
    let open = store.open_reply(reply).await.unwrap().unwrap();
    store.begin_steps(&open, &[step(0, "one"), step(0, "two")], &Remarks::default(), NOW + 9).await.unwrap();
    let begun = shown().await;
    assert_eq!(of(&begun), [("one".to_owned(), waits), ("two".to_owned(), waits)]);
    assert_eq!(begun[0].0, queued[0].0, "it is the same message");
    assert!(store.begin_attempt(reply, 0, NOW + 9).await.unwrap());
    assert_eq!(shown().await[0].2, Some(StepState::Sending));

    // One that the channel refuses stays, with the reason, until its key is used for another one.
    let other = stage.ask(conversation, "other", "too long").await.reply;
    let because: Violation = serde_json::from_value(
        json!({"code": "x", "message": "It is too long.", "path": "parts", "severity": "error"}),
    )
    .unwrap();
    store.refuse_reply(other, vec![because], NOW + 9).await.unwrap();
    let refused = store.timeline(conversation, 9).await.unwrap();
    let refused = refused.iter().find(|entry| entry.reply == Some(other)).unwrap();
    assert_eq!(refused.state, Some(StepState::Rejected));
    assert!(refused.outcome.as_ref().unwrap().get().contains("It is too long."));
    stage.ask(conversation, "other", "short").await;
    let texts: Vec<_> = shown().await.into_iter().map(|(_, text, _)| text).collect();
    assert!(texts.contains(&"short".to_owned()) && !texts.contains(&"too long".to_owned()), "{texts:?}");
}

pub(crate) async fn a_step_is_begun_once_and_ends_with_a_name(place: &dyn Place) {
    let stage = Stage::new(place).await;
    let conversation = stage.conversation().await;
    let queued = stage.ask(conversation, "key", "both").await;
    let open = stage.store.open_reply(queued.reply).await.unwrap().unwrap();
    let steps = [step(0, "one"), step(0, "two"), step(0, "three")];
    stage.store.begin_steps(&open, &steps, &Remarks::default(), NOW).await.unwrap();
    assert!(stage.store.begin_attempt(queued.reply, 0, NOW).await.unwrap());
    assert!(!stage.store.begin_attempt(queued.reply, 0, NOW).await.unwrap(), "it is on its way");
    let later = outcome(json!({"transient": failure("platform_transient")}));
    stage.store.finish_step(&open, 0, later, StepEnd::Later(NOW + MINUTE), NOW).await.unwrap();
    assert!(stage.store.due_replies(NOW, 9, HashSet::new()).await.unwrap().is_empty());
    assert_eq!(stage.store.due_replies(NOW + MINUTE, 9, HashSet::new()).await.unwrap().len(), 1);
    assert!(stage.store.begin_attempt(queued.reply, 0, NOW).await.unwrap());
    stage.sent(&open, "m1").await;
    assert!(!stage.store.begin_attempt(queued.reply, 0, NOW).await.unwrap(), "it has its end");
    assert!(stage.store.begin_attempt(queued.reply, 1, NOW).await.unwrap());
    let refused = outcome(json!({"rejected": failure("content_invalid")}));
    stage.store.finish_step(&open, 1, refused, StepEnd::Final(StepState::Rejected), NOW).await.unwrap();
    let view = stage.store.reply(queued.reply).await.unwrap();
    assert_eq!(states(&view), [StepState::Sent, StepState::Rejected, StepState::Cancelled]);
    assert_eq!((view.verdict, view.steps[0].attempts), (ReplyVerdict::PartlySent, 2));
    assert!(stage.store.open_reply(queued.reply).await.unwrap().is_none(), "nothing of it is left to do");
}

pub(crate) async fn an_interrupted_step_is_in_doubt_until_somebody_settles_it(place: &dyn Place) {
    let stage = Stage::new(place).await;
    let conversation = stage.conversation().await;
    for (key, settlement, verdict) in [
        ("arrived", Settlement::Arrived, ReplyVerdict::Sent),
        ("lost", Settlement::NotArrived, ReplyVerdict::Failed),
        ("again", Settlement::SendAgain, ReplyVerdict::Sending),
    ] {
        let reply = stage.begin(conversation, key).await.reply;
        let early = stage.store.settle(reply, settlement, NOW).await;
        assert!(matches!(early, Err(InboxError::NotAmbiguous(_))), "{early:?}");
        assert_eq!(stage.store.settle_interrupted(NOW).await.unwrap(), 1);
        assert_eq!(stage.store.settle_interrupted(NOW).await.unwrap(), 0);
        assert_eq!(stage.store.reply(reply).await.unwrap().verdict, ReplyVerdict::Ambiguous);
        assert!(!stage.store.begin_attempt(reply, 0, NOW).await.unwrap(), "it is never sent again by itself");
        stage.store.settle(reply, settlement, NOW).await.unwrap();
        assert_eq!(stage.store.reply(reply).await.unwrap().verdict, verdict, "{key}");
        let late = stage.store.settle(reply, settlement, NOW).await;
        assert!(matches!(late, Err(InboxError::NotAmbiguous(_))), "{late:?}");
    }
    // Somebody who cannot tell asks for a look now, and decides nothing.
    let reply = stage.begin(conversation, "looked for").await.reply;
    stage.store.settle_interrupted(NOW).await.unwrap();
    assert!(stage.store.due_doubts(NOW).await.unwrap().is_empty(), "its echo has time to arrive");
    stage.store.settle(reply, Settlement::Look, NOW).await.unwrap();
    assert_eq!(stage.store.due_doubts(NOW).await.unwrap().iter().map(|doubt| doubt.reply).collect::<Vec<_>>(), [reply]);
    assert_eq!(stage.store.reply(reply).await.unwrap().verdict, ReplyVerdict::Ambiguous);
    let nothing = stage.store.settle(ReplyId::new(999), Settlement::Arrived, NOW).await;
    assert!(matches!(nothing, Err(InboxError::NotFound { .. })));
    // After the host failed, steps that had not begun are refused.
    let queued = stage.ask(conversation, "failed", "failed").await;
    let open = stage.store.open_reply(queued.reply).await.unwrap().unwrap();
    stage.store.begin_steps(&open, &[step(0, "failed")], &Remarks::default(), NOW).await.unwrap();
    stage.store.settle_failed(queued.reply, NOW).await.unwrap();
    assert_eq!(states(&stage.store.reply(queued.reply).await.unwrap()), [StepState::Rejected]);
}

pub(crate) async fn a_look_at_the_archive_proves_what_arrived(place: &dyn Place) {
    let stage = Stage::new(place).await;
    let conversation = stage.conversation().await;
    let before = || SeenMessage { id: "hello".into(), at: NOW, ours: false, text: Some("hello".into()) };
    let theirs = |text: &str| SeenMessage { id: "m9".into(), at: NOW + 9, ours: true, text: Some(text.to_owned()) };
    for (key, shown, seen, verdict) in [
        ("arrived", Some(vec![theirs("arrived"), before()]), Seen::Arrived, ReplyVerdict::Sent),
        ("unread", None, Seen::Unproved, ReplyVerdict::Ambiguous),
        ("short", Some(Vec::new()), Seen::Unproved, ReplyVerdict::Ambiguous),
        ("gone", Some(vec![before()]), Seen::SentAgain, ReplyVerdict::Sending),
    ] {
        let reply = stage.ask(conversation, key, key).await.reply;
        let open = stage.store.open_reply(reply).await.unwrap().unwrap();
        stage.store.begin_steps(&open, &[step(0, key)], &Remarks::default(), NOW + 1).await.unwrap();
        stage.store.begin_attempt(reply, 0, NOW + 1).await.unwrap();
        stage.store.settle_interrupted(NOW + 1).await.unwrap();
        assert!(stage.store.due_doubts(NOW + 1).await.unwrap().is_empty(), "an echo has time to come");
        let doubts = stage.store.due_doubts(NOW + 1 + MINUTE).await.unwrap();
        let doubt = doubts.iter().find(|doubt| doubt.reply == reply).unwrap();
        assert_eq!(stage.store.note_look(doubt, shown, NOW + 1 + MINUTE).await.unwrap(), seen, "{key}");
        assert_eq!(stage.store.reply(reply).await.unwrap().verdict, verdict, "{key}");
        stage.store.stop_looking(doubt).await.unwrap();
        let due = stage.store.due_doubts(u64::MAX >> 1).await.unwrap();
        assert!(due.iter().all(|doubt| doubt.reply != reply), "{key}: it is not looked for again");
        if verdict != ReplyVerdict::Ambiguous {
            assert_eq!(stage.store.note_look(doubt, None, NOW).await.unwrap(), Seen::Over);
        }
    }
}

/// The platform reports a message of ours.
fn echo(id: &str, correlation: Option<&str>) -> Event {
    let body = json!({"message": {"id": id, "text": "key", "to_self": false}});
    let mut echo = event("shop", "ada", id, NOW + 5, body);
    let author = json!({"business": {"correlation": correlation}});
    echo.author = serde_json::from_value(author).unwrap();
    echo.opens = None;
    echo
}

pub(crate) async fn an_echo_confirms_its_step_and_shows_one_message(place: &dyn Place) {
    for echo_first in [true, false] {
        let stage = Stage::new(place).await;
        let conversation = stage.conversation().await;
        let open = stage.begin(conversation, &format!("key {echo_first}")).await;
        let id = format!("m {echo_first}");
        let correlation = format!("key {echo_first}");
        if echo_first {
            stage.deliver(vec![echo(&id, Some(&correlation))]).await;
        }
        stage.sent(&open, &id).await;
        if !echo_first {
            stage.deliver(vec![echo(&id, None)]).await;
        }
        let view = stage.store.reply(open.reply).await.unwrap();
        assert_eq!(view.verdict, ReplyVerdict::Sent, "{echo_first}");
        let timeline = stage.store.timeline(conversation, 9).await.unwrap();
        let shown = timeline.iter().filter(|entry| entry.platform_id.as_ref() == Some(&id));
        assert_eq!(shown.map(|entry| entry.reply).collect::<Vec<_>>(), [Some(open.reply)], "{echo_first}");
    }
    // An echo alone proves that an interrupted step arrived.
    let stage = Stage::new(place).await;
    let conversation = stage.conversation().await;
    let open = stage.begin(conversation, "interrupted").await;
    stage.store.settle_interrupted(NOW).await.unwrap();
    stage.deliver(vec![echo("m3", Some("interrupted"))]).await;
    assert_eq!(stage.store.reply(open.reply).await.unwrap().verdict, ReplyVerdict::Sent);
}

pub(crate) async fn accounts_take_turns_and_a_conversation_keeps_its_order(place: &dyn Place) {
    let stage = Stage::new(place).await;
    connect(&*stage.store, super::stage::CHANNEL, "other").await;
    let people = [("shop", "a"), ("shop", "b"), ("other", "c")];
    stage.deliver(people.iter().map(|(shop, who)| message(shop, who, who, "hello", NOW)).collect()).await;
    let conversations = stage.store.conversations(9).await.unwrap();
    let of = |who: &str| conversations.iter().find(|one| one.contact.as_deref() == Some(who)).unwrap().id;
    let mut asked = Vec::new();
    for (who, key) in [("a", "1"), ("a", "2"), ("b", "3"), ("c", "4")] {
        asked.push(stage.ask(of(who), key, key).await.reply);
    }
    let due = async |each| {
        let due = stage.store.due_replies(NOW, each, HashSet::new()).await.unwrap();
        due.into_iter().map(|due| due.reply).collect::<Vec<_>>()
    };
    assert_eq!(due(9).await, [asked[0], asked[3], asked[2]], "the oldest of each account, then the second of each");
    assert_eq!(due(1).await, [asked[0], asked[3]]);
    stage.store.close_reply(asked[0], NOW).await.unwrap();
    assert_eq!(due(9).await, [asked[1], asked[3], asked[2]], "what stood behind it has its turn");
    stage.store.defer(asked[1], NOW + MINUTE).await.unwrap();
    assert_eq!(due(9).await, [asked[2], asked[3]]);
    let except = HashSet::from([super::stage::CHANNEL.to_owned()]);
    assert!(stage.store.due_replies(NOW, 9, except).await.unwrap().is_empty());
}

/// Four accounts, two per channel, each with two conversations, each with a waiting reply.
async fn filled(store: &dyn Store) -> BTreeMap<(String, String), (AccountId, Vec<ConversationId>)> {
    let mut all = BTreeMap::new();
    for (channel, id) in [("one", "a"), ("one", "b"), ("two", "a"), ("two", "b")] {
        let account = connect(store, channel, id).await;
        let delivery = json!({"source": "webhook", "body": "", "headers": [], "query": "", "received_at": NOW});
        let delivery = serde_json::from_value(delivery).unwrap();
        let proof = Proof::Channel { slot: "secret".into() };
        store.record(NewDelivery { channel: channel.into(), delivery, proof }).await.unwrap();
        store.all_arrived().await.unwrap();
        let (_, origin) = store.pending(channel, 1, 0).await.unwrap().remove(0).into_parts();
        let events = ["x", "y"].map(|who| message(id, who, who, "hello", NOW)).to_vec();
        store.apply(vec![origin.translated(events, String::new())], super::stage::BOUNDS).await.unwrap();
        let theirs = store.conversations(99).await.unwrap().into_iter();
        let theirs: Vec<ConversationId> =
            theirs.filter(|one| one.channel == channel && one.account == id).map(|one| one.id).collect();
        for conversation in &theirs {
            let key = format!("{channel}{id}{conversation}");
            store.queue_reply(new_reply(*conversation, &key, "hello")).await.unwrap();
        }
        all.insert((channel.to_owned(), id.to_owned()), (account, theirs));
    }
    all
}

pub(crate) async fn a_pause_holds_what_belongs_to_its_scope_and_nothing_else(place: &dyn Place) {
    // All in the same store: each pause ends before the next begins.
    let mut store = place.open().await;
    let all = filled(&*store).await;
    let (account, conversations) = all.values().next().unwrap().clone();
    let conversation = conversations[0];
    let due = store.due_replies(NOW, 9, HashSet::new()).await.unwrap();
    let reply = due.iter().find(|due| due.conversation == conversation).unwrap().reply;
    let open = store.open_reply(reply).await.unwrap().unwrap();
    store.begin_steps(&open, &[step(0, "hello")], &Remarks::default(), NOW).await.unwrap();
    for (nth, scope) in (1..).zip([Scope::App, Scope::Account, Scope::Conversation]) {
        let start = NOW + nth * 10 * MINUTE;
        let name = serde_json::to_value(scope).unwrap();
        let asks = |ms: u64| -> SendOutcome {
            let pause = json!({"scope": name, "duration": ms});
            let verdict = json!({"rate_limited": failure("rate_limited")});
            serde_json::from_value(json!({"verdict": verdict, "pause": pause})).unwrap()
        };
        // A shorter pause does not end it, nor does a restart or a reconnect.
        for (at, ms) in [(start, MINUTE), (start + 1, 1)] {
            store.begin_attempt(reply, 0, at).await.unwrap();
            store.finish_step(&open, 0, asks(ms), StepEnd::Later(at), at).await.unwrap();
        }
        drop(store);
        store = place.open().await;
        connect(&*store, "one", "a").await;

        for now in [start + 1_000, start + MINUTE] {
            let mut free = HashSet::new();
            for ((channel, _), (row, theirs)) in &all {
                let of_app = scope == Scope::App && channel == "one";
                let of_account = of_app || (scope == Scope::Account && *row == account);
                let until = |held: bool| (held && now < start + MINUTE).then_some(start + MINUTE);
                assert_eq!(store.channel_paused_until(channel, now).await.unwrap(), until(of_app), "{scope:?}");
                // Requests on behalf of the account, such as reading its history.
                assert_eq!(store.paused_until(*row, None, now).await.unwrap(), until(of_account), "{scope:?}");
                for one in theirs {
                    let held = of_account || (scope == Scope::Conversation && *one == conversation);
                    let found = store.paused_until(*row, Some(*one), now).await.unwrap();
                    assert_eq!(found, until(held), "{scope:?} {one}");
                    if found.is_none() {
                        free.insert(*one);
                    }
                }
            }
            let due = store.due_replies(now, 16, HashSet::new()).await.unwrap();
            let due: HashSet<ConversationId> = due.into_iter().map(|due| due.conversation).collect();
            assert_eq!(due, free, "{scope:?}: whose turn it is");
        }
    }
}

/// Downloads are covered in `files`.
pub(crate) async fn the_next_due_time_is_the_first_one_later(place: &dyn Place) {
    let stage = Stage::new(place).await;
    let (store, account) = (&stage.store, stage.account);
    let conversation = stage.conversation().await;
    let connection = store.account_row(account).await.unwrap().connection;

    // Replies: the first one waiting, or the end of a pause.
    let next = async |after| store.next_reply(after).await.unwrap();
    let (first, second) =
        (stage.ask(conversation, "1", "1").await.reply, stage.ask(conversation, "2", "2").await.reply);
    assert_eq!([next(NOW - 1).await, next(NOW).await], [Some(NOW), None], "later than that, and not at it");
    store.defer(first, NOW + 5 * MINUTE).await.unwrap();
    store.defer(second, NOW + 3 * MINUTE).await.unwrap();
    assert_eq!([next(NOW).await, next(NOW + 3 * MINUTE).await], [Some(NOW + 3 * MINUTE), Some(NOW + 5 * MINUTE)]);
    store.refuse_reply(second, Vec::new(), NOW).await.unwrap();
    assert_eq!(next(NOW).await, Some(NOW + 5 * MINUTE), "one that has its end waits for nothing");
    let open = store.open_reply(first).await.unwrap().unwrap();
    store.begin_steps(&open, &[step(0, "1")], &Remarks::default(), NOW).await.unwrap();
    store.begin_attempt(first, 0, NOW).await.unwrap();
    let mut paused = outcome(json!({"transient": failure("rate_limited")}));
    paused.pause = serde_json::from_value(json!({"scope": "account", "duration": MINUTE})).unwrap();
    store.finish_step(&open, 0, paused, StepEnd::Later(NOW + 2 * MINUTE), NOW).await.unwrap();
    assert_eq!([next(NOW).await, next(NOW + MINUTE).await], [Some(NOW + MINUTE), Some(NOW + 2 * MINUTE)]);

    // Ambiguous steps.
    let next = async |after| store.next_doubt(after).await.unwrap();
    assert_eq!(next(0).await, None);
    store.begin_attempt(first, 0, NOW).await.unwrap();
    store.settle_interrupted(NOW).await.unwrap();
    let look = next(NOW).await.unwrap();
    assert!(store.due_doubts(look - 1).await.unwrap().is_empty() && store.due_doubts(look).await.unwrap().len() == 1);
    assert_eq!(next(look).await, None);

    // Profiles, credentials and histories of a connected account.
    let next = async |after| {
        let (profile, refresh) = (store.next_profile(after).await.unwrap(), store.next_refresh(after).await.unwrap());
        [profile, refresh, store.next_history(after).await.unwrap()]
    };
    let contact = store.due_profiles(NOW, 9).await.unwrap()[0].contact;
    store.note_no_profile(contact, "not now".into(), NOW + 1).await.unwrap();
    store.note_refresh(account, connection, None, Some(NOW + 2)).await.unwrap();
    let mark = HistoryMark { cursor: None, from: NOW, next: Some(NOW + 3) };
    store.note_history(account, connection, Vec::new(), mark).await.unwrap();
    assert_eq!(next(NOW).await, [Some(NOW + 1), Some(NOW + 2), Some(NOW + 3)]);
    assert_eq!(next(NOW + 2).await, [None, None, Some(NOW + 3)]);
    store.mark_account(account, connection, AccountState::NeedsReconnect, None, NOW).await.unwrap();
    assert_eq!(next(NOW).await, [None, Some(NOW + 2), None], "a credential may work again");
    store.disconnect_account(account, false, NOW).await.unwrap();
    assert_eq!(next(NOW).await, [None, None, None]);
}

pub(crate) async fn a_clock_set_back_makes_waiting_replies_due_earlier(place: &dyn Place) {
    let stage = Stage::new(place).await;
    let conversation = stage.conversation().await;
    let reply = stage.ask(conversation, "key", "hello").await.reply;
    stage.store.defer(reply, NOW + 10 * MINUTE).await.unwrap();
    let due = async |at| !stage.store.due_replies(at, 9, HashSet::new()).await.unwrap().is_empty();
    assert!(!due(NOW).await);
    stage.store.clock_set_back(10 * MINUTE).await.unwrap();
    assert!(due(NOW).await);
    stage.store.defer(reply, NOW + 100 * 24 * 60 * MINUTE).await.unwrap();
    stage.store.bound_waits(NOW).await.unwrap();
    assert!(!due(NOW).await && due(NOW + 24 * 60 * MINUTE).await, "nothing waits longer than a day");
}
