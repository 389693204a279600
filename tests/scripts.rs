//! Random scripts for a channel that does what it is told, and for a platform that answers what it is told: whatever
//! they hand the host, nothing panics, no place stays taken, no credential is seen, memory stays within its budget, and
//! another channel goes on. `SCRIPTS=100000 SEED=… cargo test --test scripts` is the long form.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    missing_docs,
    reason = "a test fails by panicking"
)]

use std::{
    collections::BTreeMap,
    str::FromStr,
    sync::{Arc, Mutex},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use axum::{
    Router,
    body::Body,
    extract::Request,
    http::{HeaderValue, StatusCode},
    response::Response,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use channel_tests::{log::Captured, message, neighbours::Neighbours, secrets, text};
use harness_contract::settings::RawSetting;
use harness_engine::HostOptions;
use harness_inbox::ReplyState;
use harness_sandbox::SandboxConfig;
use serde_json::{Value, json};

/// What nobody may see: the token of the account that attacks, and that of another account of its channel.
const CANARY: &str = "canary-token-of-the-account-0123456789";
const NEIGHBOUR: &str = "canary-token-of-a-neighbour-0123456789";
/// What the channel itself puts into requests: its own text, and no secret.
const DECOY: &str = "decoy-text-of-the-script-0123456789";
/// What the whole may take, platform and tests included, in bytes.
const MEMORY: u64 = 512 << 20;

fn from_environment<T: FromStr>(name: &str, usual: T) -> T {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}

/// Random enough, and the same for the same seed. (splitmix64)
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }

    fn once_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    fn pick<T: Clone>(&mut self, of: &[T]) -> T {
        of[usize::try_from(self.below(of.len() as u64)).unwrap()].clone()
    }

    /// Mostly few, sometimes absurdly many.
    fn many(&mut self, most: u64) -> u64 {
        match self.below(4) {
            0 => 1 + self.below(3),
            1 => 1 + self.below(40),
            2 => 1 + self.below(2_000),
            _ => 1 + self.below(most),
        }
    }
}

/// The spellings in which a server may say a credential again.
fn spelling(random: &mut Random, credential: &str) -> String {
    let hex = |byte: u8| format!("{byte:02x}");
    match random.below(16) {
        0 => credential.to_owned(),
        1 => credential.to_uppercase(),
        2 => credential.bytes().map(|byte| format!("%{byte:02X}")).collect(),
        3 => credential.bytes().map(|byte| format!("%{byte:02x}")).collect(),
        4 => credential.bytes().map(|byte| format!("\\u{:04x}", byte)).collect(),
        5 => credential.bytes().map(|byte| format!("\\u{:04X}", byte)).collect(),
        6 => credential.replace('-', "%2D"),
        7 => credential.replace('-', "\\u002d"),
        8 => STANDARD.encode(credential),
        9 => credential.bytes().map(hex).collect(),
        10 => format!("Bearer {credential}"),
        11 => format!("https://scripted.example.com/next?access_token={credential}&x=1"),
        12 => json!({ "inner": credential }).to_string(),
        13 => json!(json!({ "access_token": credential }).to_string()).to_string(),
        14 => credential.chars().rev().collect(),
        _ => format!("{credential}{credential}"),
    }
}

/// Spellings that give a credential away to whoever reads them as what they are. Upper case, base64, hex and the
/// reversed order are other texts.
fn seen_in(text: &str) -> Option<&'static str> {
    [CANARY, NEIGHBOUR].into_iter().find(|canary| {
        let percent = |case: fn(u8) -> String| canary.bytes().map(case).collect::<String>();
        text.contains(*canary)
            || text.contains(&percent(|byte| format!("%{byte:02X}")))
            || text.contains(&percent(|byte| format!("\\u{byte:04x}")))
    })
}

/// An answer of the platform.
fn answer(random: &mut Random) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::from_u16(random.pick(&[200, 200, 200, 302, 400, 403, 429, 500, 503])).unwrap();
    let credential = random.pick(&[CANARY, NEIGHBOUR]);
    if random.once_in(3) {
        let name =
            random.pick(&["x-echo", "set-cookie", "content-encoding", "location", "content-type", "x-next", "etag"]);
        if let Ok(value) = HeaderValue::from_str(&spelling(random, credential)) {
            response.headers_mut().append(name, value);
        }
    }
    if random.once_in(6) {
        response.headers_mut().append("content-encoding", HeaderValue::from_static("identity"));
        response.headers_mut().append("content-encoding", HeaderValue::from_static("gzip"));
    }
    for number in 0..if random.once_in(10) { random.below(60) } else { 0 } {
        let name = format!("x-many-{number}").parse::<http::HeaderName>().unwrap();
        response.headers_mut().append(name, HeaderValue::from_static("x"));
    }
    let body = match random.below(8) {
        0 => String::new(),
        1 => json!({ "id": 1, "message": spelling(random, credential) }).to_string(),
        2 => json!({ random.pick(&["access_token", "accessToken", "page_access_token", "token", "refresh_token"]): spelling(random, credential) }).to_string(),
        3 => json!({ "data": [{ "deep": { "token": [credential, { "x": credential }] } }] }).to_string(),
        4 => spelling(random, credential).repeat(usize::try_from(random.many(20_000)).unwrap()),
        5 => "[".repeat(usize::try_from(random.many(100_000)).unwrap()),
        6 => "x".repeat(usize::try_from(random.many(6 << 20)).unwrap()),
        _ => json!({ "access_token": "a-new-token-of-the-platform", "id": spelling(random, credential) }).to_string(),
    };
    *response.body_mut() = Body::from(body);
    response
}

/// A request of a reply or a check.
fn asked(random: &mut Random) -> Value {
    let url = match random.below(8) {
        0 => format!("https://scripted.example.com/{}", "p".repeat(usize::try_from(random.many(200_000)).unwrap())),
        1 => "https://elsewhere.example.com/x".into(),
        2 => format!("https://scripted.example.com/x?access_token={}", spelling(random, DECOY)),
        3 => "https://scripted.example.com/a/%2e%2e/b?method=delete&_method=PUT".into(),
        _ => "https://scripted.example.com/v1/thing".into(),
    };
    let mut asked = json!({ "url": url, "times": 1 + random.below(3) });
    if random.once_in(2) {
        let name = random.pick(&[
            "accept",
            "x-http-method-override",
            "x-forwarded-for",
            "cookie",
            "via",
            "host",
            "a-im",
            "x-a",
        ]);
        asked["headers"] = json!([[name, random.pick(&["x", "a\r\nb: c", "*/*", DECOY])]]);
        asked["header_times"] = json!(random.many(30_000));
    }
    match random.below(4) {
        0 => asked["body"] = json!(json!({ "token": "", "text": spelling(random, DECOY) }).to_string()),
        1 => asked["body_bytes"] = json!(random.many(4 << 20)),
        2 => {
            let name = random.pick(&["a", "a\r\nb", "filedata\"; x=\"", "t"]);
            asked["multipart"] = json!([[name, random.pick(&["v", "w\r\n--"])]]);
            asked["multipart_times"] = json!(random.many(20_000));
        }
        _ => {}
    }
    if random.once_in(2) {
        let place = random.pick(&[
            "bearer",
            "query:token",
            "form:token",
            "json:/token",
            "path:token",
            "query:other",
            "header:x",
        ]);
        asked["fills"] = json!([place]);
        asked["fill_times"] = json!(random.many(50_000));
    }
    if random.once_in(3) {
        let pointer = random.pick(&["/access_token", "/id", "", "/data/0/deep", "/message"]);
        asked["captures"] = json!([[pointer, random.pick(&["slot:token", "slot:secret", "value:v", "value:token"])]]);
        asked["capture_times"] = json!(random.many(20_000));
    }
    asked
}

/// What a delivery, a reply or the calls of an account do.
fn script(random: &mut Random) -> Value {
    let mut script = json!({ "size": random.many(100_000) });
    match random.below(20) {
        0 => script["end"] = json!("trap"),
        1 => script["end"] = json!("grow"),
        2 if random.once_in(8) => script["end"] = json!("loop"),
        _ => {}
    }
    script["events"] = json!(random.many(3_000));
    script["same"] = json!(random.once_in(3));
    script["account"] = json!(random.pick(&["account", "elsewhere", "shop"]));
    script["requests"] = json!((0..random.below(4)).map(|_| asked(random)).collect::<Vec<_>>());
    script["values"] = json!(random.many(500));
    script
}

/// A platform that answers at random.
async fn world(seed: u64) -> Neighbours {
    let random = Arc::new(Mutex::new(Random(seed)));
    let platform = Router::new().fallback(move |request: Request| {
        let random = Arc::clone(&random);
        async move {
            let _ = axum::body::to_bytes(request.into_body(), 64 << 20).await;
            answer(&mut random.lock().unwrap())
        }
    });
    // What loops is stopped soon; what works comes to its end all the same.
    let hurried = |options: HostOptions| {
        let sandbox = SandboxConfig {
            pure_deadline: Duration::from_secs(1),
            effect_deadline: Duration::from_secs(10),
            ..options.sandbox.clone()
        };
        HostOptions { sandbox, ..options }
    };
    Neighbours::start(platform, [CANARY, NEIGHBOUR], hurried).await
}

/// The most memory that this process ever had, in bytes.
fn peak_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok()).unwrap_or(0) << 10
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_a_channel_and_its_platform_hand_in_the_host_and_the_neighbour_go_on() {
    let scripts: usize = from_environment("SCRIPTS", 60);
    let clock = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let seed = from_environment("SEED", u64::from(clock.subsec_nanos()));
    println!("SEED={seed} SCRIPTS={scripts}");
    let log = Captured::default();
    let _ = tracing_subscriber::fmt().with_writer(log.clone()).with_ansi(false).try_init();
    let panics = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&panics);
    let previous = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        kept.lock().unwrap().push(info.to_string());
        previous(info);
    }));

    let world = world(seed).await;
    let mut random = Random(seed);
    let conversation = world.conversation().await;
    let mut slowest = (Duration::ZERO, Duration::ZERO);
    let mut shown = String::new();
    let mut ended = BTreeMap::<String, usize>::new();
    for number in 0..scripts {
        let script = script(&mut random);
        let what = match random.below(3) {
            0 => format!("delivery {}", world.deliver(&script).await),
            1 => {
                let reply = message(vec![text(&script.to_string())]);
                let queued = world.host.reply(conversation, &format!("r-{number}"), reply).await.unwrap();
                // A loop, a trap or a closed circuit may hold it back; what matters is that the neighbour goes on.
                let view = world.host.inbox().reply(queued.reply).await.unwrap();
                format!("reply {}", if view.state == ReplyState::Refused { "refused" } else { "taken" })
            }
            _ => {
                let setting = BTreeMap::from([("script".to_owned(), RawSetting::Text(script.to_string()))]);
                let id = format!("account-{}", number % 7);
                let row = world
                    .host
                    .connect_account("scripted", &id, &id, &setting, secrets([("token", CANARY)]))
                    .await
                    .unwrap();
                match world.host.check(row, false).await {
                    Ok(health) => {
                        shown.push_str(&serde_json::to_string(&health.checks).unwrap());
                        "check answered".to_owned()
                    }
                    Err(error) => {
                        shown.push_str(&error.to_string());
                        "check refused".to_owned()
                    }
                }
            }
        };
        *ended.entry(what).or_default() += 1;
        if number % 10 == 0 {
            let (taken, sent) = world.visit(number).await;
            slowest = (slowest.0.max(taken), slowest.1.max(sent));
            if let Some(canary) = seen_in(&shown) {
                let at = shown.find(canary).unwrap_or(0);
                let around: String = shown.chars().skip(at.saturating_sub(300)).take(700).collect();
                panic!("SEED={seed}, script {number}: {canary} was shown: {around}");
            }
            shown.clear();
        }
    }
    let (taken, sent) = world.visit(scripts).await;
    slowest = (slowest.0.max(taken), slowest.1.max(sent));
    println!("{ended:?}; the neighbour's webhook {:?}, its reply {:?} at the slowest", slowest.0, slowest.1);
    println!("memory at most {} MiB", peak_memory() >> 20);

    let _ = std::panic::take_hook();
    assert_eq!(*panics.lock().unwrap(), Vec::<String>::new(), "SEED={seed}");
    assert!(peak_memory() < MEMORY, "SEED={seed}: {} MiB", peak_memory() >> 20);
    assert_eq!(seen_in(&log.text()), None, "SEED={seed}: in the log");
    for entry in std::fs::read_dir(world.folder.path()).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() && path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("inbox.sqlite")) {
            let bytes = std::fs::read(&path).unwrap();
            assert_eq!(seen_in(&String::from_utf8_lossy(&bytes)), None, "SEED={seed}: in {}", path.display());
        }
    }
}
