//! The comparison: what the platform saw and was told, against what the inbox file holds.
//! Belongs here: counting what is lost, doubled, out of order or untrue. Every count but the first few is a fault.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    fmt,
    path::Path,
};

use harness_inbox::{Inbox, StepState, TimelineEntry};
use rusqlite::Connection;
use simulator::{Author, Delivery, Simulator, ThreadMessage};

use crate::load::{self, Asked};

/// How many examples of a fault are kept.
const EXAMPLES: usize = 5;

#[derive(Debug, Default)]
pub struct Verdict {
    /// Deliveries that were answered 200, repeats included.
    pub acknowledged: usize,
    /// Attempts at deliveries that were not.
    pub refused_attempts: usize,
    /// Messages of customers that the platform knows.
    pub messages: usize,
    /// Parts of replies, by the end that the inbox tells.
    pub parts: BTreeMap<String, usize>,
    /// Of the unknown ones, those that a kill interrupted.
    pub unknown_by_kill: usize,
    /// Of the unknown ones, those that the customer has.
    pub unknown_received: usize,
    pub lost: Faults,
    pub doubled: Faults,
    pub out_of_order: Faults,
    /// The inbox says something else than the platform.
    pub untrue: Faults,
    /// The file itself.
    pub broken: Faults,
}

#[derive(Debug, Default)]
pub struct Faults {
    count: usize,
    examples: Vec<String>,
}

impl Faults {
    fn add(&mut self, example: String) {
        self.count += 1;
        if self.examples.len() < EXAMPLES {
            self.examples.push(example);
        }
    }

    fn unless(&mut self, right: bool, example: impl FnOnce() -> String) {
        if !right {
            self.add(example());
        }
    }
}

impl Verdict {
    pub fn clean(&self) -> bool {
        let all = [&self.lost, &self.doubled, &self.out_of_order, &self.untrue, &self.broken];
        all.iter().all(|faults| faults.count == 0)
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { acknowledged, refused_attempts, messages, parts, unknown_by_kill, unknown_received, .. } = self;
        writeln!(
            to,
            "{acknowledged} deliveries answered 200, {refused_attempts} attempts that were not, {messages} messages"
        )?;
        writeln!(
            to,
            "parts of replies: {parts:?}; unknown by a kill {unknown_by_kill}, unknown and received {unknown_received}"
        )?;
        let [lost, doubled, order, untrue, broken] =
            [&self.lost, &self.doubled, &self.out_of_order, &self.untrue, &self.broken].map(|faults| faults.count);
        write!(to, "lost {lost}, doubled {doubled}, out of order {order}, untrue {untrue}, broken {broken}")
    }
}

pub async fn compare(sim: &Simulator, file: &Path, asked: &Asked) -> Verdict {
    let mut verdict = Verdict::default();
    // The inbox opens what the last kill left.
    let inbox = Inbox::open(file).unwrap();
    let sql = Connection::open(file).unwrap();
    compare_file(&mut verdict, &sql);
    compare_deliveries(&mut verdict, &sim.deliveries(), &sql);
    compare_threads(&mut verdict, sim, &inbox).await;
    compare_replies(&mut verdict, sim, &sql, asked);
    verdict
}

/// The file itself, and these deliveries in it.
pub fn compare_journal(file: &Path, deliveries: &[Delivery]) -> Verdict {
    let mut verdict = Verdict::default();
    let sql = Connection::open(file).unwrap();
    compare_file(&mut verdict, &sql);
    compare_deliveries(&mut verdict, deliveries, &sql);
    verdict
}

fn rows<T>(sql: &Connection, query: &str, read: impl Fn(&rusqlite::Row<'_>) -> rusqlite::Result<T>) -> Vec<T> {
    let mut statement = sql.prepare(query).unwrap();
    statement.query_map([], |row| read(row)).unwrap().collect::<Result<_, _>>().unwrap()
}

fn compare_file(verdict: &mut Verdict, sql: &Connection) {
    let integrity: String = sql.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    verdict.broken.unless(integrity == "ok", || integrity.clone());
    let foreign = rows(sql, "PRAGMA foreign_key_check", |row| row.get::<_, String>(0));
    verdict.broken.unless(foreign.is_empty(), || format!("{foreign:?}"));
    let left = "SELECT state || ' ' || coalesce(problem, '') FROM delivery WHERE state NOT IN ('applied', 'redacted')";
    for state in rows(sql, left, |row| row.get::<_, String>(0)) {
        verdict.lost.add(format!("a delivery is {state}"));
    }
}

/// Every delivery that was answered 200 is in the journal, and its messages are in the inbox, once.
fn compare_deliveries(verdict: &mut Verdict, deliveries: &[Delivery], sql: &Connection) {
    let mut journal: HashMap<Vec<u8>, usize> = HashMap::new();
    for body in rows(sql, "SELECT body FROM delivery WHERE state <> 'redacted'", |row| row.get::<_, Vec<u8>>(0)) {
        *journal.entry(body).or_default() += 1;
    }
    let mut redacted: i64 =
        sql.query_row("SELECT count(*) FROM delivery WHERE state = 'redacted'", [], |r| r.get(0)).unwrap();
    let by_mid = "SELECT platform_id, count(*) FROM message WHERE platform_id IS NOT NULL GROUP BY platform_id";
    let stored: HashMap<String, i64> = rows(sql, by_mid, |row| Ok((row.get(0)?, row.get(1)?))).into_iter().collect();
    for (mid, count) in &stored {
        verdict.doubled.unless(*count == 1, || format!("{mid} is there {count} times"));
    }
    for delivery in deliveries {
        verdict.refused_attempts += delivery.attempts.iter().filter(|attempt| attempt.status != Some(200)).count();
        if !delivery.accepted() {
            continue;
        }
        verdict.acknowledged += 1;
        // A body that is not there was emptied, since something in it was taken back.
        match journal.get_mut(&delivery.body) {
            Some(copies) if *copies > 0 => *copies -= 1,
            _ => redacted -= 1,
        }
        let document = delivery.json();
        let items = document["entry"].as_array().into_iter().flatten();
        for item in items.flat_map(|entry| entry["messaging"].as_array().into_iter().flatten()) {
            let message = &item["message"];
            let Some(mid) = message["mid"].as_str().filter(|_| message["is_deleted"] != true) else { continue };
            verdict.lost.unless(stored.contains_key(mid), || format!("{mid}: {}", message));
        }
    }
    verdict.lost.unless(redacted >= 0, || format!("{} deliveries are not in the journal", -redacted));
}

/// Every conversation is what the customer sees: messages, times, texts, what was taken back, reactions.
async fn compare_threads(verdict: &mut Verdict, sim: &Simulator, inbox: &Inbox) {
    let conversations = inbox.conversations(10_000).await.unwrap();
    let customers = load::customers(sim);
    verdict.doubled.unless(conversations.len() <= customers.len(), || format!("{} conversations", conversations.len()));
    for (account, igsid, customer) in customers {
        let thread = customer.transcript();
        let of_customer: HashMap<_, _> = thread
            .iter()
            .filter(|message| message.from == Author::Customer)
            .map(|message| (message.mid.as_str(), message))
            .collect();
        verdict.messages += of_customer.len();
        let found: Vec<_> =
            conversations.iter().filter(|found| found.contact == igsid && found.account == account).collect();
        let [conversation] = found.as_slice() else {
            verdict.lost.unless(of_customer.is_empty(), || format!("{igsid} has {} conversations", found.len()));
            continue;
        };
        let timeline = inbox.timeline(conversation.id, 10_000_000).await.unwrap();
        let mut seen = HashSet::new();
        for entry in timeline.iter().filter(|entry| entry.direction == "inbound") {
            let mid = entry.platform_id.as_deref().unwrap_or_default();
            match of_customer.get(mid) {
                Some(message) => same(verdict, entry, message),
                None => verdict.doubled.add(format!("{igsid}: {mid} is nobody's message")),
            }
            verdict.doubled.unless(seen.insert(mid), || format!("{igsid}: {mid} twice"));
        }
        for (mid, message) in &of_customer {
            verdict.lost.unless(seen.contains(mid), || format!("{igsid}: {mid} {:?}", message.text));
        }
        for pair in timeline.windows(2) {
            verdict.out_of_order.unless(pair[0].at <= pair[1].at, || format!("{igsid}: {:?}", pair[1].platform_id));
        }
    }
}

fn same(verdict: &mut Verdict, entry: &TimelineEntry, message: &ThreadMessage) {
    let mid = &message.mid;
    verdict.out_of_order.unless(entry.at == message.at_ms, || format!("{mid} stands at {}", entry.at));
    let gone = entry.deleted_at.is_some();
    verdict
        .untrue
        .unless(gone == message.deleted, || format!("{mid} taken back: {}, shown so: {gone}", message.deleted));
    verdict
        .untrue
        .unless(entry.text == message.text, || format!("{mid}: {:?} is shown as {:?}", message.text, entry.text));
    let theirs: Vec<_> = message.reactions.iter().filter(|one| one.by == Author::Customer).collect();
    let shown: Vec<_> = entry.reactions.iter().filter(|one| one.actor != "business").collect();
    let equal = theirs.len() == shown.len()
        && theirs.iter().zip(&shown).all(|(one, other)| other.emoji.as_deref() == Some(one.emoji.as_str()));
    verdict.untrue.unless(equal, || format!("{mid}: {theirs:?} is shown as {shown:?}"));
}

struct Part {
    key: String,
    reply_state: String,
    conversation: i64,
    text: String,
    state: String,
    outcome: String,
}

/// Every reply has one row and an end; what its parts say of themselves is what the platform got.
fn compare_replies(verdict: &mut Verdict, sim: &Simulator, sql: &Connection, asked: &Asked) {
    let mut received: HashMap<String, usize> = HashMap::new();
    let mut disturbed = HashSet::new();
    let mut arrival: Vec<String> = Vec::new();
    for record in sim.requests().into_iter().filter(|record| record.path.ends_with("/messages")) {
        let Some(text) = record.body["message"]["text"].as_str() else { continue };
        if record.verdict.accepted {
            *received.entry(text.to_owned()).or_default() += 1;
            arrival.push(text.to_owned());
        }
        if record.verdict.fault.is_some() {
            disturbed.insert(text.to_owned());
        }
    }
    for (text, times) in &received {
        verdict.doubled.unless(*times == 1, || format!("the platform got {text:?} {times} times"));
    }
    let query = "SELECT r.key, r.state, r.conversation_id, s.text, coalesce(s.state, ''), coalesce(s.outcome, '')
                 FROM reply r LEFT JOIN step s ON s.reply_id = r.id AND s.kind = 'message' ORDER BY r.id, s.step";
    let parts = rows(sql, query, |row| {
        Ok(Part {
            key: row.get(0)?,
            reply_state: row.get(1)?,
            conversation: row.get(2)?,
            text: row.get::<_, Option<String>>(3)?.unwrap_or_default(),
            state: row.get(4)?,
            outcome: row.get(5)?,
        })
    });
    let mut keys: HashMap<&str, Vec<&str>> = HashMap::new();
    let mut place = HashMap::new();
    for part in &parts {
        keys.entry(&part.key).or_default().push(&part.text);
        place.insert(part.text.as_str(), (part.conversation, place.len()));
        judge_part(verdict, part, received.get(&part.text).copied().unwrap_or(0), disturbed.contains(&part.text));
    }
    for (key, texts) in asked {
        match keys.get(key.as_str()) {
            Some(parts) => verdict.doubled.unless(parts == texts, || format!("{key}: {texts:?} became {parts:?}")),
            None => verdict.lost.add(format!("the reply {key} was acknowledged")),
        }
    }
    let mut last: HashMap<i64, usize> = HashMap::new();
    for text in &arrival {
        let Some((conversation, at)) = place.get(text.as_str()) else {
            verdict.untrue.add(format!("the platform got {text:?}, which nobody asked for"));
            continue;
        };
        let before = last.insert(*conversation, *at);
        verdict.out_of_order.unless(before.is_none_or(|before| before < *at), || format!("{text:?} overtook another"));
    }
    let strangers = "SELECT count(*) FROM message WHERE direction = 'outbound' AND reply_id IS NULL";
    let strangers: i64 = sql.query_row(strangers, [], |row| row.get(0)).unwrap();
    verdict.doubled.unless(strangers == 0, || format!("{strangers} echoes were taken for other people's messages"));
}

fn judge_part(verdict: &mut Verdict, part: &Part, received: usize, disturbed: bool) {
    let Part { text, state, outcome, reply_state, .. } = part;
    *verdict.parts.entry(state.clone()).or_default() += 1;
    verdict.untrue.unless(reply_state == "done", || format!("the reply of {text:?} is {reply_state}"));
    let by_kill = outcome.contains("The host stopped while");
    let right = if state == StepState::Sent.name() {
        received == 1
    } else if state == StepState::Unknown.name() {
        verdict.unknown_by_kill += usize::from(by_kill);
        verdict.unknown_received += received;
        by_kill || disturbed
    } else {
        // Rejected, or not tried since one before it was not sent.
        received == 0 && (state == StepState::Rejected.name() || state == StepState::Cancelled.name())
    };
    verdict.untrue.unless(right, || format!("{text:?} is {state} and was received {received} times: {outcome}"));
}
