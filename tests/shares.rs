//! What one channel or one account may keep waiting: it fills its own bounds, and no other notices. Also after a
//! restart.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test fails by panicking"
)]

use std::{cell::Cell, collections::BTreeMap, path::Path, time::Duration};

use channel_tests::{
    api, end, eventually, hostile, hosts::open_with, request, sandbox_config, secrets, serve, web_chat,
};
use harness_contract::{Setting, SettingValue};
use harness_engine::{Budget, ChannelOptions, Clock, Host, HostOptions};
use harness_inbox::{FromDialog, NewAccount};
use tokio::task::AbortHandle;

struct Two {
    host: Host,
    clock: Clock,
    address: String,
    folder: tempfile::TempDir,
    server: AbortHandle,
}

impl Two {
    /// The channel that attacks, with these bounds, and one that works.
    async fn with(budget: Budget) -> Self {
        let (folder, clock) = (tempfile::tempdir().unwrap(), Clock::default());
        let (host, address, server) = open(folder.path(), &clock, budget).await;
        Self { host, clock, address, folder, server }
    }

    /// The same on the same files.
    async fn restarted(self, budget: Budget) -> Self {
        let Self { host, clock, folder, server, .. } = self;
        server.abort();
        end(host, folder.path()).await;
        let (host, address, server) = open(folder.path(), &clock, budget).await;
        Self { host, clock, address, folder, server }
    }

    async fn attack(&self, body: &str) -> u16 {
        let url = format!("{}/webhooks/hostile", self.address);
        request("POST", &url, &[("x-secret", "the-webhook-secret")], body.into()).await.status
    }

    async fn visit(&self, secret: &str) -> u16 {
        let url = format!("{}/webhooks/web-chat", self.address);
        let body = r#"{"messages":[{"id":"in","visitor":"v","name":"Kim","text":"hello","at":1795000000000}]}"#;
        request("POST", &url, &[("x-webchat-secret", secret)], body.into()).await.status
    }

    /// What the API's health says of a channel: deliveries that are parked, and that expired.
    async fn health_of(&self, channel: &str) -> (u64, u64) {
        let answer = api("GET", &format!("{}/api/v1/health", self.address), &[], vec![]).await;
        let health: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
        let channels = health["channels"].as_array().unwrap();
        let found = channels.iter().find(|found| found["channel"] == channel).unwrap();
        (found["parked"].as_u64().unwrap(), found["expired"].as_u64().unwrap())
    }

    async fn counts(&self) -> harness_inbox::DeliveryCounts {
        self.host.inbox().delivery_counts().await.unwrap()
    }

    async fn connect(&self, account: &str) {
        self.host.connect_account("hostile", account, account, &BTreeMap::new(), secrets([])).await.unwrap();
    }

    /// Connects an account whose archive is to be read.
    async fn with_archive(&self, account: &str, attack: &str) {
        let settings = vec![Setting { key: "attack".into(), value: SettingValue::Text(attack.into()) }];
        let new = NewAccount {
            workspace: None,
            channel: "hostile".into(),
            platform_id: account.into(),
            name: account.into(),
            settings,
            dialog: Some(FromDialog { history_from: Some(0), ..FromDialog::default() }),
            now: self.clock.now(),
        };
        self.host.whole_inbox().connect_account(new).await.unwrap();
        // Written past the host: whoever waits for its clock looks again.
        self.clock.advance(Duration::ZERO);
    }

    /// How many conversations the account has.
    async fn messages_of(&self, account: &str) -> usize {
        let all = self.host.inbox().conversations(9).await.unwrap();
        match all.into_iter().find(|conversation| conversation.account == account) {
            Some(found) => self.host.inbox().timeline(found.id, 500).await.unwrap().len(),
            None => 0,
        }
    }
}

async fn open(folder: &Path, clock: &Clock, budget: Budget) -> (Host, String, AbortHandle) {
    let options =
        HostOptions { sandbox: sandbox_config(), clock: clock.clone(), budget, ..HostOptions::in_folder(folder) };
    let host = open_with(options, [(&hostile().1, secrets([("secret", "the-webhook-secret")]))]).await;
    host.load_channel(web_chat().1.clone(), ChannelOptions::default()).await.unwrap();
    for account in ["shop", "blog"] {
        let own = secrets([("site-secret", &format!("secret-of-the-{account}"))]);
        host.connect_account("web-chat", account, account, &BTreeMap::new(), own).await.unwrap();
    }
    let (address, server) = serve(&host).await;
    (host, address, server)
}

#[tokio::test(flavor = "multi_thread")]
async fn connecting_an_account_takes_up_its_own_deliveries_and_no_others() {
    let two = Two::with(Budget::default()).await;
    for index in 0..3 {
        two.attack(&format!("as one message o{index}")).await;
        two.attack(&format!("as other message t{index}")).await;
    }
    two.attack("as one message both\nas other message both").await;
    eventually("all parked", async || (two.counts().await.unrouted == 7).then_some(())).await;
    let two = two.restarted(Budget::default()).await;
    assert_eq!(two.counts().await.unrouted, 7, "a start takes up nothing of accounts that are not there");
    two.connect("one").await;
    eventually("what waited for it", async || (two.messages_of("one").await == 4).then_some(())).await;
    eventually("the rest parked", async || (two.counts().await.unrouted == 4).then_some(())).await;
    two.connect("other").await;
    eventually("the others", async || (two.messages_of("other").await == 4).then_some(())).await;
    assert_eq!(two.messages_of("one").await, 4, "nothing is doubled");
    eventually("nothing parked", async || (two.counts().await.unrouted == 0).then_some(())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_waits_for_accounts_that_never_come_is_bounded_and_ends() {
    let budget = Budget { parked_per_account: 3, parked_per_channel: 5, ..Budget::default() };
    let two = Two::with(budget).await;
    for index in 0..6 {
        two.attack(&format!("as never message n{index}")).await;
    }
    eventually("the newest three", async || {
        let counts = two.counts().await;
        (counts.unrouted == 3 && counts.purged == 3).then_some(())
    })
    .await;
    for index in 0..4 {
        two.attack(&format!("as nobody-{index} message m")).await;
    }
    eventually("five of the channel", async || {
        let (counts, metrics) = (two.counts().await, two.host.metrics().await.unwrap());
        (counts.unrouted == 5 && metrics.contains(r#"what="parked_deliveries"} 5"#)).then_some(())
    })
    .await;
    assert_eq!(two.health_of("hostile").await, (5, 5), "parked, and expired");
    assert_eq!(two.health_of("web-chat").await, (0, 0));
    // The newest of the account that came is there.
    two.connect("nobody-3").await;
    eventually("it", async || (two.messages_of("nobody-3").await == 1).then_some(())).await;
    let left = two.counts().await.unrouted;
    assert_eq!(left, 4);
    assert_eq!(two.host.whole_inbox().expire_parked(two.clock.now(), 100).await.unwrap(), 4);
    assert_eq!(two.counts().await.unrouted, 0);
    assert_eq!(two.health_of("hostile").await, (0, 9));
    two.connect("never").await;
    two.attack("as never message later").await;
    eventually("what comes later", async || (two.messages_of("never").await == 1).then_some(())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_that_traps_fills_its_own_bound_and_no_others() {
    let budget = Budget { deliveries: 20, ..Budget::default() };
    let two = Two::with(budget).await;
    let fill = async |two: &Two| {
        for _ in 0..200 {
            if two.attack("trap").await == 503 {
                return;
            }
        }
        panic!("its bound is never reached");
    };
    fill(&two).await;
    assert_eq!(two.visit("secret-of-the-shop").await, 200);
    let two = two.restarted(budget).await;
    fill(&two).await;
    assert_eq!(two.visit("secret-of-the-shop").await, 200, "also after a restart");
    assert!(two.host.not_ready().await.is_empty(), "the host takes what others bring");
    assert!(two.host.metrics().await.unwrap().contains(r#"answer="backlog""#));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_that_fills_its_bytes_stops_alone() {
    let budget = Budget { unapplied_bytes: 200_000, ..Budget::default() };
    let two = Two::with(budget).await;
    let large = format!("as never message m\n{}", "x".repeat(50_000));
    // What comes while it is counted may count twice, and never not at all: four fit.
    let taken = Cell::new(0);
    eventually("a count that is right", async || {
        while two.attack(&large).await == 200 {
            taken.set(taken.get() + 1);
        }
        (taken.get() >= 4).then_some(())
    })
    .await;
    assert_eq!(taken.get(), 4);
    assert_eq!(two.attack(&large).await, 503);
    assert_eq!(two.visit("secret-of-the-shop").await, 200);
    let two = two.restarted(budget).await;
    assert_eq!(two.attack("hello").await, 503, "also after a restart");
    assert_eq!(two.visit("secret-of-the-shop").await, 200);
    eventually("all four parked", async || (two.counts().await.unrouted == 4).then_some(())).await;
    // What makes room again is seen without a delivery that would show it.
    two.host.whole_inbox().expire_parked(two.clock.now() + 1, 100).await.unwrap();
    eventually("room", async || (two.attack("hello").await == 200).then_some(())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_account_fills_its_own_bound_and_leaves_its_channel_to_the_others() {
    let budget = Budget { account_deliveries: 0, ..Budget::default() };
    let two = Two::with(Budget { account_deliveries: 1, ..budget }).await;
    // While its channel is left alone everything waits.
    for _ in 0..9 {
        two.attack("trap").await;
    }
    let url = format!("{}/webhooks/hostile/one", two.address);
    let addressed =
        async || request("POST", &url, &[("x-secret", "the-webhook-secret")], b"trap".to_vec()).await.status;
    eventually("the bound of the account", async || (addressed().await == 503).then_some(())).await;
    assert_eq!(two.attack("trap").await, 200, "others of the channel are taken");
    let other = format!("{}/webhooks/hostile/other", two.address);
    assert_eq!(request("POST", &other, &[("x-secret", "the-webhook-secret")], b"trap".to_vec()).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_an_archive_that_gives_more_than_was_asked_for_nothing_is_taken() {
    let two = Two::with(Budget::default()).await;
    two.with_archive("flood", "history-flood").await;
    two.connect("witness").await;
    eventually("that it was asked", async || {
        let metrics = two.host.metrics().await.unwrap();
        metrics
            .lines()
            .any(|line| line.contains(r#"function="history.history""#) && line.contains("total"))
            .then_some(())
    })
    .await;
    two.attack("as witness message w").await;
    eventually("the witness", async || (two.messages_of("witness").await == 1).then_some(())).await;
    let counts = two.counts().await;
    assert_eq!((counts.received, counts.purged, counts.failed), (0, 0, 0), "{counts:?}");
    assert_eq!(two.messages_of("flood").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archive_without_an_end_gives_so_much_in_an_hour_and_leaves_no_bodies_behind() {
    let budget = Budget { archive_items: 120, ..Budget::default() };
    let two = Two::with(budget).await;
    two.with_archive("endless", "history-endless").await;
    let given = async || two.counts().await.purged;
    // Pages come in the host's time: it stands as long as nobody moves it.
    let fill = async |least: u64| {
        eventually("pages", async || {
            two.clock.advance(Duration::from_millis(20));
            (given().await >= least).then_some(())
        })
        .await;
    };
    fill(120).await;
    for _ in 0..20 {
        two.clock.advance(Duration::from_secs(1));
        two.attack("hello").await;
        eventually("an empty queue", async || (two.counts().await.received == 0).then_some(())).await;
    }
    assert_eq!(given().await, 150, "three pages of fifty, and no more in this hour");
    assert_eq!(two.host.inbox().unapplied_bytes().await.unwrap().iter().map(|(_, bytes)| bytes).sum::<u64>(), 20 * 5);
    two.clock.advance(Duration::from_secs(3600));
    fill(200).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archive_waits_while_its_channel_cannot_read_and_webhooks_do_not() {
    let two = Two::with(Budget::default()).await;
    for _ in 0..9 {
        two.attack("trap").await;
    }
    eventually("an open circuit", async || {
        let open = two.host.breakers("hostile").iter().any(|one| one.state != harness_engine::BreakerState::Closed);
        open.then_some(())
    })
    .await;
    two.with_archive("endless", "history-endless").await;
    for _ in 0..50 {
        assert_eq!(two.attack("trap").await, 200);
    }
    let metrics = two.host.metrics().await.unwrap();
    assert!(!metrics.contains(r#"function="history.history""#), "it was not asked");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_native_form_longer_than_the_contract_allows_is_left_out() {
    let two = Two::with(Budget::default()).await;
    two.connect("one").await;
    two.attack("as one native n").await;
    let file = two.folder.path().join("inbox.sqlite");
    let connection = rusqlite::Connection::open(file).unwrap();
    eventually("the notice", async || {
        let count: i64 = connection.query_row("SELECT count(*) FROM activity", [], |row| row.get(0)).unwrap();
        (count == 1).then_some(())
    })
    .await;
    let kept: Option<String> = connection.query_row("SELECT native FROM activity", [], |row| row.get(0)).unwrap();
    assert_eq!(kept, None);
}
