//! Random scripts for a channel that does what it is told, and for a platform that answers what it is told: whatever
//! they hand the host, nothing panics, no place stays taken, no credential is seen, memory stays within its budget, and
//! another channel goes on. The host is `harness serve` in a process of its own, whose memory is that of the host alone.
//! `SCRIPTS_SECONDS=3600 SEED=… cargo test -p harness-cli --test scripts -- --nocapture` is the long form.

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
    collections::{BTreeMap, VecDeque},
    str::FromStr,
    sync::{Arc, Mutex},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use axum::{
    Router,
    body::Body,
    extract::Request,
    http::{HeaderValue, StatusCode},
    response::Response,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use channel_tests::{
    api, request,
    served::{Reader, ScriptedAccount, Served},
};
use serde_json::{Value, json};
use tokio::task::JoinSet;

/// What nobody may see: the token of the account that attacks, and that of another account of its channel.
const CANARY: &str = "canary-token-of-the-account-0123456789";
const NEIGHBOUR: &str = "canary-token-of-a-neighbour-0123456789";
/// What the channel itself puts into requests: its own text, and no secret.
const DECOY: &str = "decoy-text-of-the-script-0123456789";
/// The account that has its credential whatever its channel captures.
const STEADY: &str = "account";
/// What the host may take, in bytes.
const MEMORY: u64 = 512 << 20;

fn from_environment<T: FromStr>(name: &str) -> Option<T> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
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

/// A body without an end, as slow or as fast as it is read.
struct Endless;

impl axum::body::HttpBody for Endless {
    type Data = bytes::Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<http_body::Frame<Self::Data>, Self::Error>>> {
        std::task::Poll::Ready(Some(Ok(http_body::Frame::data(bytes::Bytes::from_static(&[b'x'; 16 << 10])))))
    }
}

/// A platform that answers at random, and says what calls of an account do.
fn platform(seed: u64) -> Router {
    let random = Arc::new(Mutex::new(Random(seed)));
    Router::new().fallback(move |request: Request| {
        let random = Arc::clone(&random);
        async move {
            let path = request.uri().path().to_owned();
            let _ = axum::body::to_bytes(Body::new(request.into_body()), 64 << 20).await;
            if let Some(account) = path.strip_prefix("/script/") {
                let mut random = random.lock().unwrap();
                let mut script = script(&mut random);
                // Calls of an account may take a minute, and one that loops takes a whole core for it.
                if script["end"] == "loop" && !random.once_in(10) {
                    script["end"] = json!("");
                }
                if account == STEADY {
                    without_captures(&mut script);
                }
                return Response::new(Body::from(hex::encode(script.to_string())));
            }
            let (slow, response) = {
                let mut random = random.lock().unwrap();
                let mut response = answer(&mut random);
                if random.once_in(60) {
                    *response.body_mut() = Body::new(Endless);
                }
                (random.once_in(40).then(|| 1 + random.below(3)), response)
            };
            if let Some(seconds) = slow {
                tokio::time::sleep(Duration::from_secs(seconds)).await;
            }
            response
        }
    })
}

/// An account whose credential stays what it is.
fn without_captures(script: &mut Value) {
    for asked in script["requests"].as_array_mut().unwrap() {
        asked.as_object_mut().unwrap().remove("captures");
    }
}

/// What came of scripts so far.
#[derive(Default)]
struct Outcome {
    ended: BTreeMap<String, usize>,
    /// The neighbour's webhook and reply.
    slowest: (Duration, Duration),
}

impl Outcome {
    fn count(&mut self, what: String) {
        *self.ended.entry(what).or_default() += 1;
    }

    async fn visit(&mut self, served: &Served, number: usize) {
        let (taken, sent) = served.visit(number).await;
        self.slowest = (self.slowest.0.max(taken), self.slowest.1.max(sent));
    }
}

/// Fails when a canary stands in what somebody is shown.
fn look(seed: u64, number: usize, shown: &str) {
    if let Some(canary) = seen_in(shown) {
        let at = shown.find(canary).unwrap_or(0);
        let around: String = shown.chars().skip(at.saturating_sub(300)).take(700).collect();
        panic!("SEED={seed}, script {number}: {canary} was shown: {around}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_a_channel_and_its_platform_hand_in_the_host_and_the_neighbour_go_on() {
    let seconds: Option<u64> = from_environment("SCRIPTS_SECONDS");
    let scripts: usize = from_environment("SCRIPTS").unwrap_or(if seconds.is_some() { usize::MAX } else { 60 });
    let clock = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let seed = from_environment("SEED").unwrap_or(u64::from(clock.subsec_nanos()));
    println!("SEED={seed}");
    let ids: Vec<_> = (0..7).map(|number| format!("account-{number}")).collect();
    let account = |id, token, script| ScriptedAccount { id, token, script };
    let from = |id: &str| json!({ "script_from": format!("https://scripted.example.com/script/{id}") });
    let mut accounts = vec![account(STEADY, CANARY, from(STEADY)), account("neighbour", NEIGHBOUR, json!({}))];
    accounts.extend(ids.iter().map(|id| account(id.as_str(), CANARY, from(id))));
    let mut served = Served::start(env!("CARGO_BIN_EXE_harness"), platform(seed), &accounts).await;
    let rows = served.read("accounts").await;
    let rows: Vec<_> = rows.as_array().unwrap().iter().filter(|row| row["channel"] == "scripted").collect();
    let rows: Vec<_> = rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(served.deliver(&json!({ "events": 1, "account": STEADY })).await, 200);
    let conversation = served.conversation("scripted", "victim").await;

    let mut random = Random(seed);
    let mut outcome = Outcome::default();
    let mut log = Reader::default();
    let (mut replies, mut checks) = (VecDeque::new(), JoinSet::new());
    let began = Instant::now();
    let mut number = 0;
    while number < scripts && seconds.is_none_or(|most| began.elapsed().as_secs() < most) {
        let script = script(&mut random);
        match random.below(3) {
            0 => outcome.count(format!("delivery {}", served.deliver(&script).await)),
            1 => {
                let answer = served.reply(&conversation, &format!("r-{number}"), &script.to_string()).await;
                look(seed, number, &answer.body);
                let reply = serde_json::from_str::<Value>(&answer.body).unwrap();
                replies.extend(reply["id"].as_str().map(str::to_owned));
                outcome.count(format!("reply {}", answer.status));
            }
            _ => {
                let row = random.pick(&rows);
                let url = format!("{}/api/v1/accounts/{row}/check", served.address);
                checks.spawn(async move { api("GET", &url, &[], Vec::new()).await });
            }
        }
        // One that hangs holds back no other, up to a number.
        while checks.len() >= 8 || (!checks.is_empty() && number + 1 == scripts) {
            let answer = checks.join_next().await.unwrap().unwrap();
            look(seed, number, &answer.body);
            outcome.count(format!("check {}", answer.status));
        }
        if number % 10 == 0 {
            outcome.visit(&served, number).await;
            while replies.len() > 100 {
                let reply: String = replies.pop_front().unwrap();
                look(seed, number, &served.shown(&format!("replies/{reply}")).await);
            }
        }
        number += 1;
        if number % 1000 == 0 {
            println!("{number} scripts in {} s: {}", began.elapsed().as_secs(), told(&outcome, &served));
            assert_eq!(log.find(&served.log(), sound), None, "SEED={seed}: in the log");
        }
    }
    while let Some(answer) = checks.join_next().await {
        look(seed, number, &answer.unwrap().body);
    }
    outcome.visit(&served, number).await;
    for reply in replies {
        look(seed, number, &served.shown(&format!("replies/{reply}")).await);
    }
    println!("{number} scripts in {} s: {}", began.elapsed().as_secs(), told(&outcome, &served));
    println!("{:?}", outcome.ended);

    assert!(served.runs(), "SEED={seed}");
    let ready = request("GET", &format!("{}/health/ready", served.address), &[], Vec::new()).await;
    assert_eq!(ready.status, 200, "SEED={seed}: {}", ready.body);
    assert!(served.peak_memory() < MEMORY, "SEED={seed}: {} MiB", served.peak_memory() >> 20);
    assert_eq!(log.find(&served.log(), sound), None, "SEED={seed}: in the log");
    for path in served.inbox_files() {
        let found = Reader::default().find(&path, |text| seen_in(text).map(str::to_owned));
        assert_eq!(found, None, "SEED={seed}: in {}", path.display());
    }
}

/// What may not stand in the log: a panic, or a credential.
fn sound(log: &str) -> Option<String> {
    let panic = log.find("panicked at").map(|at| log.chars().skip(at.saturating_sub(50)).take(500).collect());
    panic.or_else(|| seen_in(log).map(str::to_owned))
}

fn told(outcome: &Outcome, served: &Served) -> String {
    format!(
        "the neighbour's webhook {:?}, its reply {:?} at the slowest; memory of the host {} MiB at most, {} MiB now",
        outcome.slowest.0,
        outcome.slowest.1,
        served.peak_memory() >> 20,
        served.present_memory() >> 20
    )
}
