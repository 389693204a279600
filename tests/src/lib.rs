//! What the tests share: built components, and a world of simulator, host and customer on loopback.
//! Belongs here: setting up and waiting. What is expected of the world stands in the tests.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test that cannot set up its world fails there and then"
)]

pub mod attacked;
pub mod browser;
pub mod channels;
pub mod client;
pub mod dialog;
pub mod follow;
pub mod gate;
pub mod handmade;
pub mod hosts;
pub mod kept;
pub mod keyless;
pub mod languages;
pub mod line;
pub mod log;
pub mod manifest;
pub mod model;
pub mod neighbours;
pub mod nginx;
pub mod pages;
pub mod process;
pub mod provider;
pub mod registry;
pub mod served;
pub mod slack;
pub mod small;
pub mod speed;
pub mod steps;
pub mod team;
pub mod told;
pub mod written;

use std::{
    collections::{BTreeMap, HashMap},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use harness_contract::{OutboundMessage, settings::RawSetting};
use harness_engine::{ChannelOptions, Clock, Endpoints, Host, HostOptions, Secret};
use harness_inbox::{ConversationId, DeliveryCounts, ReplyId, ReplyState, ReplyView, TimelineEntry};
use harness_sandbox::SandboxConfig;
use harness_server::{Authenticator, Limits, PageAccess};
use hmac::{Hmac, KeyInit as _, Mac as _};
use simulator::{Config, Login, RequestRecord, Simulator};
use tempfile::TempDir;
use tokio::task::AbortHandle;

pub use channels::{hostile, instagram, line, scripted, slack, web_chat};
pub use client::{Answer, api, entries, request, try_api, try_request};
pub use hosts::granted;
pub use written::{message, message_ref, open_window, outbound_media, sender, text};

/// A guard against waiting for ever, on the slowest machine and beside any load. No test measures with it.
pub const PATIENCE: Duration = Duration::from_secs(300);

/// The repository.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// A sandbox whose compiled components are shared by all tests. No call of it is over its deadline because the machine
/// is slow: what tries deadlines sets its own.
pub fn sandbox_config() -> SandboxConfig {
    let cache_dir = instagram().0.parent().map(|folder| folder.join("artifacts"));
    SandboxConfig { cache_dir, pure_deadline: PATIENCE, effect_deadline: PATIENCE, ..SandboxConfig::default() }
}

/// Writes a secret as an operator does: nobody else can read it.
pub fn write_secret(path: &Path, text: impl AsRef<[u8]>) {
    use std::io::Write as _;
    let mut file = harness_inbox::private_options().write(true).create(true).truncate(true).open(path).unwrap();
    file.write_all(text.as_ref()).unwrap();
}

pub fn secret(text: &str) -> Secret {
    Secret::new(text.as_bytes().to_vec())
}

pub fn secrets<const N: usize>(pairs: [(&str, &str); N]) -> HashMap<String, Secret> {
    pairs.into_iter().map(|(slot, value)| (slot.to_owned(), secret(value))).collect()
}

/// The token that opens the API of the hosts that `serve` and `World` serve.
pub const API_TOKEN: &str = "harness_opens-the-api-of-hosts-in-tests";

/// A world in which the simulator's first account is connected and a customer can write.
pub struct World {
    pub sim: Simulator,
    pub host: Host,
    pub clock: Clock,
    pub folder: TempDir,
    /// `http://127.0.0.1:…`
    pub address: String,
    /// Opens everything of its API.
    pub token: String,
    server: AbortHandle,
}

impl World {
    pub async fn new() -> Self {
        Self::with(Config::demo(), Login::Facebook).await
    }

    /// A world in which nothing is connected yet.
    pub async fn unconnected(config: Config) -> Self {
        let sim = Simulator::start(config).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let clock = Clock::default();
        let options = host_options(folder.path(), &sim, clock.clone());
        Self::of(sim, folder, clock, options).await
    }

    /// The same, with a gate between host and platform.
    pub async fn gated(config: Config) -> (Self, gate::Gate) {
        let sim = Simulator::start(config).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let clock = Clock::default();
        let options = host_options(folder.path(), &sim, clock.clone());
        let (gate, options) = gate::Gate::before(&sim, options).await;
        (Self::of(sim, folder, clock, options).await, gate)
    }

    async fn of(sim: Simulator, folder: TempDir, clock: Clock, options: HostOptions) -> Self {
        let host = Host::open(options).await.unwrap();
        load(&host, &sim).await;
        let (address, server) = serve(&host).await;
        sim.set_webhook_url(format!("{address}/webhooks/instagram"));
        sim.update_app(|app| {
            app.deauthorize_url = Some(format!("{address}/callbacks/instagram/deauthorize"));
            app.data_deletion_url = Some(format!("{address}/callbacks/instagram/data-deletion"));
        });
        Self { sim, host, clock, folder, address, token: API_TOKEN.to_owned(), server }
    }

    /// A world whose account is connected through this login.
    pub async fn with(config: Config, login: Login) -> Self {
        Self::with_options(config, login, |options| options).await
    }

    /// The same, with a host that is set up otherwise.
    pub async fn with_options(config: Config, login: Login, change: impl FnOnce(HostOptions) -> HostOptions) -> Self {
        let sim = Simulator::start(config).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let options = change(host_options(folder.path(), &sim, Clock::default()));
        let clock = options.clock.clone();
        let host = Host::open(options).await.unwrap();
        connect(&host, &sim, login).await;
        let (address, server) = serve(&host).await;
        sim.set_webhook_url(format!("{address}/webhooks/instagram"));
        Self { sim, host, clock, folder, address, token: API_TOKEN.to_owned(), server }
    }

    /// One request to its API, or to another path that asks for a token, such as `/api/v1/conversations`.
    pub async fn api(&self, method: &str, path: &str, headers: &[(&str, &str)], body: impl Into<Vec<u8>>) -> Answer {
        api(method, &format!("{}{path}", self.address), headers, body).await
    }

    /// A link for connecting an account, as whoever may use the API makes one.
    pub async fn link(&self, channel: &str) -> String {
        let body = serde_json::json!({ "channel": channel }).to_string();
        let answer = self.api("POST", "/api/v1/connect", &[("content-type", "application/json")], body).await;
        let link: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
        link["link"].as_str().unwrap_or_else(|| panic!("no link: {}", answer.body)).to_owned()
    }

    /// Ends the host; what is left can be opened by another one.
    pub async fn stop(self) -> (Simulator, Clock, TempDir) {
        self.server.abort();
        end(self.host, self.folder.path()).await;
        (self.sim, self.clock, self.folder)
    }

    pub fn inbox_file(&self) -> PathBuf {
        self.folder.path().join("inbox.sqlite")
    }

    /// What was asked of the platform for replies: not what the host asks by itself, such as for profiles.
    pub fn sends(&self) -> Vec<RequestRecord> {
        let of_replies = ["/messages", "/message_attachments"];
        let all = self.sim.requests().into_iter();
        all.filter(|record| of_replies.iter().any(|edge| record.path.ends_with(edge))).collect()
    }

    pub fn advance(&self, by: Duration) {
        self.clock.advance(by);
        self.sim.clock().advance(by);
    }

    /// The conversation with a customer, once it is there.
    pub async fn conversation(&self, customer: &str) -> ConversationId {
        eventually("the conversation", async || {
            let all = self.host.inbox().conversations(100).await.unwrap();
            all.into_iter().find(|conversation| conversation.contact.as_deref() == Some(customer)).map(|found| found.id)
        })
        .await
    }

    pub async fn timeline(&self, customer: &str) -> Vec<TimelineEntry> {
        let conversation = self.conversation(customer).await;
        self.host.inbox().timeline(conversation, 500).await.unwrap()
    }

    /// Waits until every delivery has left the journal's queue.
    pub async fn settled(&self) {
        eventually("an empty queue", async || {
            (self.host.inbox().delivery_counts().await.unwrap().received == 0).then_some(())
        })
        .await;
    }

    /// Waits until the platform has brought the echo of a message with these words.
    pub async fn echoed(&self, words: &str) {
        eventually("the echo", async || {
            let of_it = |delivery: &simulator::Delivery| {
                let body = String::from_utf8_lossy(&delivery.body);
                delivery.accepted() && body.contains("is_echo") && body.contains(words)
            };
            self.sim.deliveries().iter().any(of_it).then_some(())
        })
        .await;
    }

    /// Looks that of everything that is due by now nothing is left to be sent: a reply that is queued behind all of it,
    /// in a conversation of its own, is the next one that the platform sees. `before` is how many it saw so far.
    pub async fn nothing_more_is_sent(&self, before: usize) {
        let customer = format!("55588800000{:05}", self.sends().len());
        self.sim.customer(&customer).text("and me?").await;
        let conversation = self.conversation(&customer).await;
        self.reply(conversation, &customer, message(vec![text("the next one")])).await;
        let after = self.sends().split_off(before);
        assert!(after.len() == 1 && after[0].body.to_string().contains("the next one"), "more was sent: {after:#?}");
    }

    /// Sends a reply and waits for its end.
    pub async fn reply(&self, conversation: ConversationId, key: &str, message: OutboundMessage) -> ReplyView {
        let queued = self.host.reply(conversation, key, message).await.unwrap();
        self.ended(queued.reply).await
    }

    pub async fn ended(&self, reply: ReplyId) -> ReplyView {
        eventually("the reply's end", async || {
            let view = self.host.inbox().reply(reply).await.unwrap();
            matches!(view.state, ReplyState::Done | ReplyState::Refused).then_some(view)
        })
        .await
    }
}

/// A host in this folder, whose requests to Meta go to the simulator.
pub async fn open_host(folder: &Path, sim: &Simulator, clock: Clock) -> Host {
    Host::open(host_options(folder, sim, clock)).await.unwrap()
}

fn host_options(folder: &Path, sim: &Simulator, clock: Clock) -> HostOptions {
    let endpoints = Endpoints::from([
        ("https://graph.facebook.com".to_owned(), sim.graph_facebook_url().parse().unwrap()),
        ("https://graph.instagram.com".to_owned(), sim.graph_instagram_url().parse().unwrap()),
        ("https://api.instagram.com".to_owned(), sim.api_instagram_url().parse().unwrap()),
        ("https://www.facebook.com".to_owned(), sim.www_facebook_url().parse().unwrap()),
        ("https://www.instagram.com".to_owned(), sim.www_instagram_url().parse().unwrap()),
        ("https://lookaside.fbsbx.com".to_owned(), format!("{}/lookaside.fbsbx.com", sim.base_url()).parse().unwrap()),
    ]);
    HostOptions { sandbox: sandbox_config(), endpoints, clock, ..HostOptions::in_folder(folder) }
}

/// What the Instagram channel is given: the secrets and ids of the simulator's app.
pub fn setup_of(sim: &Simulator) -> ChannelOptions {
    let config = sim.config();
    let channel_secrets = secrets([
        ("app-secret", config.app_secret.expose()),
        ("instagram-app-secret", config.instagram_app_secret.expose()),
        ("verify-token", config.verify_token.expose()),
    ]);
    let settings = config.app_ids().map(|(key, id)| (key.to_owned(), RawSetting::Text(id.to_owned()))).into();
    let grant = granted(&instagram().1);
    ChannelOptions { grant, settings, secrets: channel_secrets, ..ChannelOptions::default() }
}

/// Loads the Instagram channel.
pub async fn load(host: &Host, sim: &Simulator) {
    host.load_channel(instagram().1.clone(), setup_of(sim)).await.unwrap();
}

/// Loads the Instagram channel and connects the simulator's first account.
pub async fn connect(host: &Host, sim: &Simulator, login: Login) {
    load(host, sim).await;
    let account = sim.accounts().into_iter().next().unwrap();
    let token = account.token(login).unwrap().expose().to_owned();
    let (name, slot) = match login {
        Login::Facebook => ("facebook", "page-token"),
        Login::Instagram => ("instagram", "instagram-token"),
    };
    let mut settings = BTreeMap::from([
        ("login".to_owned(), RawSetting::Text(name.into())),
        ("human-agent".to_owned(), RawSetting::Flag(account.human_agent)),
    ]);
    if let Some(page) = &account.page {
        settings.insert("page-id".into(), RawSetting::Text(page.id.clone()));
    }
    host.connect_account("instagram", &account.ig_id, &account.name, &settings, secrets([(slot, &token)]))
        .await
        .unwrap();
}

/// Ends a host, and waits until its file is free.
pub async fn end(host: Host, folder: &Path) {
    host.shutdown().await;
    drop(host);
    let inbox = folder.join("inbox.sqlite");
    eventually("the end of the host", async || harness_inbox::Inbox::open(&inbox).is_ok().then_some(())).await;
}

/// Serves a host on a free port; its API asks for `API_TOKEN`, and its pages are open as a demo's are.
pub async fn serve(host: &Host) -> (String, AbortHandle) {
    serve_at(host, 0).await
}

/// The same on this port, such as the one of a server that has ended.
pub async fn serve_at(host: &Host, port: u16) -> (String, AbortHandle) {
    let listener = harness_server::bind(([127, 0, 0, 1], port).into()).await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    host.set_public_url(address.parse().unwrap());
    let access = Authenticator::new(Some(&secret(API_TOKEN)), None);
    let router = harness_server::router_with_pages(host.clone(), access, PageAccess::Demo(None), &Limits::default());
    let server = tokio::spawn(harness_server::serve(listener, router, std::future::pending()));
    (address, server.abort_handle())
}

/// A server of the test's on loopback, such as a platform; where it is.
pub async fn listen(router: axum::Router) -> url::Url {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    address.parse().unwrap()
}

/// Asks again until there is an answer.
pub async fn eventually<T>(what: &str, ask: impl AsyncFn() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(started.elapsed() < PATIENCE, "{what} did not come within {PATIENCE:?}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// The files of a folder, and of those in it, in which these bytes stand.
pub fn files_with(folder: &Path, bytes: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files_with(&path, bytes));
        } else if let Ok(content) = std::fs::read(&path)
            && content.windows(bytes.len()).any(|window| window == bytes.as_bytes())
        {
            found.push(path);
        }
    }
    found
}

/// Waits until the deliveries are counted so: one that is getting its row at this moment counts twice.
pub async fn counted(host: &Host, so: impl Fn(&DeliveryCounts) -> bool) {
    eventually("the counts", async || {
        let counts = host.inbox().delivery_counts().await.unwrap();
        so(&counts).then_some(())
    })
    .await;
}

/// What Meta puts into `X-Hub-Signature-256`.
pub fn signature(secret: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(body);
    format!("sha256={}", hex::encode(mac.finalize().into_bytes()))
}
