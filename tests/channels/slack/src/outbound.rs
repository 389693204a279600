//! A message of the contract as Slack's: what stands in its way, and the requests that deliver it.
//! Owns which method each part is; not what the answers mean (`outcome`).

use channel_sdk::{blank, names::violation_code, report::Report, types::*};
use serde_json::{Value, json};

use crate::{SLACK, capabilities as limits, emoji, marks, token};

/// What is wrong with a message, and its requests.
pub(crate) fn plan(message: &OutboundMessage, context: &ConversationContext) -> (Report, Vec<SendStep>) {
    let mut report = Report::new(SLACK, message.fallback);
    check(&mut report, message);
    let Some(place) = Place::of(message, context) else {
        report.error(
            violation_code::MISSING_FIELD,
            "context.thread",
            "Slack names no channel and nobody here to write to.",
        );
        return (report, Vec::new());
    };
    let mut plan = Plan { report, message, place, steps: Vec::new() };
    for (index, part) in (0..).zip(&message.parts) {
        plan.part(index, part);
    }
    (plan.report, plan.steps)
}

/// What concerns the message as a whole.
fn check(report: &mut Report, message: &OutboundMessage) {
    if message.parts.is_empty() {
        report.error(violation_code::EMPTY_MESSAGE, "parts", "The message is empty. Write something.");
    }
    let nothing_like = [
        (!message.quick_replies.is_empty(), "quick_replies", "Slack has no quick replies. Send buttons."),
        (message.native.is_some(), "native", "This channel takes nothing in Slack's own form. Say it with parts."),
        (message.private_reply_to.is_some(), "private_reply_to", "Slack has no comments. Write into a conversation."),
    ];
    for (_, path, sentence) in nothing_like.iter().filter(|(asked, ..)| *asked) {
        report.error(violation_code::UNSUPPORTED_FEATURE, path, sentence);
    }
}

/// Where a message goes.
struct Place<'a> {
    /// A channel, or a person, whose direct messages it goes to.
    channel: &'a str,
    /// The thread within the channel.
    thread: Option<&'a str>,
}

impl<'a> Place<'a> {
    fn of(message: &'a OutboundMessage, context: &'a ConversationContext) -> Option<Self> {
        let within = context.thread.as_ref();
        let channel = within.map(|thread| thread.parent.as_deref().unwrap_or(&thread.id));
        let topic = within.filter(|thread| thread.parent.is_some()).and_then(|thread| place_in_channel(&thread.id));
        // An answer to one message stands in its thread.
        let answered = message.reply_to.as_ref().and_then(|target| place_in_channel(&target.id));
        let named = context.contact.as_deref().or(context.address.as_ref().map(|address| address.value.as_str()));
        Some(Self { channel: channel.or(named)?, thread: topic.map(|(_, ts)| ts).or(answered.map(|(_, ts)| ts)) })
    }
}

/// A message's channel, and its `ts` there.
fn place_in_channel(id: &str) -> Option<(&str, &str)> {
    id.split_once(':').filter(|(channel, ts)| !channel.is_empty() && !ts.is_empty())
}

/// The requests so far.
struct Plan<'a> {
    report: Report,
    message: &'a OutboundMessage,
    place: Place<'a>,
    steps: Vec<SendStep>,
}

impl Plan<'_> {
    fn part(&mut self, index: u32, part: &OutboundPart) {
        let path = format!("parts[{index}]");
        match part {
            OutboundPart::Text(text) => {
                let path = format!("{path}.text");
                if let Some(mut body) = self.text(&path, text) {
                    self.address(&mut body);
                    self.post(index, "chat.postMessage", body, Some(text.text.clone()));
                }
            }
            OutboundPart::Buttons(buttons) => {
                let mut body = self.buttons(&format!("{path}.buttons"), buttons);
                self.address(&mut body);
                self.post(index, "chat.postMessage", body, Some(buttons.text.clone()));
            }
            OutboundPart::Media(files) => self.files(index, &format!("{path}.media"), files),
            OutboundPart::Reaction(reaction) => self.reaction(index, &format!("{path}.reaction"), reaction),
            OutboundPart::Edit(edit) => self.edit(index, &format!("{path}.edit"), edit),
            OutboundPart::Delete(target) => {
                if let Some((channel, ts)) = self.target(&format!("{path}.delete"), target) {
                    self.act(index, StepKind::Other, "chat.delete", json!({ "channel": channel, "ts": ts }));
                }
            }
            OutboundPart::Acknowledge(tap) => self.acknowledge(index, &format!("{path}.acknowledge"), tap),
            _ => {
                let sentence = "Slack has nothing like this. Send a text, files or buttons.";
                let accepted = ["text", "media", "buttons", "reaction", "edit", "delete", "acknowledge"];
                self.report.not_accepted(violation_code::UNSUPPORTED_FEATURE, &path, sentence, &accepted);
            }
        }
    }

    /// The words of a message; Slack reads its own marks, or Markdown.
    fn text(&mut self, path: &str, text: &OutboundText) -> Option<Value> {
        let field = format!("{path}.text");
        let (limit, body) = match text.format {
            TextFormat::Plain => (limits::TEXT, json!({ "text": marks::escaped(&text.text), "mrkdwn": false })),
            TextFormat::Markdown => (limits::MARKDOWN, json!({ "markdown_text": text.text })),
            TextFormat::Html => {
                let sentence = "Slack reads no HTML. Write it as plain words or in Markdown.";
                let accepted = ["plain", "markdown"];
                let path = format!("{path}.format");
                self.report.not_accepted(violation_code::UNSUPPORTED_FEATURE, &path, sentence, &accepted);
                return None;
            }
        };
        let there = self.report.present(&field, "The text", &text.text);
        let fits = self.report.length(violation_code::TEXT_TOO_LONG, &field, "The text", &text.text, limit);
        (there && fits).then_some(body)
    }

    fn buttons(&mut self, path: &str, message: &ButtonMessage) -> Value {
        let report = &mut self.report;
        let text = format!("{path}.text");
        report.field(violation_code::TEXT_TOO_LONG, &text, "The text", &message.text, limits::SECTION);
        report.count(&format!("{path}.buttons"), "buttons", message.buttons.len(), limits::BUTTONS);
        if message.header.is_some() || message.footer.is_some() {
            let sentence =
                "With buttons this channel sends nothing but their text. Send the rest as a part of its own.";
            report.error(violation_code::UNSUPPORTED_COMBINATION, path, sentence);
        }
        let elements = message.buttons.iter().enumerate().map(|(at, button)| {
            let path = format!("{path}.buttons[{at}]");
            let title = format!("{path}.title");
            report.field(violation_code::TITLE_TOO_LONG, &title, "The title", &button.title, limits::TITLE);
            let words = json!({ "type": "plain_text", "text": button.title });
            // Unlike that of every other button of the message.
            let id = format!("button-{at}");
            match &button.action {
                ButtonAction::Postback(value) => {
                    let path = format!("{path}.action");
                    report.length(violation_code::PAYLOAD_TOO_LONG, &path, "The payload", value, limits::PAYLOAD);
                    json!({ "type": "button", "action_id": id, "text": words, "value": value })
                }
                ButtonAction::Url(url) => json!({ "type": "button", "action_id": id, "text": words, "url": url }),
                _ => {
                    let sentence = "A button on Slack sends something back, or opens an address.";
                    let accepted = ["postback", "url"];
                    let path = format!("{path}.action");
                    report.not_accepted(violation_code::UNSUPPORTED_FEATURE, &path, sentence, &accepted);
                    Value::Null
                }
            }
        });
        let elements: Vec<Value> = elements.collect();
        let text = marks::escaped(&message.text);
        let section = json!({ "type": "section", "text": { "type": "mrkdwn", "text": text, "verbatim": true } });
        json!({ "text": text, "blocks": [section, { "type": "actions", "elements": elements }] })
    }

    /// Where it goes and who writes.
    fn address(&self, body: &mut Value) {
        put(body, "channel", Some(self.place.channel.into()));
        put(body, "thread_ts", self.place.thread.map(Value::from));
        put(body, "username", self.message.sender.name.as_deref().map(Value::from));
        put(body, "icon_url", self.message.sender.picture_url.as_deref().map(Value::from));
    }

    /// One message, which Slack shows to us by an event that carries our mark.
    fn post(&mut self, index: u32, method: &str, mut body: Value, text: Option<String>) {
        let correlation = format!("{}/{index}", self.message.id);
        let metadata = json!({ "event_type": "inbox_message", "event_payload": { "correlation": correlation } });
        put(&mut body, "metadata", Some(metadata));
        let request = call(method, &body);
        self.steps.push(SendStep {
            repeatable: false,
            echoed: true,
            correlation: Some(correlation),
            text,
            degradations: self.report.degradations_of(index as usize),
            ..step(index, StepKind::Message, "messages", request)
        });
    }

    /// Something that is done to what is there, and harmless twice.
    fn act(&mut self, index: u32, kind: StepKind, method: &str, body: Value) {
        let request = call(method, &body);
        self.steps.push(step(index, kind, "action", request));
    }

    /// Slack is told of each file, hands out an address for its bytes, and shares all of them as one message.
    fn files(&mut self, index: u32, path: &str, files: &[OutboundMedia]) {
        self.report.count(path, "files", files.len(), limits::FILES);
        let mut shared = Vec::new();
        let mut fills = vec![token()];
        let mut words = None;
        for (at, file) in files.iter().enumerate() {
            let path = format!("{path}[{at}]");
            let MediaSource::File(reference) = &file.source else {
                let sentence = "Slack takes files, not addresses. Hand the file in, or send its address as a text.";
                let path = format!("{path}.source");
                self.report.not_accepted(violation_code::UNSUPPORTED_FEATURE, &path, sentence, &["file"]);
                continue;
            };
            if reference.size > limits::FILE_BYTES {
                let sentence =
                    format!("The file has {} bytes; this channel sends up to {}.", reference.size, limits::FILE_BYTES);
                self.report.error(violation_code::MEDIA_TOO_LARGE, &path, &sentence);
            }
            if let Some(caption) = &file.caption
                && words.replace(caption).is_some()
            {
                let sentence = "Files that are one message have one caption. Send them as parts of their own.";
                self.report.error(violation_code::UNSUPPORTED_COMBINATION, &format!("{path}.caption"), sentence);
            }
            let (address, id) = (format!("upload-url-{index}-{at}"), format!("file-id-{index}-{at}"));
            let name = file.name.as_deref().unwrap_or("file");
            self.steps.push(announce(index, file, name, reference.size, [&address, &id]));
            self.steps.push(transfer(index, reference, file.mime.as_deref(), address));
            fills.push(Fill { source: FillSource::Captured(id), place: FillPlace::Json(format!("/files/{at}/id")) });
            shared.push(json!({ "id": "", "title": name }));
        }
        let mut body = json!({ "files": shared, "channel_id": self.place.channel });
        put(&mut body, "thread_ts", self.place.thread.map(Value::from));
        put(&mut body, "initial_comment", words.map(|words| marks::escaped(words).into()));
        let mut request = call("files.completeUploadExternal", &body);
        request.fills = fills;
        self.steps.push(SendStep {
            repeatable: false,
            echoed: true,
            // The mark is the file's id, which this channel does not see before the answer.
            correlation: None,
            degradations: self.report.degradations_of(index as usize),
            ..step(index, StepKind::Message, "messages", request)
        });
    }

    fn reaction(&mut self, index: u32, path: &str, reaction: &OutboundReaction) {
        let name = reaction.name.as_deref().or(reaction.emoji.as_deref().and_then(emoji::name_of));
        let Some(name) = name else {
            let sentence = "Slack knows emoji by name, and this channel knows no name for this one. Choose another.";
            let accepted = emoji::all();
            let accepted: Vec<&str> = accepted.iter().map(String::as_str).collect();
            return self.report.not_accepted(violation_code::UNKNOWN_REACTION, path, sentence, &accepted);
        };
        let method = match reaction.action {
            ReactionAction::Removed => "reactions.remove",
            _ => "reactions.add",
        };
        if let Some((channel, ts)) = self.target(&format!("{path}.target"), &reaction.target) {
            let body = json!({ "channel": channel, "timestamp": ts, "name": name });
            self.act(index, StepKind::Action, method, body);
        }
    }

    fn edit(&mut self, index: u32, path: &str, edit: &OutboundEdit) {
        let Some((channel, ts)) = self.target(&format!("{path}.target"), &edit.target) else { return };
        let (channel, ts) = (channel.to_owned(), ts.to_owned());
        let Some(text) = &edit.text else {
            let sentence = "This channel changes a message's words. Write them.";
            return self.report.error(violation_code::MISSING_FIELD, &format!("{path}.text"), sentence);
        };
        let Some(mut body) = self.text(&format!("{path}.text"), text) else { return };
        match &edit.buttons {
            // Without them in the request, Slack keeps what is there.
            None => {}
            Some(buttons) if buttons.is_empty() => put(&mut body, "blocks", Some(json!([]))),
            Some(_) => {
                let sentence = "This channel takes buttons away and does not change them. Send a new message.";
                self.report.error(violation_code::UNSUPPORTED_FEATURE, &format!("{path}.buttons"), sentence);
            }
        }
        put(&mut body, "channel", Some(channel.into()));
        put(&mut body, "ts", Some(ts.into()));
        self.act(index, StepKind::Other, "chat.update", body);
    }

    /// The tap itself was answered with the webhook; what is said besides goes to the address that came with it.
    fn acknowledge(&mut self, index: u32, path: &str, tap: &Acknowledgement) {
        let Some(notice) = &tap.notice else {
            let sentence = "Slack has its answer to the tap already. Write what the person is to read.";
            return self.report.error(violation_code::MISSING_FIELD, &format!("{path}.notice"), sentence);
        };
        if !tap.token.starts_with("https://hooks.slack.com/actions/") {
            let sentence = "This is no tap of Slack's. Answer with a message.";
            return self.report.error(violation_code::INVALID_FIELD, &format!("{path}.token"), sentence);
        }
        let body = json!({ "response_type": "ephemeral", "replace_original": false, "text": marks::escaped(notice) });
        let request = HttpRequest { url: tap.token.clone(), fills: Vec::new(), ..call("", &body) };
        self.steps.push(SendStep { repeatable: false, ..step(index, StepKind::Action, "action", request) });
    }

    /// The message that something is done to, by channel and `ts`.
    fn target<'t>(&mut self, path: &str, target: &'t MessageRef) -> Option<(&'t str, &'t str)> {
        let found = place_in_channel(&target.id);
        if found.is_none() {
            let sentence = "Slack names a message by its channel and its time. Choose the message again.";
            self.report.error(violation_code::INVALID_FIELD, path, sentence);
        }
        found
    }
}

fn put(object: &mut Value, name: &str, value: Option<Value>) {
    if let (Some(members), Some(value)) = (object.as_object_mut(), value) {
        members.insert(name.to_owned(), value);
    }
}

/// A step of which nothing but its request is special.
fn step(index: u32, kind: StepKind, rate_class: &str, request: HttpRequest) -> SendStep {
    SendStep { parts: vec![index], kind, rate_class: rate_class.to_owned(), repeatable: true, ..blank::step(request) }
}

/// A call of the Web API with a JSON body.
fn call(method: &str, body: &Value) -> HttpRequest {
    HttpRequest {
        method: HttpMethod::Post,
        url: format!("https://slack.com/api/{method}"),
        headers: content_type("application/json; charset=utf-8"),
        body: HttpBody::Bytes(body.to_string().into_bytes()),
        fills: vec![token()],
        captures: Vec::new(),
    }
}

fn content_type(value: &str) -> Vec<Header> {
    vec![Header { name: "content-type".into(), value: value.into() }]
}

/// The first of three: Slack gives the file an id, and an address for its bytes. This method takes a form only.
fn announce(index: u32, file: &OutboundMedia, name: &str, size: u64, kept_as: [&str; 2]) -> SendStep {
    let mut form = format!("length={size}&filename=");
    channel_sdk::text::push_encoded(&mut form, name);
    if let Some(description) = &file.description {
        form.push_str("&alt_txt=");
        channel_sdk::text::push_encoded(&mut form, description);
    }
    let [address, id] = kept_as;
    let capture = |pointer: &str, name: &str| Capture {
        pointer: pointer.into(),
        target: CaptureTarget::Value(name.into()),
        key: None,
    };
    let request = HttpRequest {
        headers: content_type("application/x-www-form-urlencoded"),
        body: HttpBody::Bytes(form.into_bytes()),
        captures: vec![capture("/upload_url", address), capture("/file_id", id)],
        ..call("files.getUploadURLExternal", &Value::Null)
    };
    step(index, StepKind::Upload, "upload", request)
}

/// The second: the bytes, without a credential, to the address that is one.
fn transfer(index: u32, file: &FileRef, mime: Option<&str>, address: String) -> SendStep {
    let request = HttpRequest {
        method: HttpMethod::Post,
        url: "https://files.slack.com/upload/v1/captured".into(),
        headers: content_type(mime.unwrap_or("application/octet-stream")),
        body: HttpBody::File(file.clone()),
        fills: vec![Fill { source: FillSource::Captured(address), place: FillPlace::Url }],
        captures: Vec::new(),
    };
    step(index, StepKind::Upload, "upload", request)
}
