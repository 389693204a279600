//! Another channel beside Instagram, with no change to the host: other verification, other egress, no
//! window. What one channel may do, the other may not.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test fails by panicking"
)]

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex},
};

use axum::{Json, Router, extract::State, http::HeaderMap, routing::post};
use channel_tests::{
    World, connect, end, eventually, granted,
    hosts::{load_granted, open_with},
    listen, message, request, sandbox_config, secrets, serve, text, web_chat,
};
use harness_contract::{CheckLevel, OutboundPart, WindowState};
use harness_engine::{ChannelOptions, Host, HostOptions};
use harness_inbox::{ConversationId, ReplyState, StepState};
use simulator::{Config, Login, Simulator};

type Received = Arc<Mutex<Vec<(Option<String>, serde_json::Value)>>>;

/// The widget's server.
async fn chat_server() -> (String, Received) {
    let received = Received::default();
    let take = |State(received): State<Received>, headers: HeaderMap, Json(body): Json<serde_json::Value>| async move {
        let bearer = headers.get("authorization").map(|value| value.to_str().unwrap().to_owned());
        received.lock().unwrap().push((bearer, body));
        Json(serde_json::json!({ "id": "out-1" }))
    };
    let router = Router::new().route("/v1/messages", post(take)).with_state(Arc::clone(&received));
    (listen(router).await.origin().ascii_serialization(), received)
}

struct Both {
    sim: Simulator,
    host: Host,
    address: String,
    received: Received,
    server: tokio::task::AbortHandle,
    _folder: tempfile::TempDir,
}

async fn both() -> Both {
    let sim = Simulator::start(Config::demo()).await.unwrap();
    let (chat, received) = chat_server().await;
    let folder = tempfile::tempdir().unwrap();
    let endpoints = BTreeMap::from([
        ("https://graph.facebook.com".to_owned(), sim.graph_facebook_url().parse().unwrap()),
        ("https://chat.example.com".to_owned(), chat.parse().unwrap()),
    ]);
    let options = HostOptions { sandbox: sandbox_config(), endpoints, ..HostOptions::in_folder(folder.path()) };
    let host = Host::open(options).await.unwrap();
    connect(&host, &sim, Login::Facebook).await;
    load_granted(&host, &web_chat().1, secrets([])).await;
    for (site, secret) in [("shop.example", "secret-of-the-shop"), ("blog.example", "secret-of-the-blog")] {
        let secrets = secrets([("site-secret", secret), ("api-key", &format!("key-of-{site}"))]);
        host.connect_account("web-chat", site, site, &BTreeMap::new(), secrets).await.unwrap();
    }
    let (address, server) = serve(&host).await;
    sim.set_webhook_url(format!("{address}/webhooks/instagram"));
    Both { sim, host, address, received, server, _folder: folder }
}

impl Both {
    async fn visitor_says(&self, secret: &str, body: &str) -> u16 {
        let url = format!("{}/webhooks/web-chat", self.address);
        request("POST", &url, &[("x-webchat-secret", secret)], body.into()).await.status
    }

    async fn conversation(&self, channel: &str) -> ConversationId {
        eventually(channel, async || {
            let all = self.host.inbox().conversations(9).await.unwrap();
            all.into_iter().find(|conversation| conversation.channel == channel).map(|found| found.id)
        })
        .await
    }
}

const HELLO: &str =
    r#"{"messages":[{"id":"in-1","visitor":"v-1","name":"Kim","text":"hello","at":1795000000000},{"broken":true}]}"#;

#[tokio::test(flavor = "multi_thread")]
async fn two_channels_share_a_host() {
    let both = both().await;
    assert_eq!(both.visitor_says("secret-of-the-shop", HELLO).await, 200);
    both.sim.customer(Config::DEMO_CUSTOMER).text("from Instagram").await;
    let chat = both.conversation("web-chat").await;
    both.conversation("instagram").await;

    let conversations = both.host.inbox().conversations(9).await.unwrap();
    let own = conversations.iter().find(|conversation| conversation.id == chat).unwrap();
    assert_eq!(
        (own.account.as_str(), own.name.as_deref()),
        ("shop.example", Some("Kim")),
        "the secret names the account"
    );
    assert_eq!(both.host.context(chat).await.unwrap().window.state, WindowState::Open);

    let queued = both.host.reply(chat, "one", message(vec![text("hi Kim")])).await.unwrap();
    let view = eventually("the reply", async || {
        let view = both.host.inbox().reply(queued.reply).await.unwrap();
        (view.state == ReplyState::Done).then_some(view)
    })
    .await;
    assert_eq!(view.steps[0].state, StepState::Sent);
    // The server gives every message the same id; the second reply has its end all the same.
    let again = both.host.reply(chat, "two", message(vec![text("and again")])).await.unwrap();
    eventually("the second reply", async || {
        let view = both.host.inbox().reply(again.reply).await.unwrap();
        (view.state == ReplyState::Done).then_some(())
    })
    .await;
    let received = both.received.lock().unwrap();
    assert_eq!(received[0].0.as_deref(), Some("Bearer key-of-shop.example"), "each account has its own key");
    assert_eq!(received[0].1["text"], "hi Kim");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shared_secret_proves_its_own_account_and_nothing_else() {
    let both = both().await;
    for wrong in ["", "secret", "secret-of-the-shopp", "demo-meta-app-secret", "key-of-shop.example"] {
        assert_eq!(both.visitor_says(wrong, HELLO).await, 403, "{wrong}");
    }
    assert_eq!(both.visitor_says("secret-of-the-blog", HELLO).await, 200);
    let conversation = both.conversation("web-chat").await;
    let all = both.host.inbox().conversations(9).await.unwrap();
    assert_eq!(all.iter().find(|found| found.id == conversation).unwrap().account, "blog.example");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_configuration_gives_no_more_ends_at_the_reload_and_with_the_next_start() {
    let both = both().await;
    assert_eq!(both.visitor_says("secret-of-the-shop", HELLO).await, 200);
    let chat = both.conversation("web-chat").await;
    let connect = async |given| {
        both.host.connect_account("web-chat", "shop.example", "Shop", &BTreeMap::new(), given).await.unwrap()
    };
    // The account is still there, and its secret is not.
    connect(secrets([("api-key", "key-of-shop.example")])).await;
    assert_eq!(both.visitor_says("secret-of-the-shop", HELLO).await, 403);
    assert_eq!(both.visitor_says("secret-of-the-blog", HELLO).await, 200, "that of another stays");
    connect(secrets([("site-secret", "secret-of-the-shop")])).await;
    assert_eq!(both.visitor_says("secret-of-the-shop", HELLO).await, 200);
    let refused = ended(&both.host, chat, "without a key").await;
    assert!(refused.contains("api-key"), "{refused}");
    // The same for the channel's own.
    let own = channel_tests::setup_of(&both.sim);
    assert_eq!(both.sim.customer(Config::DEMO_CUSTOMER).text("with the secret").await.status(), Some(200));
    both.host
        .load_channel(channel_tests::instagram().1.clone(), ChannelOptions { secrets: HashMap::new(), ..own })
        .await
        .unwrap();
    assert_eq!(both.sim.customer(Config::DEMO_CUSTOMER).text("without").await.status(), Some(403));

    // After a start at which the configuration names the account no more, it is known and proves nothing.
    connect(secrets([("site-secret", "secret-of-the-shop"), ("api-key", "key-of-shop.example")])).await;
    let Both { sim, host, received, server, _folder: folder, .. } = both;
    server.abort();
    end(host, folder.path()).await;
    let sent = received.lock().unwrap().len();
    let options = HostOptions { sandbox: sandbox_config(), ..HostOptions::in_folder(folder.path()) };
    let host = open_with(options, [(&web_chat().1, secrets([]))]).await;
    let (address, server) = serve(&host).await;
    let after = Both { sim, host, address, received, server, _folder: folder };
    assert_eq!(after.visitor_says("secret-of-the-shop", HELLO).await, 403);
    let refused = ended(&after.host, chat, "after the start").await;
    assert!(refused.contains("api-key"), "{refused}");
    assert_eq!(after.received.lock().unwrap().len(), sent, "nothing left");
}

/// What is said where a reply does not leave for want of a credential: of its step, or of the account, where another call
/// met that first and the reply waits.
async fn ended(host: &Host, conversation: ConversationId, key: &str) -> String {
    let queued = host.reply(conversation, key, message(vec![text("hi")])).await.unwrap();
    eventually("the outcome", async || {
        let view = host.inbox().reply(queued.reply).await.unwrap();
        let of_step = view.steps.iter().find_map(|step| Some(step.outcome.as_ref()?.get().to_owned()));
        let accounts = host.inbox().accounts().await.unwrap();
        let shop = accounts.into_iter().find(|row| row.platform_id == "shop.example").unwrap();
        of_step.or(shop.problem)
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_channel_cannot_do_it_refuses_in_words() {
    let both = both().await;
    both.visitor_says("secret-of-the-shop", HELLO).await;
    let chat = both.conversation("web-chat").await;
    let queued =
        both.host.reply(chat, "heart", message(vec![OutboundPart::Sticker("like_heart".into())])).await.unwrap();
    let view = eventually("the refusal", async || {
        let view = both.host.inbox().reply(queued.reply).await.unwrap();
        (view.state == ReplyState::Refused).then_some(view)
    })
    .await;
    assert!(view.violations[0].message.contains("text only"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_granted_is_not_reached() {
    let world = World::new().await;
    let grant = harness_engine::Grant { egress: vec!["graph.instagram.com".into()], ..Default::default() };
    let setup = ChannelOptions { grant: Some(grant), ..channel_tests::setup_of(&world.sim) };
    let registered = world.host.load_channel(channel_tests::instagram().1.clone(), setup).await.unwrap();
    assert_eq!(
        registered.not_granted,
        ["graph.facebook.com", "api.instagram.com", "lookaside.fbsbx.com", "*.fbcdn.net", "*.cdninstagram.com"]
    );
    world.sim.customer(Config::DEMO_CUSTOMER).text("hello").await;
    let conversation = world.conversation(Config::DEMO_CUSTOMER).await;
    let view = world.reply(conversation, "denied", message(vec![text("hello")])).await;
    assert_eq!(view.steps[0].state, StepState::Rejected);
    let outcome = view.steps[0].outcome.as_ref().unwrap().get();
    assert!(outcome.contains("`graph.facebook.com` is not granted"), "{outcome}");
    assert!(world.sends().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_without_a_grant_may_do_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let options = HostOptions { sandbox: channel_tests::sandbox_config(), ..HostOptions::in_folder(folder.path()) };
    let host = Host::open(options).await.unwrap();
    let loaded = host.load_channel(channel_tests::instagram().1.clone(), ChannelOptions::default()).await.unwrap();
    assert!(loaded.egress.is_empty() && loaded.media_hosts.is_empty());
    assert!(loaded.not_granted.contains(&"graph.facebook.com".to_owned()), "{:?}", loaded.not_granted);
    // Loaded again with a grant it may, and an update without one keeps what was granted.
    let setup = ChannelOptions { grant: granted(&channel_tests::instagram().1), ..ChannelOptions::default() };
    assert!(host.load_channel(channel_tests::instagram().1.clone(), setup).await.unwrap().not_granted.is_empty());
    let again = host.load_channel(channel_tests::instagram().1.clone(), ChannelOptions::default()).await.unwrap();
    assert!(again.not_granted.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_without_a_check_of_its_own_is_skipped_by_the_doctor() {
    let both = both().await;
    let all = both.host.inbox().accounts().await.unwrap();
    let site = all.iter().find(|row| row.channel == "web-chat").unwrap();
    let health = both.host.check(site.id, false).await.unwrap();
    let line = health.checks.iter().find(|check| check.name == "platform").unwrap();
    assert_eq!(line.level, CheckLevel::Skipped, "{line:?}");
}
