//! A host with two channels: one that does what scripts tell it, and one that works and is to notice nothing of it.
//! Belongs here: setting that up, and what the neighbour does. What the first one's platform answers is the test's.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use axum::Router;
use harness_engine::{ChannelOptions, Host, HostOptions};
use serde_json::{Value, json};

use harness_inbox::ConversationId;

use crate::{eventually, granted, listen, message, request, sandbox_config, scripted, secrets, serve, text, web_chat};

/// The two channels, and where they are reached.
pub struct Neighbours {
    /// It has both loaded.
    pub host: Host,
    /// Where webhooks go.
    pub address: String,
    /// Where it keeps what it has.
    pub folder: tempfile::TempDir,
    sent: Arc<AtomicUsize>,
}

impl Neighbours {
    /// The scripted channel has the accounts `account` and `neighbour` with these tokens; its requests arrive at
    /// `platform`.
    pub async fn start(platform: Router, tokens: [&str; 2], change: impl FnOnce(HostOptions) -> HostOptions) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let sent = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&sent);
        let chat = Router::new().fallback(move || {
            let number = count.fetch_add(1, Ordering::Relaxed);
            async move { format!(r#"{{"id":"out-{number}"}}"#) }
        });
        let endpoints = BTreeMap::from([
            ("https://scripted.example.com".to_owned(), listen(platform).await),
            ("https://chat.example.com".to_owned(), listen(chat).await),
        ]);
        let usual = HostOptions { sandbox: sandbox_config(), endpoints, ..HostOptions::in_folder(folder.path()) };
        let host = Host::open(change(usual)).await.unwrap();
        for (component, own) in [(scripted(), secrets([("secret", "the-webhook-secret")])), (web_chat(), secrets([]))] {
            let setup = ChannelOptions { grant: granted(&component.1), secrets: own, ..ChannelOptions::default() };
            host.load_channel(component.1.clone(), setup).await.unwrap();
        }
        for (id, token) in ["account", "neighbour"].into_iter().zip(tokens) {
            host.connect_account("scripted", id, id, &BTreeMap::new(), secrets([("token", token)])).await.unwrap();
        }
        let shop = secrets([("site-secret", "secret-of-the-shop"), ("api-key", "key-of-the-shop-0123456789")]);
        host.connect_account("web-chat", "shop", "Shop", &BTreeMap::new(), shop).await.unwrap();
        let (address, _) = serve(&host).await;
        Self { host, address, folder, sent }
    }

    /// A delivery of the scripted channel: it may be taken, or put off.
    pub async fn deliver(&self, script: &Value) -> u16 {
        let url = format!("{}/webhooks/scripted", self.address);
        request("POST", &url, &[("x-secret", "the-webhook-secret")], script.to_string().into_bytes()).await.status
    }

    /// The conversation of the scripted channel in which replies are scripts.
    pub async fn conversation(&self) -> ConversationId {
        assert_eq!(self.deliver(&json!({ "events": 1, "account": "account" })).await, 200);
        eventually("the conversation", async || {
            let all = self.host.inbox().conversations(500).await.unwrap();
            all.into_iter().find(|one| one.channel == "scripted").map(|one| one.id)
        })
        .await
    }

    /// The neighbour's webhook is taken, its message is there, and its reply leaves. Returns how long webhook and reply
    /// took.
    pub async fn visit(&self, number: usize) -> (Duration, Duration) {
        let url = format!("{}/webhooks/web-chat", self.address);
        let visitor = format!("v-{number}");
        let body = format!(
            r#"{{"messages":[{{"id":"in-{number}","visitor":"{visitor}","name":"Kim","text":"hello","at":1795000000000}}]}}"#
        );
        let began = Instant::now();
        let answer = request("POST", &url, &[("x-webchat-secret", "secret-of-the-shop")], body.into_bytes()).await;
        let taken = began.elapsed();
        assert_eq!(answer.status, 200, "the neighbour's webhook");
        let conversation = eventually("the neighbour's message", async || {
            let all = self.host.inbox().conversations(500).await.unwrap();
            all.into_iter().find(|one| one.contact.as_deref() == Some(visitor.as_str())).map(|one| one.id)
        })
        .await;
        let began = Instant::now();
        let before = self.sent.load(Ordering::Relaxed);
        self.host.reply(conversation, &format!("n-{number}"), message(vec![text("hi")])).await.unwrap();
        eventually("the neighbour's reply", async || (self.sent.load(Ordering::Relaxed) > before).then_some(())).await;
        (taken, began.elapsed())
    }
}
