//! LINE's events as the contract's.
//! Owns what each of LINE's words means; not what is answered.

use channel_sdk::{blank, id, limit::NATIVE_BYTES, names::anomaly, names::window_opener, types::*};
use serde::Deserialize;
use serde_json::Value;

use crate::outbound::{Kept, Quotable};

#[derive(Deserialize)]
struct Body {
    destination: Option<String>,
    #[serde(default)]
    events: Vec<Value>,
}

/// One event of LINE's, with the fields of every kind.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Item {
    #[serde(rename = "type")]
    kind: String,
    webhook_event_id: String,
    timestamp: Option<u64>,
    mode: Option<String>,
    source: Option<Source>,
    reply_token: Option<String>,
    message: Option<Content>,
    postback: Option<Postback>,
    unsend: Option<Unsent>,
    joined: Option<Members>,
    left: Option<Members>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Source {
    user_id: Option<String>,
    group_id: Option<String>,
    room_id: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Content {
    id: String,
    #[serde(rename = "type")]
    kind: String,
    text: Option<String>,
    quote_token: Option<String>,
    quoted_message_id: Option<String>,
    content_provider: Option<Provider>,
    /// In milliseconds.
    duration: Option<u64>,
    file_name: Option<String>,
    /// In bytes.
    file_size: Option<u64>,
    image_set: Option<ImageSet>,
    package_id: Option<String>,
    sticker_id: Option<String>,
    title: Option<String>,
    address: Option<String>,
    latitude: Option<f64>,
    longitude: Option<f64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Provider {
    original_content_url: Option<String>,
}

#[derive(Deserialize)]
struct ImageSet {
    id: String,
}

#[derive(Deserialize)]
struct Postback {
    data: String,
    /// What was picked: `date`, `time`, `datetime`.
    #[serde(default)]
    params: serde_json::Map<String, Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Unsent {
    message_id: String,
}

#[derive(Deserialize)]
struct Members {
    #[serde(default)]
    members: Vec<Source>,
}

/// The events of a delivery.
pub(crate) fn parse(input: &Delivery) -> Result<Vec<Event>, ParseError> {
    let body: Body = serde_json::from_slice(&input.body).map_err(|error| {
        ParseError::Malformed(Malformed { offset: error.column() as u64, reason: error.to_string() })
    })?;
    let account = body.destination.or_else(|| input.account.as_ref().map(|account| account.id.clone()));
    let Some(account) = account else {
        return Err(ParseError::NotThisChannel("no `destination`".into()));
    };
    Ok(body.events.into_iter().map(|item| read(&account, input.received_at, item)).collect())
}

fn read(account: &str, received_at: u64, raw: Value) -> Event {
    let text = raw.to_string();
    match serde_json::from_value::<Item>(raw) {
        Ok(item) => item.event(account, received_at, text),
        Err(error) => {
            let body = EventBody::Unknown(UnknownItem { reason: error.to_string(), kind: None });
            Event {
                native: bounded(text.clone()),
                ..blank::event(id::of_raw(account, &text), account.to_owned(), body)
            }
        }
    }
}

fn bounded(native: String) -> Option<String> {
    (native.len() <= NATIVE_BYTES).then_some(native)
}

impl Item {
    fn event(mut self, account: &str, received_at: u64, native: String) -> Event {
        let (user, thread) = self.source.take().map_or((None, None), Source::into_parts);
        let id = std::mem::take(&mut self.webhook_event_id);
        let at = self.timestamp;
        let origin = match self.mode.as_deref() {
            Some("standby") => EventOrigin::Standby,
            _ => EventOrigin::Live,
        };
        // Good for one request in a minute, counted from the webhook, by this host's clock as all that is asked later.
        let reply_context = self.reply_token.take().map(|token| Kept { token, at: received_at }.bytes());
        let (author, opens) = match self.kind.as_str() {
            "message" => (Author::Contact, Some(window_opener::MESSAGE)),
            "postback" => (Author::Contact, Some(window_opener::BUTTON)),
            "follow" => (Author::Contact, Some(window_opener::OTHER)),
            "unfollow" | "unsend" | "memberJoined" | "memberLeft" => (Author::Contact, None),
            "join" | "leave" => (Author::Platform, None),
            _ => (Author::Unknown, None),
        };
        let body = self.body();
        let unknown = matches!(body, EventBody::Unknown(_));
        Event {
            contact: user.map(blank::person),
            thread,
            author,
            at,
            origin,
            opens: opens.map(str::to_owned),
            reply_context,
            anomalies: if at.is_none() { vec![anomaly::MISSING_TIME.to_owned()] } else { Vec::new() },
            native: if unknown { bounded(native) } else { None },
            ..blank::event(id, account.to_owned(), body)
        }
    }

    fn body(self) -> EventBody {
        let reachable = |reachable| {
            EventBody::ContactUpdate(ContactUpdate { previous_ids: Vec::new(), reachable: Some(reachable) })
        };
        let kind = self.kind;
        match (kind.as_str(), self.message, self.postback, self.unsend) {
            ("message", Some(content), _, _) => EventBody::Message(content.message()),
            ("postback", _, Some(postback), _) => EventBody::Message(postback.message()),
            ("unsend", _, _, Some(unsent)) => EventBody::Deleted(Deleted { target: unsent.message_id }),
            ("follow", ..) => reachable(true),
            ("unfollow", ..) => reachable(false),
            ("join", ..) => EventBody::ThreadUpdate(ThreadChange::Reopened),
            ("leave", ..) => EventBody::ThreadUpdate(ThreadChange::Closed),
            ("memberJoined", ..) => EventBody::ThreadUpdate(ThreadChange::Joined(members(self.joined))),
            ("memberLeft", ..) => EventBody::ThreadUpdate(ThreadChange::Left(members(self.left))),
            _ => {
                let reason = format!("LINE's event `{kind}` is not one that this version reads.");
                EventBody::Unknown(UnknownItem { reason, kind: Some(kind) })
            }
        }
    }
}

impl Source {
    /// Who acted, and where, if that was among several.
    fn into_parts(self) -> (Option<String>, Option<Thread>) {
        let thread = self.group_id.or(self.room_id).map(|id| Thread {
            id,
            kind: ThreadKind::Group,
            // Never in an event.
            title: None,
            parent: None,
        });
        (self.user_id, thread)
    }
}

fn members(members: Option<Members>) -> Vec<Member> {
    let members = members.map(|members| members.members).unwrap_or_default();
    members.into_iter().filter_map(|member| Some(Member { id: member.user_id?, name: None })).collect()
}

impl Content {
    fn message(mut self) -> Message {
        let id = Some(std::mem::take(&mut self.id)).filter(|id| !id.is_empty());
        let mut message = Message { id, ..blank::message() };
        message.context = self.quote_token.take().map(|quote| Quotable { quote }.bytes());
        message.reply_to = self.quoted_message_id.take().map(ReplyTarget::Message);
        message.album = self.image_set.take().map(|set| set.id);
        message.text = self.text.take();
        if self.kind != "text" {
            let attachment = self.attachment(message.id.clone());
            message.attachments = vec![attachment];
        }
        message
    }

    fn attachment(self, id: Option<String>) -> Attachment {
        match self.kind.as_str() {
            "image" => Attachment::Media(self.media(MediaKind::Image, id)),
            "video" => Attachment::Media(self.media(MediaKind::Video, id)),
            "audio" => Attachment::Media(self.media(MediaKind::Audio, id)),
            "file" => Attachment::Media(self.media(MediaKind::File, id)),
            "sticker" => {
                let [package, sticker] = [self.package_id, self.sticker_id].map(Option::unwrap_or_default);
                Attachment::Sticker(Sticker { id: format!("{package}/{sticker}"), media: None, emoji: None })
            }
            "location" => match (self.latitude, self.longitude) {
                (Some(latitude), Some(longitude)) => {
                    Attachment::Location(Location { latitude, longitude, name: self.title, address: self.address })
                }
                _ => unknown("a location without its coordinates", self.kind),
            },
            _ => unknown("a message of a kind that this version does not read", self.kind),
        }
    }

    /// A file that LINE holds under the message's id, or that lies where an app said.
    fn media(self, kind: MediaKind, id: Option<String>) -> Media {
        let url = self.content_provider.and_then(|provider| provider.original_content_url);
        Media {
            kind,
            handle: if url.is_none() { id } else { None },
            url,
            inline: None,
            mime: None,
            size: self.file_size,
            duration: self.duration,
            name: self.file_name,
            caption: None,
            description: None,
            retention: Retention::Storable,
        }
    }
}

fn unknown(what: &str, kind: String) -> Attachment {
    Attachment::Unknown(UnknownItem { reason: format!("LINE sent {what}."), kind: Some(kind) })
}

impl Postback {
    fn message(self) -> Message {
        let values = self.params.into_iter().map(|(key, value)| Detail {
            label: key.clone(),
            key,
            value: value.as_str().map_or_else(|| value.to_string(), str::to_owned),
        });
        let answer = Answer {
            source: AnswerSource::Button,
            title: None,
            payload: Some(self.data),
            values: values.collect(),
            token: None,
        };
        Message { answer: Some(answer), ..blank::message() }
    }
}
