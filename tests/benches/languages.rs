//! The same small channel in three languages: `cargo bench -p channel-tests --bench languages`. Belongs here: what a call, a
//! start and a compilation cost in each. docs/other-languages.md has the figures.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    missing_docs,
    reason = "a benchmark on the command line"
)]

use std::{
    hint::black_box,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use channel_tests::{
    languages::{javascript, python},
    message, open_window, text, web_chat,
};
use harness_contract::{
    AccountSettings, ConversationContext, Delivery, DeliverySource, HttpMethod, HttpResponse, SentStep, StepKind,
};
use harness_sandbox::{Called, Channel, ComponentBounds, Observer, Sandbox, SandboxConfig};

/// Rounds of each call, of which the median is taken.
const ROUNDS: usize = 300;

fn account() -> AccountSettings {
    AccountSettings { id: "shop".into(), settings: Vec::new(), webhook_url: None }
}

/// A delivery that both forms of the example read: the one in Rust is another invented platform's.
fn delivery(messages: usize) -> Delivery {
    let item = |nth| {
        format!(
            r#"{{"id":"in-{nth}","visitor":"p-1","from":{{"id":"p-1","name":"Kim"}},"name":"Kim","text":"Do you have it in size 38?","at":1795000000000,"sent_at":"2026-11-27T12:00:00Z"}}"#
        )
    };
    let items = (0..messages).map(item).collect::<Vec<_>>().join(",");
    Delivery {
        source: DeliverySource::Webhook,
        body: format!(r#"{{"messages":[{items}]}}"#).into_bytes(),
        headers: Vec::new(),
        query: String::new(),
        received_at: 1_795_000_000_500,
        account: Some(account()),
    }
}

fn context() -> ConversationContext {
    ConversationContext {
        account: account(),
        contact: Some("p-1".into()),
        address: None,
        thread: None,
        last_inbound: None,
        window: open_window(),
        now: 1_795_000_000_500,
        reply_context: None,
        comment: None,
    }
}

/// Instructions of the last call.
#[derive(Default)]
struct Counted(Mutex<u64>);

impl Observer for Counted {
    fn called(&self, call: &Called<'_>) {
        *self.0.lock().unwrap() = call.instructions.unwrap_or_default();
    }
}

fn config() -> SandboxConfig {
    let bounds = ComponentBounds { core_instances: 38, ..ComponentBounds::default() };
    SandboxConfig { bounds, ..SandboxConfig::default() }
}

/// The median of many.
fn median(rounds: usize, mut call: impl FnMut()) -> Duration {
    let mut times: Vec<_> = (0..rounds)
        .map(|_| {
            let started = Instant::now();
            call();
            started.elapsed()
        })
        .collect();
    times.sort();
    times[rounds / 2]
}

/// A call and its name.
type Named<'a> = (&'static str, Box<dyn Fn() + 'a>);

fn calls(channel: &Channel) -> Vec<Named<'_>> {
    let (one, hundred) = (delivery(1), delivery(100));
    let (reply, context) = (message(vec![text("Yes! 3 left.")]), context());
    let (checked, in_context) = (reply.clone(), context.clone());
    let step = SentStep {
        parts: vec![0],
        kind: StepKind::Message,
        repeatable: false,
        correlation: None,
        context: None,
        method: HttpMethod::Post,
        url: "https://api.pelican.example/v1/messages".into(),
        captured: Vec::new(),
    };
    let body = br#"{"id":"out-1","message":{"id":"out-1"}}"#.to_vec();
    let answer = HttpResponse { status: 200, headers: Vec::new(), body };
    vec![
        ("instantiate only", Box::new(|| channel.instantiate().unwrap())),
        ("capabilities", Box::new(|| drop(black_box(channel.capabilities(None).unwrap())))),
        ("parse-webhook, 1 text", Box::new(move || drop(black_box(channel.parse_webhook(&one).unwrap().unwrap())))),
        (
            "parse-webhook, 100 texts",
            Box::new(move || drop(black_box(channel.parse_webhook(&hundred).unwrap().unwrap()))),
        ),
        (
            "validate-outbound",
            Box::new(move || drop(black_box(channel.validate_outbound(&checked, &in_context).unwrap()))),
        ),
        (
            "build-send-request",
            Box::new(move || drop(black_box(channel.build_send_request(&reply, &context).unwrap().unwrap()))),
        ),
        (
            "parse-send-response",
            Box::new(move || drop(black_box(channel.parse_send_response(&step, &answer).unwrap()))),
        ),
    ]
}

fn main() {
    // `cargo test --benches` only asks whether it runs.
    let rounds = if std::env::args().any(|argument| argument == "--bench") { ROUNDS } else { 1 };
    for (language, component) in [("Rust", web_chat().1.as_slice()), ("JavaScript", javascript()), ("Python", python())]
    {
        let folder = tempfile::tempdir().unwrap();
        let cached = SandboxConfig { cache_dir: Some(folder.path().join("cache")), ..config() };
        let sandbox = Sandbox::new(cached.clone()).unwrap();
        let started = Instant::now();
        let channel = sandbox.load(component).unwrap();
        println!("\n{language}: {} bytes, compiled in {:.1?}", component.len(), started.elapsed());
        let load = median(rounds.min(20), || drop(black_box(sandbox.load(component).unwrap())));
        println!("  {:<28} {load:>10.1?}", "load from the cache");
        let counting = Arc::new(Counted::default());
        let counted = SandboxConfig { count_instructions: true, ..config() };
        let observed = Sandbox::observed(counted, Some(Arc::clone(&counting) as Arc<dyn Observer>)).unwrap();
        let counted = observed.load(component).unwrap();
        for ((name, call), (_, counted)) in calls(&channel).into_iter().zip(calls(&counted)) {
            *counting.0.lock().unwrap() = 0;
            counted();
            let instructions = *counting.0.lock().unwrap();
            println!("  {name:<28} {:>10.1?} {instructions:>12} instructions", median(rounds, call));
        }
    }
}
