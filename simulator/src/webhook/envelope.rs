//! The body of a delivery: `object`, `entry[]`, and the four shapes that an entry can have.
//! What belongs here: assembling entries, and the dashboard's test deliveries. No sending.

use serde::Serialize;
use serde_json::{Value, json};

use crate::webhook::change::Change;
use crate::webhook::item::Item;
use crate::wire::to_wire;

/// A whole delivery.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Envelope {
    /// `instagram`, unless a test sets something else.
    pub object: String,
    /// The entries, up to 1000 updates together.
    pub entry: Vec<Entry>,
}

/// One entry: one account, one shape.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Entry {
    /// The business account's Instagram id.
    pub id: String,
    /// When the entry was made: milliseconds for messaging, seconds for changes; some lack it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<i64>,
    /// The entry's content.
    #[serde(flatten)]
    pub shape: Shape,
}

/// The four shapes of Meta's documentation and of captured payloads.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Shape {
    /// A: direct messages of both logins.
    Messaging {
        /// The items.
        messaging: Vec<Item>,
    },
    /// B: a thread that another app owns.
    Standby {
        /// The items.
        standby: Vec<Item>,
    },
    /// C: comments and mentions; documented for the Facebook login, observed for both.
    Changes {
        /// The changes.
        changes: Vec<Change>,
    },
    /// D: one change flat in the entry, documented for the Instagram login.
    Flat(Change),
}

impl Envelope {
    /// A delivery of these entries.
    pub fn new(entry: Vec<Entry>) -> Self {
        Self { object: "instagram".to_owned(), entry }
    }

    /// The bytes on the wire.
    pub fn to_wire(&self) -> Vec<u8> {
        to_wire(self)
    }

    /// The dashboard's "Test" button of the Instagram login: a `changes` entry with field
    /// `messages`, ids 12334 and 23245, and the timestamp as a string in seconds.
    pub fn dashboard_test_instagram() -> Self {
        Self::new(vec![Entry {
            id: "0".to_owned(),
            time: Some(1_795_000_000),
            shape: Shape::Changes { changes: vec![Change::other("messages", dashboard_message())] },
        }])
    }

    /// The older form of the same button: `event_type`, `event_timestamp`, `event_data`.
    pub fn dashboard_test_2021() -> Self {
        Self::new(vec![Entry {
            id: "0".to_owned(),
            time: Some(1_625_000_000),
            shape: Shape::Changes {
                changes: vec![Change::other(
                    "messages",
                    json!({
                        "event_type": "messages", "event_timestamp": "1527459824",
                        "event_data": {"message": {"mid": "random_mid", "text": "random_text"}},
                    }),
                )],
            },
        }])
    }

    /// The dashboard's "Test" button of the Facebook login: the same inner object under
    /// `messaging[]`. Raw JSON, because its timestamp is a string.
    pub fn dashboard_test_facebook() -> Value {
        json!({
            "object": "instagram",
            "entry": [{"id": "0", "time": 1_795_000_000, "messaging": [dashboard_message()]}],
        })
    }
}

impl Entry {
    /// Shape A. Meta's `entry.time` is a little later than the newest item.
    pub fn messaging(ig_id: &str, time_ms: i64, items: Vec<Item>) -> Self {
        Self { id: ig_id.to_owned(), time: Some(time_ms), shape: Shape::Messaging { messaging: items } }
    }

    /// Shape B.
    pub fn standby(ig_id: &str, time_ms: i64, items: Vec<Item>) -> Self {
        Self { id: ig_id.to_owned(), time: Some(time_ms), shape: Shape::Standby { standby: items } }
    }

    /// Shape C; the time is in seconds here.
    pub fn changes(ig_id: &str, time_ms: i64, changes: Vec<Change>) -> Self {
        Self { id: ig_id.to_owned(), time: Some(time_ms / 1000), shape: Shape::Changes { changes } }
    }

    /// Shape D; the time is in seconds here.
    pub fn flat(ig_id: &str, time_ms: i64, change: Change) -> Self {
        Self { id: ig_id.to_owned(), time: Some(time_ms / 1000), shape: Shape::Flat(change) }
    }
}

fn dashboard_message() -> Value {
    json!({
        "sender": {"id": "12334"}, "recipient": {"id": "23245"}, "timestamp": "1527459824",
        "message": {"mid": "random_mid", "text": "random_text"},
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a failed lookup is a failed test")]
    use super::*;
    use crate::webhook::item::{Kind, MessageBody, Postback, Reaction};

    fn wire(entry: Entry) -> String {
        String::from_utf8(Envelope::new(vec![entry]).to_wire()).unwrap()
    }

    #[test]
    fn shape_a_reads_like_a_captured_delivery() {
        let body = MessageBody { mid: "m1".to_owned(), ..MessageBody::text("hi") };
        let item = Item::new("65", "17", 1_795_000_000_123, Kind::Message(body));
        assert_eq!(
            wire(Entry::messaging("17", 1_795_000_000_456, vec![item])),
            r#"{"object":"instagram","entry":[{"id":"17","time":1795000000456,"messaging":[{"sender":{"id":"65"},"recipient":{"id":"17"},"timestamp":1795000000123,"message":{"mid":"m1","text":"hi"}}]}]}"#
        );
    }

    #[test]
    fn shapes_b_c_and_d_have_their_own_keys_and_seconds() {
        let standby = Item::new("65", "17", 1, Kind::Read { mid: "m".to_owned() });
        assert!(wire(Entry::standby("17", 2, vec![standby])).contains(r#""standby":[{"sender""#));
        let change = Change::mention("18", None);
        assert!(
            wire(Entry::changes("17", 5_000, vec![change.clone()]))
                .contains(r#""time":5,"changes":[{"field":"mentions","value":{"media_id":"18"}}]"#)
        );
        assert!(
            wire(Entry::flat("17", 5_000, change))
                .contains(r#""time":5,"field":"mentions","value":{"media_id":"18"}}"#)
        );
    }

    #[test]
    fn flags_of_self_messaging_stand_where_the_platform_puts_them() {
        let postback = Postback { title: "T".to_owned(), payload: "P".to_owned(), ..Postback::default() };
        let mut item = Item::new("1", "1", 1, Kind::Postback(postback));
        item.is_self = true;
        let value = serde_json::to_value(item).unwrap();
        assert_eq!(value["is_self"], true);
        assert_eq!(value["postback"], json!({"title": "T", "payload": "P"}));
    }

    #[test]
    fn a_removed_reaction_carries_only_mid_and_action() {
        let item = Item::anonymous(1, Kind::Reaction(Reaction::unreact("m")));
        assert_eq!(
            serde_json::to_value(item).unwrap(),
            json!({"timestamp": 1, "reaction": {"mid": "m", "action": "unreact"}})
        );
    }
}
