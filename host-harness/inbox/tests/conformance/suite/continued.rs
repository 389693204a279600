//! Promises about conversations that are begun anew because the customer wrote after they were closed.
//! Not here: what opens a conversation (`organisation`), many things in random order (`scripts`).

use harness_contract::{Event, EventOrigin, WindowState};
use serde_json::{Value, json};

use super::{
    place::Place,
    scripts::lead_to_one,
    stage::{NOW, Stage, event, failure, message, new_reply, outcome, policy, step},
    users,
};
use harness_inbox::{
    ChangeKind, ConversationChange, ConversationId, ConversationState, ConversationSummary, InboxError, LabelChange,
    NewNote, NewState, StepEnd, StepState, TimelineEntry, UserChange, WhenClosed, WorkspaceId,
};

const TEAM: WorkspaceId = WorkspaceId::FIRST;
/// When the conversation is closed.
const CLOSED: u64 = NOW + 10;

impl Stage {
    /// A store whose account begins conversations anew.
    pub(super) async fn that_begins_anew(place: &dyn Place) -> Self {
        let stage = Self::new(place).await;
        stage.store.choose_when_closed(stage.account, WhenClosed::New, NOW).await.unwrap();
        stage
    }

    pub(super) async fn put(&self, conversation: ConversationId, state: NewState, now: u64) {
        let change = ConversationChange { state: Some(state), ..ConversationChange::default() };
        self.store.change_conversation(conversation, change, now).await.unwrap();
    }

    async fn one(&self, conversation: ConversationId) -> ConversationSummary {
        self.store.conversation(conversation).await.unwrap()
    }

    /// All conversations, in the order in which they were made.
    pub(super) async fn all(&self) -> Vec<ConversationSummary> {
        let mut all = self.store.conversations(99).await.unwrap();
        all.sort_by_key(|one| one.id);
        all
    }

    pub(super) async fn said(&self, conversation: ConversationId) -> Vec<TimelineEntry> {
        self.store.timeline(conversation, 99).await.unwrap()
    }

    /// A conversation that was closed, and the one in which it goes on.
    async fn begun_anew(&self) -> (ConversationId, ConversationId) {
        let old = self.conversation().await;
        self.put(old, NewState::Closed, CLOSED).await;
        self.deliver(vec![message("shop", "ada", "again", "again", NOW + 20)]).await;
        (old, self.one(old).await.continued_in.unwrap())
    }
}

fn texts(entries: &[TimelineEntry]) -> Vec<&str> {
    entries.iter().map(|entry| entry.text.as_deref().unwrap_or("-")).collect()
}

/// The same from the business, as an echo.
fn ours(mut event: Event) -> Event {
    event.author = serde_json::from_value(json!({"business": {}})).unwrap();
    event
}

fn from(origin: EventOrigin, mut event: Event) -> Event {
    event.origin = origin;
    event
}

pub(crate) async fn a_customer_who_writes_after_the_closing_begins_anew_where_the_team_wants_it(place: &dyn Place) {
    let stage = Stage::that_begins_anew(place).await;
    let (store, old) = (&*stage.store, stage.conversation().await);
    let kim = users::add(store, "kim@shop.example", harness_inbox::Role::Agent).await;
    let sales = store.add_collection(TEAM, "Sales".into(), NOW).await.unwrap();
    let urgent = store.add_label(TEAM, "Urgent".into(), "red".into(), NOW).await.unwrap();
    let change = ConversationChange {
        state: Some(NewState::Closed),
        assignee: Some(Some(kim)),
        collection: Some(Some(sales)),
        ..ConversationChange::default()
    };
    store.change_conversation(old, change, CLOSED).await.unwrap();
    store.change_labels(old, LabelChange::Set(vec![urgent]), NOW).await.unwrap();
    let note =
        NewNote { conversation: old, user: None, author: "Kim".into(), text: "a regular".into(), key: None, now: NOW };
    store.add_note(note).await.unwrap();
    let before = *store.newest_change().borrow();
    stage.deliver(vec![message("shop", "ada", "again", "again", NOW + 20)]).await;

    let [was, is] = <[_; 2]>::try_from(stage.all().await).unwrap();
    assert_eq!((was.id, was.state, was.closed_at), (old, ConversationState::Closed, Some(CLOSED)));
    assert_eq!((was.continues, was.continued_in), (None, Some(is.id)));
    assert_eq!((was.collection, &*was.labels, was.assignee, was.unread), (Some(sales), &[urgent][..], Some(kim), 1));
    assert_eq!((is.state, is.continues, is.continued_in), (ConversationState::Open, Some(old), None));
    assert_eq!((is.assignee, is.collection, is.labels.len(), is.unread), (Some(kim), None, 0, 1));
    assert_eq!((is.contact.as_deref(), is.contact_id), (Some("ada"), was.contact_id));
    assert_eq!(texts(&stage.said(old).await), ["hello"]);
    assert_eq!(texts(&stage.said(is.id).await), ["again"]);
    assert_eq!(store.notes_before(old, None, 9).await.unwrap().entries.len(), 1);
    assert!(store.notes_before(is.id, None, 9).await.unwrap().entries.is_empty());
    // All of it in one transaction, in this order.
    let told = store.changes_after(before, Some(TEAM), 99).await.unwrap().changes;
    let told: Vec<_> = told.iter().map(|change| (change.kind, change.conversation)).collect();
    let (created, updated) = (ChangeKind::ConversationCreated, ChangeKind::ConversationUpdated);
    assert_eq!(
        told,
        [(created, Some(is.id)), (updated, Some(old)), (ChangeKind::MessageCreated, Some(is.id))],
        "{told:?}"
    );
    // What comes twice changes nothing, under whatever event.
    let mut copy = message("shop", "ada", "again", "again", NOW + 20);
    stage.deliver(vec![copy.clone()]).await;
    stage.put(is.id, NewState::Closed, NOW + 30).await;
    copy.id = "another event".into();
    copy.at = Some(NOW + 40);
    stage.deliver(vec![copy]).await;
    assert_eq!(stage.all().await.len(), 2);
    assert_eq!(stage.one(is.id).await.state, ConversationState::Closed);
    // Whoever may not sign in any more takes care of nothing.
    let boss = users::add(store, "boss@shop.example", harness_inbox::Role::Admin).await;
    assert_ne!(boss, kim);
    let gone = UserChange { disabled: Some(true), ..UserChange::default() };
    store.update_user(kim, gone, NOW).await.unwrap();
    let stage = stage.restart(place).await;
    // Several at once are in the same.
    let more =
        [message("shop", "ada", "third", "once more", NOW + 50), message("shop", "ada", "3b", "please", NOW + 51)];
    stage.deliver(more.to_vec()).await;
    let [_, second, third] = <[_; 3]>::try_from(stage.all().await).unwrap();
    assert_eq!((second.continued_in, third.continues, third.assignee), (Some(third.id), Some(second.id), None));
    assert_eq!(texts(&stage.said(third.id).await), ["once more", "please"]);
    assert_eq!(stage.store.goes_on_in(old).await.unwrap(), Some(third.id));
    assert_eq!(stage.store.goes_on_in(third.id).await.unwrap(), None);
    // The choice is the account's.
    stage.store.choose_when_closed(stage.account, WhenClosed::Reopen, NOW).await.unwrap();
    stage.put(third.id, NewState::Closed, NOW + 60).await;
    stage.deliver(vec![message("shop", "ada", "fourth", "still me", NOW + 70)]).await;
    assert_eq!(stage.one(third.id).await.state, ConversationState::Open);
    assert_eq!(stage.all().await.len(), 3);
}

pub(crate) async fn what_is_no_new_word_after_the_closing_begins_nothing(place: &dyn Place) {
    let stage = Stage::that_begins_anew(place).await;
    let old = stage.conversation().await;
    stage.put(old, NewState::Closed, CLOSED).await;
    let say = |id: &str| message("shop", "ada", id, id, NOW + 20);
    let about_old = |id: &str, body: Value| event("shop", "ada", id, NOW + 20, body);
    stage
        .deliver(vec![
            ours(say("from the app")),
            from(EventOrigin::History, say("past")),
            from(EventOrigin::Standby, say("for another app")),
            about_old("like", json!({"reaction": {"target": "hello", "action": "added", "emoji": "❤"}})),
            about_old("edit", json!({"edited": {"target": "hello", "text": "hallo", "revision": 1}})),
            about_old("seen", json!({"seen": {"message": "hello"}})),
            about_old("typing", json!({"typing": true})),
            about_old("unsent", json!({"deleted": {"target": "hello"}})),
        ])
        .await;
    assert_eq!(stage.all().await.len(), 1);
    assert_eq!(stage.one(old).await.state, ConversationState::Closed);
    // Written before it was closed: the team closed it without having seen that.
    stage.deliver(vec![message("shop", "ada", "late", "late", CLOSED)]).await;
    assert_eq!((stage.all().await.len(), stage.one(old).await.state), (1, ConversationState::Open));
    // What waits until a time is opened.
    stage.put(old, NewState::Snoozed(NOW + 99), CLOSED).await;
    stage.deliver(vec![message("shop", "ada", "early", "early", NOW + 30)]).await;
    assert_eq!((stage.all().await.len(), stage.one(old).await.state), (1, ConversationState::Open));
    // An edit of a comment comes like the comment.
    let comment = |id: &str, text: &str| {
        let comment = json!({"comment": {"id": "c1", "text": text, "place": "post"}});
        event("shop", "ada", id, NOW + 40, comment)
    };
    stage.deliver(vec![comment("e1", "nice")]).await;
    stage.put(old, NewState::Closed, NOW + 35).await;
    stage.deliver(vec![comment("e2", "very nice")]).await;
    assert_eq!(stage.all().await.len(), 1);
}

pub(crate) async fn a_word_that_the_history_brought_first_begins_anew_once_it_comes_live(place: &dyn Place) {
    let stage = Stage::that_begins_anew(place).await;
    let old = stage.conversation().await;
    stage.put(old, NewState::Closed, CLOSED).await;
    let again = || message("shop", "ada", "again", "again", NOW + 20);
    stage.deliver(vec![from(EventOrigin::History, again())]).await;
    assert_eq!(texts(&stage.said(old).await), ["hello", "again"]);
    stage.deliver(vec![again()]).await;
    let is = stage.one(old).await.continued_in.unwrap();
    assert_eq!((texts(&stage.said(old).await), texts(&stage.said(is).await)), (vec!["hello"], vec!["again"]));
    assert_eq!(stage.one(is).await.unread, 1);
    // One that it brought into a conversation that goes on elsewhere since goes there.
    stage.put(is, NewState::Closed, NOW + 30).await;
    let missed = || message("shop", "ada", "missed", "missed", NOW + 40);
    stage.deliver(vec![from(EventOrigin::History, missed())]).await;
    stage.deliver(vec![message("shop", "ada", "third", "third", NOW + 50)]).await;
    let third = stage.one(is).await.continued_in.unwrap();
    assert_eq!(texts(&stage.said(is).await), ["again", "missed"]);
    stage.deliver(vec![missed()]).await;
    assert_eq!(texts(&stage.said(is).await), ["again"]);
    assert_eq!(texts(&stage.said(third).await), ["missed", "third"]);
    assert_eq!(stage.one(third).await.unread, 2);
}

pub(crate) async fn what_happens_to_earlier_messages_happens_in_the_earlier_conversation(place: &dyn Place) {
    let stage = Stage::that_begins_anew(place).await;
    let old = stage.conversation().await;
    let answer = stage.begin(old, "answer").await;
    stage.sent(&answer, "m2").await;
    stage.put(old, NewState::Closed, CLOSED).await;
    stage.deliver(vec![message("shop", "ada", "again", "again", NOW + 20)]).await;
    let is = stage.one(old).await.continued_in.unwrap();
    let at = |id: &str, at: u64, body: Value| event("shop", "ada", id, NOW + at, body);
    stage
        .deliver(vec![
            at("like", 21, json!({"reaction": {"target": "m2", "action": "added", "emoji": "❤"}})),
            at("edit", 22, json!({"edited": {"target": "hello", "text": "hallo", "revision": 1}})),
        ])
        .await;
    let said = stage.said(old).await;
    assert_eq!((texts(&said), said[1].reactions.len()), (vec!["hallo", "answer"], 1));
    // How far somebody read is known of both: whoever reads the newest message has read those before it.
    stage.deliver(vec![at("seen-old", 23, json!({"seen": {"message": "m2"}}))]).await;
    assert_eq!(stage.one(old).await.seen_message.as_deref(), Some("m2"));
    assert_eq!(stage.one(is).await.seen_message, None);
    let more = stage.begin(is, "more").await;
    stage.sent(&more, "m4").await;
    stage.deliver(vec![at("seen-new", 24, json!({"seen": {"message": "m4"}}))]).await;
    assert_eq!(stage.one(is).await.seen_message.as_deref(), Some("m4"));
    stage.deliver(vec![at("unsent", 25, json!({"deleted": {"target": "hello"}}))]).await;
    assert!(stage.said(old).await[0].deleted_at.is_some());
    assert_eq!(stage.one(old).await.state, ConversationState::Closed);
    assert_eq!(stage.all().await.len(), 2);
}

pub(crate) async fn whoever_reads_the_new_conversation_has_read_the_old_one(place: &dyn Place) {
    let stage = Stage::that_begins_anew(place).await;
    let old = stage.conversation().await;
    let answer = stage.begin(old, "answer").await;
    stage.sent(&answer, "m2").await;
    stage.put(old, NewState::Closed, CLOSED).await;
    stage.deliver(vec![message("shop", "ada", "again", "again", NOW + 20)]).await;
    let seen = json!({"seen": {"time": NOW + 30}});
    stage.deliver(vec![event("shop", "ada", "seen", NOW + 30, seen)]).await;
    assert_eq!(stage.one(old).await.seen_message.as_deref(), Some("m2"));
}

pub(crate) async fn nothing_more_is_written_in_a_conversation_that_goes_on_in_another(place: &dyn Place) {
    let stage = Stage::that_begins_anew(place).await;
    let store = &*stage.store;
    let old = stage.conversation().await;
    let queued = stage.ask(old, "queued before", "see you").await;
    stage.put(old, NewState::Closed, CLOSED).await;
    stage.deliver(vec![message("shop", "ada", "again", "again", NOW + 20)]).await;
    let is = stage.one(old).await.continued_in.unwrap();
    let refused = |error: &InboxError| matches!(error, InboxError::Continued { conversation, by } if (*conversation, *by) == (old, is));
    assert!(refused(&store.queue_reply(new_reply(old, "new", "too late")).await.unwrap_err()));
    let again = stage.ask(old, "queued before", "see you").await;
    assert_eq!((again.reply, again.new), (queued.reply, false), "what was asked for before is asked for once");
    for state in [NewState::Open, NewState::Pending, NewState::Snoozed(NOW + 99)] {
        let change = ConversationChange { state: Some(state), ..ConversationChange::default() };
        assert!(refused(&store.change_conversation(old, change, NOW).await.unwrap_err()));
    }
    let note =
        NewNote { conversation: old, user: None, author: "Kim".into(), text: "paid".into(), key: None, now: NOW };
    store.add_note(note).await.unwrap();
    // What was queued before goes out first, and knows the window of the one that goes on.
    let answer = stage.ask(is, "answer", "hello again").await;
    let due = async || {
        let due = store.due_replies(NOW, 9, Default::default()).await.unwrap();
        due.iter().map(|due| due.reply).collect::<Vec<_>>()
    };
    assert_eq!(due().await, [queued.reply]);
    stage.deliver(vec![message("shop", "ada", "later", "later", NOW + 60_000_000)]).await;
    let state = async |one| store.context(one, &policy(), NOW + 100_000_000).await.unwrap().window.state;
    assert_eq!((state(old).await, state(is).await), (WindowState::Open, WindowState::Open));
    let open = store.open_reply(queued.reply).await.unwrap().unwrap();
    store.begin_steps(&open, &[step(0, "see you")], &Default::default(), NOW).await.unwrap();
    assert!(store.begin_attempt(queued.reply, 0, NOW).await.unwrap());
    assert_eq!(due().await, [queued.reply], "one after another");
    // The platform's refusal is one of the thread.
    let closed = outcome(json!({"rejected": failure("window_closed")}));
    store.finish_step(&open, 0, closed, StepEnd::Final(StepState::Rejected), NOW + 61_000_000).await.unwrap();
    let refused_at = async |one| store.context(one, &policy(), NOW).await.unwrap().window.refused_at;
    assert_eq!((refused_at(old).await, refused_at(is).await), (Some(NOW + 61_000_000), Some(NOW + 61_000_000)));
    assert_eq!(due().await, [answer.reply]);
    assert_eq!(texts(&stage.said(old).await), ["hello", "see you"]);
}

pub(crate) async fn conversations_of_a_person_stay_in_a_row_whatever_the_person_is_called(place: &dyn Place) {
    let stage = Stage::that_begins_anew(place).await;
    let (old, is) = stage.begun_anew().await;
    // Another id of the platform.
    let change = json!({"contact_update": {"previous_ids": ["ada"]}});
    stage.deliver(vec![event("shop", "ada-2", "renamed", NOW + 30, change)]).await;
    let all = stage.all().await;
    let now = lead_to_one(&all);
    assert_eq!((all.len(), all[0].id, all[0].continued_in), (2, old, Some(now)));
    assert!(all.iter().all(|one| one.contact.as_deref() == Some("ada-2")), "{all:?}");
    assert_ne!(now, is, "the contact's conversation was made with the new id");
    assert_eq!(texts(&stage.said(now).await), ["again"]);
    stage.deliver(vec![message("shop", "ada-2", "third", "third", NOW + 31)]).await;
    assert_eq!(texts(&stage.said(now).await), ["again", "third"]);
    // A comment of somebody who has no id here, twice; the answer to the first tells who it was.
    let comment = |id: &str, at: u64| {
        let body = json!({"comment": {"id": id, "text": id, "place": "post", "username": "ada_l"}});
        let mut comment = event("shop", "", id, NOW + at, body);
        comment.contact = None;
        comment
    };
    stage.deliver(vec![comment("c1", 40)]).await;
    let first = stage.all().await.last().unwrap().id;
    let reply = stage.begin(first, "private").await;
    stage.put(first, NewState::Closed, NOW + 50).await;
    stage.deliver(vec![comment("c2", 60)]).await;
    assert_eq!(stage.all().await.len(), 4);
    let named = json!({"sent": {"messages": [{"part": 0, "message": {"id": "m9"}}], "recipient": "ada-2"}});
    stage.store.finish_step(&reply, 0, outcome(named), StepEnd::Final(StepState::Sent), NOW + 61).await.unwrap();
    let stage = stage.restart(place).await;
    let all = stage.all().await;
    assert_eq!((all.len(), lead_to_one(&all)), (3, now), "{all:?}");
    assert!(all.iter().all(|one| one.contact_id == all[0].contact_id), "{all:?}");
    assert_eq!(stage.one(first).await.continued_in, Some(now));
    // Everything of a person goes with the person.
    stage.deliver(vec![message("shop", "bob", "bob", "stays", NOW)]).await;
    stage.deliver(vec![event("shop", "ada-2", "erase", NOW + 70, json!({"erasure_request": {}}))]).await;
    let left = stage.all().await;
    assert_eq!(left.iter().map(|one| one.contact.as_deref()).collect::<Vec<_>>(), [Some("bob")]);
    stage.put(left[0].id, NewState::Closed, CLOSED).await;
    stage.deliver(vec![message("shop", "bob", "bob-2", "again", NOW + 80)]).await;
    stage.store.disconnect_account(stage.account, true, NOW).await.unwrap();
    assert!(stage.all().await.is_empty());
}

pub(crate) async fn a_thread_that_moves_takes_its_earlier_conversations_along(place: &dyn Place) {
    let stage = Stage::that_begins_anew(place).await;
    let said = |thread: &str, id: &str, at: u64, body: Option<Value>| {
        let body = body.unwrap_or_else(|| json!({"message": {"id": id, "text": id, "to_self": false}}));
        let mut said = event("shop", "ada", id, NOW + at, body);
        said.thread = Some(serde_json::from_value(json!({"id": thread, "kind": "group"})).unwrap());
        said
    };
    stage.deliver(vec![said("g", "one", 0, None)]).await;
    let old = stage.all().await[0].id;
    let waiting = stage.ask(old, "waiting", "see you").await;
    stage.put(old, NewState::Closed, CLOSED).await;
    stage.deliver(vec![said("g", "two", 20, None)]).await;
    stage.deliver(vec![said("G", "moved", 30, Some(json!({"thread_update": {"moved": "g"}})))]).await;
    stage.deliver(vec![said("G", "three", 40, None)]).await;
    let all = stage.all().await;
    let is = lead_to_one(&all);
    assert_eq!((all.len(), texts(&stage.said(is).await)), (2, vec!["two", "three"]));
    // What waits in the old one is sent to the thread as it is called now.
    let thread = stage.store.context(old, &policy(), NOW).await.unwrap().thread.unwrap();
    assert_eq!(thread.id, "G");
    // And the answer to it names the thread once more.
    let open = stage.store.open_reply(waiting.reply).await.unwrap().unwrap();
    stage.store.begin_steps(&open, &[step(0, "see you")], &Default::default(), NOW).await.unwrap();
    assert!(stage.store.begin_attempt(waiting.reply, 0, NOW).await.unwrap());
    let sent =
        json!({"sent": {"messages": [{"part": 0, "message": {"id": "m0"}}], "thread": {"id": "H", "kind": "group"}}});
    stage.store.finish_step(&open, 0, outcome(sent), StepEnd::Final(StepState::Sent), NOW + 41).await.unwrap();
    stage.deliver(vec![said("H", "four", 50, None)]).await;
    assert_eq!(lead_to_one(&stage.all().await), is);
    assert_eq!(texts(&stage.said(is).await), ["two", "three", "four"]);
    assert_eq!(texts(&stage.said(old).await), ["one", "see you"]);
}
