//! Slack's events as the contract's.
//! Owns what each of Slack's events means; not taps (`interaction`), and not the marks in texts (`marks`).

use channel_sdk::{
    blank, id,
    limit::NATIVE_BYTES,
    names::{account_change, window_opener},
    types::*,
};
use serde::Deserialize;
use serde_json::Value;

use crate::{emoji, interaction, marks, message_id, milliseconds, thread_of};

#[derive(Default, Deserialize)]
#[serde(default)]
struct Envelope {
    #[serde(rename = "type")]
    kind: String,
    team_id: String,
    api_app_id: Option<String>,
    event_id: String,
    /// In seconds.
    event_time: Option<u64>,
    event: Value,
    minute_rate_limited: Option<u64>,
}

/// An event, with the fields of every kind.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Item {
    #[serde(rename = "type")]
    kind: String,
    subtype: Option<String>,
    user: Option<String>,
    bot_id: Option<String>,
    app_id: Option<String>,
    username: Option<String>,
    text: String,
    ts: Option<String>,
    event_ts: Option<String>,
    thread_ts: Option<String>,
    /// An id; of `channel_rename` an object.
    channel: Value,
    channel_type: Option<String>,
    files: Vec<File>,
    message: Option<Box<Item>>,
    previous_message: Option<Box<Item>>,
    deleted_ts: Option<String>,
    edited: Option<Edit>,
    reaction: String,
    item: Option<Reacted>,
    metadata: Option<Metadata>,
    old_channel_id: Option<String>,
    new_channel_id: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(crate) struct File {
    id: String,
    name: Option<String>,
    mimetype: String,
    size: Option<u64>,
    url_private: Option<String>,
    duration_ms: Option<u64>,
    alt_txt: Option<String>,
    mode: String,
}

#[derive(Deserialize)]
struct Edit {
    ts: String,
}

#[derive(Deserialize)]
struct Reacted {
    channel: Option<String>,
    ts: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Metadata {
    event_payload: Ours,
}

/// What we attach to what we send.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Ours {
    correlation: Option<String>,
}

/// The events of a delivery: JSON from the Events API, or a form with a tap in it.
pub(crate) fn parse(input: &Delivery) -> Result<Vec<Event>, ParseError> {
    let form = input
        .headers
        .iter()
        .any(|header| header.name == "content-type" && header.value.starts_with("application/x-www-form-urlencoded"));
    if form {
        return interaction::parse(input);
    }
    let envelope: Envelope = serde_json::from_slice(&input.body).map_err(|error| malformed(&error))?;
    match envelope.kind.as_str() {
        "event_callback" => Ok(envelope.events()),
        "app_rate_limited" => Ok(vec![envelope.limited()]),
        // The host has answered it.
        "url_verification" => Ok(Vec::new()),
        other => Err(ParseError::NotThisChannel(format!("the type `{other}`"))),
    }
}

pub(crate) fn malformed(error: &serde_json::Error) -> ParseError {
    ParseError::Malformed(Malformed { offset: error.column() as u64, reason: error.to_string() })
}

pub(crate) fn unknown(account: String, id: String, reason: String, kind: Option<&str>, native: String) -> Event {
    let body = EventBody::Unknown(UnknownItem { reason, kind: kind.map(str::to_owned) });
    Event { native: (native.len() <= NATIVE_BYTES).then_some(native), ..blank::event(id, account, body) }
}

impl Envelope {
    fn limited(self) -> Event {
        let minute = self.minute_rate_limited.unwrap_or_default();
        let detail = "Slack left events out, because there were too many in one minute.".to_owned();
        let body =
            EventBody::AccountUpdate(AccountUpdate { change: account_change::OTHER.into(), detail: Some(detail) });
        let event = blank::event(id::of("limited", &[&minute.to_string()]), self.team_id, body);
        Event { author: Author::Platform, at: minute.checked_mul(1000), ..event }
    }

    fn events(self) -> Vec<Event> {
        let native = self.event.to_string();
        let at = self.event_time.and_then(|seconds| seconds.checked_mul(1000));
        let item = match serde_json::from_value::<Item>(self.event) {
            Ok(item) => item,
            Err(error) => return vec![unknown(self.team_id, self.event_id, error.to_string(), None, native)],
        };
        let kind = item.kind.clone();
        let read = item.event(&self.team_id, self.event_id.clone(), self.api_app_id.as_deref());
        let event = match read {
            Reading::Event(event) => *event,
            Reading::Nothing => return Vec::new(),
            Reading::Unknown(reason) => unknown(self.team_id, self.event_id, reason, Some(&kind), native),
        };
        vec![Event { at: event.at.or(at), ..event }]
    }
}

enum Reading {
    Event(Box<Event>),
    /// Nothing was said to the business.
    Nothing,
    Unknown(String),
}

impl Item {
    fn event(mut self, account: &str, id: String, app: Option<&str>) -> Reading {
        let channel = match &self.channel {
            Value::String(id) => id.clone(),
            object => object.get("id").and_then(Value::as_str).unwrap_or_default().to_owned(),
        };
        let kind = std::mem::take(&mut self.kind);
        let subtype = self.subtype.take();
        let event = match (kind.as_str(), subtype.as_deref()) {
            // Both name the message, so that it is one.
            (
                "message" | "app_mention",
                None | Some("file_share" | "bot_message" | "thread_broadcast" | "me_message"),
            ) => {
                return self.said(account, &channel, app);
            }
            ("message", Some("message_changed")) => return self.changed(account, id, &channel, app),
            ("message", Some("message_deleted")) => {
                let Some(ts) = &self.deleted_ts else { return missing("deleted_ts") };
                let body = EventBody::Deleted(Deleted { target: message_id(&channel, ts) });
                let before = self.previous_message.take().unwrap_or_default();
                let (contact, author) = before.writer(app);
                let thread = thread_of(&channel, before.parent(), self.channel_type.as_deref());
                Event { contact, author, thread: Some(thread), ..blank::event(id, account.into(), body) }
            }
            ("reaction_added" | "reaction_removed", _) => return self.reacted(account, id, kind == "reaction_added"),
            ("member_joined_channel" | "member_left_channel", _) => {
                let Some(user) = self.user.take() else { return missing("user") };
                let who = vec![Member { id: user.clone(), name: None }];
                let joined = kind == "member_joined_channel";
                let change = if joined { ThreadChange::Joined(who) } else { ThreadChange::Left(who) };
                let contact = Some(blank::person(user));
                Event { contact, author: Author::Contact, ..thread_update(account, id, &channel, change) }
            }
            ("channel_rename", _) => {
                let title = self.channel.get("name").and_then(Value::as_str).map(str::to_owned);
                let event = thread_update(account, id, &channel, ThreadChange::Updated);
                Event { thread: event.thread.map(|thread| Thread { title, ..thread }), ..event }
            }
            ("channel_archive" | "channel_deleted", _) => thread_update(account, id, &channel, ThreadChange::Closed),
            ("channel_unarchive", _) => thread_update(account, id, &channel, ThreadChange::Reopened),
            ("channel_id_changed", _) => match (self.old_channel_id.take(), self.new_channel_id.take()) {
                (Some(old), Some(new)) => thread_update(account, id, &new, ThreadChange::Moved(old)),
                _ => return missing("new_channel_id"),
            },
            ("app_uninstalled" | "tokens_revoked", _) => {
                let change = account_change::DISCONNECTED.into();
                let body = EventBody::AccountUpdate(AccountUpdate { change, detail: Some(kind.clone()) });
                Event { author: Author::Platform, ..blank::event(id, account.into(), body) }
            }
            // The message that shares the file says more.
            ("file_shared" | "file_created" | "file_change" | "app_home_opened" | "link_shared", _) => {
                return Reading::Nothing;
            }
            ("message", Some(what)) => {
                let extra = Extra { kind: what.to_owned(), text: marks::read(&self.text).0, details: Vec::new() };
                let (contact, author) = self.writer(app);
                let thread = thread_of(&channel, self.parent(), self.channel_type.as_deref());
                let event = blank::event(id, account.into(), EventBody::Activity(extra));
                Event { contact, author, thread: Some(thread), ..event }
            }
            (other, _) => {
                return Reading::Unknown(format!("Slack's event `{other}` is not one that this version reads."));
            }
        };
        let at = self.event_ts.as_deref().or(self.ts.as_deref()).and_then(milliseconds);
        Reading::Event(Box::new(Event { at, ..event }))
    }

    /// The thread that a message answers in; its first message stands in the channel.
    fn parent(&self) -> Option<&str> {
        self.thread_ts.as_deref().filter(|parent| self.ts.as_deref() != Some(*parent))
    }

    /// Who wrote: this app, another one, or a person.
    fn writer(&self, app: Option<&str>) -> (Option<Contact>, Author) {
        if self.app_id.is_some() && self.app_id.as_deref() == app {
            let correlation = self.metadata.as_ref().and_then(|data| data.event_payload.correlation.clone());
            // A file's message names nothing else by which its upload could be known.
            let correlation = correlation.or_else(|| self.files.first().map(|file| file.id.clone()));
            return (None, Author::Business(BusinessAuthor { app_id: self.app_id.clone(), correlation }));
        }
        match self.user.clone().or_else(|| self.bot_id.clone()) {
            Some(id) => (Some(Contact { name: self.username.clone(), ..blank::person(id) }), Author::Contact),
            None => (None, Author::Unknown),
        }
    }

    fn said(self, account: &str, channel: &str, app: Option<&str>) -> Reading {
        let Some(ts) = self.ts.clone() else { return missing("ts") };
        let id = message_id(channel, &ts);
        let thread = thread_of(channel, self.parent(), self.channel_type.as_deref());
        let (contact, author) = self.writer(app);
        let opens = matches!(author, Author::Contact).then(|| window_opener::MESSAGE.to_owned());
        let automatic = self.bot_id.is_some();
        let (text, formatted) = marks::read(&self.text);
        let message = Message {
            id: Some(id.clone()),
            text: (!text.is_empty()).then_some(text),
            formatted: formatted.map(in_markdown),
            attachments: self.files.into_iter().map(File::attachment).collect(),
            automatic,
            ..blank::message()
        };
        let event = blank::event(id::of("m", &[&id]), account.into(), EventBody::Message(message));
        let at = milliseconds(&ts);
        Reading::Event(Box::new(Event { contact, thread: Some(thread), author, at, opens, ..event }))
    }

    fn changed(self, account: &str, id: String, channel: &str, app: Option<&str>) -> Reading {
        let Some(now) = self.message else { return missing("message") };
        let Some(ts) = &now.ts else { return missing("message.ts") };
        let target = message_id(channel, ts);
        let thread = thread_of(channel, now.parent(), self.channel_type.as_deref());
        let (contact, author) = now.writer(app);
        let at = self.event_ts.as_deref().or(self.ts.as_deref()).and_then(milliseconds);
        let body = if now.subtype.as_deref() == Some("tombstone") {
            // What others have answered stays, without its words.
            EventBody::Deleted(Deleted { target })
        } else {
            let (text, formatted) = marks::read(&now.text);
            EventBody::Edited(Edited {
                target,
                context: None,
                text: Some(text),
                formatted: formatted.map(in_markdown),
                revision: now.edited.as_ref().and_then(|edit| milliseconds(&edit.ts)).or(at),
                attachments: Some(now.files.into_iter().map(File::attachment).collect()),
            })
        };
        Reading::Event(Box::new(Event {
            contact,
            thread: Some(thread),
            author,
            at,
            ..blank::event(id, account.into(), body)
        }))
    }

    fn reacted(self, account: &str, id: String, added: bool) -> Reading {
        let (channel, ts) = match self.item {
            Some(Reacted { channel: Some(channel), ts: Some(ts) }) => (channel, ts),
            // A reaction to a file is not one to a message.
            _ => return Reading::Nothing,
        };
        let reaction = Reaction {
            target: message_id(&channel, &ts),
            action: if added { ReactionAction::Added } else { ReactionAction::Removed },
            emoji: emoji::of_name(&self.reaction).map(str::to_owned),
            name: Some(self.reaction),
        };
        let author = if self.user.is_some() { Author::Contact } else { Author::Unknown };
        let event = blank::event(id, account.into(), EventBody::Reaction(reaction));
        Reading::Event(Box::new(Event {
            contact: self.user.map(blank::person),
            // Slack does not say in which thread of the channel the message stands.
            thread: Some(thread_of(&channel, None, None)),
            author,
            at: self.event_ts.as_deref().and_then(milliseconds),
            ..event
        }))
    }
}

fn missing(field: &str) -> Reading {
    Reading::Unknown(format!("Slack's event has no `{field}`."))
}

fn thread_update(account: &str, id: String, channel: &str, change: ThreadChange) -> Event {
    let thread = Some(thread_of(channel, None, None));
    Event { thread, author: Author::Platform, ..blank::event(id, account.into(), EventBody::ThreadUpdate(change)) }
}

fn in_markdown(text: String) -> FormattedText {
    FormattedText { format: TextFormat::Markdown, text }
}

impl File {
    fn attachment(self) -> Attachment {
        if matches!(self.mode.as_str(), "tombstone" | "hidden_by_limit") {
            return Attachment::Unavailable(UnavailableReason::Other);
        }
        let kind = match self.mimetype.split('/').next() {
            Some("image") => MediaKind::Image,
            Some("video") => MediaKind::Video,
            Some("audio") => MediaKind::Audio,
            _ => MediaKind::File,
        };
        Attachment::Media(Media {
            kind,
            // The address opens with a credential only. As `url` it would be fetched without.
            handle: self.url_private,
            url: None,
            inline: None,
            mime: (!self.mimetype.is_empty()).then_some(self.mimetype),
            size: self.size,
            duration: self.duration_ms,
            name: self.name,
            caption: None,
            description: self.alt_txt,
            retention: Retention::Storable,
        })
    }
}
