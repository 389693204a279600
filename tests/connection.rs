//! One connection of an account and the next: what began under one ends with it. A platform that is slow, and clients
//! that hang up in the middle, leave file and memory saying the same.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test fails by panicking"
)]

use channel_tests::{World, dialog::Person, eventually, gate::Gate, message, text};
use harness_engine::{Host, HostError};
use harness_inbox::{AccountId, AccountRow, AccountState, PublicId as _, StepState};
use simulator::{Config, Subject};

const CUSTOMER: &str = Config::DEMO_CUSTOMER;

async fn connected(login: &str) -> (World, Gate, AccountId) {
    let (world, gate) = World::gated(Config::demo()).await;
    let row = Person::new(&world).await.connects(login).await;
    (world, gate, row)
}

async fn row(world: &World, account: AccountId) -> AccountRow {
    world.host.inbox().account_row(account).await.unwrap()
}

/// The slots that the file has.
async fn slots(host: &Host) -> Vec<String> {
    let mut slots: Vec<_> =
        host.whole_inbox().credentials().await.unwrap().into_iter().map(|known| known.slot).collect();
    slots.sort();
    slots
}

/// Lets the keeper renew the credentials, and holds the platform's answer with them.
async fn renewing(world: &World, gate: &Gate, login: &str) {
    let held = if login == "facebook" { "fb_exchange_token" } else { "refresh_access_token" };
    gate.hold(held);
    world.advance(std::time::Duration::from_secs(45 * 24 * 3600));
    gate.holds().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refresh_under_way_does_not_bring_a_disconnected_account_back_and_its_token_is_thrown_away() {
    for login in ["facebook", "instagram"] {
        let (world, gate, account) = connected(login).await;
        renewing(&world, &gate, login).await;
        world.host.disconnect(account, false).await.unwrap();
        gate.open();
        // The call itself is not cut off by the end of the host.
        let (sim, _clock, folder) = world.stop().await;
        let inbox = harness_inbox::Inbox::open(&folder.path().join("inbox.sqlite")).unwrap();
        assert!(sim.requests().iter().any(|record| record.path.contains("access_token")));
        let left = inbox.account_row(account).await.unwrap();
        assert_eq!((left.state, left.refresh_before), (AccountState::Disconnected, None), "{login}");
        let kept: Vec<_> = inbox.credentials().await.unwrap().into_iter().map(|known| known.slot).collect();
        assert!(kept.is_empty(), "{login}: {kept:?}");
        // And what it had to say of the account's state and of its next refresh.
        for connection in [left.connection - 1, left.connection] {
            assert!(!inbox.mark_account(account, connection, AccountState::Connected, None, 0).await.unwrap());
            inbox.note_refresh(account, connection, Some(1), Some(1)).await.unwrap();
        }
        let left = inbox.account_row(account).await.unwrap();
        assert_eq!((left.state, left.refresh_before), (AccountState::Disconnected, None), "{login}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_an_earlier_connection_does_not_reach_the_present_one() {
    let (world, gate, account) = connected("instagram").await;
    renewing(&world, &gate, "instagram").await;
    world.host.disconnect(account, false).await.unwrap();
    assert_eq!(Person::new(&world).await.connects("facebook").await, account);
    let before = (slots(&world.host).await, row(&world, account).await.connection);
    gate.open();
    eventually("the end of the refresh", async || {
        let requests = world.sim.requests();
        requests.iter().any(|record| record.path.contains("refresh_access_token")).then_some(())
    })
    .await;
    world.sim.customer(CUSTOMER).text("hello").await;
    let conversation = world.conversation(CUSTOMER).await;
    let reply = world.reply(conversation, "1", message(vec![text("hi")])).await;
    assert_eq!(reply.steps[0].state, StepState::Sent, "{reply:?}");
    assert_eq!((slots(&world.host).await, row(&world, account).await.connection), before);
    assert!(!before.0.iter().any(|slot| slot == "instagram-token"), "{before:?}");
    assert_eq!(row(&world, account).await.state, AccountState::Connected);
}

#[tokio::test(flavor = "multi_thread")]
async fn neither_entry_points_nor_a_check_nor_a_late_callback_bring_a_disconnected_account_back() {
    let (world, _gate, account) = connected("facebook").await;
    world.host.disconnect(account, false).await.unwrap();
    let state = async || row(&world, account).await.state;

    let asked = world.host.configure(account, Default::default()).await;
    assert!(matches!(asked, Err(HostError::Disconnected(_))), "{asked:?}");
    let url = format!("{}/api/v1/accounts/{}/entry-points", world.address, account.public());
    let json = [("content-type", "application/json")];
    let body = br#"{"ice_breakers": [], "menu": null}"#.to_vec();
    let answer = channel_tests::api("PUT", &url, &json, body).await;
    assert_eq!(answer.status, 409, "{}", answer.body);
    assert_eq!(state().await, AccountState::Disconnected);

    world.host.check(account, true).await.unwrap();
    assert_eq!(state().await, AccountState::Disconnected);

    let answer = world.sim.deauthorize(&Subject::Person).await.unwrap();
    assert_eq!(answer.status, Some(200));
    world.host.whole_inbox().all_arrived().await.unwrap();
    world.settled().await;
    assert_eq!(state().await, AccountState::Disconnected);
    assert_eq!(world.host.disconnect(account, false).await.unwrap(), None, "twice is no error");

    assert_eq!(Person::new(&world).await.connects("facebook").await, account);
    assert_eq!(state().await, AccountState::Connected);
}
