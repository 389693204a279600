//! What is held back, and what is given back: a platform's wish to pause, signals that come too late, places of
//! workers, and tasks that panic.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test fails by panicking"
)]

use std::{
    collections::HashSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use channel_tests::{World, connect, dialog::Person, end, eventually, message, open_host, request, text};
use harness_contract::OutboundPart;
use harness_engine::{AtTask, BreakerState, ConnectStage, HostError, HostOptions, Moment, Worker};
use harness_inbox::{ConversationChange, ConversationState, MediaState, NewState, ReplyId, ReplyVerdict, StepState};
use simulator::{CdnFile, Config, Fault, Login, Scope};

const CUSTOMER: &str = Config::DEMO_CUSTOMER;
const OTHER: &str = "5551230000000002";
const MINUTES: u32 = 5;

async fn verdict(host: &harness_engine::Host, reply: ReplyId) -> ReplyVerdict {
    host.inbox().reply(reply).await.unwrap().verdict
}

/// Whether the outbox would send anything now.
async fn nothing_is_due(host: &harness_engine::Host, now: u64) -> bool {
    host.whole_inbox().due_replies(now, 16, HashSet::new()).await.unwrap().is_empty()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_holds_everything_of_the_account_that_comes_until_it_ends() {
    let world = World::new().await;
    world.sim.customer(CUSTOMER).text("hello").await;
    world.sim.customer(OTHER).text("hello").await;
    let (first, second) = (world.conversation(CUSTOMER).await, world.conversation(OTHER).await);
    let account = world.host.inbox().accounts().await.unwrap()[0].id;
    world.sim.inject(Fault::rate_limited(MINUTES));
    let limited = world.host.reply(first, "limited", message(vec![text("limited")])).await.unwrap().reply;
    eventually("the wish", async || {
        world.host.whole_inbox().paused_until(account, None, world.clock.now()).await.unwrap()
    })
    .await;
    // What comes after the wish waits as well, in another conversation too, and the account is asked nothing.
    let later = world.host.reply(second, "later", message(vec![text("later")])).await.unwrap().reply;
    let asked = world.sim.requests().len();
    let health = world.host.check(account, false).await.unwrap();
    let held = health.checks.iter().any(|check| check.finding.contains("asked for a pause"));
    assert!(held, "{health:?}");
    assert!(nothing_is_due(&world.host, world.clock.now()).await);
    assert_eq!(world.sim.requests().len(), asked, "nothing left");
    assert_eq!(verdict(&world.host, later).await, ReplyVerdict::Queued);

    let (sim, clock, folder) = world.stop().await;
    let host = open_host(folder.path(), &sim, clock.clone()).await;
    connect(&host, &sim, Login::Facebook).await;
    assert!(nothing_is_due(&host, clock.now()).await);
    assert_eq!(sim.requests().len(), asked, "neither a restart nor a reconnect ends it");
    let until = host.whole_inbox().paused_until(account, None, clock.now()).await.unwrap().unwrap();
    assert!(until.saturating_sub(clock.now()) > u64::from(MINUTES - 1) * 60_000, "as long as was asked for");
    clock.advance(Duration::from_secs(u64::from(MINUTES) * 60));
    for reply in [limited, later] {
        eventually("its end", async || (verdict(&host, reply).await == ReplyVerdict::Sent).then_some(())).await;
    }
    end(host, folder.path()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_of_the_app_holds_the_refresh_of_its_accounts_and_connecting_others() {
    let world = World::unconnected(Config::demo()).await;
    let account = Person::new(&world).await.connects("instagram").await;
    world.sim.customer(CUSTOMER).text("hello").await;
    let conversation = world.conversation(CUSTOMER).await;
    let early = Person::new(&world).await;
    let dialog = early.visits("facebook").await;
    world.sim.inject(Fault::rate_limited(MINUTES));
    world.host.reply(conversation, "limited", message(vec![text("limited")])).await.unwrap();
    let of_app = async || world.host.whole_inbox().channel_paused_until("instagram", world.clock.now()).await.unwrap();
    eventually("the wish", of_app).await;

    let tokens_asked_for = || {
        let requests = world.sim.requests();
        requests
            .iter()
            .filter(|asked| ["/access_token", "refresh_access_token"].iter().any(|path| asked.path.ends_with(path)))
            .count()
    };
    let before = tokens_asked_for();
    let row = world.host.inbox().account_row(account).await.unwrap();
    let now = world.clock.now();
    world.host.whole_inbox().note_refresh(account, row.connection, row.refresh_before, Some(now)).await.unwrap();
    world.advance(Duration::from_secs(1));
    let connection = rusqlite::Connection::open(world.inbox_file()).unwrap();
    eventually("a refresh that was put off", async || {
        let sql = "SELECT refresh_at > ?2 FROM account WHERE id = ?1";
        let put_off = connection
            .query_row(sql, rusqlite::params![account, i64::try_from(now).unwrap()], |row| row.get::<_, bool>(0));
        put_off.unwrap().then_some(())
    })
    .await;
    let person = Person::new(&world).await;
    let begun = world.host.start_connecting(&person.ticket, "facebook", &person.cookie).await;
    assert!(matches!(begun, Err(HostError::Held(_))), "{begun:?}");
    let returned = early.returns(&early.permits(&dialog, &[]).await).await;
    assert!(matches!(returned, Ok(ConnectStage::Failed { .. })), "{returned:?}");
    assert_eq!(tokens_asked_for(), before, "the platform was left alone");

    world.advance(Duration::from_secs(u64::from(MINUTES) * 60));
    assert_eq!(of_app().await, None);
    eventually("the refresh", async || (tokens_asked_for() > before).then_some(())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_that_cannot_leave_now_is_dropped_and_the_message_behind_it_is_not() {
    let world = World::new().await;
    world.sim.customer(CUSTOMER).text("hello").await;
    world.sim.customer(OTHER).text("hello").await;
    let (first, second) = (world.conversation(CUSTOMER).await, world.conversation(OTHER).await);
    let account = world.host.inbox().accounts().await.unwrap()[0].id;
    world.sim.inject(Fault::rate_limited(1));
    let limited = world.host.reply(first, "limited", message(vec![text("limited")])).await.unwrap().reply;
    eventually("the wish", async || {
        world.host.whole_inbox().paused_until(account, None, world.clock.now()).await.unwrap()
    })
    .await;
    let signals = || vec![OutboundPart::MarkSeen(None), OutboundPart::Typing(true)];
    let alone = world.host.reply(second, "alone", message(signals())).await.unwrap().reply;
    let mut parts = signals();
    parts.push(text("at last"));
    let with_text = world.host.reply(second, "with text", message(parts)).await.unwrap().reply;
    world.clock.advance(Duration::from_secs(301));
    for (reply, expected) in
        [(limited, ReplyVerdict::Sent), (alone, ReplyVerdict::Cancelled), (with_text, ReplyVerdict::Sent)]
    {
        eventually("its end", async || (verdict(&world.host, reply).await == expected).then_some(())).await;
    }
    let view = world.host.inbox().reply(with_text).await.unwrap();
    let states: Vec<_> = view.steps.iter().map(|step| step.state).collect();
    assert_eq!(states, [StepState::Cancelled, StepState::Cancelled, StepState::Sent], "{view:?}");
    assert!(view.steps[0].outcome.as_ref().unwrap().get().contains("dropped"), "{view:?}");
    assert!(!world.sends().iter().any(|send| send.body.to_string().contains("sender_action")), "no signal left");

    // One that the platform puts off is not tried again.
    world.sim.inject(Fault::html(503).on(Scope::Actions));
    let view = world.reply(second, "put off", message(vec![OutboundPart::Typing(true), text("now")])).await;
    assert_eq!((view.verdict, view.steps[0].state), (ReplyVerdict::Sent, StepState::Cancelled), "{view:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_files_of_one_customer_do_not_hold_up_the_photo_of_another() {
    let world = World::new().await;
    let (slow, other) = (world.sim.customer(CUSTOMER), world.sim.customer(OTHER));
    let never = world.sim.host_file(CdnFile::demo_photo().held());
    for _ in 0..40 {
        slow.photo(&never).await;
    }
    world.settled().await;
    other.photo(&world.sim.host_file(CdnFile::demo_photo())).await;
    eventually("the photo", async || {
        let entry = world.timeline(OTHER).await.pop()?;
        (entry.media.first()?.state == MediaState::Stored).then_some(())
    })
    .await;
}

/// A host of whose tasks those of one worker panic while the switch is on.
struct Panicking {
    world: World,
    which: Arc<Mutex<Option<(Worker, Moment)>>>,
    panicked: Arc<AtomicBool>,
}

impl Panicking {
    async fn new() -> Self {
        let which = Arc::new(Mutex::new(None));
        let panicked = Arc::new(AtomicBool::new(false));
        let (asked, noted) = (Arc::clone(&which), Arc::clone(&panicked));
        let hook = AtTask::new(move |worker, moment| {
            if *asked.lock().unwrap() == Some((worker, moment)) {
                noted.store(true, Ordering::SeqCst);
                panic!("a task of {worker:?} panics");
            }
        });
        let world = World::with_options(Config::demo(), Login::Facebook, |options| HostOptions {
            at_task: Some(hook),
            ..options
        })
        .await;
        Self { world, which, panicked }
    }

    fn set(&self, worker: Option<Worker>) {
        self.panicked.store(false, Ordering::SeqCst);
        *self.which.lock().unwrap() = worker.map(|worker| (worker, Moment::Begins));
    }

    async fn panicked(&self, worker: Worker) {
        eventually(&format!("a panic of {worker:?}"), async || {
            let counted = self.world.host.panics().iter().any(|panics| panics.worker == worker && panics.count > 0);
            (self.panicked.load(Ordering::SeqCst) && counted).then_some(())
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_that_panics_gives_its_place_back_and_is_seen_in_health() {
    let panicking = Panicking::new().await;
    let world = &panicking.world;
    let (customer, host) = (world.sim.customer(CUSTOMER), &world.host);
    customer.text("hello").await;
    let conversation = world.conversation(CUSTOMER).await;

    panicking.set(Some(Worker::Outbox));
    let view = world.reply(conversation, "panics", message(vec![text("panics")])).await;
    assert_eq!(view.verdict, ReplyVerdict::Refused, "nothing of it was begun: {view:?}");
    panicking.panicked(Worker::Outbox).await;
    panicking.set(None);
    let view = world.reply(conversation, "works", message(vec![text("works")])).await;
    assert_eq!(view.verdict, ReplyVerdict::Sent, "{view:?}");

    panicking.set(Some(Worker::Media));
    customer.photo(&world.sim.host_file(CdnFile::demo_photo())).await;
    panicking.panicked(Worker::Media).await;
    panicking.set(None);
    eventually("the photo", async || {
        world.clock.advance(Duration::from_secs(5));
        let stored = world.timeline(CUSTOMER).await.into_iter().flat_map(|entry| entry.media);
        stored.into_iter().any(|media| media.state == MediaState::Stored).then_some(())
    })
    .await;

    panicking.set(Some(Worker::Translate));
    customer.text("while it panics").await;
    panicking.panicked(Worker::Translate).await;
    panicking.set(None);
    world.settled().await;

    panicking.set(Some(Worker::Keeper));
    world.sim.customer(OTHER).text("somebody new").await;
    panicking.panicked(Worker::Keeper).await;
    panicking.set(None);
    eventually("the profile", async || {
        let all = host.inbox().conversations(9).await.unwrap();
        all.iter().all(|conversation| conversation.name.is_some()).then_some(())
    })
    .await;

    world.sim.inject(Fault::graph_error(1, None));
    let second = world.conversation(OTHER).await;
    let doubt = world.reply(second, "doubt", message(vec![text("doubt")])).await;
    panicking.set(Some(Worker::Doubts));
    world.clock.advance(Duration::from_secs(61));
    panicking.panicked(Worker::Doubts).await;
    panicking.set(None);
    eventually("its end", async || {
        world.clock.advance(Duration::from_secs(60));
        (verdict(host, doubt.id).await != ReplyVerdict::Ambiguous).then_some(())
    })
    .await;

    panicking.set(Some(Worker::Upkeep));
    world.clock.advance(Duration::from_secs(2 * 3600));
    panicking.panicked(Worker::Upkeep).await;
    panicking.set(None);

    panicking.set(Some(Worker::Snoozes));
    let until = host.clock().now() + 60_000;
    let snoozed = ConversationChange { state: Some(NewState::Snoozed(until)), ..ConversationChange::default() };
    host.change_conversation(conversation, snoozed).await.unwrap();
    panicking.panicked(Worker::Snoozes).await;
    panicking.set(None);
    eventually("its time", async || {
        world.clock.advance(Duration::from_secs(60));
        (host.inbox().conversation(conversation).await.unwrap().state == ConversationState::Open).then_some(())
    })
    .await;

    panicking.set(Some(Worker::Index));
    customer.text("zebra").await;
    panicking.panicked(Worker::Index).await;
    panicking.set(None);
    eventually("what was written meanwhile", async || {
        world.clock.advance(Duration::from_secs(60));
        let query = world.api("GET", "/api/v1/search?q=zebra", &[], vec![]).await;
        query.body.contains("conversation_id").then_some(())
    })
    .await;

    panicking.set(Some(Worker::Webhooks));
    let product = r#"{"url": "https://product.example/events"}"#;
    let made = world.api("POST", "/api/v1/webhooks", &[("content-type", "application/json")], product).await;
    assert_eq!(made.status, 201, "{}", made.body);
    panicking.panicked(Worker::Webhooks).await;
    panicking.set(None);

    let ready = request("GET", &format!("{}/health/ready", world.address), &[], vec![]).await;
    let body: serde_json::Value = serde_json::from_str(&ready.body).unwrap();
    let seen = body["panics"].as_array().unwrap().len();
    assert_eq!((ready.status, seen), (200, Worker::ALL.len()), "{body}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_while_a_request_leaves_is_ambiguous_and_counts_against_the_channel() {
    let panicking = Panicking::new().await;
    let world = &panicking.world;
    world.sim.customer(CUSTOMER).text("hello").await;
    let conversation = world.conversation(CUSTOMER).await;
    *panicking.which.lock().unwrap() = Some((Worker::Outbox, Moment::Leaves));
    let open = || world.host.breakers("instagram").iter().any(|breaker| breaker.state != BreakerState::Closed);
    let mut replies = Vec::new();
    while !open() {
        let key = format!("panics-{}", replies.len());
        let reply = world.host.reply(conversation, &key, message(vec![text("panics")])).await.unwrap().reply;
        replies.push(reply);
        eventually("its end, or an open circuit", async || {
            (open() || verdict(&world.host, reply).await == ReplyVerdict::Ambiguous).then_some(())
        })
        .await;
        assert!(replies.len() < 100, "the channel is not left alone");
    }
    let first = world.host.inbox().reply(replies[0]).await.unwrap();
    assert_eq!((first.verdict, first.steps[0].state), (ReplyVerdict::Ambiguous, StepState::Ambiguous), "{first:?}");
    panicking.set(None);
    let works = world.host.reply(conversation, "works", message(vec![text("works")])).await.unwrap().reply;
    eventually("that it goes on", async || {
        world.clock.advance(Duration::from_secs(30));
        (verdict(&world.host, works).await == ReplyVerdict::Sent).then_some(())
    })
    .await;
}
