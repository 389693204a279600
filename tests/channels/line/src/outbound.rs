//! A message of the contract as LINE's: what stands in its way, and the requests that deliver it.
//! Owns how parts share requests, and which request is a reply; not what the answers mean (`outcome`).

use channel_sdk::{blank, cut, id, names::feature, names::violation_code, report::Report, types::*};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{LINE, capabilities as limits, token};

/// How many messages one request takes.
const MESSAGES: usize = 5;
/// How long a reply token is good, in milliseconds.
const TOKEN_LIVES: u64 = 60_000;

/// What is kept for a conversation: the token of its newest event.
#[derive(Deserialize, Serialize)]
pub(crate) struct Kept {
    pub(crate) token: String,
    /// When it came.
    pub(crate) at: TimestampMs,
}

impl Kept {
    pub(crate) fn bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }
}

/// What is kept for a message: the token with which it is quoted.
#[derive(Deserialize, Serialize)]
pub(crate) struct Quotable {
    pub(crate) quote: String,
}

impl Quotable {
    pub(crate) fn bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }
}

/// What is kept for a request until its answer is there, since that names messages by their order alone.
#[derive(Default, Deserialize, Serialize)]
#[serde(default)]
pub(crate) struct Asked {
    /// The part of each message.
    pub(crate) parts: Vec<u32>,
}

/// One of LINE's messages, and the part that it is of.
struct Rendered {
    part: u32,
    message: Value,
}

/// The messages of one request.
pub(crate) struct Group {
    parts: Vec<u32>,
    messages: Vec<Value>,
}

/// What is wrong with a message, and the requests that would deliver it.
pub(crate) fn plan(message: &OutboundMessage, context: &ConversationContext) -> (Report, Vec<Group>) {
    let mut report = Report::new(LINE, message.fallback);
    check(&mut report, message, context);
    let mut rendered = Vec::new();
    for (part, content) in (0..).zip(&message.parts) {
        let messages = render(&mut report, part, content);
        rendered.extend(messages.into_iter().map(|message| Rendered { part, message }));
    }
    decorate(&mut report, &mut rendered, message);
    let group = |messages: &[Rendered]| Group {
        parts: messages.iter().map(|one| one.part).collect(),
        messages: messages.iter().map(|one| one.message.clone()).collect(),
    };
    (report, rendered.chunks(MESSAGES).map(group).collect())
}

/// What concerns the message as a whole.
fn check(report: &mut Report, message: &OutboundMessage, context: &ConversationContext) {
    if message.parts.is_empty() {
        report.error(violation_code::EMPTY_MESSAGE, "parts", "The message is empty. Write something.");
    }
    if matches!(context.window.state, WindowState::NeverOpened) {
        let severity = if message.try_anyway { Severity::Warning } else { Severity::Error };
        let sentence = "This person never wrote to the account. LINE delivers only to who follows it or wrote before.";
        report.add(severity, violation_code::WINDOW_NEVER_OPENED, "context.window", sentence);
    }
    if target(context).is_none() {
        let sentence = "LINE names nobody here who could be written to.";
        report.error(violation_code::MISSING_FIELD, "context.contact", sentence);
    }
    if message.native.is_some() {
        let sentence = "This channel takes nothing in LINE's own form. Say it with parts.";
        report.error(violation_code::UNSUPPORTED_FEATURE, "native", sentence);
    }
    if message.private_reply_to.is_some() {
        let sentence = "LINE has no comments. Write into the conversation.";
        report.error(violation_code::UNSUPPORTED_FEATURE, "private_reply_to", sentence);
    }
    if let Some(name) = &message.sender.name {
        report.length(violation_code::TITLE_TOO_LONG, "sender.name", "The writer's name", name, limits::SENDER_NAME);
    }
    report.count("quick_replies", "quick replies", message.quick_replies.len(), limits::QUICK_REPLIES);
    for (index, reply) in message.quick_replies.iter().enumerate() {
        let path = format!("quick_replies[{index}]");
        titled(report, &path, &reply.title, violation_code::TITLE_TOO_LONG);
        action(report, &path, &reply.title, &reply.action);
    }
}

/// Whom to push to: a conversation of several by its id, else the person.
fn target(context: &ConversationContext) -> Option<&str> {
    context.thread.as_ref().map(|thread| thread.id.as_str()).or(context.contact.as_deref())
}

/// The messages of one part; none where it cannot be sent.
fn render(report: &mut Report, index: u32, part: &OutboundPart) -> Vec<Value> {
    let path = format!("parts[{index}]");
    match part {
        OutboundPart::Text(text) => texts(report, index, &path, text),
        OutboundPart::Media(files) => {
            if files.is_empty() {
                report.error(violation_code::MISSING_FIELD, &path, "There is no file here. Choose one.");
            }
            let files = files.iter().enumerate();
            files.filter_map(|(at, file)| media(report, &format!("{path}.media[{at}]"), file)).collect()
        }
        OutboundPart::Sticker(id) => match id.split_once('/') {
            Some((package, sticker)) if !package.is_empty() && !sticker.is_empty() => {
                vec![json!({ "type": "sticker", "packageId": package, "stickerId": sticker })]
            }
            _ => {
                let sentence = "LINE names stickers by package and number, such as 446/1988. Choose another one.";
                report.error(violation_code::UNKNOWN_STICKER, &format!("{path}.sticker"), sentence);
                Vec::new()
            }
        },
        OutboundPart::Location(place) => location(report, &path, place).into_iter().collect(),
        OutboundPart::Buttons(buttons) => vec![button_message(report, &path, buttons)],
        _ => {
            let sentence = "LINE has nothing like this. Send a text, a picture, a film, a sound, a sticker or a place.";
            let accepted = ["text", "media", "sticker", "location", "buttons"];
            report.not_accepted(violation_code::UNSUPPORTED_FEATURE, &path, sentence, &accepted);
            Vec::new()
        }
    }
}

fn texts(report: &mut Report, index: u32, path: &str, text: &OutboundText) -> Vec<Value> {
    let path = format!("{path}.text");
    if !matches!(text.format, TextFormat::Plain) {
        let sentence = "LINE shows no formatting: the marks reach the customer as they are typed.";
        report.lost(index as usize, feature::FORMATTING, &format!("{path}.format"), sentence);
    }
    let field = format!("{path}.text");
    if !report.present(&field, "The text", &text.text) {
        return Vec::new();
    }
    let one = |text: &str| json!({ "type": "text", "text": text });
    let fits = limits::TEXT.of(&text.text) <= limits::TEXT.max;
    // Bytes are at least as many as UTF-16 units.
    let pieces = if fits || !text.split { None } else { cut::cut(&text.text, limits::TEXT.max) };
    match pieces {
        Some(pieces) => pieces.into_iter().map(one).collect(),
        None if report.length(violation_code::TEXT_TOO_LONG, &field, "The text", &text.text, limits::TEXT) => {
            vec![one(&text.text)]
        }
        None => Vec::new(),
    }
}

/// LINE takes no bytes: it fetches a file from its address, and wants a picture to show before it.
fn media(report: &mut Report, path: &str, file: &OutboundMedia) -> Option<Value> {
    let MediaSource::Url(url) = &file.source else {
        let sentence = "LINE fetches files from an address. Give a public https:// address.";
        report.not_accepted(violation_code::UNSUPPORTED_FEATURE, &format!("{path}.source"), sentence, &["url"]);
        return None;
    };
    report.address(&format!("{path}.source"), "The file's address", url, &["https"]);
    if file.caption.is_some() {
        let sentence = "LINE has no captions. Send the words as a text.";
        report.error(violation_code::UNSUPPORTED_COMBINATION, &format!("{path}.caption"), sentence);
    }
    let preview = match &file.preview {
        Some(MediaSource::Url(preview)) => Some(preview),
        _ => None,
    };
    match file.kind {
        MediaKind::Image => {
            let preview = preview.unwrap_or(url);
            Some(json!({ "type": "image", "originalContentUrl": url, "previewImageUrl": preview }))
        }
        MediaKind::Video => match preview {
            Some(preview) => Some(json!({ "type": "video", "originalContentUrl": url, "previewImageUrl": preview })),
            None => missing(report, &format!("{path}.preview"), "LINE shows a picture before a film. Give one."),
        },
        MediaKind::Audio | MediaKind::Voice => match file.duration {
            Some(duration) => Some(json!({ "type": "audio", "originalContentUrl": url, "duration": duration })),
            None => missing(report, &format!("{path}.duration"), "LINE wants to know how long a sound is. Say so."),
        },
        _ => {
            let sentence = "LINE sends no files of this kind. Send the address as a text.";
            let accepted = ["image", "video", "audio"];
            report.not_accepted(violation_code::UNSUPPORTED_MEDIA_TYPE, &format!("{path}.kind"), sentence, &accepted);
            None
        }
    }
}

fn missing(report: &mut Report, path: &str, sentence: &str) -> Option<Value> {
    report.error(violation_code::MISSING_FIELD, path, sentence);
    None
}

fn location(report: &mut Report, path: &str, place: &Location) -> Option<Value> {
    let path = format!("{path}.location");
    let (Some(title), Some(address)) = (&place.name, &place.address) else {
        return missing(report, &path, "LINE shows a place with its name and its address. Give both.");
    };
    let (latitude, longitude) = (place.latitude, place.longitude);
    Some(json!({
        "type": "location", "title": title, "address": address, "latitude": latitude, "longitude": longitude,
    }))
}

fn button_message(report: &mut Report, path: &str, message: &ButtonMessage) -> Value {
    let path = format!("{path}.buttons");
    let text = format!("{path}.text");
    report.field(violation_code::TEXT_TOO_LONG, &text, "The text", &message.text, limits::BUTTON_TEXT);
    report.count(&format!("{path}.buttons"), "buttons", message.buttons.len(), limits::BUTTONS);
    if message.header.is_some() || message.footer.is_some() {
        let sentence = "Above and below buttons LINE shows nothing but their text. Send it as a part before.";
        report.error(violation_code::UNSUPPORTED_COMBINATION, &path, sentence);
    }
    let actions = message.buttons.iter().enumerate().map(|(at, button)| {
        let path = format!("{path}.buttons[{at}]");
        titled(report, &path, &button.title, violation_code::TITLE_TOO_LONG);
        action(report, &path, &button.title, &button.action)
    });
    let actions: Vec<Value> = actions.collect();
    let template = json!({ "type": "buttons", "text": message.text, "actions": actions });
    json!({ "type": "template", "altText": message.text, "template": template })
}

fn titled(report: &mut Report, path: &str, title: &str, code: &str) {
    report.field(code, &format!("{path}.title"), "The title", title, limits::TITLE);
}

/// What a tap does, as LINE writes it.
fn action(report: &mut Report, path: &str, label: &str, action: &ButtonAction) -> Value {
    let path = format!("{path}.action");
    match action {
        ButtonAction::Postback(data) => {
            report.length(violation_code::PAYLOAD_TOO_LONG, &path, "The payload", data, limits::PAYLOAD);
            // What was tapped is shown, as if it had been typed.
            json!({ "type": "postback", "label": label, "data": data, "displayText": label })
        }
        ButtonAction::Url(url) => json!({ "type": "uri", "label": label, "uri": url }),
        ButtonAction::Call(number) => json!({ "type": "uri", "label": label, "uri": format!("tel:{number}") }),
        ButtonAction::Copy(text) => json!({ "type": "clipboard", "label": label, "clipboardText": text }),
        ButtonAction::Ask(question) if question.what == "location" => json!({ "type": "location", "label": label }),
        ButtonAction::Ask(Question { what, payload }) if matches!(what.as_str(), "date" | "time" | "date_time") => {
            let mode = if what == "date_time" { "datetime" } else { what };
            let data = payload.as_deref().unwrap_or(what);
            json!({ "type": "datetimepicker", "label": label, "data": data, "mode": mode })
        }
        _ => {
            let sentence = "A tap on LINE can send back, open, call, copy, or ask for a place, a date or a time.";
            report.error(violation_code::UNSUPPORTED_FEATURE, &path, sentence);
            Value::Null
        }
    }
}

/// What hangs on single messages: who writes, what is quoted, what may be tapped.
fn decorate(report: &mut Report, rendered: &mut [Rendered], message: &OutboundMessage) {
    let mut messages: Vec<&mut Value> = rendered.iter_mut().map(|one| &mut one.message).collect();
    if let Some(name) = &message.sender.name {
        let mut sender = json!({ "name": name });
        put(&mut sender, "iconUrl", message.sender.picture_url.as_deref().map(Value::from));
        messages.iter_mut().for_each(|message| put(message, "sender", Some(sender.clone())));
    }
    if let Some(target) = &message.reply_to {
        let kept = target.context.as_deref().and_then(|kept| serde_json::from_slice::<Quotable>(kept).ok());
        let quotes = |message: &Value| matches!(message.get("type").and_then(Value::as_str), Some("text" | "sticker"));
        let first = messages.iter_mut().find(|message| quotes(message));
        match (kept, first) {
            (Some(kept), Some(first)) => put(first, "quoteToken", Some(kept.quote.into())),
            (None, _) => {
                let sentence = "LINE quotes a message by a token that came with it, and there is none here.";
                report.lost(0, feature::REPLY_TO, "reply_to", sentence);
            }
            (_, None) => {
                let sentence = "On LINE a text or a sticker quotes, and there is neither here.";
                report.lost(0, feature::REPLY_TO, "reply_to", sentence);
            }
        }
    }
    if let Some(last) = messages.last_mut().filter(|_| !message.quick_replies.is_empty()) {
        // Findings about the actions were written down before.
        let mut quiet = Report::new(LINE, message.fallback);
        let items = message.quick_replies.iter().map(|reply| {
            let mut item = json!({ "type": "action", "action": action(&mut quiet, "", &reply.title, &reply.action) });
            put(&mut item, "imageUrl", reply.image_url.as_deref().map(Value::from));
            item
        });
        let items: Vec<Value> = items.collect();
        put(last, "quickReply", Some(json!({ "items": items })));
    }
}

fn put(object: &mut Value, name: &str, value: Option<Value>) {
    if let (Some(members), Some(value)) = (object.as_object_mut(), value) {
        members.insert(name.to_owned(), value);
    }
}

/// The requests. The first is a reply while its token is good: that costs the business nothing; the others push.
pub(crate) fn steps(
    report: &Report,
    groups: Vec<Group>,
    message: &OutboundMessage,
    context: &ConversationContext,
) -> Vec<SendStep> {
    let kept = context.reply_context.as_deref().and_then(|kept| serde_json::from_slice::<Kept>(kept).ok());
    let mut fresh = kept.filter(|kept| context.now < kept.at.saturating_add(TOKEN_LIVES)).map(|kept| kept.token);
    let to = target(context).unwrap_or_default();
    let step = |(nth, group): (usize, Group)| {
        let request = match fresh.take() {
            Some(token) => request("reply", json!({ "replyToken": token, "messages": group.messages }), None),
            None => {
                let key = retry_key(&message.id, nth);
                request("push", json!({ "to": to, "messages": group.messages }), Some(key))
            }
        };
        let mut parts = group.parts.clone();
        parts.dedup();
        let degradations = parts.iter().flat_map(|part| report.degradations_of(*part as usize)).collect();
        let only = if let [only] = group.messages.as_slice() { only.get("text").and_then(Value::as_str) } else { None };
        SendStep {
            parts,
            repeatable: request.headers.iter().any(|header| header.name == RETRY_KEY),
            text: only.map(str::to_owned),
            context: serde_json::to_vec(&Asked { parts: group.parts }).ok(),
            degradations,
            ..blank::step(request)
        }
    };
    groups.into_iter().enumerate().map(step).collect()
}

const RETRY_KEY: &str = "x-line-retry-key";

fn request(method: &str, body: Value, key: Option<String>) -> HttpRequest {
    let mut headers = vec![Header { name: "content-type".into(), value: "application/json".into() }];
    headers.extend(key.map(|value| Header { name: RETRY_KEY.into(), value }));
    HttpRequest {
        method: HttpMethod::Post,
        url: format!("https://api.line.me/v2/bot/message/{method}"),
        headers,
        body: HttpBody::Bytes(body.to_string().into_bytes()),
        fills: vec![token()],
        captures: Vec::new(),
    }
}

/// A UUID that one push of one message has, at every attempt.
fn retry_key(message: &str, nth: usize) -> String {
    let half = |which: &str| format!("{:0>16}", id::hash(&[which, message, &nth.to_string()]));
    let (high, low) = (half("high"), half("low"));
    let piece = |half: &str, from: usize, to: usize| half.get(from..to).unwrap_or_default().to_owned();
    // Marked as a UUID of its maker's own form.
    let (time, version) = (piece(&high, 0, 8) + "-" + &piece(&high, 8, 12), piece(&high, 13, 16));
    format!("{time}-8{version}-8{}-{}", piece(&low, 1, 4), piece(&low, 4, 16))
}
