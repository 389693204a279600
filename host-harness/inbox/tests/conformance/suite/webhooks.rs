//! Promises about addresses that are told what changes: their positions, their settings, their failures.
//! Not here: telling them.

use super::{
    place::Place,
    stage::{NOW, Stage, message},
};
use harness_inbox::{
    ChangeKind, InboxError, KindFilter, NewWebhook, WebhookAttempt, WebhookChange, WebhookFailure, WebhookState,
    WebhookView, WorkspaceId, store::Store,
};

async fn add(store: &dyn Store, most: usize) -> Result<WebhookView, InboxError> {
    let new = NewWebhook {
        workspace: WorkspaceId::FIRST,
        url: "https://product.example/".into(),
        kinds: KindFilter::new(["message.*"]).unwrap(),
        secret: b"sealed".to_vec(),
        most,
        now: NOW,
    };
    store.add_webhook(new).await
}

fn attempt(seq: u64, problem: Option<&str>) -> WebhookAttempt {
    WebhookAttempt {
        seq,
        at: NOW,
        status: Some(if problem.is_some() { 500 } else { 204 }),
        problem: problem.map(str::to_owned),
    }
}

pub(crate) async fn an_address_is_due_until_it_was_told_everything(place: &dyn Place) {
    let stage = Stage::new(place).await;
    let made = add(&*stage.store, 1).await.unwrap();
    let newest = *stage.store.newest_change().borrow();
    assert_eq!(made.position, newest - 1, "it is told everything after it was made, that it was made included");
    assert!(matches!(add(&*stage.store, 1).await, Err(InboxError::TooMany { most: 1, .. })));
    assert_eq!(stage.store.webhook_secret(made.id).await.unwrap(), b"sealed");
    let stage = stage.restart(place).await;
    let store = &*stage.store;
    assert_eq!(store.due_webhooks(NOW, 9).await.unwrap(), std::slice::from_ref(&made));
    assert!(store.note_told(made.id, made.position, newest, vec![attempt(newest, None)]).await.unwrap());
    assert!(store.due_webhooks(NOW, 9).await.unwrap().is_empty(), "it knows everything");
    assert!(
        !store.note_told(made.id, made.position, newest + 1, Vec::new()).await.unwrap(),
        "it is somewhere else now"
    );
    stage.deliver(vec![message("shop", "ada", "m1", "hello", NOW)]).await;
    assert_eq!(store.due_webhooks(NOW, 9).await.unwrap()[0].position, newest);
    store.change_webhook(made.id, WebhookChange { paused: Some(true), ..WebhookChange::default() }, NOW).await.unwrap();
    assert!(store.due_webhooks(NOW, 9).await.unwrap().is_empty(), "it is paused");
    assert!(
        !store.note_told(made.id, newest, newest + 1, Vec::new()).await.unwrap(),
        "what is under way moves it no more"
    );
    store.delete_webhook(made.id, NOW).await.unwrap();
    assert!(matches!(store.webhook(made.id).await, Err(InboxError::NotFound { .. })));
    assert!(store.webhooks(WorkspaceId::FIRST).await.unwrap().is_empty());
}

pub(crate) async fn an_address_that_fails_waits_and_ends_with_a_reason(place: &dyn Place) {
    let stage = Stage::new(place).await;
    let store = &*stage.store;
    let made = add(store, 9).await.unwrap();
    let failed = attempt(made.position + 1, Some("It answered 500."));
    store.note_not_told(made.id, made.position, failed.clone(), WebhookFailure::Later(NOW + 5)).await.unwrap();
    let waits = store.webhook(made.id).await.unwrap();
    assert_eq!((waits.attempts, waits.failing_since, waits.next_attempt_at), (1, Some(NOW), NOW + 5));
    assert_eq!(waits.problem.as_deref(), Some("It answered 500."));
    assert!(store.due_webhooks(NOW + 4, 9).await.unwrap().is_empty());
    assert_eq!(store.next_webhook(NOW).await.unwrap(), Some(NOW + 5));
    assert_eq!(store.due_webhooks(NOW + 5, 9).await.unwrap().len(), 1);
    let newest = *store.newest_change().borrow();
    store.note_not_told(made.id, made.position, failed, WebhookFailure::End("It is gone.".into())).await.unwrap();
    let ended = store.webhook(made.id).await.unwrap();
    assert_eq!(
        (ended.state, ended.problem.as_deref(), ended.position),
        (WebhookState::Failed, Some("It is gone."), made.position)
    );
    let told = store.changes_after(newest, None, 9).await.unwrap().changes;
    assert_eq!((told.len(), told[0].kind, told[0].object), (1, ChangeKind::SettingsUpdated, Some(made.id.get())));
    assert!(store.due_webhooks(NOW + 9, 9).await.unwrap().is_empty());
    let resumed = WebhookChange { paused: Some(false), ..WebhookChange::default() };
    let again = store.change_webhook(made.id, resumed, NOW).await.unwrap();
    assert_eq!((again.state, again.attempts, again.problem), (WebhookState::Active, 0, None));
    // The last hundred attempts are kept, newest first.
    for seq in 1..=120 {
        store.note_webhook_test(made.id, attempt(seq, None)).await.unwrap();
    }
    let kept = store.webhook_attempts(made.id, 999).await.unwrap();
    assert_eq!((kept.len(), kept[0].seq, kept[99].seq), (100, 120, 21));
}
