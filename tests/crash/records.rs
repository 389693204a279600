//! The records that are compared: gathered from the simulator, and from the file that the last kill left.
//! Belongs here: reading both into plain data. What is made of it: `judge`.

use std::path::Path;

use harness_inbox::{Inbox, TimelineEntry};
use rusqlite::Connection;
use simulator::{Author, Delivery, Simulator, ThreadMessage};

use crate::{
    judge::{Conversation, Delivered, Part, Platform, Request, Said, Shown, Stored, Thread},
    load,
};

/// What the platform saw and was told.
pub fn of_platform(sim: &Simulator) -> Platform {
    let threads = load::customers(sim).into_iter().map(|(account, igsid, customer)| {
        let of_customer = customer.transcript().into_iter().filter(|message| message.from == Author::Customer);
        Thread { account, igsid, said: of_customer.map(said).collect() }
    });
    let messages = sim.requests().into_iter().filter(|record| record.path.ends_with("/messages"));
    let requests = messages.filter_map(|record| {
        let text = record.body["message"]["text"].as_str()?.to_owned();
        Some(Request { text, accepted: record.verdict.accepted, disturbed: record.verdict.fault.is_some() })
    });
    Platform { deliveries: delivered(sim.deliveries()), threads: threads.collect(), requests: requests.collect() }
}

/// What the platform was told about deliveries.
pub fn delivered(deliveries: Vec<Delivery>) -> Vec<Delivered> {
    let one = |delivery: Delivery| Delivered {
        accepted: delivery.accepted(),
        refused_attempts: delivery.attempts.iter().filter(|attempt| attempt.status != Some(200)).count(),
        body: delivery.body,
    };
    deliveries.into_iter().map(one).collect()
}

fn said(message: ThreadMessage) -> Said {
    let theirs = message.reactions.into_iter().filter(|one| one.by == Author::Customer);
    Said {
        mid: message.mid,
        at: message.at_ms,
        text: message.text,
        deleted: message.deleted,
        reactions: theirs.map(|one| one.emoji).collect(),
    }
}

/// What the inbox holds. It opens what the last kill left.
pub async fn of_file(file: &Path) -> Stored {
    let inbox = Inbox::open(file).unwrap();
    let sql = Connection::open(file).unwrap();
    let text = |query: &str| rows(&sql, query, |row| row.get::<_, String>(0));
    let count = |query: &str| sql.query_row(query, [], |row| row.get::<_, i64>(0)).unwrap();
    let mut complaints = text("PRAGMA integrity_check");
    complaints.retain(|complaint| complaint != "ok");
    complaints.extend(text("PRAGMA foreign_key_check"));
    let mut conversations = Vec::new();
    for conversation in inbox.conversations(10_000).await.unwrap() {
        let timeline = inbox.timeline(conversation.id, 10_000_000).await.unwrap();
        let shown = timeline.into_iter().map(shown).collect();
        conversations.push(Conversation {
            account: conversation.account,
            contact: conversation.contact.unwrap_or_default(),
            shown,
        });
    }
    Stored {
        complaints,
        unfinished: text(
            "SELECT state || ' ' || coalesce(problem, '') FROM delivery WHERE state NOT IN ('applied', 'purged')",
        ),
        bodies: rows(&sql, "SELECT body FROM delivery WHERE state <> 'purged'", |row| row.get(0)),
        purged: usize::try_from(count("SELECT count(*) FROM delivery WHERE state = 'purged'")).unwrap(),
        mids: text("SELECT platform_id FROM message WHERE platform_id IS NOT NULL"),
        conversations,
        parts: rows(
            &sql,
            "SELECT r.key, r.state, r.conversation_id, s.text, coalesce(s.state, ''), coalesce(s.outcome, '')
             FROM reply r LEFT JOIN step s ON s.reply_id = r.id AND s.kind = 'message' ORDER BY r.id, s.step",
            |row| {
                Ok(Part {
                    key: row.get(0)?,
                    reply_state: row.get(1)?,
                    conversation: row.get(2)?,
                    text: row.get::<_, Option<String>>(3)?.unwrap_or_default(),
                    state: row.get(4)?,
                    outcome: row.get(5)?,
                })
            },
        ),
        strangers: usize::try_from(count(
            "SELECT count(*) FROM message WHERE direction = 'outbound' AND reply_id IS NULL",
        ))
        .unwrap(),
    }
}

fn rows<T>(sql: &Connection, query: &str, read: impl Fn(&rusqlite::Row<'_>) -> rusqlite::Result<T>) -> Vec<T> {
    let mut statement = sql.prepare(query).unwrap();
    statement.query_map([], |row| read(row)).unwrap().collect::<Result<_, _>>().unwrap()
}

fn shown(entry: TimelineEntry) -> Shown {
    let theirs = entry.reactions.into_iter().filter(|one| one.actor != "business");
    let said = Said {
        mid: entry.platform_id.unwrap_or_default(),
        at: entry.at,
        text: entry.text,
        deleted: entry.deleted_at.is_some(),
        reactions: theirs.map(|one| one.emoji.unwrap_or_default()).collect(),
    };
    Shown { said, inbound: entry.direction == "inbound" }
}
