//! The platform's other callbacks: app removed, and deletion requests.
//! What belongs here is the payload that Meta signed, decoded by the host.
//!
//! Sources: Meta, "Data Deletion Request Callback"; "Manually Build a Login Flow", deauthorizing; captures.

use channel_sdk::collect::{Collector, Draft};
use channel_sdk::json::{self, Json};
use channel_sdk::lenient::{Notes, milliseconds};
use channel_sdk::names::account_change;

use super::envelope::malformed;
use super::id;
use crate::types::{AccountUpdate, Author, ErasureRequest, EventBody, EventOrigin, ParseError};

/// Parses `{"user_id","profile_id","issued_at"}`. The event's account is the person who authorized the app, by their
/// app-specific id.
pub(super) fn read<'t>(into: &mut Collector<'t>, name: &str, text: &'t str) -> Result<(), ParseError> {
    let payload = json::parse(text).map_err(malformed)?;
    let value = |name: &str| payload.get(name).and_then(Json::id);
    let (person, page) = (value("user_id"), value("profile_id"));
    let update = |change: &str, detail: &str| {
        EventBody::AccountUpdate(AccountUpdate { change: change.to_owned(), detail: Some(detail.to_owned()) })
    };
    let (prefix, account, body) = match (name, person, page) {
        ("data-deletion", Some(person), _) => {
            ("x", person, EventBody::ErasureRequest(ErasureRequest { reference: None }))
        }
        ("deauthorize", Some(person), _) => {
            ("a", person, update(account_change::DISCONNECTED, "The person removed the app."))
        }
        // When this app unsubscribes a page, Meta calls back like this, although no one has left.
        ("deauthorize", None, Some(page)) => {
            ("a", page, update(account_change::OTHER, "The page's webhooks were unsubscribed by this app."))
        }
        ("data-deletion" | "deauthorize", ..) => {
            let entry = into.entry(None, None);
            let reason = "the call names nobody".to_owned();
            into.unknown(&entry, EventOrigin::Live, text, Some(name), reason);
            return Ok(());
        }
        _ => return Err(ParseError::NotThisChannel(name.to_owned())),
    };
    let at = payload.get("issued_at").and_then(milliseconds);
    let entry = into.entry(Some(account), at);
    let event_id: String = id::of(prefix, &[&entry.account, &id::time(at)]);
    let draft = Draft {
        id: Some(event_id),
        may_repeat: false,
        account: None,
        contact: None,
        author: Author::Platform,
        at,
        origin: EventOrigin::Live,
        opens: None,
        body,
        notes: Notes::default(),
    };
    into.add(&entry, text, draft);
    Ok(())
}
