//! A chat widget on a web site, as a channel: `{"messages": [{"id", "visitor", "name", "text", "at"}]}`
//! comes in, `{"visitor", "text", "correlation"}` goes out. No window, no media, no reactions.

use serde::{Deserialize, Serialize};

use channel_sdk::{account, collect::person, messaging_channel, types::*};

struct WebChat;

#[derive(Deserialize)]
struct Body {
    messages: Vec<serde_json::Value>,
}

#[derive(Deserialize)]
struct Incoming {
    id: String,
    visitor: String,
    name: Option<String>,
    text: String,
    at: u64,
}

#[derive(Serialize)]
struct Outgoing<'a> {
    visitor: &'a str,
    text: &'a str,
    correlation: &'a str,
}

#[derive(Deserialize)]
struct Accepted {
    id: String,
}

impl messaging_channel::Guest for WebChat {
    fn capabilities() -> ChannelCapabilities {
        let both = [Direction::Inbound, Direction::Outbound];
        ChannelCapabilities {
            revision: 1,
            features: both
                .map(|direction| FeatureSupport {
                    feature: Feature::Text,
                    direction,
                    level: SupportLevel::Full,
                    note: None,
                    not_shown_on: Vec::new(),
                })
                .into(),
            text_limits: Vec::new(),
            count_limits: Vec::new(),
            media_rules: Vec::new(),
            window: WindowPolicy {
                customer_first: true,
                rules: vec![WindowRule {
                    opener: WindowOpener::Message,
                    open_for: None,
                    uncertain_until: None,
                    human_until: None,
                }],
                always_allowed: Vec::new(),
                human_setting: None,
            },
            stickers: Vec::new(),
            reactions: ReactionPolicy::None,
            rates: Vec::new(),
            typing: None,
            identity: IdentityRule { field: "visitor_id".into(), min_length: 1, max_length: 64, digits_only: false },
        }
    }

    fn parse_webhook(input: Delivery) -> Result<ParsedDelivery, ParseError> {
        let account = input.account.clone().unwrap_or_default();
        let body: Body = serde_json::from_slice(&input.body).map_err(|error| {
            ParseError::Malformed(Malformed { offset: error.column() as u64, reason: error.to_string() })
        })?;
        let events = (0..).zip(body.messages).map(|(place, item)| event(&account, &input, place, item)).collect();
        Ok(ParsedDelivery { events })
    }

    fn validate_outbound(message: OutboundMessage, _: ConversationContext) -> Validation {
        Validation { violations: violations(&message), degradations: Vec::new() }
    }

    fn build_send_request(
        message: OutboundMessage,
        context: ConversationContext,
    ) -> Result<Vec<SendStep>, Vec<Violation>> {
        let found = violations(&message);
        if !found.is_empty() {
            return Err(found);
        }
        Ok((0..).zip(&message.parts).filter_map(|(part, content)| step(part, content, &message, &context)).collect())
    }

    fn parse_send_response(_: SendStep, response: HttpResponse) -> SendOutcome {
        let accepted: Option<Accepted> = serde_json::from_slice(&response.body).ok();
        let result = match (response.status, accepted) {
            (200..300, Some(accepted)) => {
                SendResult::Sent(Receipt { message_ids: vec![accepted.id], recipient: None, media_handle: None })
            }
            (401 | 403, _) => {
                SendResult::Unauthorized(failure(FailureCategory::AuthExpired, "The API key was refused."))
            }
            (400..500, _) => {
                SendResult::Rejected(failure(FailureCategory::ContentInvalid, "The chat server refused it."))
            }
            _ => SendResult::Ambiguous(failure(
                FailureCategory::Ambiguous,
                "The chat server did not say whether it took it.",
            )),
        };
        SendOutcome { result, pause: None, reply_context: None }
    }
}

fn event(account: &str, input: &Delivery, place: u32, item: serde_json::Value) -> Event {
    let native = item.to_string();
    match serde_json::from_value::<Incoming>(item) {
        Ok(message) => Event {
            id: format!("m:{}", message.id),
            account: account.into(),
            contact: Some(Contact { name: message.name, ..person(message.visitor) }),
            thread: None,
            author: Author::Contact,
            at: Some(message.at),
            origin: EventOrigin::Live,
            opens: Some(WindowOpener::Message),
            body: EventBody::Message(Message {
                id: Some(message.id),
                text: Some(message.text),
                attachments: Vec::new(),
                answer: None,
                reply_to: None,
                referral: None,
                unavailable: None,
                to_self: false,
                album: None,
            }),
            reply_context: None,
            anomalies: Vec::new(),
            native: None,
        },
        Err(error) => Event {
            id: format!("u:{}:{place}", input.received_at),
            account: account.into(),
            contact: None,
            thread: None,
            author: Author::Unknown,
            at: None,
            origin: EventOrigin::Live,
            opens: None,
            body: EventBody::Unknown(UnknownItem { reason: error.to_string(), kind: None }),
            reply_context: None,
            anomalies: vec![Anomaly::MissingTime],
            native: (native.len() <= 8192).then_some(native),
        },
    }
}

fn violations(message: &OutboundMessage) -> Vec<Violation> {
    (0..)
        .zip(&message.parts)
        .filter(|(_, part)| !matches!(part, OutboundPart::Text(_)))
        .map(|(index, _): (u32, _)| Violation {
            severity: Severity::Error,
            code: ViolationCode::UnsupportedFeature,
            path: format!("parts[{index}]"),
            sentence: "The web chat shows text only. Write what you want to send as a text.".into(),
            limit: None,
            actual: None,
            accepted: vec!["text".into()],
            split_at: None,
        })
        .collect()
}

fn step(
    part: u32,
    content: &OutboundPart,
    message: &OutboundMessage,
    context: &ConversationContext,
) -> Option<SendStep> {
    let OutboundPart::Text(text) = content else { return None };
    let correlation = format!("{}/{part}", message.id);
    let body = Outgoing { visitor: &context.contact, text: &text.text, correlation: &correlation };
    Some(SendStep {
        part,
        kind: StepKind::Message,
        rate_class: "text".into(),
        request: HttpRequest {
            method: HttpMethod::Post,
            url: "https://chat.example.com/v1/messages".into(),
            headers: vec![Header { name: "content-type".into(), value: "application/json".into() }],
            body: HttpBody::Bytes(serde_json::to_vec(&body).unwrap_or_default()),
            fills: vec![Fill { source: FillSource::Slot("api-key".into()), place: FillPlace::Bearer }],
            captures: Vec::new(),
        },
        repeatable: false,
        echoed: false,
        correlation: None,
        text: Some(text.text.clone()),
        degradations: Vec::new(),
    })
}

fn failure(category: FailureCategory, sentence: &str) -> Failure {
    Failure {
        category,
        code: None,
        subcode: None,
        sentence: sentence.into(),
        fix: None,
        retry_after: None,
        trace_id: None,
    }
}

/// A site is connected by configuration alone.
impl account::Guest for WebChat {
    fn connect(_: account::ConnectRequest) -> Result<account::ConnectStep, account::AccountError> {
        Err(account::AccountError::Unsupported)
    }
    fn select(_: account::ConnectRequest, _: String) -> Result<account::ConnectedAccount, account::AccountError> {
        Err(account::AccountError::Unsupported)
    }
    fn check(_: AccountSettings) -> Result<Vec<account::CheckResult>, account::AccountError> {
        Err(account::AccountError::Unsupported)
    }
    fn refresh(_: AccountSettings) -> Result<Option<TimestampMs>, account::AccountError> {
        Err(account::AccountError::Unsupported)
    }
    fn subscribe(_: AccountSettings, _: String) -> Result<(), account::AccountError> {
        Err(account::AccountError::Unsupported)
    }
    fn unsubscribe(_: AccountSettings) -> Result<(), account::AccountError> {
        Err(account::AccountError::Unsupported)
    }
    fn profile(_: AccountSettings, _: String) -> Result<account::ContactProfile, account::AccountError> {
        Err(account::AccountError::Unsupported)
    }
    fn history(_: AccountSettings, _: account::HistoryRequest) -> Result<account::HistoryPage, account::AccountError> {
        Err(account::AccountError::Unsupported)
    }
    fn locate_media(_: AccountSettings, _: Media) -> Result<account::MediaLocation, account::AccountError> {
        Err(account::AccountError::Unsupported)
    }
    fn configure(_: AccountSettings, _: account::EntryPoints) -> Result<(), account::AccountError> {
        Err(account::AccountError::Unsupported)
    }
}

channel_sdk::channel!(WebChat);
