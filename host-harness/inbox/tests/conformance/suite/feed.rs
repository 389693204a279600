//! Promises about the change feed: its order, its numbers, what a change concerns, how long it is kept.
//! Not here: that nothing changes without it, which holds for all promises (`watched`).

use std::sync::Arc;

use harness_contract::ContactProfile;
use serde_json::json;

use super::{
    place::Place,
    stage::{NOW, Stage, event, message, new_reply, outcome, step},
};
use harness_inbox::{AccountState, Change, Remarks, StepEnd, StepState, WorkspaceId, store::Store};

async fn all(store: &dyn Store) -> Vec<Change> {
    let found = store.changes_after(0, None, 9999).await.unwrap();
    assert!(!found.missed);
    assert_eq!(found.position, *store.newest_change().borrow());
    found.changes
}

/// The changes since this position, which moves on.
async fn news(store: &dyn Store, position: &mut u64) -> Vec<Change> {
    let found = store.changes_after(*position, None, 9999).await.unwrap();
    *position = found.position;
    found.changes
}

fn kinds(changes: &[Change]) -> Vec<&'static str> {
    changes.iter().map(|change| change.kind.name()).collect()
}

pub(crate) async fn the_feed_numbers_changes_in_the_order_of_their_commits_without_gaps(place: &dyn Place) {
    let stage = Stage::new(place).await;
    let conversation = stage.conversation().await;
    let before = *stage.store.newest_change().borrow();
    // Many at once, of which every third fails.
    let tasks: Vec<_> = (0..60)
        .map(|number| {
            let store = Arc::clone(&stage.store);
            tokio::spawn(async move {
                let wanted = if number % 3 == 0 { harness_inbox::ConversationId::new(999) } else { conversation };
                let queued = store.queue_reply(new_reply(wanted, &format!("key-{number}"), "hello")).await;
                assert_eq!(queued.is_err(), number % 3 == 0);
                // Whoever was answered finds the change told already.
                (queued.ok().map(|queued| queued.reply), *store.newest_change().borrow())
            })
        })
        .collect();
    let mut told = Vec::new();
    for task in tasks {
        told.push(task.await.unwrap());
    }
    let found = stage.store.changes_after(before, None, 999).await.unwrap().changes;
    assert_eq!(
        found.iter().map(|change| change.seq).collect::<Vec<_>>(),
        (before + 1..=before + 80).collect::<Vec<_>>()
    );
    let replies: Vec<_> = found.iter().map(|change| change.reply.unwrap()).collect();
    assert!(replies.is_sorted(), "rows and changes are numbered in one order");
    for (reply, newest) in told {
        let Some(reply) = reply else { continue };
        assert!(found.iter().any(|change| change.reply == Some(reply) && change.seq <= newest), "{reply}");
    }
    // In pages of any size, everything once.
    let (mut position, mut paged) = (before, Vec::new());
    loop {
        let page = stage.store.changes_after(position, None, 7).await.unwrap();
        position = page.position;
        if page.changes.is_empty() {
            break;
        }
        paged.extend(page.changes);
    }
    assert_eq!(paged, found);
}

pub(crate) async fn a_change_is_told_once_with_the_rows_that_it_concerns(place: &dyn Place) {
    let stage = Stage::new(place).await;
    let store = &*stage.store;
    let mut at = 0;
    let changes = news(store, &mut at).await;
    assert_eq!(kinds(&changes), ["account.updated"]);
    assert_eq!(changes[0].account, Some(stage.account));

    let conversation = stage.conversation().await;
    let changes = news(store, &mut at).await;
    assert_eq!(kinds(&changes), ["contact.updated", "conversation.created", "message.created"]);
    let created = &changes[2];
    assert_eq!((created.account, created.conversation), (Some(stage.account), Some(conversation)));
    assert_eq!((created.workspace, created.at), (Some(WorkspaceId::FIRST), NOW));
    let (hello, delivery) = (created.message.unwrap(), created.delivery);
    assert!(delivery.is_some());

    for (body, kind) in [
        (json!({"reaction": {"target": "hello", "action": "added", "emoji": "👍"}}), "message.reacted"),
        (json!({"edited": {"target": "hello", "text": "hallo"}}), "message.edited"),
        (json!({"seen": {"message": "hello"}}), "conversation.seen"),
        (json!({"typing": true}), "conversation.typing"),
        (json!({"referral": {"source": "ad"}}), "activity.created"),
        (json!({"deleted": {"target": "hello"}}), "message.deleted"),
    ] {
        let applied = stage.deliver(vec![event("shop", "ada", kind, NOW + 1, body)]).await;
        assert_eq!(applied.events.new, 1, "{kind}");
        let changes = news(store, &mut at).await;
        assert_eq!(kinds(&changes), [kind]);
        assert_eq!(changes[0].conversation, Some(conversation), "{kind}");
        if kind.starts_with("message") {
            assert_eq!(changes[0].message, Some(hello), "{kind}");
        }
        assert_eq!(changes[0].activity.is_some(), kind == "activity.created");
    }

    let photo = json!({"message": {"id": "photo", "to_self": false, "attachments": [
        {"media": {"kind": "image", "url": "https://platform.example/1", "retention": "storable"}}]}});
    stage.deliver(vec![event("shop", "ada", "photo", NOW + 2, photo)]).await;
    assert_eq!(kinds(&news(store, &mut at).await), ["message.created"]);
    let due = store.due_media(NOW + 2, &[], 9).await.unwrap();
    assert_eq!(store.begin_media(vec![(due[0].id, "key".to_owned())]).await.unwrap(), [due[0].id]);
    assert_eq!(kinds(&news(store, &mut at).await), Vec::<&str>::new());
    let end = harness_inbox::MediaEnd::Stored { mime: "image/jpeg".into(), size: 1, sha256: "00".into() };
    store.finish_media(due[0].id, end, NOW + 2).await.unwrap();
    let changes = news(store, &mut at).await;
    assert_eq!(kinds(&changes), ["message.media"]);
    assert_eq!((changes[0].object, changes[0].conversation), (Some(due[0].id.get()), Some(conversation)));

    let queued = stage.ask(conversation, "key", "hi").await;
    // It is in the conversation at once.
    assert_eq!(kinds(&news(store, &mut at).await), ["reply.queued", "message.created"]);
    let open = store.open_reply(queued.reply).await.unwrap().unwrap();
    store.begin_steps(&open, &[step(0, "key")], &Remarks::default(), NOW).await.unwrap();
    let changes = news(store, &mut at).await;
    assert_eq!(kinds(&changes), ["reply.updated"]);
    assert!(changes.iter().all(|change| change.reply == Some(queued.reply) && change.account == Some(stage.account)));
    assert!(store.begin_attempt(queued.reply, 0, NOW).await.unwrap());
    assert_eq!(kinds(&news(store, &mut at).await), ["reply.updated"]);
    let sent = outcome(json!({"sent": {"messages": [{"part": 0, "message": {"id": "ours"}}]}}));
    store.finish_step(&open, 0, sent, StepEnd::Final(StepState::Sent), NOW).await.unwrap();
    // A person has answered, so that the conversation is read.
    assert_eq!(kinds(&news(store, &mut at).await), ["conversation.read", "reply.updated"]);

    stage.deliver(vec![message("shop", "ada", "again", "again", NOW + 3)]).await;
    store.mark_read(conversation, NOW).await.unwrap();
    assert_eq!(kinds(&news(store, &mut at).await), ["message.created", "conversation.read"]);

    let profile: ContactProfile = serde_json::from_value(json!({"contact": {"id": "ada", "name": "Ada"}})).unwrap();
    let contact = store.due_profiles(NOW, 9).await.unwrap()[0].contact;
    store.note_profile(contact, &profile, NOW, NOW + 9).await.unwrap();
    let changes = news(store, &mut at).await;
    assert_eq!(kinds(&changes), ["contact.updated"]);
    assert_eq!((changes[0].object, changes[0].conversation), (Some(contact.get()), Some(conversation)));

    let row = store.account_row(stage.account).await.unwrap();
    store.mark_account(row.id, row.connection, AccountState::NeedsReconnect, None, NOW).await.unwrap();
    assert_eq!(kinds(&news(store, &mut at).await), ["account.updated"]);
    store.disconnect_account(stage.account, true, NOW).await.unwrap();
    let changes = news(store, &mut at).await;
    assert_eq!(kinds(&changes), ["conversation.deleted", "account.updated"]);
    assert_eq!(changes[0].conversation, Some(conversation));

    let told = all(store).await;
    assert_eq!(told.iter().map(|change| change.seq).collect::<Vec<_>>(), (1..=at).collect::<Vec<_>>());
}

pub(crate) async fn nothing_is_told_of_what_changed_nothing(place: &dyn Place) {
    let stage = Stage::new(place).await;
    let conversation = stage.conversation().await;
    let store = &*stage.store;
    store.mark_read(conversation, NOW).await.unwrap();
    stage.ask(conversation, "key", "hello").await;
    let profile: ContactProfile = serde_json::from_value(json!({"contact": {"id": "ada", "name": "Ada"}})).unwrap();
    let contact = store.due_profiles(NOW, 9).await.unwrap()[0].contact;
    store.note_profile(contact, &profile, NOW, NOW + 9).await.unwrap();
    let newest = *store.newest_change().borrow();
    let again = stage.deliver(vec![message("shop", "ada", "hello", "hello", NOW)]).await;
    assert_eq!(again.events.repeated, 1);
    let stopped = event("shop", "ada", "stopped", NOW, json!({"typing": false}));
    assert_eq!(stage.deliver(vec![stopped]).await.events.new, 1);
    assert_eq!(store.mark_read(conversation, NOW).await.unwrap(), 0);
    assert!(!stage.ask(conversation, "key", "hello").await.new);
    store.note_profile(contact, &profile, NOW, NOW + 99).await.unwrap();
    assert!(store.queue_reply(new_reply(conversation, "key", "another")).await.is_err());
    assert_eq!(*store.newest_change().borrow(), newest);
}

pub(crate) async fn a_reader_goes_on_where_it_stopped_after_a_restart(place: &dyn Place) {
    let stage = Stage::new(place).await;
    let conversation = stage.conversation().await;
    let before = all(&*stage.store).await;
    let stage = stage.restart(place).await;
    assert_eq!(all(&*stage.store).await, before);
    let at = *stage.store.newest_change().borrow();
    assert_eq!(at, before.last().unwrap().seq, "the newest is known before anything new is written");
    stage.store.mark_read(conversation, NOW).await.unwrap();
    let found = stage.store.changes_after(at, None, 9).await.unwrap();
    assert_eq!((kinds(&found.changes), found.changes[0].seq), (vec!["conversation.read"], at + 1));
}

pub(crate) async fn a_reader_that_was_away_for_too_long_is_told_so(place: &dyn Place) {
    let stage = Stage::new(place).await;
    let store = &*stage.store;
    let conversation = stage.conversation().await;
    let old = *store.newest_change().borrow();
    stage.deliver(vec![message("shop", "ada", "later", "later", NOW)]).await;
    store.mark_read(conversation, NOW + 10).await.unwrap();
    // A change that looks older than one before it, as when the clock was set back.
    stage.ask(conversation, "key", "hello").await;
    let newest = *store.newest_change().borrow();

    assert_eq!(store.expire_changes(NOW, 99).await.unwrap(), 0, "none is older than that");
    assert_eq!(store.expire_changes(NOW + 1, 2).await.unwrap(), 2, "at most as many as asked for");
    assert!(store.changes_after(1, None, 9).await.unwrap().missed);
    assert!(!store.changes_after(2, None, 9).await.unwrap().missed, "its next one is the oldest kept");
    assert_eq!(store.expire_changes(NOW + 1, 99).await.unwrap() as u64, newest - 2 - 3);
    let found = store.changes_after(old, None, 9).await.unwrap();
    assert!(found.missed);
    assert_eq!(
        kinds(&found.changes),
        ["conversation.read", "reply.queued", "message.created"],
        "nothing is missing between those that are kept"
    );
    assert!(!store.changes_after(newest - 3, None, 9).await.unwrap().missed);

    assert_eq!(store.expire_changes(NOW + 99, 99).await.unwrap(), 3);
    for (after, missed) in [(0, true), (newest - 1, true), (newest, false), (newest + 1, true)] {
        let found = store.changes_after(after, None, 9).await.unwrap();
        assert_eq!((found.missed, found.position, found.changes.len()), (missed, newest, 0), "{after}");
    }
    store.mark_read(conversation, NOW).await.unwrap();
    stage.deliver(vec![message("shop", "ada", "newer", "newer", NOW)]).await;
    assert_eq!(*store.newest_change().borrow(), newest + 1, "no number is used again");
}

pub(crate) async fn a_reader_of_one_workspace_sees_nothing_of_others(place: &dyn Place) {
    let stage = Stage::new(place).await;
    stage.conversation().await;
    let newest = *stage.store.newest_change().borrow();
    let ours = stage.store.changes_after(0, Some(WorkspaceId::FIRST), 99).await.unwrap();
    assert_eq!(ours.changes.len() as u64, newest);
    let theirs = stage.store.changes_after(0, Some(WorkspaceId::new(2)), 99).await.unwrap();
    assert_eq!(
        (theirs.changes.len(), theirs.position, theirs.missed),
        (0, newest, false),
        "what was passed over is not read again"
    );
}
