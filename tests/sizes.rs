//! What a component, a platform or a client declares is not believed: sizes have bounds, and everything in flight has
//! one budget of memory, of which nobody takes all.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test fails by panicking"
)]

use std::{
    collections::BTreeMap,
    fs,
    sync::{Arc, Mutex},
};

use channel_tests::{
    World as Connected, eventually,
    hosts::{connect_shop, endpoints, newest_conversation, open_with},
    message, request, sandbox_config, scripted, secrets, serve, text, web_chat,
};
use harness_cli::config::ConfigFile;
use harness_contract::{FileRef, MediaKind, MediaSource, OutboundPart, settings::RawSetting};
use harness_engine::{Host, HostOptions, Sizes};
use harness_inbox::{AccountId, ConversationId, ReplyId, ReplyState, ReplyVerdict, ReplyView};
use serde_json::{Value, json};
use simulator::{CdnFile, Config, Login};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::Notify,
    task::JoinHandle,
};

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;

/// A platform that answers as its address says. Answers that are held end when the test lets them.
struct Platform {
    address: String,
    asked: Arc<Mutex<Vec<String>>>,
    go_on: Arc<Notify>,
}

impl Platform {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let (asked, go_on) = (Arc::<Mutex<Vec<String>>>::default(), Arc::new(Notify::new()));
        let (noted, gate) = (Arc::clone(&asked), Arc::clone(&go_on));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer(stream, Arc::clone(&noted), Arc::clone(&gate)));
            }
        });
        Self { address, asked, go_on }
    }

    /// How often it was asked for an address that begins so.
    fn asked(&self, path: &str) -> usize {
        self.asked.lock().unwrap().iter().filter(|asked| asked.starts_with(path)).count()
    }
}

async fn answer(mut stream: TcpStream, asked: Arc<Mutex<Vec<String>>>, gate: Arc<Notify>) {
    let mut head = Vec::new();
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => return,
        }
    }
    let go_on = gate.notified();
    let head = String::from_utf8_lossy(&head).to_lowercase();
    let path = head.split(' ').nth(1).unwrap_or_default();
    asked.lock().unwrap().push(path.to_owned());
    let piece = vec![b'x'; 16 << 10];
    let begin = |length: u64| format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n");
    match path {
        "/endless" => {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n").await;
            while stream.write_all(&piece).await.is_ok() {}
        }
        "/announce" => {
            let _ = stream.write_all(begin(3_000_000_000).as_bytes()).await;
            let _ = stream.write_all(b"that is all").await;
            go_on.await;
        }
        "/hold" => {
            let _ = stream.write_all(begin(900 * KIB + 1).as_bytes()).await;
            for _ in 0..900 / 16 {
                let _ = stream.write_all(&piece).await;
            }
            go_on.await;
        }
        _ => {
            let _ = stream.write_all(begin(12).as_bytes()).await;
            let _ = stream.write_all(br#"{"id":"out"}"#).await;
        }
    }
}

struct World {
    host: Host,
    address: String,
    platform: Platform,
    _folder: tempfile::TempDir,
}

impl World {
    /// A host with these bounds, a channel that does what scripts say, and one that works.
    async fn with(sizes: Sizes) -> Self {
        let (folder, platform) = (tempfile::tempdir().unwrap(), Platform::start().await);
        let origins = ["https://scripted.example.com", "https://chat.example.com"];
        let endpoints = endpoints(&origins, &platform.address.parse().unwrap());
        let options =
            HostOptions { sandbox: sandbox_config(), endpoints, sizes, ..HostOptions::in_folder(folder.path()) };
        let app = secrets([("secret", "the-webhook-secret")]);
        let host = open_with(options, [(&scripted().1, app), (&web_chat().1, secrets([]))]).await;
        connect_shop(&host).await;
        let (address, _) = serve(&host).await;
        Self { host, address, platform, _folder: folder }
    }

    /// An account whose check makes this request.
    async fn account(&self, name: &str, token: &str, asked: &Value) -> AccountId {
        let script = json!({ "requests": [asked] }).to_string();
        let settings = BTreeMap::from([("script".to_owned(), RawSetting::Text(script))]);
        self.host.connect_account("scripted", name, name, &settings, secrets([("token", token)])).await.unwrap()
    }

    /// What the channel was told when it made the request.
    async fn told(&self, name: &str, token: &str, asked: &Value) -> String {
        let account = self.account(name, token, asked).await;
        told(&self.host, account).await
    }

    /// What is in flight: of webhooks and of channels, and the most there ever was.
    async fn memory(&self, name: &str, of: &str) -> u64 {
        let metrics = self.host.metrics().await.unwrap();
        let line = format!("harness_{name}{{of=\"{of}\"}} ");
        let value = metrics.lines().find_map(|found| found.strip_prefix(&line)).unwrap_or_else(|| panic!("{metrics}"));
        value.parse().unwrap()
    }

    /// Answers of a megabyte to the first channel, twice as many as there is memory for in 8 MiB.
    async fn hold_its_share(&self) -> Vec<JoinHandle<String>> {
        let mut asked = Vec::new();
        for index in 0..8 {
            let account = self.account(&format!("holds-{index}"), "a-token-of-the-account", &get("/hold")).await;
            let host = self.host.clone();
            asked.push(tokio::spawn(async move { told(&host, account).await }));
        }
        eventually("as much as one channel gets", async || {
            (self.memory("memory_bytes", "channels").await >= 2 * MIB).then_some(())
        })
        .await;
        asked
    }

    async fn let_go(&self, asked: Vec<JoinHandle<String>>) {
        eventually("the end of all", async || {
            self.platform.go_on.notify_waiters();
            asked.iter().all(|asked| asked.is_finished()).then_some(())
        })
        .await;
    }

    /// A conversation of the first channel.
    async fn conversation(&self) -> ConversationId {
        let url = format!("{}/webhooks/scripted", self.address);
        let event = json!({ "events": 1 }).to_string();
        assert_eq!(request("POST", &url, &[("x-secret", "the-webhook-secret")], event.into()).await.status, 200);
        newest_conversation(&self.host).await
    }

    async fn ended(&self, reply: ReplyId) -> ReplyView {
        eventually("its end", async || {
            let view = self.host.inbox().reply(reply).await.unwrap();
            matches!(view.state, ReplyState::Done | ReplyState::Refused).then_some(view)
        })
        .await
    }

    /// How often the first channel was asked for the requests of a reply.
    async fn built(&self) -> u64 {
        let metrics = self.host.metrics().await.unwrap();
        let of_it = |line: &&str| line.starts_with("harness_guest_calls_total") && line.contains("build-send-request");
        let line = metrics.lines().filter(of_it).find(|line| line.contains("scripted"));
        line.map_or(0, |line| line.rsplit(' ').next().unwrap().parse().unwrap())
    }

    async fn visit(&self, id: &str) -> u16 {
        let url = format!("{}/webhooks/web-chat", self.address);
        let body = json!({ "messages": [
            { "id": id, "visitor": "v", "name": "Kim", "text": "hello", "at": 1_795_000_000_000_u64 }
        ] });
        request("POST", &url, &[("x-webchat-secret", "secret-of-the-shop")], body.to_string().into()).await.status
    }
}

async fn told(host: &Host, account: AccountId) -> String {
    let checks = host.check(account, false).await.unwrap().checks;
    checks.into_iter().find(|check| check.name == "script").expect("the channel's line").finding
}

fn get(path: &str) -> Value {
    json!({ "url": format!("https://scripted.example.com{path}") })
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_without_an_end_takes_no_more_memory_than_its_bound() {
    let world = World::with(Sizes { answer: 256 * KIB, ..Sizes::default() }).await;
    let told = world.told("endless", "a-token-of-the-account", &get("/endless")).await;
    assert!(told.contains("TooLarge(262144)"), "{told}");
    let most = world.memory("memory_most_bytes", "channels").await;
    assert!((256 * KIB..257 * KIB).contains(&most), "the answer and its request: {most}");
    assert_eq!(world.memory("memory_bytes", "channels").await, 0, "all of it came back");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_answer_announces_takes_no_memory() {
    let world = World::with(Sizes::default()).await;
    let account = world.account("announce", "a-token-of-the-account", &get("/announce")).await;
    let host = world.host.clone();
    let asked = tokio::spawn(async move { told(&host, account).await });
    eventually("the request", async || (world.platform.asked("/announce") == 1).then_some(())).await;
    let now = world.memory("memory_bytes", "channels").await;
    assert!(now < 65 * KIB, "{now} for an answer that announces 3 GB");
    eventually("its end", async || {
        world.platform.go_on.notify_waiters();
        asked.is_finished().then_some(())
    })
    .await;
    assert!(world.memory("memory_most_bytes", "channels").await < 65 * KIB);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_that_holds_its_share_stops_neither_the_reply_nor_the_webhook_of_another() {
    let world = World::with(Sizes { memory: 8 * MIB, ..Sizes::default() }).await;
    assert_eq!(world.visit("first").await, 200);
    let conversation = newest_conversation(&world.host).await;
    let asked = world.hold_its_share().await;
    // And bodies that do not come to their end.
    let mut bodies = Vec::new();
    for _ in 0..6 {
        let mut stream = TcpStream::connect(world.address.trim_start_matches("http://")).await.unwrap();
        let head = "POST /webhooks/scripted HTTP/1.1\r\nhost: x\r\nx-secret: y\r\ncontent-length: 1000000\r\n\r\n";
        stream.write_all(head.as_bytes()).await.unwrap();
        // One that is answered already takes no more.
        let _ = stream.write_all(&vec![b' '; 900_000]).await;
        bodies.push(stream);
    }
    eventually("as much as the webhooks of one channel get", async || {
        (world.memory("memory_most_bytes", "webhooks").await >= 3 * MIB / 2).then_some(())
    })
    .await;
    assert_eq!(world.visit("second").await, 200);
    let reply = world.host.reply(conversation, "key", message(vec![text("hello")])).await.unwrap().reply;
    eventually("the reply", async || {
        (world.host.inbox().reply(reply).await.unwrap().verdict == ReplyVerdict::Sent).then_some(())
    })
    .await;
    assert!(world.memory("memory_most_bytes", "webhooks").await < 5 * MIB / 2);
    let most = world.memory("memory_most_bytes", "channels").await;
    assert!(most < 7 * MIB / 2, "a share, and one answer beyond it: {most}");
    drop(bodies);
    world.let_go(asked).await;
    eventually("all of it back", async || {
        let (channels, webhooks) =
            (world.memory("memory_bytes", "channels").await, world.memory("memory_bytes", "webhooks").await);
        (channels + webhooks == 0).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_whose_requests_find_no_memory_is_laid_down_and_leaves_when_there_is_some() {
    let world = World::with(Sizes { memory: 8 * MIB, ..Sizes::default() }).await;
    let account = world.account("account", "a-token-of-the-account", &get("/v1")).await;
    let conversation = world.conversation().await;
    assert!(told(&world.host, account).await.starts_with("200"));
    let asked = world.hold_its_share().await;
    let built = world.built().await;
    let script = json!({ "requests": [get("/reply")] }).to_string();
    let reply = world.host.reply(conversation, "waits", message(vec![text(&script)])).await.unwrap().reply;
    eventually("a second attempt", async || (world.built().await >= built + 2).then_some(())).await;
    assert_eq!(world.platform.asked("/reply"), 0, "nothing left");
    assert_eq!(world.host.inbox().reply(reply).await.unwrap().verdict, ReplyVerdict::Sending);
    world.let_go(asked).await;
    // This channel calls every answer a refusal.
    assert_eq!(world.ended(reply).await.verdict, ReplyVerdict::Failed);
    assert_eq!(world.platform.asked("/reply"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_that_will_never_find_memory_says_so() {
    let world = World::with(Sizes { memory: 2 * MIB, ..Sizes::default() }).await;
    world.account("account", "a-token-of-the-account", &get("/v1")).await;
    let conversation = world.conversation().await;
    let script =
        json!({ "requests": [{ "url": "https://scripted.example.com/x", "body_bytes": 60_000, "times": 20 }] });
    let huge = message(vec![text(&script.to_string())]);
    let view = world.ended(world.host.reply(conversation, "huge", huge).await.unwrap().reply).await;
    assert_eq!(view.verdict, ReplyVerdict::Failed, "{view:?}");
    let told = view.steps[0].outcome.as_ref().unwrap().get();
    assert!(told.contains("bytes of memory at once, and this host sets aside 1048576"), "{told}");
    assert_eq!(world.platform.asked("/x"), 0, "nothing of it left");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_filled_into_a_request_counts_against_its_bounds() {
    let world = World::with(Sizes { request: 1_000, ..Sizes::default() }).await;
    let body = |length: usize| {
        let body = json!({ "token": "", "text": "x".repeat(length) }).to_string();
        json!({ "url": "https://scripted.example.com/v1", "body": body, "fills": ["json:/token"] })
    };
    let query = json!({ "url": "https://scripted.example.com/v1", "fills": ["query:token"] });
    let bearer = json!({ "url": "https://scripted.example.com/v1", "fills": ["bearer"] });
    let (usual, long, huge) = ("t".repeat(300), "u".repeat(9_000), "v".repeat(17_000));
    for (name, token, asked, words) in [
        ("body", &usual, body(800), "with what is filled in, the body has 1122 bytes, and at most 1000 leave"),
        ("query", &long, query, "bytes of URL, and at most 8192 leave"),
        ("bearer", &huge, bearer, "bytes of headers, and at most 16384 leave"),
    ] {
        let told = world.told(name, token, &asked).await;
        assert!(told.contains("InvalidRequest") && told.contains(words), "{name}: {told}");
        assert!(!told.contains(&token[..40]), "{name}: {told}");
    }
    assert_eq!(world.platform.asked("/v1"), 0, "nothing left");
    let told = world.told("small", &usual, &body(600)).await;
    assert!(told.starts_with("200"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_are_together_too_large_for_a_request_do_not_leave() {
    let photo = CdnFile::demo_photo().bytes;
    let size = photo.len() as u64;
    for (request_files, verdict) in [(size - 1, ReplyVerdict::Failed), (size, ReplyVerdict::Sent)] {
        let sizes = Sizes { request_files, ..Sizes::default() };
        let change = |options| HostOptions { sizes, ..options };
        let world = Connected::with_options(Config::demo(), Login::Facebook, change).await;
        world.sim.customer(Config::DEMO_CUSTOMER).text("hello").await;
        let conversation = world.conversation(Config::DEMO_CUSTOMER).await;
        let held = world.host.store_upload(photo.clone().into(), None, None).await.unwrap();
        let source = MediaSource::File(FileRef { handle: held.handle, size: 0 });
        let media = channel_tests::outbound_media(MediaKind::Image, source);
        let view = world.reply(conversation, "photo", message(vec![OutboundPart::Media(vec![media])])).await;
        assert_eq!(view.verdict, verdict, "{view:?}");
        let told = view.steps[0].outcome.as_ref().unwrap().get();
        let refused =
            told.contains(&format!("the sum of its files has {size} bytes, and at most {request_files} leave"));
        assert_eq!(refused, request_files < size, "{told}");
        assert_eq!(world.sends().is_empty(), request_files < size);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_left_of_files_is_removed_at_the_next_start_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let media = folder.path().join("media");
    fs::create_dir_all(media.join("inbound")).unwrap();
    let left = [".incoming-a1B2c3", "inbound/12#1"].map(|name| media.join(name));
    let others = ["readme", "inbound/13"].map(|name| media.join(name));
    left.iter().chain(&others).for_each(|path| fs::write(path, "half").unwrap());
    let options = HostOptions { sandbox: sandbox_config(), ..HostOptions::in_folder(folder.path()) };
    let host = Host::open(options).await.unwrap();
    assert!(left.iter().all(|path| !path.exists()) && others.iter().all(|path| path.exists()));
    assert!(host.metrics().await.unwrap().contains(r#"harness_removed_total{what="unfinished_files"} 2"#));
}

#[test]
fn bounds_that_cannot_be_are_refused_in_words() {
    let folder = tempfile::tempdir().unwrap();
    let read = |limits: &str| {
        let path = folder.path().join("harness.toml");
        fs::write(&path, format!("[limits]\n{limits}")).unwrap();
        ConfigFile::read(&path).and_then(|file| file.sizes()).map_err(|error| error.to_string())
    };
    assert_eq!(read("").unwrap(), Sizes::default());
    let lower = read("answer-mib = 1\nrequest-mib = 2\nfile-mib = 3\nrequest-files-mib = 4\nmemory-mib = 64").unwrap();
    let expected = Sizes { answer: MIB, request: 2 * MIB, file: 3 * MIB, request_files: 4 * MIB, memory: 64 * MIB };
    assert_eq!(lower, expected);
    for (limits, words) in [
        ("answer-mib = 17", "`limits.answer-mib`: is 17: expected from 1 to 16 (MiB)"),
        ("file-mib = 0", "`limits.file-mib`: is 0: expected from 1 to 1024 (MiB)"),
        ("request-mib = -1", "request-mib"),
        ("memory-mib = 64", "`limits.memory-mib`: is 64: expected at least 136 with requests of 32 MiB"),
        ("answer-mb = 1", "unknown field `answer-mb`"),
    ] {
        let error = read(limits).unwrap_err();
        assert!(error.contains(words), "{limits}: {error}");
    }
    let core_instances = |limits: &str| {
        let path = folder.path().join("harness.toml");
        fs::write(&path, format!("[limits]\n{limits}")).unwrap();
        let bounds = ConfigFile::read(&path).and_then(|file| file.component_bounds());
        bounds.map(|bounds| bounds.core_instances).map_err(|error| error.to_string())
    };
    assert_eq!((core_instances(""), core_instances("core-instances = 38")), (Ok(8), Ok(38)));
    let error = core_instances("core-instances = 257").unwrap_err();
    assert!(error.contains("`limits.core-instances`: is 257: expected from 1 to 256"), "{error}");
}
