//! Items: a single event in a conversation, whichever list contains it.
//! What belongs here is who acted, towards whom, when, and the kind of item.

use channel_sdk::blank::person;
use channel_sdk::collect::{Collector, Draft, Entry};
use channel_sdk::json::{self, Json};
use channel_sdk::lenient::Notes;
use channel_sdk::names::{anomaly, window_opener};

use super::{id, kinds, message, referral};
use crate::types::{Author, BusinessAuthor, Deleted, EventBody, EventOrigin, HandoverAction, Position, UnknownItem};

/// The kinds of items.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    Message,
    Edit,
    Reaction,
    Read,
    Postback,
    Referral,
    OptIn,
    Handover(HandoverAction),
    Policy,
}

/// The member that determines an item's kind.
const KINDS: &[(&str, Kind)] = &[
    ("message", Kind::Message),
    ("message_edit", Kind::Edit),
    ("reaction", Kind::Reaction),
    ("read", Kind::Read),
    ("postback", Kind::Postback),
    ("referral", Kind::Referral),
    ("optin", Kind::OptIn),
    ("pass_thread_control", Kind::Handover(HandoverAction::Passed)),
    ("take_thread_control", Kind::Handover(HandoverAction::Taken)),
    ("request_thread_control", Kind::Handover(HandoverAction::Requested)),
    ("release_thread_control", Kind::Handover(HandoverAction::Released)),
    ("policy_enforcement", Kind::Policy),
    ("policy-enforcement", Kind::Policy),
];

fn kind(name: &str) -> Option<Kind> {
    KINDS.iter().find(|(known, _)| *known == name).map(|(_, kind)| *kind)
}

/// Whether a value is an item, that is, has a member that determines a kind.
pub(super) fn is_item(value: &Json<'_>) -> bool {
    matches!(value, Json::Object(members) if members.iter().any(|(name, _)| kind(name).is_some()))
}

/// The fields that all kinds of items share.
struct Sides {
    sender: Option<String>,
    recipient: Option<String>,
    at: Option<u64>,
    /// The item's own time. Only this may be part of an id, because the entry's time is that of the delivery.
    stamp: Option<u64>,
    to_self: bool,
}

/// Parses an item of `messaging` or `standby`.
pub(super) fn read<'t>(into: &mut Collector<'t>, entry: &Entry, origin: EventOrigin, raw: &'t str) {
    let mut notes = Notes::default();
    let mut repaired = String::new();
    match tree(&mut notes, raw, &mut repaired) {
        Some(tree) => read_tree(into, entry, origin, raw, &tree, notes, None),
        None => into.unknown(entry, origin, raw, None, "the item cannot be read".to_owned()),
    }
}

/// Parses an item's JSON, repairing it if necessary. `repaired` holds the repaired text.
pub(super) fn tree<'t>(notes: &mut Notes, raw: &'t str, repaired: &'t mut String) -> Option<Json<'t>> {
    if let Ok(value) = json::parse(raw) {
        return Some(value);
    }
    let (text, replaced) = json::repair(raw);
    *repaired = text;
    let value = json::parse(repaired).ok()?;
    notes.add(if replaced { anomaly::TEXT_REPLACED } else { anomaly::UNEXPECTED_TYPE });
    notes.extra = true;
    Some(value)
}

/// Parses the JSON tree of an item. `field` is the name of the change that contained it, if any.
pub(super) fn read_tree<'t>(
    into: &mut Collector<'t>,
    entry: &Entry,
    origin: EventOrigin,
    raw: &'t str,
    tree: &Json<'_>,
    mut notes: Notes,
    field: Option<&str>,
) {
    let Json::Object(members) = tree else {
        let reason = format!("an item is {} instead of an object", tree.kind());
        return into.unknown(entry, origin, raw, None, reason);
    };
    let mut sides = Sides { sender: None, recipient: None, at: None, stamp: None, to_self: false };
    let mut bodies: Vec<(Kind, &Json<'_>)> = Vec::with_capacity(1);
    let mut unknown = None;
    for (name, value) in members {
        match &**name {
            "sender" => sides.sender = notes.id_of(value),
            "recipient" => sides.recipient = notes.id_of(value),
            "timestamp" => sides.at = notes.time(value),
            "is_self" => sides.to_self = notes.flag(value),
            other => match kind(other) {
                Some(kind) => {
                    bodies.retain(|(known, _)| *known != kind);
                    bodies.push((kind, value));
                }
                None => {
                    notes.unknown_member();
                    unknown.get_or_insert(&**name);
                }
            },
        }
    }
    sides.stamp = sides.at;
    if sides.at.is_none() {
        // The entry's time is when it was sent, which is close enough to keep the order.
        notes.add(anomaly::MISSING_TIME);
        sides.at = entry.time;
    }
    let origin = if is_sample(entry, &sides) { EventOrigin::Test } else { origin };
    if bodies.is_empty() {
        let kind = field.or(unknown);
        let reason = match kind {
            Some(kind) => format!("this version does not know the kind `{kind}`"),
            None => "the item says nothing about what happened".to_owned(),
        };
        let body = EventBody::Unknown(UnknownItem { reason, kind: kind.map(str::to_owned) });
        let draft = draft(entry, &sides, origin, body, notes, Actor::Unknown, sides.to_self);
        return into.add(entry, raw, draft);
    }
    let last = bodies.len() - 1;
    for (at, (kind, value)) in bodies.into_iter().enumerate() {
        let notes = if at == last { std::mem::take(&mut notes) } else { notes.clone() };
        let mut draft = read_kind(entry, &sides, origin, kind, value, notes);
        if last > 0 && draft.id.is_none() {
            // Without ids, the parts of an item are distinguished by their index in it.
            draft.id = Some(id::of("u", &[&id::hash(&[&entry.account, raw, &at.to_string()])]));
        }
        into.add(entry, raw, draft);
    }
}

/// The dashboard's "Test" button sends entries of the account `0`.
pub(super) fn is_test(entry: &Entry) -> bool {
    entry.account == "0"
}

/// The "Test" button sends that account, or these two ids.
fn is_sample(entry: &Entry, sides: &Sides) -> bool {
    is_test(entry) || (sides.sender.as_deref() == Some("12334") && sides.recipient.as_deref() == Some("23245"))
}

/// Who performed the action, judging by the item's kind.
#[derive(Clone, Copy, PartialEq)]
enum Actor {
    /// The ids tell: the sender is either the account or the customer.
    Sender,
    /// Only a customer can do this.
    Customer,
    /// It is an echo, so the business did it.
    Business,
    Platform,
    Unknown,
}

fn read_kind(
    entry: &Entry,
    sides: &Sides,
    origin: EventOrigin,
    kind: Kind,
    value: &Json<'_>,
    mut notes: Notes,
) -> Draft {
    let sender = sides.sender.as_deref().unwrap_or_default();
    let time = || id::time(sides.stamp);
    let mut to_self = sides.to_self;
    let (id, body, opens, actor) = match kind {
        Kind::Message => return read_message(entry, sides, origin, value, notes),
        Kind::Postback => {
            let mut message = message::read_postback(&mut notes, value);
            message.to_self |= sides.to_self;
            to_self = message.to_self;
            let id = match (&message.id, sides.stamp) {
                (Some(mid), _) => Some(id::of("p", &[mid])),
                (None, Some(_)) => {
                    let payload = message.answer.as_ref().and_then(|answer| answer.payload.as_deref());
                    let title = message.text.as_deref().unwrap_or_default();
                    let hash = id::hash(&[title, payload.unwrap_or_default()]);
                    Some(id::of("p", &[sender, &time(), &hash]))
                }
                (None, None) => None,
            };
            let opens = match referral::is_ad(message.referral.as_ref()) {
                true => window_opener::AD_MESSAGE,
                false => window_opener::BUTTON,
            };
            (id, EventBody::Message(message), Some(opens), Actor::Customer)
        }
        Kind::Edit => {
            let edited = kinds::edit(&mut notes, value);
            let id = edited.as_ref().map(|edited| {
                let revision = edited.revision;
                id::of("v", &[&edited.target, &id::time(revision), &time()])
            });
            (id, edited.map(EventBody::Edited).unwrap_or_else(no_target), None, Actor::Sender)
        }
        Kind::Reaction => {
            let reaction = kinds::reaction(&mut notes, value);
            let id = reaction.as_ref().map(|(reaction, action)| {
                let emoji = reaction.emoji.as_deref().or(reaction.name.as_deref()).unwrap_or_default();
                id::of("r", &[&reaction.target, sender, &time(), action, emoji])
            });
            let body = reaction.map(|(reaction, _)| EventBody::Reaction(reaction));
            (id, body.unwrap_or_else(no_target), None, Actor::Sender)
        }
        Kind::Read => {
            let seen = kinds::seen(&mut notes, value);
            let id = seen.as_ref().map(|seen| match seen {
                Position::Message(mid) => id::of("s", &[mid, &time()]),
                Position::Time(until) => id::of("s", &[sender, &id::time(Some(*until))]),
            });
            (id, seen.map(EventBody::Seen).unwrap_or_else(no_target), None, Actor::Sender)
        }
        Kind::Referral => {
            let text = kinds::describe(value);
            let referral = referral::read(&mut notes, value);
            let id = sides.stamp.map(|_| id::of("f", &[sender, &time(), &text]));
            let opens = match referral::is_ad(referral.as_ref()) {
                true => window_opener::AD_MESSAGE,
                false => window_opener::REFERRAL,
            };
            let body = referral.map(EventBody::Referral).unwrap_or_else(no_target);
            (id, body, Some(opens), Actor::Customer)
        }
        Kind::OptIn => {
            let opt_in = kinds::opt_in(&mut notes, value);
            let id = sides.stamp.map(|_| id::of("o", &[sender, &time(), &opt_in.kind]));
            (id, EventBody::OptIn(opt_in), None, Actor::Customer)
        }
        Kind::Handover(action) => {
            let name = KINDS.iter().find(|(_, known)| *known == kind).map_or("", |(name, _)| *name);
            let id = sides.stamp.map(|_| id::of("h", &[sender, &time(), name]));
            (id, EventBody::Handover(kinds::handover(&mut notes, action, value)), None, Actor::Platform)
        }
        Kind::Policy => {
            let text = kinds::describe(value);
            let id = sides.stamp.map(|_| id::of("y", &[&time(), &text]));
            (id, EventBody::AccountUpdate(kinds::policy(&mut notes, value)), None, Actor::Platform)
        }
    };
    let mut draft = draft(entry, sides, origin, body, notes, actor, to_self);
    draft.id = id;
    draft.opens = opens;
    draft
}

fn read_message(entry: &Entry, sides: &Sides, origin: EventOrigin, value: &Json<'_>, mut notes: Notes) -> Draft {
    let mut read = message::read(&mut notes, value);
    read.message.to_self |= sides.to_self;
    let to_self = read.message.to_self;
    let actor = if read.is_echo { Actor::Business } else { Actor::Sender };
    let mid = read.message.id.clone();
    let opens = message::opener(&read.message);
    let (prefix, body) = match (&mid, read.is_deleted) {
        (Some(mid), true) => ("d", EventBody::Deleted(Deleted { target: mid.clone() })),
        (None, true) => ("d", no_target()),
        _ if !message::says_something(&read.message) => ("m", no_target()),
        _ => ("m", EventBody::Message(read.message)),
    };
    let says = matches!(body, EventBody::Message(_));
    let mut draft = draft(entry, sides, origin, body, notes, actor, to_self);
    let prefix = match &mut draft.author {
        Author::Business(author) => {
            author.app_id = read.app;
            author.correlation = read.metadata;
            if prefix == "m" { "e" } else { prefix }
        }
        _ => prefix,
    };
    draft.id = mid.map(|mid| id::of(prefix, &[&mid]));
    draft.opens = says.then_some(opens);
    draft
}

/// Determines from the ids who acted and with whom.
fn draft(
    entry: &Entry,
    sides: &Sides,
    origin: EventOrigin,
    body: EventBody,
    mut notes: Notes,
    actor: Actor,
    to_self: bool,
) -> Draft {
    let ours = |id: &Option<String>| !entry.account.is_empty() && id.as_deref() == Some(entry.account.as_str());
    // Meta's samples of postbacks and referrals name the customer as the account. When the account taps in the
    // conversation with itself, both ids are correct.
    let confused = actor == Actor::Customer && ours(&sides.sender) && sides.recipient.is_some() && !to_self;
    let itself = to_self && ours(&sides.sender) && sides.recipient.is_some() && !ours(&sides.recipient);
    let by_business = match actor {
        Actor::Business => true,
        Actor::Customer => false,
        _ => ours(&sides.sender) && !ours(&sides.recipient) && sides.recipient.is_some(),
    };
    let contact = match by_business || itself {
        // The echo of a message that the account wrote to itself may swap its sides.
        true if to_self && ours(&sides.recipient) && sides.sender.is_some() => &sides.sender,
        true => &sides.recipient,
        false if sides.sender.is_some() => &sides.sender,
        false if ours(&sides.recipient) => &None,
        false => &sides.recipient,
    };
    let author = match actor {
        Actor::Platform => Author::Platform,
        _ if by_business => Author::Business(BusinessAuthor { app_id: None, correlation: None }),
        _ if sides.sender.is_some() => Author::Contact,
        Actor::Sender | Actor::Customer | Actor::Business | Actor::Unknown => Author::Unknown,
    };
    if contact.is_none() && actor != Actor::Platform {
        notes.add(anomaly::MISSING_PARTICIPANT);
    }
    let account = if confused || entry.account.is_empty() {
        if by_business { sides.sender.clone() } else { sides.recipient.clone() }
    } else {
        None
    };
    Draft {
        id: None,
        may_repeat: false,
        account,
        contact: contact.clone().map(person),
        author,
        at: sides.at,
        origin,
        opens: None,
        body,
        notes,
    }
}

/// For an item that does not name its target.
fn no_target() -> EventBody {
    let reason = "the item does not say which message it is about".to_owned();
    EventBody::Unknown(UnknownItem { reason, kind: None })
}
