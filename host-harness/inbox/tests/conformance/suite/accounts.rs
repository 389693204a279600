//! Promises about accounts and their data, and about erasing people.
//! Not here: what remains in a store's files, which each store tests separately.

use serde_json::json;

use super::{
    place::Place,
    stage::{CHANNEL, NOW, Stage, connect, event, message},
};
use harness_contract::StorageError;
use harness_inbox::{
    AccountId, AccountState, HistoryMark, InboxError, NewAccount, SealedCredential, StoredLink,
    store::{MAX_STORAGE_KEY, STORAGE_QUOTA},
};

pub(crate) async fn an_account_keeps_its_conversations_when_it_is_connected_again(place: &dyn Place) {
    let stage = Stage::new(place).await;
    let conversation = stage.conversation().await;
    stage.store.disconnect_account(stage.account, false, NOW).await.unwrap();
    assert_eq!(stage.store.account_row(stage.account).await.unwrap().state, AccountState::Disconnected);
    let ignored = stage.deliver(vec![message("shop", "ada", "m2", "nobody answers for it", NOW)]).await;
    assert_eq!(ignored.events.new, 0);
    assert_eq!(connect(&*stage.store, CHANNEL, "shop").await, stage.account);
    let row = stage.store.account_row(stage.account).await.unwrap();
    assert_eq!(row.state, AccountState::Connected);
    assert_eq!(stage.store.account_of(conversation).await.unwrap(), stage.account);
    assert_eq!(stage.store.channel_of(conversation).await.unwrap(), CHANNEL);
    assert!(stage.store.mark_account(row.id, row.connection, AccountState::NeedsReconnect, None, NOW).await.unwrap());
    let stage = stage.restart(place).await;
    assert_eq!(stage.store.accounts().await.unwrap()[0].state, AccountState::NeedsReconnect);
    stage.store.disconnect_account(stage.account, true, NOW).await.unwrap();
    assert!(stage.store.conversations(9).await.unwrap().is_empty());
    let row = stage.store.account_row(stage.account).await.unwrap();
    assert_eq!(row.conversations_deleted_at, Some(NOW));
    assert!(matches!(stage.store.account_row(AccountId::new(99)).await, Err(InboxError::NotFound { .. })));
}

pub(crate) async fn what_belongs_to_an_earlier_connection_changes_nothing(place: &dyn Place) {
    let stage = Stage::new(place).await;
    let (store, account) = (&stage.store, stage.account);
    let earlier = store.account_row(account).await.unwrap().connection;
    connect(&**store, CHANNEL, "shop").await;
    let present = store.account_row(account).await.unwrap().connection;
    for (connection, counts) in [(earlier, false), (present, true)] {
        let credential = SealedCredential {
            channel: CHANNEL.into(),
            account: Some("shop".into()),
            slot: "token".into(),
            sealed: vec![7],
        };
        assert_eq!(store.put_credential(credential, connection).await.unwrap(), counts);
        assert_eq!(store.credentials().await.unwrap().len(), usize::from(counts));
        store.note_refresh(account, connection, Some(NOW + 9), Some(NOW)).await.unwrap();
        assert_eq!(store.due_refreshes(NOW).await.unwrap().len(), usize::from(counts));
        let mark = HistoryMark { cursor: Some("next".into()), from: NOW, next: Some(NOW) };
        store.note_history(account, connection, Vec::new(), mark).await.unwrap();
        assert_eq!(store.due_history(NOW).await.unwrap().len(), usize::from(counts));
        let mark = HistoryMark { cursor: None, from: NOW, next: Some(NOW + 9) };
        store.note_history(account, present, Vec::new(), mark).await.unwrap();
        store.read_history_again(account, connection, 5, NOW).await.unwrap();
        let due: Vec<_> = store.due_history(NOW).await.unwrap().into_iter().map(|due| due.from).collect();
        assert_eq!(due, if counts { vec![5] } else { vec![] });
        let set = store.storage_set(account, connection, "key", vec![1]).await;
        assert_eq!(set.is_ok(), counts);
        let state = AccountState::NeedsReconnect;
        assert_eq!(store.mark_account(account, connection, state, None, NOW).await.unwrap(), counts);
    }
    store.put_channel_credential(CHANNEL, "made", vec![8]).await.unwrap();
    store.put_channel_credential(CHANNEL, "made", vec![9]).await.unwrap();
    store.disconnect_account(account, false, NOW).await.unwrap();
    let left = store.credentials().await.unwrap();
    let left: Vec<_> =
        left.iter().map(|one| (one.account.as_deref(), one.slot.as_str(), one.sealed.as_slice())).collect();
    assert_eq!(left, [(None, "made", [9].as_slice())], "the channel's own stays, and has its last value");
    assert!(store.storage_keys(account, "").await.unwrap().is_empty());
    assert!(store.due_refreshes(NOW).await.unwrap().is_empty());
    // Connecting an account from a configuration keeps details known from elsewhere.
    let new = NewAccount {
        channel: CHANNEL.into(),
        platform_id: "shop".into(),
        name: "Renamed".into(),
        now: NOW + 1,
        ..NewAccount::default()
    };
    assert_eq!(store.connect_account(new).await.unwrap(), account);
    assert_eq!(store.account_row(account).await.unwrap().name, "Renamed");
}

pub(crate) async fn a_channel_remembers_within_its_bounds_and_for_one_account(place: &dyn Place) {
    let stage = Stage::new(place).await;
    let (store, account) = (&stage.store, stage.account);
    let other = connect(&**store, CHANNEL, "other").await;
    let connection = store.account_row(account).await.unwrap().connection;
    let set = async |key: &str, size: usize| store.storage_set(account, connection, key, vec![7; size]).await;
    set("a/1", 1).await.unwrap();
    set("a/2", 2).await.unwrap();
    set("b", 3).await.unwrap();
    assert_eq!(store.storage_get(account, "a/2").await.unwrap(), Some(vec![7; 2]));
    assert_eq!(store.storage_get(other, "a/2").await.unwrap(), None);
    assert_eq!(store.storage_keys(account, "a/").await.unwrap(), ["a/1", "a/2"]);
    store.storage_delete(account, connection, "a/1").await.unwrap();
    assert_eq!(store.storage_keys(account, "").await.unwrap(), ["a/2", "b"]);
    let quota = usize::try_from(STORAGE_QUOTA).unwrap();
    assert_eq!(set("large", quota).await, Err(StorageError::QuotaExceeded(STORAGE_QUOTA)));
    assert_eq!(set("", 1).await, Err(StorageError::InvalidKey));
    assert_eq!(set(&"k".repeat(MAX_STORAGE_KEY + 1), 1).await, Err(StorageError::InvalidKey));
    let stage = stage.restart(place).await;
    assert_eq!(stage.store.storage_get(account, "b").await.unwrap(), Some(vec![7; 3]));
}

pub(crate) async fn a_person_who_is_erased_is_gone_and_the_request_says_so(place: &dyn Place) {
    let stage = Stage::new(place).await;
    let conversation = stage.conversation().await;
    let reply = stage.begin(conversation, "answer").await;
    stage.sent(&reply, "m2").await;
    stage.deliver(vec![message("shop", "bob", "bob", "stays", NOW)]).await;
    let erase = event("shop", "ada", "erase", NOW, json!({"erasure_request": {}}));
    stage.deliver(vec![erase]).await;
    let conversations = stage.store.conversations(9).await.unwrap();
    assert_eq!(conversations.iter().map(|one| one.contact.as_deref()).collect::<Vec<_>>(), [Some("bob")]);
    assert!(stage.store.timeline(conversation, 9).await.unwrap().is_empty());
    assert!(matches!(stage.store.reply(reply.reply).await, Err(InboxError::NotFound { .. })));
    let counted = stage.store.delivery_counts().await.unwrap();
    assert_eq!((counted.applied, counted.purged), (1, 2), "what brought her words is empty, and what named her");
    assert_eq!(stage.store.account_row(stage.account).await.unwrap().state, AccountState::Connected);
}

pub(crate) async fn an_older_link_never_replaces_a_newer_one(place: &dyn Place) {
    let stage = Stage::new(place).await;
    let link = |version: i64| StoredLink { id: [1; 32], version, sealed: vec![u8::try_from(version).unwrap()] };
    for version in [1, 3, 2] {
        stage.store.put_link(link(version)).await.unwrap();
    }
    let stage = stage.restart(place).await;
    let kept = stage.store.links().await.unwrap();
    assert_eq!(kept.iter().map(|link| (link.version, link.sealed.clone())).collect::<Vec<_>>(), [(3, vec![3])]);
    stage.store.delete_links(vec![[1; 32]]).await.unwrap();
    assert!(stage.store.links().await.unwrap().is_empty());
}
