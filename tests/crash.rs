//! The promise of exactly once, under `kill -9`: a real `harness serve` is killed at random moments while
//! customers and agents write, and a client of its events and a product's address follow; then everything is compared. The long form is in `docs/promises.md`.

use std::{
    str::FromStr,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use channel_tests::follow::Product;

use crate::{
    followers::Followers,
    judge,
    load::{self, Load},
    process::Process,
    random::Random,
    records,
};
use simulator::{AccountConfig, Config, Login, Redelivery, Simulator};

fn from_environment<T: FromStr>(name: &str, usual: T) -> T {
    match std::env::var(name) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name}={text} is not a number")),
        Err(_) => usual,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_or_doubled_when_the_host_is_killed_at_any_moment() {
    let kills: usize = from_environment("KILLS", 12);
    let deliveries: usize = from_environment("DELIVERIES", 2_000);
    let clock = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let seed = from_environment("SEED", u64::from(clock.subsec_nanos()));
    println!("SEED={seed} KILLS={kills} DELIVERIES={deliveries}");
    let mut random = Random::new(seed);

    let second = AccountConfig { webhook_login: Login::Instagram, ..AccountConfig::demo(2) };
    let sim = Simulator::start(Config {
        accounts: vec![AccountConfig::demo(1), second],
        // As Meta does, only sooner: what was not answered with 200 comes again, for longer than any start takes.
        redelivery: Redelivery::times(20_000, Duration::from_millis(25)),
        webhook_timeout: channel_tests::PATIENCE,
        ..Config::demo()
    })
    .await
    .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let process = Process::prepare(folder.path(), &sim);
    sim.set_webhook_url(format!("{}/webhooks/instagram", process.address));

    process.configure(|text| format!("private-hosts = [\"127.0.0.1\"]\n{text}"));
    let mut host = process.spawn();
    host.ready().await;
    let followers = Followers::start(&process, Product::start().await).await;
    host.kill().await;

    let started = Instant::now();
    let load = Load::start(&sim, &process.address, &mut random, load::Platform::Fails);
    let mut killed = 0;
    let mut in_start = 0;
    while killed < kills || sim.delivery_count() < deliveries {
        let mut host = process.spawn();
        // Some die while they recover from the death before.
        if killed > 0 && random.once_in(8) {
            tokio::time::sleep(Duration::from_millis(random.below(120))).await;
            in_start += 1;
        } else {
            host.ready().await;
            tokio::time::sleep(Duration::from_millis(20 + random.below(1_400))).await;
        }
        host.kill().await;
        killed += 1;
        if killed % 20 == 0 {
            println!("{killed} kills, {} deliveries, {:?}", sim.delivery_count(), started.elapsed());
        }
    }
    let mut host = process.spawn();
    host.ready().await;
    let asked = load.finish(&sim).await;
    load::settled(&sim, &process.address, &process.inbox_file()).await;
    followers.judge(&process).await;
    host.kill().await;
    println!(
        "{killed} kills, {in_start} of them in the start; {} deliveries, {} replies, {:.0?}",
        sim.delivery_count(),
        asked.len(),
        started.elapsed()
    );
    let verdict = judge::compare(&records::of_platform(&sim), &records::of_file(&process.inbox_file()).await, &asked);
    println!("{verdict}");
    assert!(verdict.clean(), "SEED={seed}: {verdict:#?}\nthe host's log:\n{}", process.log());
    assert!(!process.log().contains("panicked"), "SEED={seed}: {}", process.log());
}
