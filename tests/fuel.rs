//! `docs/fuel.md`: how many instructions each kind of call costs in the guest. The count is the same in each run and
//! on each machine, so what makes a call dearer is seen here and not in a benchmark that noise disturbs.
//!
//! After a change that is meant: `UPDATE_DOCS=1 cargo test -p channel-tests --test host fuel`.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test fails by panicking"
)]

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use channel_tests::{instagram, message, message_ref, text};
use harness_contract::{
    AccountSettings, ButtonAction, ConversationContext, Delivery, DeliverySource, FallbackPolicy, HttpResponse,
    MediaKind, MediaSource, OutboundMessage, OutboundPart, OutboundReaction, OutboundText, QuickReply, ReactionAction,
    Setting, SettingValue,
};
use harness_sandbox::{Called, Channel, Observer, Sandbox, SandboxConfig};

/// By how many per cent a count may differ from the published one.
const TOLERANCE: u64 = 10;
const CONTACT: &str = "6512345678901234";
const ACCOUNT: &str = "17841400000000001";

/// The count of the last call.
#[derive(Default)]
struct Counter(Mutex<u64>);

impl Observer for Counter {
    fn called(&self, call: &Called<'_>) {
        assert!(call.failure.is_none(), "{}: {:?}", call.export, call.failure);
        *self.0.lock().unwrap() = call.instructions.unwrap();
    }
}

/// Calls and their counts, by function and input.
type Counts = BTreeMap<(String, String), u64>;

struct Meter {
    channel: Channel,
    counter: Arc<Counter>,
    counts: Counts,
}

impl Meter {
    fn count<T>(&mut self, function: &str, input: &str, call: impl Fn(&Channel) -> T) -> T {
        let first = call(&self.channel);
        let instructions = *self.counter.0.lock().unwrap();
        call(&self.channel);
        assert_eq!(*self.counter.0.lock().unwrap(), instructions, "{function}, {input}: the count is not the same");
        self.counts.insert((function.to_owned(), input.to_owned()), instructions);
        first
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn delivery(body: Vec<u8>) -> Delivery {
    Delivery {
        source: DeliverySource::Webhook,
        body,
        headers: Vec::new(),
        query: String::new(),
        received_at: 1_795_000_000_900,
        account: None,
    }
}

fn context() -> ConversationContext {
    let setting = |key: &str, value: &str| Setting { key: key.into(), value: SettingValue::Text(value.into()) };
    ConversationContext {
        account: AccountSettings {
            id: ACCOUNT.into(),
            settings: vec![setting("login", "facebook"), setting("page-id", "104857000000001")],
            webhook_url: None,
        },
        contact: Some(CONTACT.into()),
        address: None,
        thread: None,
        last_inbound: None,
        window: channel_tests::open_window(),
        now: 1_795_000_000_900,
        comment: None,
        reply_context: None,
    }
}

fn hundred() -> Vec<u8> {
    let item = |number: usize| {
        format!(
            r#"{{"sender":{{"id":"{CONTACT}"}},"recipient":{{"id":"{ACCOUNT}"}},"timestamp":1795000000{number:03},"message":{{"mid":"mid-{number}","text":"Hello, do you have the blue mug in stock?"}}}}"#
        )
    };
    let items: Vec<_> = (0..100).map(item).collect();
    format!(
        r#"{{"object":"instagram","entry":[{{"id":"{ACCOUNT}","time":1795000000456,"messaging":[{}]}}]}}"#,
        items.join(",")
    )
    .into_bytes()
}

fn media(kind: MediaKind, count: usize) -> OutboundPart {
    let name = if kind == MediaKind::Image { "photo.jpg" } else { "film.mp4" };
    let one = |number| {
        channel_tests::outbound_media(kind, MediaSource::Url(format!("https://shop.example.com/{number}/{name}")))
    };
    OutboundPart::Media((0..count).map(one).collect())
}

/// A reply of each kind.
fn replies() -> Vec<(&'static str, OutboundMessage)> {
    let allowed = |parts| OutboundMessage { fallback: FallbackPolicy::Allow, ..message(parts) };
    let offer = |number: usize| QuickReply {
        title: format!("Offer {number}"),
        action: ButtonAction::Postback("YES".into()),
        image_url: None,
    };
    let reaction = OutboundReaction {
        target: message_ref("mid-1"),
        action: ReactionAction::Added,
        emoji: Some("👍".into()),
        name: None,
    };
    let long = OutboundText { text: "word ".repeat(1_000), split: true, ..OutboundText::default() };
    let long = OutboundPart::Text(long);
    vec![
        ("a text", message(vec![text("Yes, it is in stock.")])),
        ("a text of 1,000 bytes", message(vec![text(&"word ".repeat(200))])),
        ("a text of 5,000 bytes, to be split", message(vec![long])),
        ("a photo by address", message(vec![media(MediaKind::Image, 1)])),
        ("ten photos in one message", message(vec![media(MediaKind::Image, 10)])),
        ("a film by address", message(vec![media(MediaKind::Video, 1)])),
        (
            "a text with 13 quick replies",
            OutboundMessage { quick_replies: (0..13).map(offer).collect(), ..allowed(vec![text("Which one?")]) },
        ),
        (
            "a text that answers a message",
            OutboundMessage { reply_to: Some(message_ref("mid-1")), ..message(vec![text("This one.")]) },
        ),
        ("seen and typing", message(vec![OutboundPart::MarkSeen(None), OutboundPart::Typing(true)])),
        ("a reaction", message(vec![OutboundPart::Reaction(reaction)])),
        ("a text that is too long, refused", message(vec![text(&"я".repeat(501))])),
    ]
}

const ANSWERS: [(&str, u16, &str); 6] = [
    ("accepted", 200, r#"{"recipient_id":"6512345678901234","message_id":"aWdfZAG1_answer"}"#),
    (
        "a closed window",
        400,
        r#"{"error":{"message":"(#10) outside","type":"OAuthException","code":10,"error_subcode":2534022}}"#,
    ),
    (
        "a rate limit",
        400,
        r#"{"error":{"message":"(#613) limit","type":"OAuthException","code":613,"error_subcode":2534040}}"#,
    ),
    ("a dead token", 401, r#"{"error":{"message":"expired","type":"OAuthException","code":190,"error_subcode":463}}"#),
    ("a page of HTML", 502, "<html><body>Sorry, something went wrong.</body></html>"),
    ("half of an answer", 200, r#"{"recipient_id":"65"#),
];

fn measure() -> Counts {
    let counter = Arc::new(Counter::default());
    let config = SandboxConfig { count_instructions: true, ..SandboxConfig::default() };
    let sandbox = Sandbox::observed(config, Some(Arc::clone(&counter) as _)).unwrap();
    let channel = sandbox.load(&instagram().1).unwrap();
    let mut meter = Meter { channel, counter, counts: Counts::new() };
    for entry in fs::read_dir(root().join("plugin/tests/fixtures")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy().replace('_', " ");
        let body = delivery(fs::read(&path).unwrap());
        meter.count("parse-webhook", &name, |channel| channel.parse_webhook(&body).unwrap().unwrap());
    }
    let body = delivery(hundred());
    let read = meter.count("parse-webhook", "one hundred texts", |channel| channel.parse_webhook(&body).unwrap());
    assert_eq!(read.unwrap().len(), 100);
    let context = context();
    let mut step = None;
    for (name, reply) in replies() {
        meter.count("validate-outbound", name, |channel| channel.validate_outbound(&reply, &context).unwrap());
        let built = meter.count("build-send-request", name, |channel| channel.build_send_request(&reply, &context));
        assert_eq!(built.as_ref().unwrap().is_err(), name.ends_with("refused"), "{name}: {built:?}");
        step = step.or_else(|| built.unwrap().ok()?.pop());
    }
    let step = step.unwrap();
    for (name, status, body) in ANSWERS {
        let answer = HttpResponse { status, headers: Vec::new(), body: body.into() };
        meter.count("parse-send-response", name, |channel| {
            channel.parse_send_response(&(&step).into(), &answer).unwrap()
        });
    }
    meter.count("capabilities", "none", |channel| channel.capabilities(None).unwrap());
    meter.counts
}

fn page(counts: &Counts) -> String {
    let mut page = format!(
        "# What a call costs in the guest\n\n\
         Instructions that the Instagram component executes for one call, counted by wasmtime's fuel, instantiating\n\
         included. The count is the same in each run. `tests/fuel.rs` fails where a call differs by more than {TOLERANCE} %\n\
         from this page; after a change that is meant, make the page again:\n\n\
         ```sh\nUPDATE_DOCS=1 cargo test -p channel-tests --test host fuel\n```\n\n\
         Webhooks are those of `plugin/tests/fixtures`. What the host does around a call is not in it; times are in\n\
         [benchmarks](benchmarks.md).\n\n| function | input | instructions |\n|---|---|---|\n"
    );
    for ((function, input), count) in counts {
        writeln!(page, "| {function} | {input} | {count} |").unwrap();
    }
    page
}

fn published(page: &str) -> Counts {
    let rows = page.lines().filter_map(|line| {
        let cells: Vec<_> = line.strip_prefix("| ")?.strip_suffix(" |")?.split(" | ").collect();
        let [function, input, count] = cells.as_slice() else { return None };
        Some((((*function).to_owned(), (*input).to_owned()), count.parse().ok()?))
    });
    rows.collect()
}

#[test]
fn a_call_costs_as_many_instructions_as_is_published() {
    let counts = measure();
    let path = root().join("docs/fuel.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, page(&counts)).unwrap();
    }
    let published = published(&fs::read_to_string(&path).unwrap_or_default());
    let how = "if that is meant: UPDATE_DOCS=1 cargo test -p channel-tests --test host fuel";
    let listed: Vec<_> = published.keys().collect();
    assert_eq!(listed, counts.keys().collect::<Vec<_>>(), "docs/fuel.md lists other calls; {how}");
    let mut differ = String::new();
    for (call, count) in &counts {
        let said = published[call];
        if count.abs_diff(said) * 100 > said * TOLERANCE {
            writeln!(differ, "{} of {}: {count} instructions, published are {said}", call.0, call.1).unwrap();
        }
    }
    assert!(
        differ.is_empty(),
        "calls cost more than {TOLERANCE} % more or less than docs/fuel.md says; {how}\n{differ}"
    );
}
