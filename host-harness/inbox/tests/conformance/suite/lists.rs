//! Promises about what is shown: pages, timelines, unsent messages, windows.
//! Not here: the outcomes of replies.

use harness_contract::{EventOrigin, WindowState};
use harness_inbox::{ConversationId, TimelineEntry};
use serde_json::json;

use super::{
    place::Place,
    stage::{NOW, Stage, event, message, policy},
};

pub(crate) async fn pages_of_a_list_hold_everything_once(place: &dyn Place) {
    let stage = Stage::new(place).await;
    let people: Vec<String> = (0..7).map(|nth| format!("p{nth}")).collect();
    // Some have the same time; the cursor distinguishes them.
    let hello = |(nth, who): (u64, &String)| message("shop", who, who, who, NOW - nth / 3);
    stage.deliver((0..).zip(&people).map(hello).collect()).await;
    let mut seen = Vec::new();
    let mut before = None;
    loop {
        let page = stage.store.conversations_before(before, 2).await.unwrap();
        seen.extend(page.entries.into_iter().filter_map(|one| one.contact));
        before = page.next.map(|next| next.to_string().parse().unwrap());
        if before.is_none() {
            break;
        }
    }
    seen.sort();
    assert_eq!(seen, people);
    let conversation = stage.store.conversations(1).await.unwrap()[0].id;
    let who = stage.store.conversations(1).await.unwrap()[0].contact.clone().unwrap();
    let more = |nth: u64| message("shop", &who, &format!("more {nth}"), &nth.to_string(), NOW + 1 + nth / 2);
    stage.deliver((0..5).map(more).collect()).await;
    let newest = stage.store.timeline_before(conversation, None, 4).await.unwrap();
    let older = stage.store.timeline_before(conversation, newest.next, 4).await.unwrap();
    let texts = older.entries.iter().chain(&newest.entries).map(|entry| entry.text.clone().unwrap());
    assert_eq!(texts.collect::<Vec<_>>(), [who.as_str(), "0", "1", "2", "3", "4"]);
    assert!(older.next.is_none());
    let said = |entries: &[TimelineEntry]| entries.iter().map(|entry| entry.text.clone().unwrap()).collect::<Vec<_>>();
    let middle = newest.entries[1].id;
    let around = stage.store.timeline_around(conversation, middle, 2).await.unwrap().unwrap();
    assert_eq!(said(&around.entries), ["0", "1", "2", "3"]);
    let before = stage.store.timeline_before(conversation, around.earlier, 9).await.unwrap();
    assert_eq!((said(&before.entries), before.next), (vec![who.clone()], None));
    let after = stage.store.timeline_after(conversation, around.later.unwrap(), 9).await.unwrap();
    assert_eq!((said(&after.entries), after.next), (vec!["4".to_owned()], None));
    let others = stage.store.conversations(9).await.unwrap()[1].id;
    assert!(stage.store.timeline_around(others, middle, 2).await.unwrap().is_none(), "another conversation has it not");
}

pub(crate) async fn what_is_unsent_is_shown_by_nothing_whichever_came_first(place: &dyn Place) {
    let stage = Stage::new(place).await;
    let unsent = |target: &str| {
        let id = format!("unsent {target}");
        event("shop", "ada", &id, NOW, json!({"deleted": {"target": target}}))
    };
    let conversation = stage.conversation().await;
    stage.deliver(vec![unsent("hello")]).await;
    stage.deliver(vec![unsent("later")]).await;
    stage.deliver(vec![message("shop", "ada", "later", "a secret", NOW + 1)]).await;
    let edit = json!({"edited": {"target": "edited", "text": "new words", "revision": 1}});
    stage.deliver(vec![event("shop", "ada", "edit", NOW + 3, edit)]).await;
    stage.deliver(vec![message("shop", "ada", "edited", "old words", NOW + 2)]).await;
    let timeline = stage.store.timeline(conversation, 9).await.unwrap();
    let texts: Vec<_> = timeline.iter().map(|entry| (entry.text.as_deref(), entry.body.is_some())).collect();
    assert_eq!(texts, [(None, false), (None, false), (Some("new words"), true)]);
    assert!(timeline[0].deleted_at.is_some() && timeline[1].deleted_at.is_some());
    let summary = stage.store.conversations(1).await.unwrap().remove(0);
    assert_eq!((summary.unread, summary.preview.as_deref()), (1, Some("new words")));
    let counted = stage.store.delivery_counts().await.unwrap();
    assert_eq!((counted.purged, counted.applied), (3, 3), "what brought the words is empty");
}

pub(crate) async fn the_window_follows_what_the_customer_did(place: &dyn Place) {
    let stage = Stage::new(place).await;
    let conversation = stage.conversation().await;
    let hour = 3_600_000;
    let state = async |now| {
        let context = stage.store.context(conversation, &policy(), now).await.unwrap();
        assert_eq!((context.account.id.as_str(), context.contact.as_deref()), ("shop", Some("ada")));
        // A list asks for many, and gets the same.
        let asked = vec![ConversationId::new(999), conversation];
        let windows = stage.store.windows(asked, &policy(), now).await.unwrap();
        assert_eq!(windows, [(conversation, context.window.clone())]);
        context.window.state
    };
    assert_eq!(state(NOW + 23 * hour).await, WindowState::Open);
    assert_eq!(state(NOW + 25 * hour).await, WindowState::HumanOnly);
    assert_eq!(state(NOW + 8 * 24 * hour).await, WindowState::Closed);
    stage.deliver(vec![message("shop", "ada", "m2", "again", NOW + 20 * hour)]).await;
    // A message with an earlier time does not reopen the window.
    stage.deliver(vec![message("shop", "ada", "m3", "late", NOW - hour)]).await;
    assert_eq!(state(NOW + 43 * hour).await, WindowState::Open);
    let context = stage.store.context(conversation, &policy(), NOW).await.unwrap();
    assert_eq!(context.last_inbound.map(|message| message.id).as_deref(), Some("m2"));
    let newest = stage.store.newest_messages(vec![ConversationId::new(999), conversation]).await.unwrap();
    let newest: Vec<_> = newest.iter().map(|newest| newest.as_ref().and_then(|row| row.text.as_deref())).collect();
    assert_eq!(newest, [None, Some("again")]);
}

pub(crate) async fn a_timeline_shows_files_and_reactions_with_their_message(place: &dyn Place) {
    let stage = Stage::new(place).await;
    let photo = |nth: u8| json!({"media": {"kind": "image", "url": format!("https://platform.example/{nth}"), "name": "a \"b\" 字", "retention": "storable"}});
    let body = json!({"message": {"id": "m1", "to_self": false, "attachments": [photo(1), photo(2)]}});
    let react = |id: &str, emoji: &str, at: u64| {
        event(
            "shop",
            "ada",
            id,
            at,
            json!({"reaction": {"target": "m1", "action": "added", "emoji": emoji, "name": "n"}}),
        )
    };
    let mut events = vec![event("shop", "ada", "m1", NOW, body), react("r1", "❤", NOW + 1), react("r2", "👍", NOW + 2)];
    events.push(message("shop", "ada", "m2", "plain", NOW + 3));
    let mut past = message("shop", "ada", "m0", "older", NOW - 9);
    past.origin = EventOrigin::History;
    events.push(past);
    stage.deliver(events).await;
    let conversation = stage.store.conversations(1).await.unwrap()[0].id;
    let timeline = stage.store.timeline(conversation, 9).await.unwrap();
    let shown: Vec<_> =
        timeline.iter().map(|entry| (entry.platform_id.as_deref().unwrap(), entry.media.len())).collect();
    assert_eq!(shown, [("m0", 0), ("m1", 2), ("m2", 0)]);
    let [first, second] = &timeline[1].media[..] else { panic!("two files") };
    assert_eq!((first.attachment, second.attachment), (0, 1));
    assert_eq!(first.name.as_deref(), Some("a \"b\" 字"));
    assert_eq!(
        serde_json::to_value(first).unwrap(),
        serde_json::to_value(stage.store.media(first.id).await.unwrap()).unwrap()
    );
    let reactions: Vec<_> =
        timeline[1].reactions.iter().map(|one| (one.actor.as_str(), one.emoji.as_deref())).collect();
    assert_eq!(reactions, [("ada", Some("👍"))], "the newest word of a person");
    assert!(timeline[2].reactions.is_empty());
}
