//! What a sandboxed call costs beside the same code run natively. All variants take turns within one
//! run, so that a noisy machine disturbs them alike; the ratios are what counts.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    missing_docs,
    reason = "a benchmark prints, and fails by panicking"
)]

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use channel_tests::{instagram, message, text};
use harness_contract::{AccountSettings, ConversationContext, Delivery, DeliverySource, Setting, SettingValue};
use harness_sandbox::{Origin, Sandbox, SandboxConfig, inspect};

const ROUNDS: usize = 60;
const ROUND_NANOS: u128 = 4_000_000;

struct Variant<'a> {
    name: &'static str,
    run: Box<dyn FnMut() + 'a>,
    times: Vec<f64>,
}

impl<'a> Variant<'a> {
    fn new(name: &'static str, run: impl FnMut() + 'a) -> Self {
        Self { name, run: Box::new(run), times: Vec::new() }
    }

    /// Nanoseconds for one call, over one round.
    fn round(&mut self) {
        let started = Instant::now();
        let mut calls = 0u32;
        while started.elapsed().as_nanos() < ROUND_NANOS {
            for _ in 0..8 {
                (self.run)();
            }
            calls += 8;
        }
        self.times.push(started.elapsed().as_nanos() as f64 / f64::from(calls));
    }

    fn quantile(&mut self, share: f64) -> f64 {
        self.times.sort_by(f64::total_cmp);
        let last = self.times.len().saturating_sub(1) as f64;
        self.times.get((last * share).round() as usize).copied().unwrap_or_default()
    }
}

fn body(messages: usize) -> Vec<u8> {
    let items: Vec<_> = (0..messages)
        .map(|index| {
            format!(
                r#"{{"sender":{{"id":"6512345678901234"}},"recipient":{{"id":"17841400000000001"}},"timestamp":{},"message":{{"mid":"aWdfZAG1faXRlbToxOklHTWVzc2FnZAUlEOjE3ODQxNDAwMDAwMDAwMDAxOjM0MDI4MjM2Njg0MTcxMDMwMTI0NDI1OTk5MDAwMDAwMDAwMDAwMDozMTk0NDk5NzM4MTU2OTI4OTYxNTI0ODA2MDAwMDAwMDA{index:04}","text":"Hello, do you have the blue mug in stock? \ud83d\ude00"}}}}"#,
                1_795_000_000_000u64 + index as u64,
            )
        })
        .collect();
    format!(
        r#"{{"object":"instagram","entry":[{{"id":"17841400000000001","time":1795000000456,"messaging":[{}]}}]}}"#,
        items.join(",")
    )
    .into_bytes()
}

fn delivery(messages: usize) -> Delivery {
    Delivery {
        source: DeliverySource::Webhook,
        body: body(messages),
        headers: Vec::new(),
        query: String::new(),
        received_at: 1_795_000_000_500,
        account: None,
    }
}

fn native(delivery: &Delivery) -> instagram_channel::types::Delivery {
    instagram_channel::types::Delivery {
        source: instagram_channel::types::DeliverySource::Webhook,
        body: delivery.body.clone(),
        headers: Vec::new(),
        query: String::new(),
        received_at: delivery.received_at,
        account: None,
    }
}

fn context() -> ConversationContext {
    let setting = |key: &str, value: &str| Setting { key: key.into(), value: SettingValue::Text(value.into()) };
    ConversationContext {
        account: AccountSettings {
            id: "17841400000000001".into(),
            settings: vec![setting("login", "facebook"), setting("page-id", "104857000000001")],
            webhook_url: None,
        },
        contact: Some("6512345678901234".into()),
        address: None,
        thread: None,
        last_inbound: None,
        window: channel_tests::open_window(),
        now: 1_795_000_000_500,
        reply_context: None,
        comment: None,
    }
}

fn main() {
    // `cargo test --benches` only asks whether it runs.
    let rounds = if std::env::args().any(|argument| argument == "--bench") { ROUNDS } else { 1 };
    let (path, component) = instagram();
    let sandbox = Sandbox::new(SandboxConfig::default()).unwrap();
    let channel = sandbox.load(component).unwrap();
    let (one, hundred) = (delivery(1), delivery(100));
    let (native_one, native_hundred) = (native(&one), native(&hundred));
    let (reply, context) = (message(vec![text("Yes! 3 left.")]), context());

    let mut variants = vec![
        Variant::new("parse 1 message, native", || drop(black_box(instagram_channel::parse(black_box(&native_one))))),
        Variant::new("parse 1 message, fresh instance", || {
            drop(black_box(channel.parse_webhook(black_box(&one)).unwrap()))
        }),
        Variant::new("instantiate only", || channel.instantiate().unwrap()),
        Variant::new("parse 100 messages, native", || {
            drop(black_box(instagram_channel::parse(black_box(&native_hundred))))
        }),
        Variant::new("parse 100 messages, fresh instance", || {
            drop(black_box(channel.parse_webhook(black_box(&hundred)).unwrap()));
        }),
        Variant::new("build-send-request, fresh instance", || {
            drop(black_box(channel.build_send_request(&reply, &context).unwrap().unwrap()));
        }),
        Variant::new("validate-outbound, fresh instance", || {
            drop(black_box(channel.validate_outbound(&reply, &context).unwrap()));
        }),
    ];
    // `cargo bench … -- instantiate` measures only what has that in its name, as for a profiler.
    let wanted = std::env::args().skip(1).find(|argument| !argument.starts_with("--"));
    if let Some(wanted) = &wanted {
        variants.retain(|variant| variant.name.contains(wanted));
    }
    for _ in 0..rounds {
        variants.iter_mut().for_each(Variant::round);
    }
    println!(
        "component: {} ({} bytes); deliveries of {} and {} bytes",
        path.display(),
        component.len(),
        one.body.len(),
        hundred.body.len()
    );
    println!("\n{:<38} {:>12} {:>12}", "", "median", "best 5 %");
    let mut medians = Vec::new();
    for variant in &mut variants {
        let (median, best) = (variant.quantile(0.5), variant.quantile(0.05));
        println!("{:<38} {:>9.2} µs {:>9.2} µs", variant.name, median / 1000.0, best / 1000.0);
        medians.push(median);
    }
    if let [native_one, fresh_one, _, native_hundred, fresh_hundred, ..] = medians.as_slice() {
        println!("\nfresh instance / native, 1 message:    {:.1}", fresh_one / native_one);
        println!("fresh instance / native, 100 messages: {:.2}", fresh_hundred / native_hundred);
    }
    if wanted.is_none() {
        loading(component, rounds);
    }
}

/// Compiling against loading from the cache.
fn loading(component: &[u8], rounds: usize) {
    let folder = tempfile::tempdir().unwrap();
    let uncached = Sandbox::new(SandboxConfig::default()).unwrap();
    let cached =
        Sandbox::new(SandboxConfig { cache_dir: Some(folder.path().join("cache")), ..SandboxConfig::default() })
            .unwrap();
    cached.load(component).unwrap();
    let (mut compile, mut load, mut inspected) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rounds.min(20) {
        let started = Instant::now();
        uncached.load(component).unwrap();
        compile.push(started.elapsed());
        let started = Instant::now();
        assert_eq!(cached.load(component).unwrap().origin(), Origin::Cached);
        load.push(started.elapsed());
        let started = Instant::now();
        black_box(inspect(component, 32 << 20).unwrap().manifest().unwrap());
        inspected.push(started.elapsed());
    }
    let middle = |times: &mut Vec<Duration>| {
        times.sort();
        times.get(times.len() / 2).copied().unwrap_or_default()
    };
    let (compile, load, inspected) = (middle(&mut compile), middle(&mut load), middle(&mut inspected));
    println!("\nload a component, compiled:           {compile:.1?}");
    println!("load a component, from the cache:     {load:.2?}, of which inspecting it takes {inspected:.2?}");
}
