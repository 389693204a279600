//! What the tests share: deliveries, messages and conversations with sensible defaults.
//! What belongs here is building blocks; what is proved stands in the tests.
#![allow(dead_code, unreachable_pub, unused_imports, reason = "every test file uses a part of it")]

pub mod network;

use channel_sdk::blank;
pub use channel_sdk::blank::window;
use channel_sdk::names::violation_code;
use instagram_channel::types::*;

pub const ACCOUNT: &str = "17841400000000001";
pub const CONTACT: &str = "6512345678901234";

pub fn delivery(body: impl AsRef<[u8]>) -> Delivery {
    Delivery {
        source: DeliverySource::Webhook,
        body: body.as_ref().to_vec(),
        headers: Vec::new(),
        query: String::new(),
        received_at: 1_795_000_000_900,
        account: None,
    }
}

pub fn events(body: impl AsRef<[u8]>) -> Vec<Event> {
    instagram_channel::parse(&delivery(body)).expect("a delivery of Instagram's")
}

pub fn fixture(name: &str) -> String {
    let path = format!("{}/tests/fixtures/{name}.json", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The only event of a fixture.
pub fn event(name: &str) -> Event {
    let mut events = events(fixture(name));
    assert_eq!(events.len(), 1, "{name}");
    events.remove(0)
}

pub fn envelope(items: &str) -> String {
    format!(r#"{{"object":"instagram","entry":[{{"id":"{ACCOUNT}","time":1795000000456,"messaging":[{items}]}}]}}"#)
}

pub fn item(body: &str) -> String {
    format!(r#"{{"sender":{{"id":"{CONTACT}"}},"recipient":{{"id":"{ACCOUNT}"}},"timestamp":1795000000123,{body}}}"#)
}

pub fn setting(key: &str, value: SettingValue) -> Setting {
    Setting { key: key.into(), value }
}

pub fn login(name: &str) -> Setting {
    setting("login", SettingValue::Text(name.into()))
}

pub fn account(settings: Vec<Setting>) -> AccountSettings {
    AccountSettings { id: ACCOUNT.into(), settings, webhook_url: None }
}

pub fn context() -> ConversationContext {
    ConversationContext {
        account: account(vec![login("instagram")]),
        contact: Some(CONTACT.into()),
        ..blank::conversation(ACCOUNT, 1_795_000_001_000)
    }
}

pub fn facebook() -> ConversationContext {
    let page = setting("page-id", SettingValue::Text("102030405060708".into()));
    ConversationContext { account: account(vec![login("facebook"), page]), ..context() }
}

pub fn sender(kind: SenderKind) -> Sender {
    Sender { kind, id: "agent-1".into(), name: None, picture_url: None }
}

/// A message on the platform, of which the channel gave nothing to keep.
pub fn message_ref(id: impl Into<String>) -> MessageRef {
    MessageRef { id: id.into(), context: None }
}

pub fn message(parts: Vec<OutboundPart>) -> OutboundMessage {
    OutboundMessage {
        sender: sender(SenderKind::Human),
        fallback: FallbackPolicy::Allow,
        ..blank::reply("outbox-42", parts)
    }
}

pub fn text(text: impl Into<String>) -> OutboundPart {
    OutboundPart::Text(OutboundText { text: text.into(), format: TextFormat::Plain, split: false })
}

pub fn split_text(text: impl Into<String>) -> OutboundPart {
    OutboundPart::Text(OutboundText { text: text.into(), format: TextFormat::Plain, split: true })
}

pub fn media(kind: MediaKind, source: MediaSource) -> OutboundMedia {
    OutboundMedia { size: Some(1000), ..blank::file(kind, source) }
}

pub fn url(url: &str) -> MediaSource {
    MediaSource::Url(url.into())
}

pub fn file(size: u64) -> MediaSource {
    MediaSource::File(FileRef { handle: "file-1".into(), size })
}

pub fn quick_reply(title: &str) -> QuickReply {
    QuickReply { title: title.into(), action: ButtonAction::Postback("P".into()), image_url: None }
}

pub fn button(title: &str) -> Button {
    Button { title: title.into(), action: ButtonAction::Postback("P".into()) }
}

pub fn card(title: &str) -> Card {
    Card { title: title.into(), subtitle: Some("second line".into()), image_url: None, url: None, buttons: Vec::new() }
}

pub fn validate(message: &OutboundMessage, context: &ConversationContext) -> Vec<Violation> {
    instagram_channel::validate(message, context).violations
}

/// No name at all, of violations or of anything else that has names.
pub const NONE: [&str; 0] = [];

/// The codes of one severity; each must be one of the contract's names.
fn codes(message: &OutboundMessage, context: &ConversationContext, severity: Severity) -> Vec<&'static str> {
    let found = validate(message, context).into_iter().filter(|violation| violation.severity == severity);
    found.map(|violation| named(violation_code::ALL, &violation.code)).collect()
}

/// One of the contract's names.
pub fn named(all: &[&'static str], name: &str) -> &'static str {
    all.iter().find(|known| **known == name).unwrap_or_else(|| panic!("not a name of the contract: {name}"))
}

pub fn has(event: &Event, anomaly: &str) -> bool {
    event.anomalies.iter().any(|found| found == anomaly)
}

pub fn errors(message: &OutboundMessage, context: &ConversationContext) -> Vec<&'static str> {
    codes(message, context, Severity::Error)
}

/// The errors of a message with one part.
pub fn of(part: OutboundPart) -> Vec<&'static str> {
    errors(&message(vec![part]), &context())
}

/// The violation that a message with one part has.
pub fn found(part: OutboundPart, code: &str) -> Violation {
    let found = validate(&message(vec![part]), &context());
    found.into_iter().find(|violation| violation.code == code).expect("the violation")
}

pub fn warnings(message: &OutboundMessage, context: &ConversationContext) -> Vec<&'static str> {
    codes(message, context, Severity::Warning)
}

pub fn steps(message: &OutboundMessage, context: &ConversationContext) -> Vec<SendStep> {
    instagram_channel::build(message, context).expect("a message that can be sent")
}

/// The JSON body of a step.
pub fn body(step: &SendStep) -> String {
    match &step.request.body {
        HttpBody::Bytes(bytes) => String::from_utf8(bytes.clone()).expect("UTF-8"),
        other => panic!("not JSON: {other:?}"),
    }
}

pub fn only_body(message: &OutboundMessage, context: &ConversationContext) -> String {
    let steps = steps(message, context);
    assert_eq!(steps.len(), 1);
    body(&steps[0])
}
