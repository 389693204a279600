//! The envelope of a delivery: its four formats, and recognising deliveries that are not Instagram's.
//! What belongs here is finding the raw items; `item` and `change` parse them one by one.
//!
//! A normal delivery is parsed in one pass down to its items. Only if something in it has an unexpected type is it
//! parsed step by step, so that an oddity affects nothing else.

use std::borrow::Cow;

use channel_sdk::collect::{Collector, Entry};
use channel_sdk::json::{self, Json, Members, last};
use channel_sdk::lenient::{Notes, milliseconds};
use channel_sdk::text::clip;

use super::{archive, callback, change, item};
use crate::limits::CONTACT_ID;
use crate::types::{Delivery, DeliverySource, Event, EventOrigin, Malformed, ParseError};

/// The value of `object` in every Instagram delivery.
const OBJECT: &str = "instagram";
/// The levels above the items: a delivery, its entries, one entry, a list in it.
const LEVELS_ABOVE_ITEMS: u8 = 4;
/// The most characters of another platform's name that are quoted.
const LOGGED: usize = 64;

/// Parses a delivery: see `messaging-channel.parse-webhook` of the contract.
///
/// # Errors
/// `malformed` if the body is not JSON, `not-this-channel` if its `object` is not `instagram`.
pub fn parse(delivery: &Delivery) -> Result<Vec<Event>, ParseError> {
    let account = delivery.account.as_ref().map(|account| account.id.as_str()).unwrap_or_default();
    match std::str::from_utf8(&delivery.body) {
        Ok(text) => read(&delivery.source, text, Collector::new(CONTACT_ID, account, false)),
        Err(_) => {
            read(&delivery.source, &String::from_utf8_lossy(&delivery.body), Collector::new(CONTACT_ID, account, true))
        }
    }
}

fn read<'t>(source: &DeliverySource, text: &'t str, mut collector: Collector<'t>) -> Result<Vec<Event>, ParseError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    match source {
        DeliverySource::History => archive::read(&mut collector, text)?,
        DeliverySource::Callback(name) => callback::read(&mut collector, name, text)?,
        DeliverySource::Webhook | DeliverySource::Poll | DeliverySource::Other(_) => {
            read_webhook(&mut collector, text)?
        }
    }
    Ok(collector.finish())
}

fn read_webhook<'t>(collector: &mut Collector<'t>, text: &'t str) -> Result<(), ParseError> {
    if !read_documented(collector, text) {
        // Finds syntax errors anywhere; what remains is merely unusual.
        if let Err(fault) = json::shallow(text, 0) {
            return Err(malformed(fault));
        }
        take_apart(collector, text)?;
    }
    Ok(())
}

/// Parses a delivery in the documented format. If it is not, returns false and collects nothing.
fn read_documented<'t>(into: &mut Collector<'t>, text: &'t str) -> bool {
    let Ok(Json::Object(members)) = json::items(text, LEVELS_ABOVE_ITEMS) else {
        return false;
    };
    let (mut ours, mut entries) = (false, None);
    for (name, value) in &members {
        match (&**name, value) {
            ("object", Json::Text(object)) => ours = object == OBJECT,
            ("entry", Json::List(list)) if entries.is_none() => entries = Some(list),
            ("entry", _) => return false,
            _ => {}
        }
    }
    let Some(entries) = entries.filter(|_| ours) else {
        return false;
    };
    if !entries.iter().all(is_documented) {
        return false;
    }
    for entry in entries {
        if let Json::Object(members) = entry {
            read_entry(into, members);
        }
    }
    true
}

/// Whether an entry has a documented format: lists of items (A, B), of changes (C), or one field and its value (D).
fn is_documented(entry: &Json<'_>) -> bool {
    let Json::Object(members) = entry else {
        return false;
    };
    let (mut lists, mut field, mut value) = (0_usize, 0_usize, 0_usize);
    for (name, content) in members {
        match (&**name, content) {
            ("messaging" | "standby" | "changes", Json::List(_)) => lists += 1,
            ("messaging" | "standby" | "changes", Json::Null) => {}
            ("messaging" | "standby" | "changes", _) => return false,
            ("field", Json::Text(_)) => field += 1,
            ("value", Json::Raw(_) | Json::Both(..)) => value += 1,
            ("field", _) => return false,
            _ => {}
        }
    }
    lists > 0 || (field == 1 && value == 1)
}

/// Parses an entry whose lists hold raw items.
fn read_entry<'t>(into: &mut Collector<'t>, members: &Members<'t>) {
    let entry = head(into, members);
    for (name, content) in members {
        if let Json::List(items) = content {
            into.expect(items.len());
            for item in items {
                read_item(into, &entry, name, item);
            }
        }
    }
    if let (Some(Json::Text(field)), Some(value)) = (last(members, "field"), last(members, "value").and_then(Json::raw))
    {
        change::read_field(into, &entry, field, value, value);
    }
}

/// Parses an item of one of the lists, which is raw, or parsed too.
fn read_item<'t>(into: &mut Collector<'t>, entry: &Entry, list: &str, item: &Json<'t>) {
    let Some(raw) = item.raw() else {
        return;
    };
    let origin = match list {
        "messaging" => EventOrigin::Live,
        "standby" => EventOrigin::Standby,
        "changes" => return change::read(into, entry, raw),
        _ => return,
    };
    match item {
        Json::Both(tree, _) => item::read_tree(into, entry, origin, raw, tree, Notes::default(), None),
        _ => item::read(into, entry, origin, raw),
    }
}

fn head<'t>(into: &Collector<'t>, members: &Members<'t>) -> Entry {
    let (mut id, mut time) = (Json::Null, Json::Null);
    let account = last(members, "id").and_then(|value| whole(value, &mut id).id());
    let time = last(members, "time").and_then(|value| milliseconds(whole(value, &mut time)));
    into.entry(account, time)
}

/// The parsed value; `room` holds the result for a raw one.
fn whole<'j, 't>(value: &'j Json<'t>, room: &'j mut Json<'t>) -> &'j Json<'t> {
    match value {
        Json::Raw(raw) => {
            *room = json::parse(raw).unwrap_or(Json::Null);
            room
        }
        other => other,
    }
}

/// Parses a delivery that is JSON but not quite in the documented format.
fn take_apart<'t>(into: &mut Collector<'t>, text: &'t str) -> Result<(), ParseError> {
    // Meta's own samples are wrapped in a list.
    let Ok(Json::List(envelopes)) = json::shallow(text, 1) else {
        return envelope(into, text);
    };
    let mut ours = false;
    let mut refusal = None;
    for envelope_text in envelopes.iter().filter_map(Json::raw) {
        match envelope(into, envelope_text) {
            Ok(()) => ours = true,
            Err(ParseError::NotThisChannel(found)) => {
                let reason = format!("the list holds a delivery of another kind: {found}");
                let entry = into.entry(None, None);
                into.unknown(&entry, EventOrigin::Live, envelope_text, None, reason);
                refusal.get_or_insert(found);
            }
            Err(error) => return Err(error),
        }
    }
    if ours {
        return Ok(());
    }
    Err(ParseError::NotThisChannel(refusal.unwrap_or_else(|| "an empty list".to_owned())))
}

fn envelope<'t>(into: &mut Collector<'t>, text: &'t str) -> Result<(), ParseError> {
    let other = |found: &str| Err(ParseError::NotThisChannel(found.to_owned()));
    let members = match json::shallow(text, 1) {
        Ok(Json::Object(members)) => members,
        Ok(value) => return other(value.kind()),
        Err(_) => return other("an object whose names cannot be read"),
    };
    let Some(object) = last(&members, "object").and_then(Json::raw) else {
        return other("no `object`");
    };
    let object = text_of(object);
    if object != OBJECT {
        return other(clip(&object, LOGGED));
    }
    let mut found = false;
    for (name, entries) in &members {
        let Some(entries) = entries.raw().filter(|_| name == "entry") else {
            continue;
        };
        found = true;
        match json::shallow(entries, 1) {
            Ok(Json::List(entries)) => {
                entries.iter().filter_map(Json::raw).for_each(|text| take_entry_apart(into, text));
            }
            _ => take_entry_apart(into, entries),
        }
    }
    if !found {
        let reason = "the delivery has no `entry`".to_owned();
        into.unknown(&into.entry(None, None), EventOrigin::Live, text, None, reason);
    }
    Ok(())
}

/// Parses an entry, member by member if it is not in the documented format.
fn take_entry_apart<'t>(into: &mut Collector<'t>, text: &'t str) {
    if let Ok(entry) = json::shallow(text, 2)
        && is_documented(&entry)
        && let Json::Object(members) = &entry
    {
        return read_entry(into, members);
    }
    let Ok(Json::Object(members)) = json::shallow(text, 1) else {
        let reason = "an entry is not an object".to_owned();
        return into.unknown(&into.entry(None, None), EventOrigin::Live, text, None, reason);
    };
    let entry = head(into, &members);
    let mut items = 0_usize;
    for (name, list) in &members {
        let is_list = matches!(&**name, "messaging" | "standby" | "changes");
        let Some(list) = list.raw().filter(|list| is_list && *list != "null") else {
            continue;
        };
        let elements = match json::shallow(list, 1) {
            Ok(Json::List(elements)) => elements,
            // An item that is not in a list is parsed too.
            _ => vec![Json::Raw(list)],
        };
        for item in &elements {
            items += 1;
            read_item(into, &entry, name, item);
        }
    }
    if let (Some(field), Some(value)) =
        (last(&members, "field").and_then(Json::raw), last(&members, "value").and_then(Json::raw))
    {
        items += 1;
        change::read_field(into, &entry, &text_of(field), value, value);
    }
    if items == 0 {
        let kind = members
            .iter()
            .map(|(name, _)| &**name)
            .find(|name| !matches!(*name, "id" | "time" | "messaging" | "standby" | "changes"));
        let reason = "the entry holds none of `messaging`, `standby`, `changes`, `field`";
        into.unknown(&entry, EventOrigin::Live, text, kind, reason.to_owned());
    }
}

/// The content of a JSON string, or the raw JSON of any other value.
fn text_of(raw: &str) -> Cow<'_, str> {
    match json::parse(raw) {
        Ok(Json::Text(text)) => text,
        _ => Cow::Borrowed(raw),
    }
}

pub(super) fn malformed(fault: json::Fault) -> ParseError {
    let reason = match fault.ends {
        true => "the JSON ends before it is complete",
        false => "this is not JSON",
    };
    ParseError::Malformed(Malformed { offset: fault.offset as u64, reason: reason.to_owned() })
}
