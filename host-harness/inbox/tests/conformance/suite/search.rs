//! Promises about searching: words of messages and names, in every language, of what is there now.
//! Not here: what is left of words in a store's files.

use serde_json::json;

use super::{
    place::Place,
    stage::{NOW, Stage, event, message},
};
use harness_inbox::{ConversationFilter, FromDialog, Highlight, MessageSearch, NewAccount, WorkspaceId, store::Store};

const TEAM: WorkspaceId = WorkspaceId::FIRST;

fn search(text: &str) -> MessageSearch {
    MessageSearch { workspace: TEAM, text: text.into(), conversation: None }
}

/// Indexes everything that is new.
async fn indexed(store: &dyn Store) {
    while store.index(3).await.unwrap() == 3 {}
}

async fn found(store: &dyn Store, text: &str) -> Vec<String> {
    let page = store.search_messages(search(text), None, 99).await.unwrap();
    page.entries.into_iter().map(|hit| hit.text).collect()
}

pub(crate) async fn messages_are_found_by_the_beginnings_of_their_words_in_every_language(place: &dyn Place) {
    let stage = Stage::new(place).await;
    let texts = [
        "Do you have the Éclair in size 42?",
        "Die Straße ist gesperrt",
        "東京都に配送できますか",
        "서울에서 만나요",
        "คุณส่งของไหม",
        "eclairs are sold out",
    ];
    let events =
        (0..).zip(texts).map(|(nth, text): (u64, _)| message("shop", "ada", &format!("m{nth}"), text, NOW + nth));
    stage.deliver(events.collect()).await;
    let store = &*stage.store;
    assert!(found(store, "eclair").await.is_empty(), "nothing is indexed yet");
    indexed(store).await;
    for (query, expected) in [
        ("ECLAIR", vec![5, 0]),
        ("éclair size", vec![0]),
        ("siz 42", vec![0]),
        ("si", vec![]),
        ("lair", vec![]),
        ("strasse", vec![1]),
        ("京都", vec![2]),
        ("配送", vec![2]),
        ("か", vec![2]),
        ("서울", vec![3]),
        ("ส่ง", vec![4]),
        ("", vec![]),
        ("?!", vec![]),
        ("\" OR words : (e*) NOT \"", vec![]),
    ] {
        let expected: Vec<_> = expected.into_iter().map(|nth: usize| texts[nth]).collect();
        assert_eq!(found(store, query).await, expected, "{query}");
    }
    let page = store.search_messages(search("eclair"), None, 1).await.unwrap();
    assert_eq!(page.entries[0].highlights, [Highlight { start: 0, end: 6 }]);
    let rest = store.search_messages(search("eclair"), page.next, 1).await.unwrap();
    assert_eq!((rest.entries[0].text.as_str(), rest.next), (texts[0], None));
    assert_eq!(rest.entries[0].highlights, [Highlight { start: 16, end: 22 }]);
    let elsewhere = MessageSearch { conversation: Some(harness_inbox::ConversationId::new(99)), ..search("eclair") };
    assert!(store.search_messages(elsewhere, None, 9).await.unwrap().entries.is_empty());
}

pub(crate) async fn a_search_finds_what_is_there_now_and_nothing_that_was_taken_back(place: &dyn Place) {
    let stage = Stage::new(place).await;
    let store = &*stage.store;
    let unsent =
        |target: &str| event("shop", "ada", &format!("unsent {target}"), NOW, json!({"deleted": {"target": target}}));
    let edit = |target: &str, text: &str| {
        let body = json!({"edited": {"target": target, "text": text, "revision": 1}});
        event("shop", "ada", &format!("edit {target}"), NOW, body)
    };
    let hello = |id: &str, text: &str| message("shop", "ada", id, text, NOW);
    stage.deliver(vec![hello("m1", "walrus one"), hello("m2", "walrus two"), hello("m3", "walrus three")]).await;
    indexed(store).await;
    assert_eq!(found(store, "walrus").await.len(), 3);
    stage.deliver(vec![unsent("m1"), edit("m2", "penguin two")]).await;
    assert_eq!(found(store, "walrus").await, ["walrus three"], "at once");
    indexed(store).await;
    assert_eq!(found(store, "penguin").await, ["penguin two"]);
    // What goes before it is indexed is never found.
    stage.deliver(vec![hello("m4", "walrus four")]).await;
    stage.deliver(vec![unsent("m4")]).await;
    indexed(store).await;
    assert_eq!(found(store, "walrus").await, ["walrus three"]);
    let erased = event("shop", "ada", "erase", NOW, json!({"erasure_request": {}}));
    stage.deliver(vec![erased]).await;
    indexed(store).await;
    assert!(found(store, "walrus").await.is_empty() && found(store, "penguin").await.is_empty());
    // A store may give the rows of what is gone to others, which are found as well.
    stage.deliver(vec![hello("m5", "walrus five"), hello("m6", "walrus six")]).await;
    stage.deliver(vec![edit("m6", "walrus seven")]).await;
    indexed(store).await;
    assert_eq!(found(store, "walrus").await, ["walrus seven", "walrus five"]);
}

pub(crate) async fn a_conversation_is_found_by_its_name_and_by_its_messages(place: &dyn Place) {
    let stage = Stage::new(place).await;
    let store = &*stage.store;
    let mut ada = message("shop", "ada", "m1", "where is my order?", NOW);
    ada.contact.as_mut().unwrap().name = Some("Zoë Ängström".into());
    let mut bob = message("shop", "bob", "m2", "thanks, zoe helped", NOW + 1);
    bob.contact.as_mut().unwrap().name = Some("Bob".into());
    stage.deliver(vec![ada, bob]).await;
    indexed(store).await;
    let names = async |text: &str| {
        let found = store.search_names(TEAM, text.into(), 9).await.unwrap();
        found.into_iter().map(|hit| (hit.conversation.name.unwrap(), hit.highlights)).collect::<Vec<_>>()
    };
    assert_eq!(
        names("angs zoe").await,
        [("Zoë Ängström".to_owned(), vec![Highlight { start: 0, end: 3 }, Highlight { start: 4, end: 8 }])]
    );
    let listed = async |text: &str| {
        let filter =
            ConversationFilter { text: Some(text.into()), workspace: Some(TEAM), ..ConversationFilter::default() };
        let (mut names, mut before) = (Vec::new(), None);
        loop {
            let page = store.conversations_of(filter.clone(), before, 1).await.unwrap();
            names.extend(page.entries.into_iter().map(|one| one.name.unwrap()));
            before = page.next;
            if before.is_none() {
                return names;
            }
        }
    };
    assert_eq!(listed("zoe").await, ["Bob", "Zoë Ängström"]);
    assert_eq!(listed("order").await, ["Zoë Ängström"]);
    assert!(listed("nobody").await.is_empty() && listed("…").await.is_empty());
    // Another name takes the place of the first.
    let mut renamed = message("shop", "ada", "m3", "hi", NOW + 2);
    renamed.contact.as_mut().unwrap().name = Some("Grace".into());
    stage.deliver(vec![renamed]).await;
    assert!(names("zoe").await.is_empty());
    indexed(store).await;
    assert_eq!(names("grace").await.len(), 1);
}

pub(crate) async fn a_search_crosses_into_no_other_workspace(place: &dyn Place) {
    let stage = Stage::new(place).await;
    let store = &*stage.store;
    let theirs = store.create_workspace("Theirs".into(), NOW).await.unwrap();
    let new = NewAccount {
        channel: super::stage::CHANNEL.into(),
        platform_id: "their-shop".into(),
        name: "Their shop".into(),
        workspace: Some(theirs),
        dialog: Some(FromDialog::default()),
        now: NOW,
        ..NewAccount::default()
    };
    store.connect_account(new).await.unwrap();
    let mut secret = message("their-shop", "eve", "m1", "a walrus of theirs", NOW);
    secret.contact.as_mut().unwrap().name = Some("Walrus".into());
    stage.deliver(vec![secret, message("shop", "ada", "m2", "a walrus of ours", NOW)]).await;
    indexed(store).await;
    assert_eq!(found(store, "walrus").await, ["a walrus of ours"]);
    assert!(store.search_names(TEAM, "walrus".into(), 9).await.unwrap().is_empty());
    assert_eq!(store.search_names(theirs, "walrus".into(), 9).await.unwrap().len(), 1);
    let filter =
        ConversationFilter { text: Some("walrus".into()), workspace: Some(TEAM), ..ConversationFilter::default() };
    let listed = store.conversations_of(filter, None, 9).await.unwrap().entries;
    assert_eq!(listed.iter().map(|one| one.workspace).collect::<Vec<_>>(), [TEAM]);
    // The words `w1` and `w2` of a text name no workspace.
    let spoof = MessageSearch { workspace: theirs, ..search("w1 walrus") };
    assert!(store.search_messages(spoof, None, 9).await.unwrap().entries.is_empty());
}
