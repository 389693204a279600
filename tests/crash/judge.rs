//! The comparison: what the platform saw and was told, against what the inbox file holds, both as plain records.
//! Belongs here: counting what is lost, doubled, out of order or untrue. Every count but the first few is a fault.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    fmt,
};

use harness_inbox::{ConversationId, StepState};
use serde_json::Value;

/// How many examples of a fault are kept.
const EXAMPLES: usize = 5;

/// Replies that were asked for and acknowledged: their texts, one for each part, which are different everywhere.
pub type Asked = BTreeMap<String, Vec<String>>;

/// What the platform knows.
#[derive(Debug, Default)]
pub struct Platform {
    pub deliveries: Vec<Delivered>,
    pub threads: Vec<Thread>,
    /// What it was asked to send, in the order of arrival.
    pub requests: Vec<Request>,
}

/// A webhook.
#[derive(Debug)]
pub struct Delivered {
    pub body: Vec<u8>,
    /// Answered 200.
    pub accepted: bool,
    /// Attempts that were not answered 200.
    pub refused_attempts: usize,
}

/// One customer of one account, with everything that they wrote.
#[derive(Debug)]
pub struct Thread {
    pub account: String,
    pub igsid: String,
    pub said: Vec<Said>,
}

/// A message, as its author sees it.
#[derive(Clone, Debug)]
pub struct Said {
    pub mid: String,
    pub at: i64,
    pub text: Option<String>,
    pub deleted: bool,
    /// Of the customer.
    pub reactions: Vec<String>,
}

/// One part of a reply, as the platform got it.
#[derive(Clone, Debug)]
pub struct Request {
    pub text: String,
    pub accepted: bool,
    /// Answered otherwise than the truth.
    pub disturbed: bool,
}

/// What the inbox file holds.
#[derive(Debug, Default)]
pub struct Stored {
    /// What the file's own checks complain about.
    pub complaints: Vec<String>,
    /// States of deliveries that did not come to their end.
    pub unfinished: Vec<String>,
    /// Bodies in the journal.
    pub bodies: Vec<Vec<u8>>,
    /// Bodies that were emptied, since something in them was taken back.
    pub redacted: usize,
    /// Messages with an id of the platform's, in all conversations.
    pub mids: Vec<String>,
    pub conversations: Vec<Conversation>,
    /// Parts of replies, in the order in which they were asked for.
    pub parts: Vec<Part>,
    /// Messages of the business that belong to no reply of ours.
    pub strangers: usize,
}

/// A conversation, in the order in which people see it.
#[derive(Debug)]
pub struct Conversation {
    pub account: String,
    pub contact: String,
    pub shown: Vec<Shown>,
}

/// A message, as people see it.
#[derive(Clone, Debug)]
pub struct Shown {
    pub said: Said,
    pub inbound: bool,
}

/// A part of a reply.
#[derive(Clone, Debug)]
pub struct Part {
    pub key: String,
    pub reply_state: String,
    pub conversation: ConversationId,
    pub text: String,
    pub state: String,
    pub outcome: String,
}

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

/// Compares everything.
pub fn compare(platform: &Platform, stored: &Stored, asked: &Asked) -> Verdict {
    let mut verdict = Verdict::default();
    stored.complaints.iter().for_each(|complaint| verdict.broken.add(complaint.clone()));
    stored.unfinished.iter().for_each(|state| verdict.lost.add(format!("a delivery is {state}")));
    compare_deliveries(&mut verdict, platform, stored);
    compare_threads(&mut verdict, platform, stored);
    compare_replies(&mut verdict, platform, stored, asked);
    verdict
}

/// Every delivery that was answered 200 is in the journal, and its messages are in the inbox, once.
fn compare_deliveries(verdict: &mut Verdict, platform: &Platform, stored: &Stored) {
    let mut journal: HashMap<&[u8], usize> = HashMap::new();
    for body in &stored.bodies {
        *journal.entry(body).or_default() += 1;
    }
    let mut mids: HashMap<&str, usize> = HashMap::new();
    for mid in &stored.mids {
        *mids.entry(mid).or_default() += 1;
    }
    for (mid, count) in &mids {
        verdict.doubled.unless(*count == 1, || format!("{mid} is there {count} times"));
    }
    let mut missing = 0;
    for delivery in &platform.deliveries {
        verdict.refused_attempts += delivery.refused_attempts;
        if !delivery.accepted {
            continue;
        }
        verdict.acknowledged += 1;
        match journal.get_mut(delivery.body.as_slice()) {
            Some(copies) if *copies > 0 => *copies -= 1,
            _ => missing += 1,
        }
        let document: Value = serde_json::from_slice(&delivery.body).unwrap();
        let items = document["entry"].as_array().into_iter().flatten();
        for item in items.flat_map(|entry| entry["messaging"].as_array().into_iter().flatten()) {
            let message = &item["message"];
            let Some(mid) = message["mid"].as_str().filter(|_| message["is_deleted"] != true) else { continue };
            verdict.lost.unless(mids.contains_key(mid), || format!("{mid}: {message}"));
        }
    }
    // A body that is not there was emptied, since something in it was taken back.
    let lost = missing.max(stored.redacted) - stored.redacted;
    verdict.lost.unless(lost == 0, || format!("{lost} deliveries are not in the journal"));
}

/// Every conversation is what the customer sees: messages, times, texts, what was taken back, reactions.
fn compare_threads(verdict: &mut Verdict, platform: &Platform, stored: &Stored) {
    let (conversations, threads) = (&stored.conversations, &platform.threads);
    verdict.doubled.unless(conversations.len() <= threads.len(), || format!("{} conversations", conversations.len()));
    for Thread { account, igsid, said } in threads {
        let of_customer: HashMap<_, _> = said.iter().map(|message| (message.mid.as_str(), message)).collect();
        verdict.messages += of_customer.len();
        let found: Vec<_> =
            conversations.iter().filter(|found| found.contact == *igsid && found.account == *account).collect();
        let [conversation] = found.as_slice() else {
            verdict.lost.unless(of_customer.is_empty(), || format!("{igsid} has {} conversations", found.len()));
            continue;
        };
        let shown = &conversation.shown;
        let mut seen = HashSet::new();
        for entry in shown.iter().filter(|entry| entry.inbound) {
            let mid = entry.said.mid.as_str();
            match of_customer.get(mid) {
                Some(message) => same(verdict, &entry.said, message),
                None => verdict.doubled.add(format!("{igsid}: {mid} is nobody's message")),
            }
            verdict.doubled.unless(seen.insert(mid), || format!("{igsid}: {mid} twice"));
        }
        for (mid, message) in &of_customer {
            verdict.lost.unless(seen.contains(mid), || format!("{igsid}: {mid} {:?}", message.text));
        }
        for pair in shown.windows(2) {
            let right = pair[0].said.at <= pair[1].said.at;
            verdict.out_of_order.unless(right, || format!("{igsid}: {:?} stands too late", pair[1].said.mid));
        }
    }
}

fn same(verdict: &mut Verdict, shown: &Said, message: &Said) {
    let mid = &message.mid;
    verdict.out_of_order.unless(shown.at == message.at, || format!("{mid} stands at {}", shown.at));
    let (gone, text) = (shown.deleted, &shown.text);
    verdict
        .untrue
        .unless(gone == message.deleted, || format!("{mid} taken back: {}, shown so: {gone}", message.deleted));
    verdict.untrue.unless(*text == message.text, || format!("{mid}: {:?} is shown as {text:?}", message.text));
    let (theirs, ours) = (&message.reactions, &shown.reactions);
    verdict.untrue.unless(theirs == ours, || format!("{mid}: {theirs:?} is shown as {ours:?}"));
}

/// Every reply has one row and an end; what its parts say of themselves is what the platform got.
fn compare_replies(verdict: &mut Verdict, platform: &Platform, stored: &Stored, asked: &Asked) {
    let mut received: HashMap<&str, usize> = HashMap::new();
    let mut disturbed = HashSet::new();
    for request in &platform.requests {
        if request.accepted {
            *received.entry(&request.text).or_default() += 1;
        }
        if request.disturbed {
            disturbed.insert(request.text.as_str());
        }
    }
    for (text, times) in &received {
        verdict.doubled.unless(*times == 1, || format!("the platform got {text:?} {times} times"));
    }
    let mut keys: HashMap<&str, Vec<&str>> = HashMap::new();
    let mut place = HashMap::new();
    for part in &stored.parts {
        let text = part.text.as_str();
        keys.entry(&part.key).or_default().push(text);
        place.insert(text, (part.conversation, place.len()));
        judge_part(verdict, part, received.get(text).copied().unwrap_or(0), disturbed.contains(text));
    }
    for (key, texts) in asked {
        match keys.get(key.as_str()) {
            Some(parts) => verdict.doubled.unless(parts == texts, || format!("{key}: {texts:?} became {parts:?}")),
            None => verdict.lost.add(format!("the reply {key} was acknowledged")),
        }
    }
    let mut last: HashMap<ConversationId, usize> = HashMap::new();
    for Request { text, .. } in platform.requests.iter().filter(|request| request.accepted) {
        let Some((conversation, at)) = place.get(text.as_str()) else {
            verdict.untrue.add(format!("the platform got {text:?}, which nobody asked for"));
            continue;
        };
        let before = last.insert(*conversation, *at);
        verdict.out_of_order.unless(before.is_none_or(|before| before < *at), || format!("{text:?} overtook another"));
    }
    let strangers = stored.strangers;
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
