//! Promises about files of messages and uploaded files, and for how long things are kept.
//! Not here: their bytes.

use serde_json::json;

use super::{
    place::Place,
    stage::{NOW, Stage, event, new_reply},
};
use harness_inbox::{Kept, KeptDays, MediaEnd, MediaState, ReplyId, Upload, WorkspaceId};

pub(crate) async fn a_file_is_downloaded_once_and_its_copy_goes_with_its_message(place: &dyn Place) {
    let stage = Stage::new(place).await;
    let photo = |nth: u8, retention: &str| {
        let url = format!("https://platform.example/{nth}");
        json!({"media": {"kind": "image", "url": url, "retention": retention}})
    };
    let attachments = [photo(1, "storable"), photo(2, "storable"), photo(3, "link_only")];
    let body = json!({"message": {"id": "m1", "to_self": false, "attachments": attachments}});
    stage.deliver(vec![event("shop", "ada", "m1", NOW, body)]).await;
    let store = &stage.store;
    let due = store.due_media(NOW, &[], 9).await.unwrap();
    assert_eq!(due.len(), 2, "of the third there is only the link");
    assert_eq!(store.due_media(NOW, &[due[0].id], 9).await.unwrap()[0].id, due[1].id);
    assert!(store.due_media(NOW - 1, &[], 9).await.unwrap().is_empty());
    let files: Vec<_> = due.iter().map(|file| (file.id, file.key.clone())).collect();
    assert_eq!(store.begin_media(files.clone()).await.unwrap(), [due[0].id, due[1].id]);
    let stored = MediaEnd::Stored { mime: "image/png".into(), size: 5, sha256: "ab".into() };
    store.finish_media(due[0].id, stored.clone(), NOW).await.unwrap();
    let later = MediaEnd::Later { at: NOW + 60_000, reason: "It did not answer.".into() };
    store.finish_media(due[1].id, later, NOW).await.unwrap();
    let next = async |after| store.next_media(after).await.unwrap();
    assert_eq!(
        [next(NOW).await, next(NOW + 60_000).await],
        [Some(NOW + 60_000), None],
        "later than that, and not at it"
    );
    assert_eq!(store.begin_media(files).await.unwrap(), [due[1].id], "the first is here");
    assert_eq!(store.media(due[0].id).await.unwrap().state, MediaState::Stored);
    assert!(store.purgeable_media(9).await.unwrap().is_empty());
    stage.deliver(vec![event("shop", "ada", "unsent", NOW, json!({"deleted": {"target": "m1"}}))]).await;
    let mut counted = store.waiting().await.unwrap().media;
    counted.sort();
    assert_eq!(counted, [("deleted".to_owned(), 3)], "as many as there are");
    // If the message is unsent during the download, no copy is kept.
    store.finish_media(due[1].id, stored, NOW).await.unwrap();
    assert_eq!(store.media(due[1].id).await.unwrap().state, MediaState::Deleted);
    let mut purgeable = store.purgeable_media(9).await.unwrap();
    purgeable.sort();
    assert_eq!(purgeable, [(due[0].id, due[0].key.clone()), (due[1].id, due[1].key.clone())]);
    assert_eq!(store.unnamed(vec![due[0].key.clone(), "inbound/999".into()]).await.unwrap(), ["inbound/999"]);
    for (id, _) in purgeable {
        store.note_purged(id).await.unwrap();
    }
    assert!(store.purgeable_media(9).await.unwrap().is_empty());
}

pub(crate) async fn a_file_to_be_sent_stays_while_a_reply_names_it(place: &dyn Place) {
    let stage = Stage::new(place).await;
    let conversation = stage.conversation().await;
    let store = &stage.store;
    for handle in ["used", "unused"] {
        let file = Upload {
            handle: handle.into(),
            name: Some("a.png".into()),
            mime: None,
            size: 5,
            sha256: "ab".into(),
            stored_as: format!("outbound/{handle}"),
        };
        store.store_upload(file, WorkspaceId::FIRST, NOW).await.unwrap();
    }
    let mut reply = new_reply(conversation, "key", "hello");
    let part = json!({"media": [{"kind": "image", "source": {"file": {"handle": "used", "size": 5}}}]});
    reply.message.parts = vec![serde_json::from_value(part).unwrap()];
    store.queue_reply(reply).await.unwrap();
    assert!(store.files_before(NOW).await.unwrap().handles.is_empty());
    let mut files = store.files_before(NOW + 1).await.unwrap();
    while store.look_for_use(&mut files, 1).await.unwrap() {}
    assert_eq!(files.handles.iter().collect::<Vec<_>>(), ["unused"]);
    assert_eq!(store.forget_file("unused".into(), files.after).await.unwrap().as_deref(), Some("outbound/unused"));
    assert_eq!(
        store.forget_file("used".into(), ReplyId::new(0)).await.unwrap(),
        None,
        "a reply behind the last look names it"
    );
    assert_eq!(store.upload("used").await.unwrap().stored_as, "outbound/used");
    assert!(store.upload("unused").await.is_err());
}

pub(crate) async fn a_period_that_somebody_set_is_kept_until_it_is_given_back(place: &dyn Place) {
    let store = place.open().await;
    assert_eq!(store.kept_days().await.unwrap(), KeptDays::new());
    store.keep(vec![(Kept::Deliveries, Some(0)), (Kept::Changes, Some(7))]).await.unwrap();
    store.keep(vec![(Kept::Changes, Some(9)), (Kept::Parked, None)]).await.unwrap();
    drop(store);
    let store = place.open().await;
    assert_eq!(store.kept_days().await.unwrap(), KeptDays::from([(Kept::Deliveries, 0), (Kept::Changes, 9)]));
    store.keep(vec![(Kept::Deliveries, None)]).await.unwrap();
    assert_eq!(store.kept_days().await.unwrap(), KeptDays::from([(Kept::Changes, 9)]));
}
