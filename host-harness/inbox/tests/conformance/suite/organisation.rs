//! Promises about what a team makes of conversations: states, labels, collections, notes, and the lists by them.
//! Not here: users and workspaces, which not every store makes itself.

use harness_contract::EventOrigin;
use serde_json::json;

use super::{
    place::Place,
    stage::{CHANNEL, NOW, Stage, connect, event, message},
};
use harness_inbox::{
    CannedAnswerText, ChangeKind, ConversationChange, ConversationFilter, ConversationId, ConversationState,
    InboxError, LabelChange, NewNote, NewState, Organised, WorkspaceId,
    store::{MAX_LABELS, Store},
};

const TEAM: WorkspaceId = WorkspaceId::FIRST;

async fn put(store: &dyn Store, conversation: ConversationId, state: NewState) -> Organised {
    let change = ConversationChange { state: Some(state), ..ConversationChange::default() };
    store.change_conversation(conversation, change, NOW).await.unwrap()
}

async fn state(store: &dyn Store, conversation: ConversationId) -> (ConversationState, Option<u64>, Option<u64>) {
    let summary = store.conversation(conversation).await.unwrap();
    (summary.state, summary.snoozed_until, summary.closed_at)
}

const OPEN: (ConversationState, Option<u64>, Option<u64>) = (ConversationState::Open, None, None);

pub(crate) async fn a_customer_who_writes_opens_what_was_closed_or_snoozed(place: &dyn Place) {
    let stage = Stage::new(place).await;
    let (store, conversation) = (&*stage.store, stage.conversation().await);
    assert_eq!(put(store, conversation, NewState::Closed).await, Organised::Changed);
    assert_eq!(put(store, conversation, NewState::Closed).await, Organised::Unchanged);
    assert_eq!(state(store, conversation).await, (ConversationState::Closed, None, Some(NOW)));
    // What is old, what is ours and what is no word of the customer's leave it closed.
    let mut old = message("shop", "ada", "old", "from the history", NOW - 9);
    old.origin = EventOrigin::History;
    let mut ours = message("shop", "ada", "ours", "from the app", NOW + 1);
    ours.author = serde_json::from_value(json!({"business": {}})).unwrap();
    let like = json!({"reaction": {"target": "hello", "action": "added", "emoji": "❤"}});
    stage.deliver(vec![old, ours, event("shop", "ada", "like", NOW + 2, like)]).await;
    assert_eq!(state(store, conversation).await.0, ConversationState::Closed);
    stage.deliver(vec![message("shop", "ada", "m2", "again", NOW + 3)]).await;
    assert_eq!(state(store, conversation).await, OPEN);
    put(store, conversation, NewState::Snoozed(NOW + 99)).await;
    assert_eq!(state(store, conversation).await, (ConversationState::Snoozed, Some(NOW + 99), None));
    // The same event again is no new word.
    stage.deliver(vec![message("shop", "ada", "m2", "again", NOW + 3)]).await;
    assert_eq!(state(store, conversation).await.0, ConversationState::Snoozed);
    let comment = json!({"comment": {"id": "c1", "text": "and here", "place": "post"}});
    stage.deliver(vec![event("shop", "ada", "c1", NOW + 4, comment)]).await;
    assert_eq!(state(store, conversation).await, OPEN);
    // Whom the team waits for has answered: it stays pending, and is unread.
    put(store, conversation, NewState::Pending).await;
    stage.deliver(vec![message("shop", "ada", "m3", "here it is", NOW + 5)]).await;
    assert_eq!(state(store, conversation).await.0, ConversationState::Pending);
    // Read from the history first, and told live afterwards.
    put(store, conversation, NewState::Closed).await;
    let mut first = message("shop", "ada", "m4", "twice", NOW + 6);
    first.origin = EventOrigin::History;
    stage.deliver(vec![first]).await;
    assert_eq!(state(store, conversation).await.0, ConversationState::Closed);
    stage.deliver(vec![message("shop", "ada", "m4", "twice", NOW + 6)]).await;
    assert_eq!(state(store, conversation).await, OPEN);
}

pub(crate) async fn a_snoozed_conversation_is_opened_at_its_time(place: &dyn Place) {
    let stage = Stage::new(place).await;
    let (store, conversation) = (&*stage.store, stage.conversation().await);
    stage.deliver(vec![message("shop", "bob", "m2", "me too", NOW)]).await;
    let other = store.conversations(9).await.unwrap().iter().map(|one| one.id).find(|id| *id != conversation).unwrap();
    put(store, conversation, NewState::Snoozed(NOW + 10)).await;
    put(store, other, NewState::Snoozed(NOW + 20)).await;
    assert_eq!(store.next_snoozed(NOW).await.unwrap(), Some(NOW + 10));
    assert_eq!(store.next_snoozed(NOW + 10).await.unwrap(), Some(NOW + 20));
    assert_eq!(store.open_snoozed(NOW + 9, 9).await.unwrap(), 0);
    assert_eq!(store.open_snoozed(NOW + 10, 9).await.unwrap(), 1);
    assert_eq!(state(store, conversation).await, OPEN);
    assert_eq!(state(store, other).await.0, ConversationState::Snoozed);
    assert_eq!(store.next_snoozed(NOW).await.unwrap(), Some(NOW + 20));
}

pub(crate) async fn every_filter_of_the_list_shows_what_it_says_and_pages_end_where_the_next_begin(place: &dyn Place) {
    let stage = Stage::new(place).await;
    let store = &*stage.store;
    let second = connect(store, "other", "shop-2").await;
    let people: Vec<String> = (0..24).map(|nth| format!("p{nth}")).collect();
    stage
        .deliver((0..).zip(&people).map(|(nth, who): (u64, _)| message("shop", who, who, who, NOW + nth / 3)).collect())
        .await;
    let all = store.conversations(99).await.unwrap();
    assert_eq!(all.len(), people.len());
    let sales = store.add_collection(TEAM, "Sales".into(), NOW).await.unwrap();
    let urgent = store.add_label(TEAM, "Urgent".into(), "red".into(), NOW).await.unwrap();
    for (nth, one) in all.iter().enumerate() {
        let state = [NewState::Open, NewState::Pending, NewState::Snoozed(NOW + 1), NewState::Closed][nth % 4];
        let collection = (nth % 3 == 0).then_some(sales);
        let change =
            ConversationChange { state: Some(state), collection: Some(collection), ..ConversationChange::default() };
        store.change_conversation(one.id, change, NOW).await.unwrap();
        if nth % 5 == 0 {
            assert!(store.change_labels(one.id, LabelChange::Add(vec![urgent]), NOW).await.unwrap());
        }
        if nth % 7 == 0 {
            store.mark_read(one.id, NOW).await.unwrap();
        }
    }
    let contact = all[3].contact_id;
    let any = ConversationFilter::default;
    type Holds = fn(usize) -> bool;
    let filters: [(ConversationFilter, Holds); 12] = [
        (any(), |_| true),
        (ConversationFilter { workspace: Some(TEAM), ..any() }, |_| true),
        (ConversationFilter { account: Some(stage.account), ..any() }, |_| true),
        (ConversationFilter { account: Some(second), ..any() }, |_| false),
        (ConversationFilter { channel: Some(CHANNEL.into()), ..any() }, |_| true),
        (ConversationFilter { contact: Some(contact), ..any() }, |nth| nth == 3),
        (ConversationFilter { collection: Some(Some(sales)), ..any() }, |nth| nth % 3 == 0),
        (ConversationFilter { collection: Some(None), ..any() }, |nth| nth % 3 != 0),
        (ConversationFilter { assignee: Some(None), ..any() }, |_| true),
        (ConversationFilter { label: Some(urgent), ..any() }, |nth| nth % 5 == 0),
        (ConversationFilter { unread: Some(true), ..any() }, |nth| nth % 7 != 0),
        (ConversationFilter { unread: Some(false), ..any() }, |nth| nth % 7 == 0),
    ];
    for (filter, holds) in &filters {
        for (states, within) in [(vec![], None), (vec![ConversationState::Open, ConversationState::Closed], None)]
            .into_iter()
            .chain([(vec![], Some((NOW + 2, NOW + 5)))])
        {
            let (from, to) = (within.map(|(from, _)| from), within.map(|(_, to)| to));
            let filter = ConversationFilter { states: states.clone(), from, to, ..filter.clone() };
            let expected: Vec<_> = (0..)
                .zip(&all)
                .filter(|(nth, one)| {
                    let at = u64::try_from(one.last_at).unwrap();
                    holds(*nth)
                        && (states.is_empty() || nth % 4 == 0 || nth % 4 == 3)
                        && within.is_none_or(|(from, to)| (from..to).contains(&at))
                })
                .map(|(_, one)| one.id)
                .collect();
            let (mut seen, mut before) = (Vec::new(), None);
            loop {
                let page = store.conversations_of(filter.clone(), before, 3).await.unwrap();
                seen.extend(page.entries.iter().map(|one| one.id));
                before = page.next;
                if before.is_none() {
                    break;
                }
            }
            assert_eq!(seen, expected, "{filter:?}");
        }
    }
    let both = ConversationFilter {
        label: Some(urgent),
        collection: Some(Some(sales)),
        unread: Some(true),
        account: Some(stage.account),
        ..any()
    };
    let found = store.conversations_of(both, None, 99).await.unwrap().entries;
    assert_eq!(found.iter().map(|one| one.id).collect::<Vec<_>>(), [all[15].id], "all conditions hold");
    assert_eq!((found[0].collection, &*found[0].labels), (Some(sales), &[urgent][..]));
}

pub(crate) async fn a_list_of_unread_conversations_follows_their_messages(place: &dyn Place) {
    let stage = Stage::new(place).await;
    let (store, conversation) = (&*stage.store, stage.conversation().await);
    let unread = async || {
        let filter = ConversationFilter { unread: Some(true), ..ConversationFilter::default() };
        store.conversations_of(filter, None, 9).await.unwrap().entries.len()
    };
    assert_eq!(unread().await, 1);
    stage.deliver(vec![event("shop", "ada", "u1", NOW + 1, json!({"deleted": {"target": "hello"}}))]).await;
    assert_eq!(unread().await, 0, "what was unsent is not to be read");
    stage
        .deliver(vec![message("shop", "ada", "m2", "one", NOW + 2), message("shop", "ada", "m3", "two", NOW + 3)])
        .await;
    stage.deliver(vec![event("shop", "ada", "u2", NOW + 4, json!({"deleted": {"target": "m2"}}))]).await;
    assert_eq!(unread().await, 1, "the other is");
    store.mark_read(conversation, NOW).await.unwrap();
    assert_eq!(unread().await, 0);
}

pub(crate) async fn a_list_by_label_has_the_newest_conversation_first_whoever_wrote_in_it(place: &dyn Place) {
    let stage = Stage::new(place).await;
    let store = &*stage.store;
    let urgent = store.add_label(TEAM, "Urgent".into(), "red".into(), NOW).await.unwrap();
    let words = |who: &str, id: &str, ago: u64| message("shop", who, id, "hello", NOW - ago);
    stage.deliver(vec![words("ada", "m1", 10), words("bob", "m2", 9)]).await;
    let filter = || ConversationFilter { label: Some(urgent), ..ConversationFilter::default() };
    let listed = async || {
        let listed = store.conversations_of(filter(), None, 9).await.unwrap().entries;
        listed.into_iter().map(|one| one.id).collect::<Vec<_>>()
    };
    let all = store.conversations(9).await.unwrap();
    let [bob, ada] = [all[0].id, all[1].id];
    for one in [ada, bob] {
        store.change_labels(one, LabelChange::Add(vec![urgent]), NOW).await.unwrap();
    }
    assert_eq!(listed().await, [bob, ada]);
    stage.deliver(vec![words("ada", "m3", 5)]).await;
    assert_eq!(listed().await, [ada, bob]);
    stage.ask(bob, "key", "Good morning!").await;
    assert_eq!(listed().await, [bob, ada]);
    put(store, bob, NewState::Closed).await;
    let open = ConversationFilter { states: vec![ConversationState::Open], ..filter() };
    assert_eq!(store.conversations_of(open, None, 9).await.unwrap().entries.len(), 1);
    // Two conversations become one, which has the newer time of both.
    let change = json!({"contact_update": {"previous_ids": ["ada"]}});
    stage.deliver(vec![words("eve", "m4", 8)]).await;
    let eve = store.conversations(9).await.unwrap().into_iter().find(|one| ![ada, bob].contains(&one.id)).unwrap().id;
    stage.deliver(vec![words("kim", "m5", 7)]).await;
    let kim = store.conversations(9).await.unwrap().into_iter().find(|one| ![ada, bob, eve].contains(&one.id)).unwrap();
    for one in [eve, kim.id] {
        store.change_labels(one, LabelChange::Add(vec![urgent]), NOW).await.unwrap();
    }
    assert_eq!(listed().await, [bob, ada, kim.id, eve]);
    stage.deliver(vec![event("shop", "eve", "e1", NOW - 8, change)]).await;
    assert_eq!(listed().await, [bob, eve, kim.id]);
}

pub(crate) async fn the_first_page_of_a_label_has_where_something_happened_last(place: &dyn Place) {
    let stage = Stage::new(place).await;
    let store = &*stage.store;
    let urgent = store.add_label(TEAM, "Urgent".into(), "red".into(), NOW).await.unwrap();
    for (ago, who) in (10..20).rev().zip(["ada", "bob", "cyd", "dan", "eve", "fay"]) {
        stage.deliver(vec![message("shop", who, who, "hello", NOW - ago)]).await;
    }
    let all = store.conversations(9).await.unwrap();
    for one in &all {
        store.change_labels(one.id, LabelChange::Add(vec![urgent]), NOW).await.unwrap();
    }
    let first = async || {
        let filter = ConversationFilter { label: Some(urgent), ..ConversationFilter::default() };
        store.conversations_of(filter, None, 1).await.unwrap().entries[0].id
    };
    stage.deliver(vec![message("shop", "ada", "again", "hello?", NOW - 5)]).await;
    assert_eq!(first().await, all[5].id);
    stage.ask(all[4].id, "key", "Good morning!").await;
    assert_eq!(first().await, all[4].id);
}

pub(crate) async fn a_person_who_gets_an_id_keeps_what_the_team_made_of_the_conversation(place: &dyn Place) {
    let stage = Stage::new(place).await;
    let (store, first) = (&*stage.store, stage.conversation().await);
    let sales = store.add_collection(TEAM, "Sales".into(), NOW).await.unwrap();
    let urgent = store.add_label(TEAM, "Urgent".into(), "red".into(), NOW).await.unwrap();
    let change = ConversationChange { collection: Some(Some(sales)), ..ConversationChange::default() };
    store.change_conversation(first, change, NOW).await.unwrap();
    store.change_labels(first, LabelChange::Set(vec![urgent]), NOW).await.unwrap();
    let note = store.add_note(new_note(first, "a regular")).await.unwrap();
    let change = json!({"contact_update": {"previous_ids": ["ada"]}});
    stage.deliver(vec![event("shop", "ada-2", "e1", NOW + 1, change)]).await;
    let kept = store.conversations(9).await.unwrap().remove(0);
    assert_eq!((kept.collection, kept.labels), (Some(sales), vec![urgent]));
    assert_eq!(store.note(note).await.unwrap().conversation, kept.id);
}

fn new_note(conversation: ConversationId, text: &str) -> NewNote {
    NewNote { conversation, user: None, author: "Ada".into(), text: text.into(), key: None, now: NOW }
}

pub(crate) async fn a_note_stays_with_its_conversation_and_goes_with_it(place: &dyn Place) {
    let stage = Stage::new(place).await;
    let (store, conversation) = (&*stage.store, stage.conversation().await);
    let mut notes = Vec::new();
    for text in ["one", "two", "three"] {
        notes.push(store.add_note(new_note(conversation, text)).await.unwrap());
    }
    store.edit_note(notes[1], "two, corrected".into(), NOW + 5).await.unwrap();
    store.delete_note(notes[2], NOW + 6).await.unwrap();
    let page = store.notes_before(conversation, None, 1).await.unwrap();
    assert_eq!((page.entries[0].text.as_str(), page.entries[0].edited_at), ("two, corrected", Some(NOW + 5)));
    let rest = store.notes_before(conversation, page.next, 9).await.unwrap().entries;
    assert_eq!(rest.iter().map(|note| note.text.as_str()).collect::<Vec<_>>(), ["one"]);
    assert_eq!(rest[0].author, "Ada");
    assert!(store.timeline(conversation, 9).await.unwrap().iter().all(|entry| entry.text.as_deref() != Some("one")));
    store.disconnect_account(stage.account, true, NOW).await.unwrap();
    assert!(matches!(store.note(notes[0]).await, Err(InboxError::NotFound { what: "note", .. })));
    let nowhere = store.add_note(new_note(conversation, "late")).await;
    assert!(matches!(nowhere, Err(InboxError::NotFound { what: "conversation", .. })));
}

pub(crate) async fn a_note_is_written_once_for_its_key(place: &dyn Place) {
    let stage = Stage::new(place).await;
    let (store, conversation) = (&*stage.store, stage.conversation().await);
    let note = |text: &str, key: &str| NewNote { key: Some(key.into()), ..new_note(conversation, text) };
    let first = store.add_note(note("paid", "k1")).await.unwrap();
    assert_eq!(store.add_note(note("paid", "k1")).await.unwrap(), first);
    let other = store.add_note(note("not paid", "k1")).await;
    assert!(matches!(other, Err(InboxError::KeyReused(key)) if key == "k1"));
    // What was corrected meanwhile is the same note.
    store.edit_note(first, "paid twice".into(), NOW + 1).await.unwrap();
    assert_eq!(store.add_note(note("paid", "k1")).await.unwrap(), first);
    assert!(matches!(store.add_note(note("paid twice", "k1")).await, Err(InboxError::KeyReused(_))));
    let second = store.add_note(note("paid", "k2")).await.unwrap();
    let third = store.add_note(new_note(conversation, "paid")).await.unwrap();
    let notes = store.notes_before(conversation, None, 9).await.unwrap().entries;
    assert_eq!(notes.iter().map(|note| note.id).collect::<Vec<_>>(), [third, second, first]);
}

pub(crate) async fn names_are_unique_in_their_workspace_and_a_deleted_one_is_nowhere(place: &dyn Place) {
    let stage = Stage::new(place).await;
    let (store, conversation) = (&*stage.store, stage.conversation().await);
    let sales = store.add_collection(TEAM, "Sales".into(), NOW).await.unwrap();
    let help = store.add_collection(TEAM, "help".into(), NOW).await.unwrap();
    let taken = store.rename_collection(help, "Sales".into(), NOW).await;
    assert!(matches!(taken, Err(InboxError::NameTaken { what: "collection", name }) if name == "Sales"));
    let names: Vec<_> = store.collections(TEAM).await.unwrap().into_iter().map(|one| one.name).collect();
    assert_eq!(names, ["help", "Sales"]);
    let change = ConversationChange { collection: Some(Some(sales)), ..ConversationChange::default() };
    store.change_conversation(conversation, change, NOW).await.unwrap();
    store.delete_collection(sales, NOW).await.unwrap();
    assert_eq!(store.conversation(conversation).await.unwrap().collection, None);
    let gone = store.change_conversation(conversation, change, NOW).await;
    assert!(matches!(gone, Err(InboxError::NotFound { what: "collection", .. })));
    assert!(matches!(store.delete_collection(sales, NOW).await, Err(InboxError::NotFound { .. })));

    let mut labels = Vec::new();
    for nth in 0..=MAX_LABELS {
        labels.push(store.add_label(TEAM, format!("l{nth}"), "blue".into(), NOW).await.unwrap());
    }
    let too_many = store.change_labels(conversation, LabelChange::Set(labels.clone()), NOW).await;
    assert!(matches!(too_many, Err(InboxError::TooMany { most: MAX_LABELS, .. })));
    assert!(store.conversation(conversation).await.unwrap().labels.is_empty(), "nothing of it was written");
    assert!(store.change_labels(conversation, LabelChange::Set(labels[..3].to_vec()), NOW).await.unwrap());
    assert!(!store.change_labels(conversation, LabelChange::Add(labels[..2].to_vec()), NOW).await.unwrap());
    store.change_labels(conversation, LabelChange::Remove(labels[..1].to_vec()), NOW).await.unwrap();
    store.delete_label(labels[1], NOW).await.unwrap();
    assert_eq!(store.conversation(conversation).await.unwrap().labels, labels[2..3]);
    store.edit_label(labels[2], "Late".into(), "green".into(), NOW).await.unwrap();
    let label = store.label(labels[2]).await.unwrap();
    assert_eq!((label.name.as_str(), label.color.as_str(), label.workspace), ("Late", "green", TEAM));

    let hours = |shortcut: &str| CannedAnswerText {
        shortcut: shortcut.into(),
        title: "Opening hours".into(),
        text: "Hello {{contact.name}}".into(),
    };
    let answer = store.add_canned_answer(TEAM, hours("hours"), NOW).await.unwrap();
    let taken = store.add_canned_answer(TEAM, hours("hours"), NOW).await;
    assert!(matches!(taken, Err(InboxError::NameTaken { what: "canned answer", .. })));
    store.edit_canned_answer(answer, hours("open"), NOW).await.unwrap();
    assert_eq!(store.canned_answers(TEAM).await.unwrap()[0].shortcut, "open");
    store.delete_canned_answer(answer, NOW).await.unwrap();
    assert!(store.canned_answers(TEAM).await.unwrap().is_empty());
}

pub(crate) async fn whatever_the_team_changes_stands_in_the_feed(place: &dyn Place) {
    let stage = Stage::new(place).await;
    let (store, conversation) = (&*stage.store, stage.conversation().await);
    let position = async || *store.newest_change().borrow();
    let mut after = position().await;
    let mut told = async |expected: &[(ChangeKind, bool)]| {
        let found = store.changes_after(after, Some(TEAM), 99).await.unwrap().changes;
        after = found.last().map_or(after, |change| change.seq);
        let shown: Vec<_> =
            found.iter().map(|change| (change.kind, change.conversation == Some(conversation))).collect();
        assert_eq!(shown, expected);
    };
    let settings = (ChangeKind::SettingsUpdated, false);
    let updated = (ChangeKind::ConversationUpdated, true);
    let label = store.add_label(TEAM, "Urgent".into(), "red".into(), NOW).await.unwrap();
    told(&[settings]).await;
    store.change_labels(conversation, LabelChange::Add(vec![label]), NOW).await.unwrap();
    store.change_labels(conversation, LabelChange::Add(vec![label]), NOW).await.unwrap();
    told(&[updated]).await;
    put(store, conversation, NewState::Closed).await;
    put(store, conversation, NewState::Closed).await;
    told(&[updated]).await;
    let note = store.add_note(new_note(conversation, "one")).await.unwrap();
    store.edit_note(note, "two".into(), NOW).await.unwrap();
    store.edit_note(note, "two".into(), NOW).await.unwrap();
    store.delete_note(note, NOW).await.unwrap();
    let of_notes = [ChangeKind::NoteCreated, ChangeKind::NoteUpdated, ChangeKind::NoteDeleted];
    told(&of_notes.map(|kind| (kind, true))).await;
    put(store, conversation, NewState::Snoozed(NOW)).await;
    store.open_snoozed(NOW, 9).await.unwrap();
    told(&[updated, updated]).await;
    store.delete_label(label, NOW).await.unwrap();
    told(&[settings]).await;
    put(store, conversation, NewState::Closed).await;
    told(&[updated]).await;
    stage.deliver(vec![message("shop", "ada", "m2", "again", NOW + 3)]).await;
    let found = store.changes_after(after, Some(TEAM), 99).await.unwrap().changes;
    assert!(found.iter().any(|change| change.kind == ChangeKind::ConversationUpdated), "the customer opened it");
}
