//! The judge of the crash test notices a broken host: made-up records, in each of which one thing is wrong, and the
//! verdict that names it. Without this, a run without faults would prove nothing.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    missing_docs,
    unreachable_pub,
    reason = "a test fails by panicking"
)]

#[path = "crash/judge.rs"]
mod of_the_crash;

use harness_inbox::ConversationId;
use of_the_crash::{
    Asked, Conversation, Delivered, Part, Platform, Request, Said, Shown, Stored, Thread, Verdict, compare,
};
use serde_json::json;

const IGSID: &str = "5551230000000001";

fn said(number: i64) -> Said {
    Said {
        mid: format!("mid-{number}"),
        at: 1_000 + number,
        text: Some(format!("message {number}")),
        deleted: false,
        reactions: Vec::new(),
    }
}

fn delivered(number: i64) -> Delivered {
    let message = json!({ "mid": format!("mid-{number}"), "text": format!("message {number}") });
    let body = json!({ "entry": [{ "messaging": [{ "message": message }] }] });
    Delivered { body: serde_json::to_vec(&body).unwrap(), accepted: true, refused_attempts: 0 }
}

fn part(number: i64, state: &str) -> Part {
    Part {
        key: format!("reply {number}"),
        reply_state: "done".into(),
        conversation: ConversationId::new(1),
        text: format!("part {number}"),
        state: state.into(),
        outcome: String::new(),
    }
}

fn request(number: i64, accepted: bool, disturbed: bool) -> Request {
    Request { text: format!("part {number}"), accepted, disturbed }
}

/// Three messages and five replies, all as they should be: the platform's records and the file's.
fn sound() -> (Platform, Stored, Asked) {
    let mut reacted = said(3);
    reacted.reactions.push("🔥".into());
    let messages = [said(1), said(2), reacted];
    let platform = Platform {
        deliveries: (1..=3).map(delivered).collect(),
        threads: vec![Thread { account: "1".into(), igsid: IGSID.into(), said: messages.to_vec() }],
        requests: vec![
            request(1, true, false),
            request(2, true, false),
            // Accepted, but the answer was lost.
            request(3, true, true),
            // Refused, and never asked for.
            request(4, false, false),
        ],
    };
    let stored = Stored {
        bodies: (1..=3).map(|number| delivered(number).body).collect(),
        mids: messages.iter().map(|message| message.mid.clone()).collect(),
        conversations: vec![Conversation {
            account: "1".into(),
            contact: IGSID.into(),
            shown: messages.into_iter().map(|said| Shown { said, inbound: true }).collect(),
        }],
        parts: vec![part(1, "sent"), part(2, "sent"), part(3, "ambiguous"), part(4, "rejected"), part(5, "cancelled")],
        ..Stored::default()
    };
    let asked = (1..=5).map(|number| (format!("reply {number}"), vec![format!("part {number}")])).collect();
    (platform, stored, asked)
}

/// The verdict on records in which something was made wrong; `named` are the counts that are not zero.
fn broken(named: &[&str], words: &str, spoil: impl FnOnce(&mut Platform, &mut Stored, &mut Asked)) {
    let (mut platform, mut stored, mut asked) = sound();
    spoil(&mut platform, &mut stored, &mut asked);
    let verdict = compare(&platform, &stored, &asked);
    assert!(!verdict.clean(), "it is not noticed: {verdict:#?}");
    let last = last_line(&verdict);
    for kind in ["lost", "doubled", "out of order", "untrue", "broken"] {
        assert_eq!(last.contains(&format!("{kind} 0")), !named.contains(&kind), "{kind}: {last}, {verdict:#?}");
    }
    assert!(format!("{verdict:?}").contains(words), "{words:?} is not in {verdict:#?}");
}

fn last_line(verdict: &Verdict) -> String {
    verdict.to_string().lines().last().unwrap().to_owned()
}

#[test]
fn what_is_as_it_should_be_is_clean() {
    let (platform, stored, asked) = sound();
    let verdict = compare(&platform, &stored, &asked);
    assert!(verdict.clean(), "{verdict:#?}");
    assert_eq!((verdict.acknowledged, verdict.messages, verdict.unknown_received), (3, 3, 1));
    assert_eq!(last_line(&verdict), "lost 0, doubled 0, out of order 0, untrue 0, broken 0");
}

#[test]
fn a_lost_message_delivery_or_reply_is_named() {
    broken(&["lost"], "mid-2", |_, stored, _| {
        stored.mids.remove(1);
        stored.conversations[0].shown.remove(1);
    });
    broken(&["lost"], "1 deliveries are not in the journal", |_, stored, _| drop(stored.bodies.remove(0)));
    broken(&["lost"], "a delivery is failed", |_, stored, _| stored.unfinished.push("failed".into()));
    broken(&["lost"], "has 0 conversations", |_, stored, _| stored.conversations.clear());
    broken(&["lost"], "the reply reply 5 was acknowledged", |_, stored, _| drop(stored.parts.pop()));
}

#[test]
fn a_body_that_was_emptied_is_not_lost_and_another_one_is() {
    let (platform, mut stored, asked) = sound();
    stored.bodies.remove(0);
    stored.purged = 1;
    assert!(compare(&platform, &stored, &asked).clean());
    stored.bodies.remove(0);
    assert!(format!("{:?}", compare(&platform, &stored, &asked)).contains("1 deliveries are not in the journal"));
}

#[test]
fn a_doubled_message_conversation_echo_or_reply_is_named() {
    broken(&["doubled"], "mid-2 is there 2 times", |_, stored, _| {
        stored.mids.push("mid-2".into());
        let again = stored.conversations[0].shown[1].clone();
        stored.conversations[0].shown.insert(1, again);
    });
    broken(&["doubled"], "is nobody's message", |_, stored, _| {
        stored.conversations[0].shown.push(Shown { said: said(9), inbound: true });
    });
    broken(&["doubled"], "2 conversations", |_, stored, _| {
        let contact = "another one".to_owned();
        stored.conversations.push(Conversation { account: "1".into(), contact, shown: Vec::new() });
    });
    broken(&["doubled"], "1 echoes", |_, stored, _| stored.strangers = 1);
    broken(&["doubled"], "became", |_, stored, _| {
        stored.parts.push(Part { key: "reply 5".into(), ..part(6, "cancelled") });
    });
}

#[test]
fn a_message_or_a_reply_that_is_out_of_order_is_named() {
    broken(&["out of order"], "stands too late", |_, stored, _| stored.conversations[0].shown.swap(0, 1));
    broken(&["out of order"], "mid-3 stands at 9999", |_, stored, _| stored.conversations[0].shown[2].said.at = 9_999);
    broken(&["out of order"], "overtook another", |platform, _, _| platform.requests.swap(0, 1));
}

#[test]
fn a_part_that_was_sent_twice_is_named_whatever_its_outcome_says() {
    // A repeat also overtakes itself.
    let cases: [(usize, &[&str]); 2] = [(1, &["doubled", "untrue", "out of order"]), (3, &["doubled", "out of order"])];
    for (number, named) in cases {
        broken(named, "2 times", |platform, _, _| {
            let again = platform.requests[number - 1].clone();
            platform.requests.insert(number, again);
        });
    }
}

#[test]
fn an_outcome_that_is_not_what_the_platform_saw_is_named() {
    broken(&["untrue"], "is sent and was received 0 times", |platform, _, _| drop(platform.requests.remove(1)));
    broken(&["untrue"], "is rejected and was received 1 times", |platform, _, _| platform.requests[3].accepted = true);
    broken(&["untrue"], "is cancelled and was received 1 times", |platform, _, _| {
        platform.requests.push(request(5, true, false));
    });
    // Nothing stood between the request and its answer: then "ambiguous" is an excuse.
    broken(&["untrue"], "is ambiguous and was received 1 times", |platform, _, _| {
        platform.requests[2].disturbed = false
    });
    broken(&["untrue"], "is sending", |_, stored, _| stored.parts[4].state = "sending".into());
    broken(&["untrue"], "the reply of", |_, stored, _| stored.parts[0].reply_state = "sending".into());
    broken(&["untrue"], "which nobody asked for", |platform, _, _| platform.requests.push(request(7, true, false)));
}

#[test]
fn a_message_that_is_shown_otherwise_than_it_is_is_named() {
    broken(&["untrue"], "is shown as", |_, stored, _| stored.conversations[0].shown[0].said.text = None);
    broken(&["untrue"], "taken back: true, shown so: false", |platform, _, _| {
        platform.threads[0].said[0].deleted = true
    });
    broken(&["untrue"], "is shown as", |_, stored, _| stored.conversations[0].shown[2].said.reactions.clear());
}

#[test]
fn a_file_that_complains_of_itself_is_broken() {
    broken(&["broken"], "malformed", |_, stored, _| stored.complaints.push("malformed".into()));
}
