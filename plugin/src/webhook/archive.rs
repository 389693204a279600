//! The history: a conversation of Meta's Conversations API, as wrapped by `account.history`.
//! What belongs here is converting its messages into webhook items, which `item` parses. So a message becomes the same
//! event, whichever way it arrives.
//!
//! Source: Meta, "Conversations API" of the Instagram Platform, and captures.

use std::borrow::Cow;

use channel_sdk::blank::person;
use channel_sdk::collect::{Collector, Entry};
use channel_sdk::json::{self, Json, Members, last};
use channel_sdk::lenient::Notes;
use channel_sdk::text::contains_ignoring_case;

use super::envelope::malformed;
use super::{item, mid};
use crate::time;
use crate::types::{Contact, EventOrigin, ParseError};

/// Parses `{"account":…,"since":…,"conversation":{"participants":…,"messages":{"data":[…]}}}`. Messages up to the time
/// `since` are left out.
pub(super) fn read<'t>(into: &mut Collector<'t>, text: &'t str) -> Result<(), ParseError> {
    let body = json::shallow(text, 1).map_err(malformed)?;
    let member = |name: &str| match &body {
        Json::Object(members) => last(members, name).and_then(Json::raw),
        _ => None,
    };
    let Some(conversation) = member("conversation") else {
        return Err(ParseError::NotThisChannel("no `conversation`".to_owned()));
    };
    let account = member("account").and_then(|raw| json::parse(raw).ok()?.id());
    let since = member("since").and_then(|since| since.trim_ascii().parse().ok()).unwrap_or(0);
    let entry = into.entry(account, None);
    let conversation = json::shallow(conversation, 1).unwrap_or(Json::Null);
    let member = |name: &str| conversation.get(name).and_then(Json::raw).unwrap_or("null");
    let participants = json::parse(member("participants")).unwrap_or(Json::Null);
    let mut people = data(Some(&participants)).iter();
    let customer = people.find(|one| id_of(Some(one)).is_some_and(|id| id != entry.account));
    let messages = json::shallow(member("messages"), 2).unwrap_or(Json::Null);
    for (message, _) in in_order(data(Some(&messages)).iter().filter_map(Json::raw)) {
        read_message(into, &entry, customer, since, message);
    }
    if let (Some(customer), Some(id)) = (customer, id_of(customer)) {
        let text = |name: &str| customer.get(name).and_then(Json::id);
        into.introduce(&Contact { name: text("name"), username: text("username"), ..person(id) });
    }
    Ok(())
}

/// Messages with their times, oldest first. The API lists the newest first and gives times only to the second. Within a
/// second, the time in the ids decides, or else the order of the list.
fn in_order<'t>(messages: impl Iterator<Item = &'t str>) -> Vec<(&'t str, Option<u64>)> {
    let time = |raw: &str| json::parse(raw).ok().and_then(|message| time_of(&message)).map(|(time, _)| time);
    let mut messages: Vec<_> = messages.map(|raw| (raw, time(raw))).collect();
    let ends = (messages.first().and_then(|first| first.1), messages.last().and_then(|last| last.1));
    if !matches!(ends, (Some(first), Some(last)) if first < last) {
        messages.reverse();
    }
    // A message without a time keeps its place after the one before it.
    let mut newest = 0;
    for (_, time) in &mut messages {
        newest = time.unwrap_or(newest);
        *time = Some(newest);
    }
    let mut sorted: Vec<(&str, Option<u64>)> = Vec::with_capacity(messages.len());
    for message in messages {
        let place = sorted.partition_point(|(_, time)| *time <= message.1);
        sorted.insert(place, message);
    }
    sorted
}

/// The earliest and latest time at which a message may have been written, in milliseconds. The API gives the second;
/// the message's id gives the millisecond.
fn time_of(message: &Json<'_>) -> Option<(u64, u64)> {
    let second = match message.get("created_time") {
        Some(Json::Text(text)) => time::of_archive(text),
        _ => None,
    };
    let exact = id_of(Some(message)).and_then(|id| mid::time(&id));
    match (second, exact) {
        (Some(second), Some(exact)) if exact.abs_diff(second) < 2 * SECOND => Some((exact, exact)),
        (Some(second), _) => Some((second, second + SECOND - 1)),
        (None, _) => None,
    }
}

/// A second in milliseconds.
const SECOND: u64 = 1000;

/// The elements of the list in `data`.
fn data<'j, 'a>(value: Option<&'j Json<'a>>) -> &'j [Json<'a>] {
    match value.and_then(|value| value.get("data")) {
        Some(Json::List(elements)) => elements,
        _ => &[],
    }
}

fn id_of(value: Option<&Json<'_>>) -> Option<String> {
    value?.get("id")?.id()
}

fn read_message<'t>(into: &mut Collector<'t>, entry: &Entry, customer: Option<&Json<'_>>, since: u64, raw: &'t str) {
    let mut notes = Notes::default();
    let mut repaired = String::new();
    let Some(message) = item::tree(&mut notes, raw, &mut repaired) else {
        return into.unknown(entry, EventOrigin::History, raw, None, "the message cannot be read".to_owned());
    };
    let message = Some(&message);
    let member = |name: &str| message.and_then(|message| message.get(name));
    let time = message.and_then(time_of);
    if time.is_some_and(|(_, latest)| latest <= since) {
        return;
    }
    let time = time.map(|(time, _)| time);
    let account = Json::Object(vec![pair("id", &entry.account)]);
    let account = Some(&account);
    let sender = member("from");
    let receiver = match id_of(sender) {
        Some(id) if id == entry.account => data(member("to")).first().or(customer),
        _ => account,
    };
    let mut content = Members::new();
    copy(&mut content, "mid", message, "id");
    copy(&mut content, "text", message, "message");
    let story = |name: &str| member("story").and_then(|story| story.get(name));
    let mut attachments = Vec::new();
    for file in data(member("attachments")) {
        attachments.push(file_of(file));
    }
    for shared in data(member("shares")) {
        attachments.push(match products_of(shared) {
            Some(products) => products,
            None => attachment(kind_of(shared), Some(shared), "link"),
        });
    }
    if let mention @ Some(_) = story("mention") {
        attachments.push(attachment("story_mention", mention, "link"));
    }
    let mut target = Members::new();
    match member("reply_to") {
        Some(bare @ Json::Text(mid)) if !mid.is_empty() => copy_whole(&mut target, "mid", bare),
        reply => {
            copy(&mut target, "mid", reply, "id");
            copy(&mut target, "mid", reply, "mid");
        }
    }
    if let reply @ Some(_) = story("reply_to") {
        let mut story = Members::new();
        copy(&mut story, "url", reply, "link");
        copy(&mut story, "id", reply, "id");
        add(&mut target, "story", Json::Object(story));
    }
    // If the API does not show the content, it marks the message as unsupported or returns nothing at all.
    let is_shown = content.len() > 1 || !attachments.is_empty();
    if !is_shown || member("is_unsupported").is_some_and(|flag| notes.flag(flag)) {
        add(&mut content, "is_unsupported", Json::Bool(true));
    }
    add(&mut content, "attachments", Json::List(attachments));
    if !target.is_empty() {
        add(&mut content, "reply_to", Json::Object(target));
    }
    read_item(into, entry, raw, time, [sender, receiver], "message", content, notes);
    // The current reactions. The API does not say when they were added. They count as added with the message, so that
    // anything a webhook reports about them is newer.
    for reaction in data(member("reactions")) {
        let users = match reaction.get("users") {
            Some(Json::List(users)) => users,
            users => data(users),
        };
        for user in users {
            let is_ours = id_of(Some(user)).is_some_and(|id| id == entry.account);
            let mut content = Members::from([pair("action", "react")]);
            copy(&mut content, "mid", message, "id");
            copy(&mut content, "emoji", Some(reaction), "emoji");
            // Meta's name for it, or the emoji itself.
            let is_word = matches!(reaction.get("reaction"), Some(Json::Text(word)) if word.is_ascii());
            copy(&mut content, if is_word { "reaction" } else { "emoji" }, Some(reaction), "reaction");
            let sides = [Some(user), if is_ours { customer } else { account }];
            read_item(into, entry, raw, time, sides, "reaction", content, Notes::default());
        }
    }
}

/// Parses a message that was converted into a webhook item.
#[allow(clippy::too_many_arguments, reason = "an item has that many sides")]
fn read_item<'t>(
    into: &mut Collector<'t>,
    entry: &Entry,
    raw: &'t str,
    time: Option<u64>,
    [sender, recipient]: [Option<&Json<'_>>; 2],
    kind: &'static str,
    content: Members<'_>,
    notes: Notes,
) {
    let mut item = Members::new();
    copy(&mut item, "sender", sender, "id");
    copy(&mut item, "recipient", recipient, "id");
    if let Some(time) = time {
        add(&mut item, "timestamp", Json::Unsigned(time));
    }
    add(&mut item, kind, Json::Object(content));
    item::read_tree(into, entry, EventOrigin::History, raw, &Json::Object(item), notes, None);
}

fn add<'t>(members: &mut Members<'t>, name: &'static str, value: Json<'t>) {
    members.push((Cow::Borrowed(name), value));
}

fn pair<'t>(name: &'static str, value: &'t str) -> (Cow<'t, str>, Json<'t>) {
    (Cow::Borrowed(name), Json::Text(Cow::Borrowed(value)))
}

/// Copies a text or id under another name.
fn copy<'t>(members: &mut Members<'t>, name: &'static str, from: Option<&'t Json<'_>>, member: &str) {
    if let Some(value) = from.and_then(|from| from.get(member)) {
        copy_whole(members, name, value);
    }
}

fn copy_whole<'t>(members: &mut Members<'t>, name: &'static str, value: &'t Json<'_>) {
    match value {
        Json::Text(text) if !text.is_empty() => add(members, name, Json::Text(Cow::Borrowed(text))),
        Json::Unsigned(number) => add(members, name, Json::Unsigned(*number)),
        _ => {}
    }
}

fn attachment<'t>(kind: &'static str, payload: Option<&'t Json<'_>>, address: &str) -> Json<'t> {
    let mut members = Members::new();
    copy(&mut members, "url", payload, address);
    // Ids of files have no use, unlike those of shared content.
    if address == "link" {
        copy(&mut members, "id", payload, "id");
        copy(&mut members, "title", payload, "name");
    }
    Json::Object(vec![pair("type", kind), (Cow::Borrowed("payload"), Json::Object(members))])
}

/// A file. The member that holds the URL determines the type.
fn file_of<'t>(file: &'t Json<'_>) -> Json<'t> {
    for (member, kind) in [("image_data", "image"), ("video_data", "video")] {
        if let data @ Some(_) = file.get(member) {
            return attachment(kind, data, "url");
        }
    }
    let kind = match file.get("mime_type") {
        Some(Json::Text(mime)) if mime.starts_with("audio/") => "audio",
        // An unrecognised file keeps the platform's own JSON.
        _ if file.get("file_url").is_none() => "archived",
        _ => "file",
    };
    attachment(kind, Some(file), "file_url")
}

/// Shared products, in the form of webhooks: `template.payload.product.elements`.
fn products_of<'t>(shared: &'t Json<'_>) -> Option<Json<'t>> {
    let elements = shared.get("template")?.get("payload")?.get("product")?.get("elements")?;
    let list = match elements {
        Json::List(list) => list.as_slice(),
        elements => data(Some(elements)),
    };
    let mut products = Vec::new();
    for element in list {
        let mut product = Members::new();
        for name in ["id", "retailer_id", "title", "subtitle", "image_url"] {
            copy(&mut product, name, Some(element), name);
        }
        products.push(Json::Object(product));
    }
    let within = |name, value| Json::Object(vec![(Cow::Borrowed(name), value)]);
    let payload = within("product", within("elements", Json::List(products)));
    Some(Json::Object(vec![pair("type", "template"), (Cow::Borrowed("payload"), payload)]))
}

/// The type of a shared link: a reel, a post, or another page.
fn kind_of(shared: &Json<'_>) -> &'static str {
    let leads_to =
        |place: &str| matches!(shared.get("link"), Some(Json::Text(link)) if contains_ignoring_case(link, place));
    if leads_to("/reel/") {
        "ig_reel"
    } else if leads_to("instagram.com/") || leads_to("fbsbx.com/") {
        "ig_post"
    } else {
        "fallback"
    }
}
