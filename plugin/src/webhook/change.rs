//! Changes: a field and its value, in either of Meta's two formats.
//! What belongs here is comments, mentions, policy notices, and forwarding direct messages to `item`.

use channel_sdk::blank::person;
use channel_sdk::collect::{Collector, Draft, Entry};
use channel_sdk::json::{self, Json};
use channel_sdk::lenient::Notes;
use channel_sdk::names::{anomaly, comment_place};

use super::{id, item, kinds};
use crate::types::{AdContext, Author, BusinessAuthor, Comment, Contact, EventBody, EventOrigin, Mention, UnknownItem};

/// Parses an element of `changes`.
pub(super) fn read<'t>(into: &mut Collector<'t>, entry: &Entry, raw: &'t str) {
    let origin = origin(entry, "");
    let Ok(Json::Object(members)) = json::shallow(raw, 1) else {
        let reason = "a change is not an object".to_owned();
        return into.unknown(entry, origin, raw, None, reason);
    };
    let member = |name: &str| match json::last(&members, name) {
        Some(Json::Raw(raw)) => Some(*raw),
        _ => None,
    };
    let field = member("field").and_then(|raw| json::parse(raw).ok()).and_then(|value| value.id());
    match (field, member("value")) {
        (Some(field), Some(value)) => read_field(into, entry, &field, value, raw),
        (field, _) => {
            let reason = "a change without a field or without a value".to_owned();
            into.unknown(entry, origin, raw, field.as_deref(), reason);
        }
    }
}

/// Parses one field. `raw` represents it if it cannot be parsed.
pub(super) fn read_field<'t>(into: &mut Collector<'t>, entry: &Entry, field: &str, value: &'t str, raw: &'t str) {
    let origin = origin(entry, field);
    let mut notes = Notes::default();
    let mut repaired = String::new();
    let Some(tree @ Json::Object(_)) = item::tree(&mut notes, value, &mut repaired) else {
        let reason = format!("the value of `{field}` is not an object");
        return into.unknown(entry, origin, raw, Some(field), reason);
    };
    // Direct messages arrive as changes too: from the dashboard, and for some fields from accounts connected through
    // the Instagram login.
    if item::is_item(&tree) {
        return item::read_tree(into, entry, origin, value, &tree, notes, Some(field));
    }
    let draft = match field {
        "comments" => comment(entry, false, &tree, notes),
        "live_comments" => comment(entry, true, &tree, notes),
        "mentions" => mention(&tree, notes),
        "messaging_policy_enforcement" => {
            let body = EventBody::AccountUpdate(kinds::policy(&mut notes, &tree));
            // The entry's time is that of the delivery, which differs when Meta repeats it.
            let id = id::of("y", &["", &id::hash(&[raw])]);
            Draft { may_repeat: true, ..plain(Some(id), Author::Platform, body, notes) }
        }
        other => {
            // The format of the dashboard's samples in 2021.
            let sample = tree.get("event_type").is_some() && tree.get("event_data").is_some();
            let origin = if sample { EventOrigin::Test } else { origin };
            let reason = format!("this version does not know the field `{other}`");
            return into.unknown(entry, origin, raw, Some(other), reason);
        }
    };
    into.add(entry, raw, Draft { at: entry.time, origin, ..draft });
}

fn origin(entry: &Entry, field: &str) -> EventOrigin {
    match field {
        _ if item::is_test(entry) => EventOrigin::Test,
        "standby" => EventOrigin::Standby,
        _ => EventOrigin::Live,
    }
}

fn plain(id: Option<String>, author: Author, body: EventBody, notes: Notes) -> Draft {
    Draft {
        id,
        may_repeat: false,
        account: None,
        contact: None,
        author,
        at: None,
        origin: EventOrigin::Live,
        opens: None,
        body,
        notes,
    }
}

/// The values of `media.media_product_type`.
const PLACES: &[(&str, &str)] = &[
    ("FEED", comment_place::POST),
    ("REELS", comment_place::REEL),
    ("STORY", comment_place::STORY),
    ("AD", comment_place::AD),
];

fn comment(entry: &Entry, live: bool, value: &Json<'_>, mut notes: Notes) -> Draft {
    let [id, comment_id, text, parent_id, media_id, media, from] =
        notes.pick(value, &["id", "comment_id", "text", "parent_id", "media_id", "media", "from"]);
    let [in_media, product_type, ad_id, ad_title, original] =
        notes.pick_or_first(media, &["id", "media_product_type", "ad_id", "ad_title", "original_media_id"]);
    let [from_id, username, own_id] = notes.pick_or_first(from, &["id", "username", "self_ig_scoped_id"]);
    let (from_id, username) = (notes.id(from_id), notes.text(username));
    let contact = from_id.map(|id| Contact { username: username.clone(), ..person(id) });
    // One of Meta's pages says `comment_id`; all other pages and all captures say `id`.
    let Some(id) = notes.id(id).or_else(|| notes.id(comment_id)) else {
        let reason = "a comment without an id".to_owned();
        let body = EventBody::Unknown(UnknownItem { reason, kind: None });
        return Draft { contact, ..plain(None, Author::Unknown, body, notes) };
    };
    let ad = AdContext {
        id: notes.id(ad_id),
        title: notes.text(ad_title),
        photo_url: None,
        video_url: None,
        post_id: notes.id(original),
    };
    let advertised = ad.id.is_some() || ad.title.is_some() || ad.post_id.is_some();
    // The business's own public reply is delivered as a comment too.
    let own = notes.id(own_id).is_some() || contact.as_ref().is_some_and(|contact| contact.id == entry.account);
    let (author, contact) = match (own, contact) {
        (true, _) => (Author::Business(BusinessAuthor { app_id: None, correlation: None }), None),
        (false, Some(contact)) => (Author::Contact, Some(contact)),
        (false, None) => {
            notes.add(anomaly::MISSING_PARTICIPANT);
            (Author::Unknown, None)
        }
    };
    let event_id = id::of("c", &[&id]);
    let comment = Comment {
        id,
        username: username.filter(|_| contact.is_none() && !own),
        text: notes.text(text),
        place: if live { comment_place::LIVE } else { place(&mut notes, product_type) }.to_owned(),
        media_id: notes.id(in_media).or_else(|| notes.id(media_id)),
        parent_id: notes.id(parent_id),
        ad: advertised.then_some(ad),
    };
    Draft { contact, ..plain(Some(event_id), author, EventBody::Comment(comment), notes) }
}

fn place(notes: &mut Notes, value: &Json<'_>) -> &'static str {
    let Some(name) = notes.text(value) else {
        return comment_place::OTHER;
    };
    let known = PLACES.iter().find(|(known, _)| *known == name);
    if known.is_none() {
        notes.unknown_member();
    }
    known.map_or(comment_place::OTHER, |(_, place)| *place)
}

fn mention(value: &Json<'_>, mut notes: Notes) -> Draft {
    let [media, comment] = notes.pick(value, &["media_id", "comment_id"]);
    let mention = Mention { media_id: notes.id(media), comment_id: notes.id(comment) };
    let media = mention.media_id.as_deref().unwrap_or_default();
    let comment = mention.comment_id.as_deref().unwrap_or_default();
    let id = (!media.is_empty() || !comment.is_empty()).then(|| id::of("n", &[media, comment]));
    plain(id, Author::Unknown, EventBody::Mention(mention), notes)
}
