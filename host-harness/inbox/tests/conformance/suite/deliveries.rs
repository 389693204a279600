//! Promises about deliveries: accepted, applied once, parked, failed, emptied.
//! Not here: what their events look like in lists (`lists`).

use std::collections::BTreeMap;

use harness_contract::{Delivery, DeliverySource};
use serde_json::json;

use super::{
    place::Place,
    stage::{BOUNDS, CHANNEL, NOW, Stage, connect, delivery, event, message, record},
};
use harness_inbox::{
    BatchOutcome, ChangeKind, DeliveryCounts, DeliveryFailure, DeliveryFilter, DeliveryState, InboxError, NewDelivery,
    ParkingBounds, Proof, TakenCallback, Translator, WorkspaceId, store::Store,
};

fn channel() -> Proof {
    Proof::Channel { slot: "secret".into() }
}

async fn counts(store: &dyn Store) -> DeliveryCounts {
    store.delivery_counts().await.unwrap()
}

pub(crate) async fn accepted_deliveries_survive_a_restart_once_and_in_order(place: &dyn Place) {
    let stage = Stage::new(place).await;
    let mut ids = Vec::new();
    for _ in 0..20 {
        ids.push(record(&*stage.store, channel()).await);
    }
    let stage = stage.restart(place).await;
    let pending = stage.store.pending(CHANNEL, 99, usize::MAX).await.unwrap();
    assert_eq!(pending.iter().map(|delivery| delivery.id).collect::<Vec<_>>(), ids);
    assert!(ids.is_sorted() && pending.iter().all(|delivery| delivery.delivery.body == b"body"));
    assert_eq!(stage.store.waiting_channels().await.unwrap(), [CHANNEL]);
    let more = record(&*stage.store, channel()).await;
    assert!(more > ids[19] && stage.store.last_delivery() == more, "an id is given once");
}

pub(crate) async fn an_event_is_applied_once_however_often_it_is_delivered(place: &dyn Place) {
    let stage = Stage::new(place).await;
    let hello = || message("shop", "ada", "m1", "hello", NOW);
    let first = stage.deliver(vec![hello(), hello()]).await;
    assert_eq!((first.events.new, first.events.repeated), (1, 1));
    let stage = stage.restart(place).await;
    let again = stage.deliver(vec![hello()]).await;
    assert_eq!((again.events.new, again.events.repeated), (0, 1));
    let conversations = stage.store.conversations(9).await.unwrap();
    assert_eq!((conversations.len(), conversations[0].unread), (1, 1));
    assert_eq!(stage.store.timeline(conversations[0].id, 9).await.unwrap().len(), 1);
    assert_eq!(counts(&*stage.store).await.applied, 2);
}

pub(crate) async fn a_batch_is_applied_in_the_order_of_its_deliveries(place: &dyn Place) {
    let stage = Stage::new(place).await;
    for _ in 0..3 {
        record(&*stage.store, channel()).await;
    }
    let batch = stage.store.pending(CHANNEL, 9, usize::MAX).await.unwrap();
    let translated = batch.into_iter().enumerate().map(|(nth, delivery)| {
        let id = format!("m{nth}");
        delivery.into_parts().1.translated(vec![message("shop", "ada", &id, &id, NOW)], "digest".into())
    });
    let applied = stage.store.apply(translated.collect(), BOUNDS).await.unwrap();
    assert_eq!((applied.events.new, applied.of_channel[CHANNEL].new), (3, 3));
    let counted = counts(&*stage.store).await;
    assert_eq!((counted.received, counted.applied), (0, 3));
    let conversation = stage.store.conversations(1).await.unwrap()[0].id;
    let timeline = stage.store.timeline(conversation, 9).await.unwrap();
    assert_eq!(timeline.iter().filter_map(|entry| entry.text.as_deref()).collect::<Vec<_>>(), ["m0", "m1", "m2"]);
}

pub(crate) async fn a_delivery_speaks_for_no_other_account_than_its_proof(place: &dyn Place) {
    let stage = Stage::new(place).await;
    connect(&*stage.store, CHANNEL, "other").await;
    let proof = Proof::Account { account: "other".into(), slot: "secret".into() };
    let events = || vec![message("shop", "ada", "m1", "forged", NOW)];
    let applied = stage.deliver_as(proof, events()).await;
    assert_eq!((applied.events.new, applied.events.foreign), (0, 1));
    assert!(stage.store.conversations(9).await.unwrap().is_empty());
    assert_eq!(counts(&*stage.store).await.failed, 1, "a person looks at it");
    let own = Proof::Account { account: "shop".into(), slot: "secret".into() };
    assert_eq!(stage.deliver_as(own, events()).await.events.new, 1, "the forgery did not use the event's id up");
}

pub(crate) async fn a_parked_delivery_is_queued_when_its_account_is_connected(place: &dyn Place) {
    let stage = Stage::new(place).await;
    let events = || vec![message("later", "ada", "m1", "hello", NOW)];
    assert_eq!(stage.deliver(events()).await.events.unrouted, 1);
    stage.deliver(vec![message("never", "ada", "m2", "hello", NOW)]).await;
    assert_eq!(counts(&*stage.store).await.unrouted, 2);
    connect(&*stage.store, CHANNEL, "later").await;
    let counted = counts(&*stage.store).await;
    assert_eq!((counted.received, counted.unrouted), (1, 1), "its own and no other");
    assert_eq!(stage.translate(events()).await.events.new, 1);
    assert_eq!(stage.store.expire_parked(NOW + 1, 9).await.unwrap(), 1);
    let parked = stage.store.parked_counts().await.unwrap()[CHANNEL];
    assert_eq!((parked.parked, parked.expired), (0, 1));
}

pub(crate) async fn of_parked_deliveries_the_oldest_beyond_the_bounds_are_emptied(place: &dyn Place) {
    let stage = Stage::new(place).await;
    let bounds = ParkingBounds { per_account: 2, per_channel: 99 };
    let mut expired = 0;
    for nth in 0..5 {
        record(&*stage.store, channel()).await;
        let (_, origin) = stage.store.pending(CHANNEL, 1, 0).await.unwrap().remove(0).into_parts();
        let events = vec![message("later", "ada", &format!("m{nth}"), "hello", NOW)];
        expired += stage.store.apply(vec![origin.translated(events, String::new())], bounds).await.unwrap().expired;
    }
    assert_eq!(expired, 3);
    let counted = counts(&*stage.store).await;
    assert_eq!((counted.unrouted, counted.purged), (2, 3));
    let bytes: BTreeMap<_, _> = stage.store.unapplied_bytes().await.unwrap().into_iter().collect();
    assert_eq!(bytes.get(CHANNEL), Some(&8), "the bodies that are left");
}

pub(crate) async fn failed_deliveries_are_kept_and_queued_for_another_component(place: &dyn Place) {
    let stage = Stage::new(place).await;
    let (first, second) = (record(&*stage.store, channel()).await, record(&*stage.store, channel()).await);
    let failed = |translator: &str| {
        let failure = DeliveryFailure { id: first, problem: "it is not JSON".into(), translator: translator.into() };
        BatchOutcome { failed: vec![failure], ..BatchOutcome::default() }
    };
    let unloaded = vec![(second, "no such channel".into())];
    stage.store.settle_batch(BatchOutcome { unloaded, ..failed("old") }, NOW).await.unwrap();
    let problems = stage.store.problems(9).await.unwrap();
    assert_eq!(problems, [(second, "no such channel".into()), (first, "it is not JSON".into())]);
    assert_eq!(stage.store.requeue(CHANNEL, "old").await.unwrap(), 1, "the same component would fail again");
    assert_eq!(stage.store.requeue(CHANNEL, "new").await.unwrap(), 1);
    stage.store.settle_batch(BatchOutcome { retry: vec![first], ..BatchOutcome::default() }, NOW).await.unwrap();
    assert_eq!(stage.store.least_tried(CHANNEL).await.unwrap().unwrap().id, second);
    stage.store.settle_batch(failed("new"), NOW).await.unwrap();
    assert_eq!(stage.store.retry_failed(Some("another".into())).await.unwrap(), 0);
    assert_eq!(stage.store.retry_failed(None).await.unwrap(), 1);
    assert_eq!(counts(&*stage.store).await.received, 2);
}

pub(crate) async fn what_became_of_a_batch_is_written_down_together(place: &dyn Place) {
    let stage = Stage::new(place).await;
    let mut ids = Vec::new();
    for _ in 0..4 {
        ids.push(record(&*stage.store, channel()).await);
    }
    let before = *stage.store.newest_change().borrow();
    let outcome = BatchOutcome {
        retry: vec![ids[0]],
        unloaded: vec![(ids[1], "no such channel".into())],
        failed: vec![DeliveryFailure { id: ids[2], problem: "no JSON".into(), translator: "digest".into() }],
    };
    stage.store.settle_batch(outcome, NOW).await.unwrap();
    let counted = counts(&*stage.store).await;
    assert_eq!((counted.received, counted.unrouted, counted.failed), (2, 1, 1));
    let pending = stage.store.pending(CHANNEL, 9, usize::MAX).await.unwrap();
    assert_eq!(
        pending.iter().map(|delivery| (delivery.id, delivery.attempts)).collect::<Vec<_>>(),
        [(ids[0], 1), (ids[3], 0)]
    );
    let news = stage.store.changes_after(before, None, 9).await.unwrap().changes;
    assert_eq!(
        news.iter().map(|change| (change.kind, change.delivery)).collect::<Vec<_>>(),
        [(ChangeKind::DeliveryFailed, Some(ids[2]))]
    );
}

pub(crate) async fn a_callback_is_taken_once_and_answered_alike(place: &dyn Place) {
    let stage = Stage::new(place).await;
    let take = async |name: &str, code: &str| {
        let source = DeliverySource::Callback(name.to_owned());
        let delivery = Delivery {
            source,
            body: b"{}".to_vec(),
            headers: Vec::new(),
            query: String::new(),
            received_at: NOW,
            account: None,
        };
        let new = NewDelivery { channel: CHANNEL.into(), delivery, proof: channel() };
        stage.store.record_callback(new, name.into(), [7; 32], Some(code.into())).await.unwrap()
    };
    assert_eq!(take("erase", "code").await, TakenCallback::New);
    assert_eq!(take("erase", "another").await, TakenCallback::Before(Some("code".into())));
    assert_eq!(take("leave", "code").await, TakenCallback::Elsewhere);
    assert_eq!(counts(&*stage.store).await.received, 1);
    assert_eq!(stage.store.erasure("code").await.unwrap().finished_at, None);
    assert!(matches!(stage.store.erasure("another").await, Err(InboxError::NotFound { .. })));
}

pub(crate) async fn the_counts_are_of_what_is_there(place: &dyn Place) {
    let stage = Stage::new(place).await;
    stage.deliver(vec![message("shop", "ada", "m1", "hello", NOW)]).await;
    stage.deliver(vec![message("later", "ada", "m2", "hello", NOW)]).await;
    let failed = record(&*stage.store, channel()).await;
    let failure = DeliveryFailure { id: failed, problem: "no JSON".into(), translator: "digest".into() };
    stage.store.settle_batch(BatchOutcome { failed: vec![failure], ..BatchOutcome::default() }, NOW).await.unwrap();
    record(&*stage.store, channel()).await;
    let photo = json!({"message": {"id": "m3", "to_self": false, "attachments": [
        {"media": {"kind": "image", "url": "https://platform.example/1", "retention": "storable"}},
        {"media": {"kind": "image", "url": "https://platform.example/2", "retention": "link_only"}},
    ]}});
    stage.translate(vec![event("shop", "ada", "m3", NOW, photo)]).await;
    record(&*stage.store, channel()).await;
    let expected = DeliveryCounts { received: 1, applied: 2, unrouted: 1, failed: 1, purged: 0 };
    assert_eq!(counts(&*stage.store).await, expected);
    let mut waiting = stage.store.waiting().await.unwrap();
    waiting.deliveries.sort();
    let line = |state: &str| (CHANNEL.to_owned(), state.to_owned(), 1);
    assert_eq!(waiting.deliveries, [line("failed"), line("received"), line("unrouted")]);
    waiting.media.sort();
    assert_eq!(waiting.media, [("link-only".to_owned(), 1), ("remote".to_owned(), 1)]);
    assert_eq!(stage.store.queued().await.unwrap().channels, [(CHANNEL.to_owned(), 1)]);
    let bytes = stage.store.unapplied_bytes().await.unwrap();
    assert_eq!(bytes, [(CHANNEL.to_owned(), 12)], "three bodies of four bytes");
    assert_eq!(stage.restart(place).await.store.delivery_counts().await.unwrap(), expected);
}

pub(crate) async fn a_delivery_is_counted_once_wherever_it_is_at_the_moment(place: &dyn Place) {
    let stage = Stage::new(place).await;
    for accepted in 1..=300 {
        let delivery = delivery();
        stage.store.record(NewDelivery { channel: CHANNEL.into(), delivery, proof: channel() }).await.unwrap();
        // A store may still be moving it, so that two of its places hold it.
        for _ in 0..8 {
            assert_eq!(counts(&*stage.store).await.received, accepted);
            assert_eq!(stage.store.queued().await.unwrap().channels, [(CHANNEL.to_owned(), accepted)]);
        }
    }
}

pub(crate) async fn applied_deliveries_are_emptied_after_their_time_and_no_others(place: &dyn Place) {
    let stage = Stage::new(place).await;
    stage.deliver(vec![message("shop", "ada", "m1", "hello", NOW)]).await;
    record(&*stage.store, channel()).await;
    assert_eq!(stage.store.empty_deliveries(NOW, 9).await.unwrap(), 0, "it is not older than that");
    assert_eq!(stage.store.empty_deliveries(NOW + 1, 9).await.unwrap(), 1);
    let counted = counts(&*stage.store).await;
    assert_eq!((counted.received, counted.applied, counted.purged), (1, 0, 1));
    let again = stage.translate(vec![message("shop", "ada", "m1", "hello", NOW)]).await;
    assert_eq!(again.events.repeated, 1, "what was emptied is still known");
}

pub(crate) async fn what_became_of_a_delivery_is_found_with_the_component_that_read_it(place: &dyn Place) {
    let stage = Stage::new(place).await;
    let store = &*stage.store;
    store.note_component(CHANNEL, "digest", "1.2.3").await.unwrap();
    let start = *store.newest_change().borrow();
    let own = || Proof::Account { slot: "secret".into(), account: "shop".into() };
    let applied = record(store, own()).await;
    let origin = store.recorded(applied).await.unwrap().into_parts().1;
    let hello = vec![message("shop", "ada", "m1", "hello", NOW)];
    store.apply(vec![origin.translated(hello.clone(), "digest".into())], BOUNDS).await.unwrap();
    let view = store.delivery(applied).await.unwrap();
    let translator = Some(Translator { digest: "digest".into(), version: Some("1.2.3".into()) });
    assert_eq!((view.state, view.attempts, view.translator), (DeliveryState::Applied, 1, translator));
    let changes = store.changes_of(applied, 9).await.unwrap();
    assert!(!changes.is_empty() && changes.iter().all(|change| change.delivery == Some(applied)));
    let newest = *store.newest_change().borrow();
    assert!(newest > start);
    // Once more: nothing comes twice.
    let origin = store.recorded(applied).await.unwrap().into_parts().1;
    let again = store.apply(vec![origin.translated(hello, "digest".into())], BOUNDS).await.unwrap();
    assert_eq!((again.events.new, again.events.repeated), (0, 1));
    assert_eq!((*store.newest_change().borrow(), store.conversations(9).await.unwrap().len()), (newest, 1));

    // A failure of a delivery whose account is known is told to its workspace, another one to nobody but the operator.
    for (account, seen) in [(Some("shop"), 1), (None, 0)] {
        let delivery = Delivery {
            source: DeliverySource::Webhook,
            body: b"body".to_vec(),
            headers: Vec::new(),
            query: String::new(),
            received_at: NOW,
            account: account.map(|id| harness_contract::AccountSettings {
                id: id.to_owned(),
                settings: Vec::new(),
                webhook_url: None,
            }),
        };
        let id = store.record(NewDelivery { channel: CHANNEL.into(), delivery, proof: channel() }).await.unwrap();
        store.all_arrived().await.unwrap();
        let failure = DeliveryFailure { id, problem: "no JSON".into(), translator: "digest".into() };
        let before = *store.newest_change().borrow();
        let outcome = BatchOutcome { failed: vec![failure], ..BatchOutcome::default() };
        store.settle_batch(outcome, NOW).await.unwrap();
        let told = store.changes_after(before, Some(WorkspaceId::FIRST), 9).await.unwrap();
        assert_eq!(told.changes.len(), seen, "{account:?}");
        assert_eq!(store.delivery(id).await.unwrap().translator.unwrap().version.as_deref(), Some("1.2.3"));
    }
    let list = async |filter| {
        let page = store.deliveries_before(filter, None, 9).await.unwrap();
        page.entries.into_iter().map(|delivery| delivery.id).collect::<Vec<_>>()
    };
    let of_account = DeliveryFilter { account: Some(stage.account), ..DeliveryFilter::default() };
    assert_eq!(list(of_account.clone()).await.len(), 2, "one that changed something of it, and one that names it");
    assert_eq!(list(DeliveryFilter { state: Some(DeliveryState::Applied), ..of_account }).await, [applied]);
}
