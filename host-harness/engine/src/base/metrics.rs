//! Owns: the Prometheus counters: names, labels, meaning. No label holds what a person wrote or who they are.
//! Does not own: access to them.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use harness_inbox::{AccountId, Applied, EventCounts, StepEnd, Waiting};
use harness_sandbox::Called;
use prometheus_client::{
    encoding::text::encode,
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};

use harness_egress::MemoryUse;

/// Content type of the metrics in their text form.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

type Labels = Vec<(&'static str, String)>;
type Counters = Family<Labels, Counter>;
type Gauges = Family<Labels, Gauge>;
type Seconds = Family<Labels, Histogram, fn() -> Histogram>;

/// The counters of a host.
pub(crate) struct Metrics {
    registry: Registry,
    /// Serialises scrapes: a second one would read gauges that the first has just cleared.
    scrape: Mutex<()>,
    calls: Counters,
    call_seconds: Seconds,
    webhooks: Counters,
    callbacks: Counters,
    deliveries: Counters,
    events: Counters,
    steps: Counters,
    requests: Counters,
    request_seconds: Seconds,
    waiting_deliveries: Gauges,
    waiting_replies: Gauges,
    media: Gauges,
    removed: Counters,
    maintenance_rounds: Counter,
    backlog: Gauge,
    macs: Gauge,
    memory: Gauges,
    memory_most: Gauges,
    memory_bound: Gauges,
}

fn call_buckets() -> Histogram {
    Histogram::new([0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 10.0, 60.0])
}

fn request_buckets() -> Histogram {
    Histogram::new([0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0])
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("harness"),
            calls: Counters::default(),
            call_seconds: Seconds::new_with_constructor(call_buckets),
            webhooks: Counters::default(),
            callbacks: Counters::default(),
            deliveries: Counters::default(),
            events: Counters::default(),
            steps: Counters::default(),
            requests: Counters::default(),
            request_seconds: Seconds::new_with_constructor(request_buckets),
            waiting_deliveries: Gauges::default(),
            waiting_replies: Gauges::default(),
            media: Gauges::default(),
            removed: Counters::default(),
            scrape: Mutex::default(),
            maintenance_rounds: Counter::default(),
            backlog: Gauge::default(),
            macs: Gauge::default(),
            memory: Gauges::default(),
            memory_most: Gauges::default(),
            memory_bound: Gauges::default(),
        };
        metrics.register();
        metrics
    }

    fn register(&mut self) {
        let r = &mut self.registry;
        r.register("guest_calls", "Calls of a channel's functions, by how they ended", self.calls.clone());
        r.register("guest_call_seconds", "How long calls of a channel took", self.call_seconds.clone());
        r.register("webhooks", "Webhooks by what they were answered", self.webhooks.clone());
        r.register("callbacks", "Callbacks of platforms by what they were answered", self.callbacks.clone());
        r.register("deliveries", "Deliveries that left the queue, by how", self.deliveries.clone());
        r.register("events", "Events that channels read, by what they changed", self.events.clone());
        r.register(
            "steps",
            "Attempts at steps of replies by how they ended, and replies that were refused as a whole",
            self.steps.clone(),
        );
        r.register("http_requests", "Requests that left for channels, by what came back", self.requests.clone());
        r.register("http_request_seconds", "How long such requests took", self.request_seconds.clone());
        r.register("deliveries_waiting", "Deliveries that are not applied, by state", self.waiting_deliveries.clone());
        r.register("replies_waiting", "Replies that have no end yet", self.waiting_replies.clone());
        r.register("media", "Files of messages, by state", self.media.clone());
        r.register("removed", "What was kept long enough and was removed", self.removed.clone());
        r.register(
            "maintenance_rounds",
            "How often what need not be kept was looked for and removed",
            self.maintenance_rounds.clone(),
        );
        r.register("backlog", "Deliveries that wait to be translated", self.backlog.clone());
        r.register("memory_bytes", "Memory that what is in flight takes, by whose half it is", self.memory.clone());
        r.register("memory_most_bytes", "The most that it took at once since the start", self.memory_most.clone());
        r.register("memory_bound_bytes", "What it may take", self.memory_bound.clone());
        r.register("webhook_macs", "MACs that were made to verify webhooks, also forged ones", self.macs.clone());
    }

    /// Counts a finished call of a channel.
    pub(crate) fn called(&self, call: &Called<'_>) {
        let of = |end: Option<&str>| {
            let mut labels = vec![("channel", call.channel.to_owned()), ("function", call.export.to_owned())];
            labels.extend(end.map(|end| ("end", end.to_owned())));
            labels
        };
        let end = call.failure.map_or("returned", harness_sandbox::CallFailure::kind);
        self.calls.get_or_create(&of(Some(end))).inc();
        self.call_seconds.get_or_create(&of(None)).observe(call.took.as_secs_f64());
    }

    /// Counts an answered webhook. Channels that are not loaded get no label, because anyone could invent their names.
    pub(crate) fn webhook(&self, channel: Option<&str>, answer: &str) {
        let labels = vec![("channel", channel.unwrap_or_default().to_owned()), ("answer", answer.to_owned())];
        self.webhooks.get_or_create(&labels).inc();
    }

    /// Counts an answered callback.
    pub(crate) fn callback(&self, channel: Option<&str>, answer: &str) {
        let labels = vec![("channel", channel.unwrap_or_default().to_owned()), ("answer", answer.to_owned())];
        self.callbacks.get_or_create(&labels).inc();
    }

    /// Counts a delivery that left the queue.
    pub(crate) fn delivery(&self, channel: &str, end: &str) {
        let labels = vec![("channel", channel.to_owned()), ("end", end.to_owned())];
        self.deliveries.get_or_create(&labels).inc();
    }

    /// Counts applied events.
    pub(crate) fn applied(&self, applied: &Applied) {
        for (channel, counts) in &applied.of_channel {
            let EventCounts { new, repeated, unrouted, foreign } = counts;
            for (end, count) in [("applied", new), ("repeated", repeated), ("unrouted", unrouted), ("foreign", foreign)]
            {
                if *count > 0 {
                    let labels = vec![("channel", channel.clone()), ("end", end.to_owned())];
                    self.events.get_or_create(&labels).inc_by(u64::try_from(*count).unwrap_or(u64::MAX));
                }
            }
        }
    }

    /// Counts what a retention job removed.
    pub(crate) fn removed(&self, what: &'static str, count: usize) {
        let labels = vec![("what", what.to_owned())];
        self.removed.get_or_create(&labels).inc_by(u64::try_from(count).unwrap_or(u64::MAX));
    }

    /// Counts a completed maintenance run.
    pub(crate) fn maintained(&self) {
        self.maintenance_rounds.inc();
    }

    /// Counts an attempt at a step.
    pub(crate) fn step(&self, channel: &str, account: AccountId, end: &StepEnd) {
        let end = match end {
            StepEnd::Final(state) => state.name(),
            StepEnd::Later(_) => "later",
        };
        self.step_ended(channel, account, end);
    }

    /// Counts a reply that was refused before any attempt.
    pub(crate) fn refused(&self, channel: &str, account: AccountId) {
        self.step_ended(channel, account, "refused");
    }

    fn step_ended(&self, channel: &str, account: AccountId, end: &str) {
        let labels = vec![("channel", channel.to_owned()), ("account", account.to_string()), ("end", end.to_owned())];
        self.steps.get_or_create(&labels).inc();
    }

    /// Counts a request that was sent, or blocked before it left.
    pub(crate) fn request(&self, channel: &str, outcome: &str, took: Duration) {
        let labels = vec![("channel", channel.to_owned()), ("outcome", outcome.to_owned())];
        self.requests.get_or_create(&labels).inc();
        self.request_seconds.get_or_create(&vec![("channel", channel.to_owned())]).observe(took.as_secs_f64());
    }

    /// All metrics, with the current queue sizes.
    pub(crate) fn text(&self, waiting: &Waiting, backlog: u64, macs: u64, memory: [MemoryUse; 2]) -> String {
        let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        let _alone = self.scrape.lock().unwrap_or_else(PoisonError::into_inner);
        // Otherwise rows that are gone would stay at their last value.
        self.waiting_deliveries.clear();
        self.waiting_replies.clear();
        self.media.clear();
        for (channel, state, count) in &waiting.deliveries {
            let labels = vec![("channel", channel.clone()), ("state", state.clone())];
            self.waiting_deliveries.get_or_create(&labels).set(number(*count));
        }
        for (channel, account, count) in &waiting.replies {
            let labels = vec![("channel", channel.clone()), ("account", account.to_string())];
            self.waiting_replies.get_or_create(&labels).set(number(*count));
        }
        for (state, count) in &waiting.media {
            self.media.get_or_create(&vec![("state", state.clone())]).set(number(*count));
        }
        self.backlog.set(number(backlog));
        self.macs.set(number(macs));
        for used in memory {
            let labels = vec![("of", used.of.to_owned())];
            self.memory.get_or_create(&labels).set(number(used.now));
            self.memory_most.get_or_create(&labels).set(number(used.most));
            self.memory_bound.get_or_create(&labels).set(number(used.size));
        }
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}
