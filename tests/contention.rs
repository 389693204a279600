//! Others at the same file and at the same moment: a file that another program has locked, two senders that bring
//! the same deliveries, and deliveries that come late, again and in any order.

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
    io::{BufRead as _, BufReader, Write as _},
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use channel_tests::{PATIENCE, World, eventually, message, request, signature, text};
use harness_inbox::StepState;
use rusqlite::Connection;
use simulator::{Config, Fault};

const ACCOUNT: &str = "17841400000000001";
const HOUR: u64 = 3_600_000;

/// What another process says when it has brought a dozen.
const DONE: &str = "a dozen is done";

/// How the customers of these tests are called.
fn customer(number: u64) -> String {
    format!("55512300000007{number:02}")
}

fn item(customer: &str, mid: &str, at: u64) -> String {
    format!(
        r#"{{"sender":{{"id":"{customer}"}},"recipient":{{"id":"{ACCOUNT}"}},"timestamp":{at},"message":{{"mid":"{mid}","text":"{mid}"}}}}"#
    )
}

fn body(items: &[String]) -> String {
    format!(r#"{{"object":"instagram","entry":[{{"id":"{ACCOUNT}","messaging":[{}]}}]}}"#, items.join(","))
}

/// Brings a delivery until it is acknowledged; returns the answers that were not 200, with their `Retry-After`.
async fn deliver(url: &str, body: &str) -> Vec<(u16, Option<String>)> {
    let proof = signature("demo-meta-app-secret", body.as_bytes());
    let mut refused = Vec::new();
    loop {
        let answer = request("POST", url, &[("x-hub-signature-256", &proof)], body.into()).await;
        if answer.status == 200 {
            return refused;
        }
        let again = answer.headers.get("retry-after").map(|value| value.to_str().unwrap().to_owned());
        refused.push((answer.status, again));
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Random enough to mix things, and the same in every run. (splitmix64)
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % bound as u64).unwrap()
    }

    fn mix<T>(&mut self, list: &mut [T]) {
        (1..list.len()).rev().for_each(|at| list.swap(at, self.below(at + 1)));
    }
}

/// How often each message is in the inbox, by its text.
fn messages(file: &Path) -> BTreeMap<String, usize> {
    let sql = Connection::open(file).unwrap();
    let mut statement =
        sql.prepare("SELECT text, count(*) FROM message WHERE direction = 'inbound' GROUP BY text").unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get::<_, i64>(1)?.try_into().unwrap()))).unwrap();
    rows.collect::<Result<_, _>>().unwrap()
}

/// This test's own program as another process, which does what `TASK` says.
fn another_process(task: &[&str]) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    let module = module_path!().split_once("::").unwrap().1;
    command.args([&format!("{module}::what_the_other_processes_do"), "--exact", "--nocapture"]);
    command.env("TASK", task.join("\n")).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_other_processes_do() {
    let Ok(task) = std::env::var("TASK") else { return };
    match task.split('\n').collect::<Vec<_>>().as_slice() {
        ["lock", file] => {
            let sql = Connection::open(file).unwrap();
            sql.busy_timeout(PATIENCE).unwrap();
            sql.execute_batch("BEGIN IMMEDIATE; CREATE TABLE of_another_program (id INTEGER)").unwrap();
            std::fs::write(format!("{file}.taken"), "").unwrap();
            // Until the test lets go.
            std::io::stdin().read_line(&mut String::new()).unwrap();
            sql.execute_batch("ROLLBACK").unwrap();
        }
        ["deliver", url, bodies, seed] => {
            let mut bodies: Vec<_> = std::fs::read_to_string(bodies).unwrap().lines().map(str::to_owned).collect();
            Random(seed.parse().unwrap()).mix(&mut bodies);
            // A dozen at once, whenever the test says so.
            for dozen in bodies.chunks(12) {
                std::io::stdin().read_line(&mut String::new()).unwrap();
                let mut connections = tokio::task::JoinSet::new();
                for body in dozen {
                    let (body, url) = (body.clone(), (*url).to_owned());
                    connections.spawn(async move { deliver(&url, &body).await });
                }
                connections.join_all().await;
                println!("{DONE}");
            }
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_another_program_locks_for_seconds_loses_nothing() {
    let world = World::new().await;
    let (file, url) = (world.inbox_file(), format!("{}/webhooks/instagram", world.address));
    world.sim.customer(Config::DEMO_CUSTOMER).text("hello").await;
    let conversation = world.conversation(Config::DEMO_CUSTOMER).await;
    // Its answer comes while the file is locked.
    world.sim.inject(Fault::held());
    let under_way = world.host.reply(conversation, "under way", message(vec![text("under way")])).await.unwrap();
    world.sim.wait_for_held_answers(1, PATIENCE).await.unwrap();

    let mut other = another_process(&["lock", file.to_str().unwrap()]);
    eventually("the lock", async || file.with_extension("sqlite.taken").exists().then_some(())).await;
    assert_eq!(world.sim.release_answers(), 1);
    let now = world.clock.now();
    let deliveries = (0..40u64).map(|number| {
        let url = url.clone();
        let body = body(&[item(&customer(number % 4), &format!("locked-{number}"), now + number)]);
        tokio::spawn(async move { deliver(&url, &body).await })
    });
    let deliveries: Vec<_> = deliveries.collect();
    // Reading waits for nobody: the lock is held until the test lets go.
    assert_eq!(world.api("GET", "/api/v1/conversations", &[], vec![]).await.status, 200);
    // Writing gives up after some seconds, and until it succeeds again nothing more is promised.
    let next = std::cell::Cell::new(40);
    let answer = eventually("a refusal", async || {
        let number = next.replace(next.get() + 1);
        let body = body(&[item(&customer(0), &format!("locked-{number}"), now + number)]);
        let proof = signature("demo-meta-app-secret", body.as_bytes());
        let answer = request("POST", &url, &[("x-hub-signature-256", &proof)], body.into()).await;
        (answer.status != 200).then_some(answer)
    })
    .await;
    assert!(answer.status == 503 && answer.headers.contains_key("retry-after"), "{}", answer.status);
    let last = next.get() - 1;
    let deliver_last = tokio::spawn({
        let (url, body) = (url.clone(), body(&[item(&customer(0), &format!("locked-{last}"), now + last)]));
        async move { deliver(&url, &body).await }
    });
    drop(other.stdin.take());
    assert!(other.wait().unwrap().success());
    deliver_last.await.unwrap();
    // Each was taken at once, or asked to come later where the machine was so slow that the writer had given up.
    for delivery in deliveries {
        let refused = delivery.await.unwrap();
        assert!(refused.iter().all(|(status, again)| *status == 503 && again.is_some()), "{refused:?}");
    }
    world.settled().await;
    let found = messages(&file);
    for number in 0..=last {
        assert_eq!(found.get(&format!("locked-{number}")), Some(&1), "{found:?}");
    }
    let view = world.ended(under_way.reply).await;
    assert!(matches!(view.steps[0].state, StepState::Sent | StepState::Ambiguous), "{view:?}");
    let view = world.reply(conversation, "after", message(vec![text("after")])).await;
    assert_eq!(view.steps[0].state, StepState::Sent, "{view:?}");
    let sends: Vec<_> = world.sends().iter().map(|send| send.body["message"]["text"].to_string()).collect();
    assert_eq!(sends.len(), 2, "each once: {sends:?}");
    let ready = request("GET", &format!("{}/health/ready", world.address), &[], vec![]).await;
    assert_eq!(ready.status, 200, "{}", ready.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_processes_that_bring_the_same_deliveries_at_once_make_one_message_of_each() {
    let world = World::new().await;
    let url = format!("{}/webhooks/instagram", world.address);
    let now = world.clock.now();
    let bodies: Vec<_> = (0..300u64)
        .map(|number| {
            let of = customer(number % 6);
            // Some bring two, of which each comes alone too.
            let mut items = vec![item(&of, &format!("same-{number}"), now + number)];
            if number % 5 == 0 && number > 0 {
                let before = number - 1;
                items.push(item(&customer(before % 6), &format!("same-{before}"), now + before));
            }
            body(&items)
        })
        .collect();
    let list = world.folder.path().join("bodies");
    std::fs::write(&list, bodies.join("\n")).unwrap();
    let senders = ["1", "2"].map(|seed| another_process(&["deliver", &url, list.to_str().unwrap(), seed]));
    let in_step = tokio::task::spawn_blocking(move || {
        let mut senders = senders.map(|mut sender| {
            let lines = BufReader::new(sender.stdout.take().unwrap()).lines();
            (sender, lines)
        });
        for _ in 0..300 / 12 {
            // Both begin the next dozen before either has ended it.
            for (sender, _) in &mut senders {
                sender.stdin.as_mut().unwrap().write_all(b"go\n").unwrap();
            }
            for (_, lines) in &mut senders {
                assert!(lines.any(|line| line.unwrap().contains(DONE)));
            }
        }
        senders.map(|(mut sender, _)| sender.wait().unwrap().success())
    });
    assert_eq!(in_step.await.unwrap(), [true, true]);
    world.settled().await;
    let counts = world.host.inbox().delivery_counts().await.unwrap();
    assert_eq!(counts.applied, 600, "each delivery is kept: {counts:?}");
    let found = messages(&world.inbox_file());
    assert!(found.len() == 300 && found.values().all(|count| *count == 1), "{found:?}");
    assert_eq!(world.host.inbox().conversations(99).await.unwrap().len(), 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn deliveries_that_are_mixed_repeated_and_late_by_hours_come_out_in_platform_order_once() {
    let world = World::new().await;
    let url = format!("{}/webhooks/instagram", world.address);
    let mut random = Random(4711);
    let now = world.clock.now();
    // Three customers over five hours; the newest is an hour old when it comes at last.
    let at = |number: u64| now - HOUR - (89 - number) * (5 * HOUR / 90);
    let of = |number: u64| customer(number % 3);
    let items: Vec<_> = (0..90).map(|number| item(&of(number), &format!("late-{number:02}"), at(number))).collect();
    let mut bodies = Vec::new();
    let mut left: Vec<_> = items.iter().collect();
    random.mix(&mut left);
    while !left.is_empty() {
        let batch: Vec<_> = left.drain(..left.len().min(1 + random.below(4))).cloned().collect();
        (0..=random.below(3)).for_each(|_| bodies.push(body(&batch)));
    }
    // And each of some alone, beside the batch that it is in.
    (0..20).for_each(|_| bodies.push(body(&[items[random.below(90)].clone()])));
    random.mix(&mut bodies);
    let mut connections = tokio::task::JoinSet::new();
    for part in bodies.chunks(bodies.len() / 6 + 1) {
        let (url, part) = (url.clone(), part.to_vec());
        connections.spawn(async move {
            for body in part {
                deliver(&url, &body).await;
            }
        });
    }
    connections.join_all().await;
    world.settled().await;
    for number in 0..3 {
        let timeline = world.timeline(&customer(number)).await;
        let texts: Vec<_> = timeline.iter().filter_map(|entry| entry.text.clone()).collect();
        let expected: Vec<_> = (0..30).map(|turn| format!("late-{:02}", turn * 3 + number)).collect();
        assert_eq!(texts, expected, "in platform order, each once");
        let conversation = world.conversation(&customer(number)).await;
        let window = world.host.context(conversation).await.unwrap().window;
        let newest = at(87 + number);
        assert_eq!(window.opened_at, Some(newest), "the window is the platform's time, not that of arrival");
        assert_eq!(window.closes_at, Some(newest + 24 * HOUR));
    }
    let summary = world.host.inbox().conversations(9).await.unwrap();
    assert!(summary.iter().all(|one| one.unread == 30), "{summary:?}");
}
