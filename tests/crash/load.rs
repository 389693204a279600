//! What the host is made to do: customers write and take back, webhooks come doubled, reordered and in
//! batches, agents answer, the platform fails. Belongs here: the load, and waiting until it has come to rest.

use std::{
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use channel_tests::try_api;
use serde_json::{Value, json};
use simulator::{Customer, EchoTiming, Fault, Release, Sent, Simulator};
use tokio::task::JoinSet;

use crate::{judge::Asked, random::Random};

/// Customers of each account; each is one connection at a time.
const CUSTOMERS: usize = 8;
const AGENTS: usize = 3;
/// How long everything may take to come to rest.
const REST: Duration = channel_tests::PATIENCE;

/// Whether the platform does what it is asked.
#[derive(Clone, Copy, PartialEq)]
pub enum Platform {
    /// It drops connections, answers nonsense and wishes for pauses. What it may have delivered is looked for only after
    /// a minute, so that such a load takes a while to come to rest.
    Fails,
    Works,
}

pub struct Load {
    stop: Arc<AtomicBool>,
    tasks: JoinSet<()>,
    asked: Arc<Mutex<Asked>>,
}

pub fn customers(sim: &Simulator) -> Vec<(String, String, Customer)> {
    let mut all = Vec::new();
    for (account, config) in sim.accounts().into_iter().enumerate() {
        for number in 0..CUSTOMERS {
            let igsid = format!("55512300000{account:02}{number:03}");
            let customer = sim.customer_of(&config.ig_id, &igsid).unwrap();
            all.push((config.ig_id.clone(), igsid, customer));
        }
    }
    all
}

impl Load {
    pub fn start(sim: &Simulator, address: &str, random: &mut Random, platform: Platform) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let asked = Arc::new(Mutex::new(Asked::new()));
        let mut tasks = JoinSet::new();
        for (number, (_, _, customer)) in customers(sim).into_iter().enumerate() {
            tasks.spawn(write(sim.clone(), customer, number, random.fork(), Arc::clone(&stop)));
        }
        tasks.spawn(disturb(sim.clone(), random.fork(), platform, Arc::clone(&stop)));
        for number in 0..AGENTS {
            let agent = Agent { address: address.to_owned(), number, asked: Arc::clone(&asked) };
            tasks.spawn(agent.run(random.fork(), Arc::clone(&stop)));
        }
        Self { stop, tasks, asked }
    }

    /// Ends the load. A host must be running: what was begun is brought to its end.
    pub async fn finish(self, sim: &Simulator) -> Asked {
        sim.clear_faults();
        self.stop.store(true, Ordering::Relaxed);
        let ended = tokio::time::timeout(REST, self.tasks.join_all()).await;
        assert!(ended.is_ok(), "the load does not end: something is not taken any more");
        sim.release_webhooks(Release::InOrder).await;
        sim.clear_faults();
        let asked = self.asked.lock().unwrap();
        asked.clone()
    }
}

/// A customer at full speed. Each waits for its 200, across as many deaths as it takes.
async fn write(sim: Simulator, customer: Customer, number: usize, mut random: Random, stop: Arc<AtomicBool>) {
    let mut mids: Vec<String> = Vec::new();
    let mut count = 0;
    while !stop.load(Ordering::Relaxed) {
        count += 1;
        let earlier = (!mids.is_empty()).then(|| {
            // Mostly something recent, as people do.
            let back = usize::try_from(random.below(6)).unwrap().min(mids.len() - 1);
            mids.len() - 1 - back
        });
        let text = format!("customer {number} message {count}");
        let sent: Sent = match (random.below(20), earlier) {
            (0, Some(at)) => customer.react(&mids[at], ["❤", "🔥", "👍"][count % 3]).await,
            (1, Some(at)) => customer.unreact(&mids[at]).await,
            (2, Some(at)) => customer.edit(&mids[at], &format!("{text} (edited)")).await,
            // What was taken back is not touched again.
            (3, Some(at)) => customer.unsend(&mids.remove(at)).await,
            (4, Some(at)) => {
                let sent = customer.reply(&mids[at], &text).await;
                mids.push(sent.mid().to_owned());
                sent
            }
            _ => {
                let sent = customer.text(&text).await;
                mids.push(sent.mid().to_owned());
                sent
            }
        };
        if sent.delivery.id.is_some() && random.once_in(12) {
            sim.redeliver_concurrently(&sent.delivery, 2 + count % 3).await;
        }
        // Two things of one person in one millisecond have no order.
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// Reordering, batches, lost and early echoes, and a platform that fails.
async fn disturb(sim: Simulator, mut random: Random, platform: Platform, stop: Arc<AtomicBool>) {
    let mut limited = Instant::now();
    while !stop.load(Ordering::Relaxed) {
        tokio::time::sleep(Duration::from_millis(50 + random.below(200))).await;
        sim.hold_webhooks();
        tokio::time::sleep(Duration::from_millis(random.below(25))).await;
        sim.release_webhooks(match random.below(5) {
            0 => Release::InOrder,
            1 => Release::Reversed,
            2 => Release::OneBatch,
            3 => Release::Repeated(2),
            _ => Release::Concurrently,
        })
        .await;
        sim.set_echo(match random.below(4) {
            0 => EchoTiming::BeforeResponse,
            1 => EchoTiming::Never,
            _ => EchoTiming::After(Duration::from_millis(random.below(60))),
        });
        if platform == Platform::Fails && sim.pending_faults().is_empty() && random.once_in(2) {
            sim.inject(match random.below(6) {
                0 => Fault::drop_after_accepting(),
                1 => Fault::drop_before_accepting(),
                2 => Fault::html(502),
                3 => Fault::html(502).taking_effect(),
                4 => Fault::delay(Duration::from_millis(300)),
                // The account pauses, for longer each time, so not too often.
                _ if limited.elapsed() > Duration::from_secs(12) => {
                    limited = Instant::now();
                    Fault::graph_error(613, 2_534_040)
                }
                _ => Fault::empty_body(503),
            });
        }
    }
}

struct Agent {
    address: String,
    number: usize,
    asked: Arc<Mutex<Asked>>,
}

static KEYS: AtomicUsize = AtomicUsize::new(0);

impl Agent {
    async fn run(self, mut random: Random, stop: Arc<AtomicBool>) {
        while !stop.load(Ordering::Relaxed) {
            tokio::time::sleep(Duration::from_millis(30 + random.below(90))).await;
            let Some(list) = self.get("/conversations?limit=100").await else { continue };
            let list = list["data"].as_array().unwrap();
            if list.is_empty() {
                continue;
            }
            let at = usize::try_from(random.below(list.len() as u64)).unwrap();
            let conversation = list[at]["id"].as_str().unwrap();
            let key = format!("agent {} reply {}", self.number, KEYS.fetch_add(1, Ordering::Relaxed));
            let texts: Vec<_> = (0..=random.below(3)).map(|part| format!("{key} part {part}")).collect();
            self.asked.lock().unwrap().insert(key.clone(), texts.clone());
            if random.once_in(6) {
                // An impatient client: the same key twice at once.
                tokio::join!(self.reply(conversation, &key, &texts, 0), self.reply(conversation, &key, &texts, 300));
            } else {
                self.reply(conversation, &key, &texts, random.below(2) * 300).await;
            }
        }
    }

    async fn get(&self, path: &str) -> Option<Value> {
        let answer = try_api("GET", &format!("{}/api/v1{path}", self.address), &[], vec![]).await.ok()?;
        serde_json::from_str(&answer.body).ok()
    }

    /// Asks until it is acknowledged; the key makes that one reply.
    async fn reply(&self, conversation: &str, key: &str, texts: &[String], wait: u64) {
        let url = format!("{}/api/v1/conversations/{conversation}/replies?wait={wait}", self.address);
        let parts: Vec<_> = texts.iter().map(|text| json!({ "text": { "text": text } })).collect();
        let body = json!({ "sender": { "kind": "human", "id": "kim" }, "parts": parts }).to_string();
        loop {
            match try_api("POST", &url, &[("idempotency-key", key)], body.clone()).await {
                Ok(answer) if matches!(answer.status, 200 | 201) => return,
                Ok(answer) => assert_eq!(answer.status, 503, "{key}: {}", answer.body),
                // Dead, or it died with the answer.
                Err(_) => {}
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
    }
}

/// Waits until the journal's queue is empty, every reply has its end, and no echo is under way.
pub async fn settled(sim: &Simulator, address: &str, inbox: &Path) {
    let file = rusqlite::Connection::open_with_flags(inbox, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    let count = |sql: &str| file.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
    let started = Instant::now();
    let mut quiet = 0;
    let mut seen = 0;
    while quiet < 20 {
        let waiting = count("SELECT count(*) FROM delivery WHERE state = 'received'");
        let open = count("SELECT count(*) FROM reply WHERE state IN ('queued', 'sending')");
        assert!(
            started.elapsed() < REST,
            "no rest: {waiting} deliveries wait, {open} replies are open; {:?}",
            try_api("GET", &format!("{address}/api/v1/health"), &[], vec![]).await.map(|answer| answer.body)
        );
        let now = sim.delivery_count();
        quiet = if waiting + open == 0 && now == seen { quiet + 1 } else { 0 };
        seen = now;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
