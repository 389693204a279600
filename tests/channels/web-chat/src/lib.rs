//! A chat widget on a web site, as a channel: `{"messages": [{"id", "visitor", "name", "text", "at"}]}`
//! comes in, and `{"visitor", "typing", "at"}` among them; `{"visitor", "text", "correlation"}` goes out. No window, no
//! media, no reactions.

use serde::{Deserialize, Serialize};

use channel_sdk::{blank, messaging_channel, names, types::*};

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

#[derive(Deserialize)]
struct Typing {
    visitor: String,
    typing: bool,
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
    fn capabilities(_: Option<AccountSettings>) -> ChannelCapabilities {
        let both = [Direction::Inbound, Direction::Outbound];
        ChannelCapabilities {
            features: both
                .map(|direction| FeatureSupport {
                    feature: names::feature::TEXT.into(),
                    direction,
                    level: SupportLevel::Full,
                    note: None,
                    not_shown_on: Vec::new(),
                })
                .into(),
            window: WindowPolicy {
                customer_first: true,
                rules: vec![blank::window_rule(names::window_opener::MESSAGE)],
                always_allowed: Vec::new(),
            },
            identity: IdentityRule { field: "visitor_id".into(), start_with: Vec::new() },
            ..blank::capabilities()
        }
    }

    fn parse_webhook(input: Delivery) -> Result<Vec<Event>, ParseError> {
        let account = input.account.as_ref().map_or("", |account| account.id.as_str());
        let body: Body = serde_json::from_slice(&input.body).map_err(|error| {
            ParseError::Malformed(Malformed { offset: error.column() as u64, reason: error.to_string() })
        })?;
        Ok((0..).zip(body.messages).map(|(place, item)| event(account, &input, place, item)).collect())
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

    fn parse_send_response(step: SentStep, response: HttpResponse) -> SendOutcome {
        let accepted: Option<Accepted> = serde_json::from_slice(&response.body).ok();
        let verdict = match (response.status, accepted) {
            (200..300, Some(accepted)) => SendResult::Sent(receipt(&step, accepted.id)),
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
        SendOutcome { verdict, pause: None, reply_context: None }
    }
}

fn event(account: &str, input: &Delivery, place: u32, item: serde_json::Value) -> Event {
    if let Ok(Typing { visitor, typing, at }) = Typing::deserialize(&item) {
        let id = format!("t:{visitor}:{at}");
        return Event {
            contact: Some(blank::person(visitor)),
            author: Author::Contact,
            at: Some(at),
            ..blank::event(id, account.into(), EventBody::Typing(typing))
        };
    }
    let native = item.to_string();
    match serde_json::from_value::<Incoming>(item) {
        Ok(message) => {
            let id = format!("m:{}", message.id);
            let body = Message { id: Some(message.id), text: Some(message.text), ..blank::message() };
            Event {
                contact: Some(Contact { name: message.name, ..blank::person(message.visitor) }),
                author: Author::Contact,
                at: Some(message.at),
                opens: Some(names::window_opener::MESSAGE.into()),
                ..blank::event(id, account.into(), EventBody::Message(body))
            }
        }
        Err(error) => {
            let id = format!("u:{}:{place}", input.received_at);
            let body = EventBody::Unknown(UnknownItem { reason: error.to_string(), kind: None });
            Event {
                anomalies: vec![names::anomaly::MISSING_TIME.into()],
                native: (native.len() <= 8192).then_some(native),
                ..blank::event(id, account.into(), body)
            }
        }
    }
}

fn violations(message: &OutboundMessage) -> Vec<Violation> {
    (0..)
        .zip(&message.parts)
        .filter(|(_, part)| !matches!(part, OutboundPart::Text(_)))
        .map(|(index, _): (u32, _)| Violation {
            severity: Severity::Error,
            code: names::violation_code::UNSUPPORTED_FEATURE.into(),
            path: format!("parts[{index}]"),
            message: "The web chat shows text only. Write what you want to send as a text.".into(),
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
    let visitor = context.contact.as_deref()?;
    let correlation = format!("{}/{part}", message.id);
    let body = Outgoing { visitor, text: &text.text, correlation: &correlation };
    let request = HttpRequest {
        method: HttpMethod::Post,
        url: "https://chat.example.com/v1/messages".into(),
        headers: vec![Header { name: "content-type".into(), value: "application/json".into() }],
        body: HttpBody::Bytes(serde_json::to_vec(&body).unwrap_or_default()),
        fills: vec![Fill {
            source: FillSource::Slot("api-key".into()),
            place: FillPlace::Authorization("Bearer".into()),
        }],
        captures: Vec::new(),
    };
    Some(SendStep { parts: vec![part], text: Some(text.text.clone()), ..blank::step(request) })
}

fn receipt(step: &SentStep, id: String) -> Receipt {
    let part = step.parts.first().copied().unwrap_or_default();
    Receipt { messages: vec![SentMessage { part, message: MessageRef { id, context: None } }], ..blank::receipt() }
}

fn failure(category: FailureCategory, message: &str) -> Failure {
    blank::failure(category, message.to_owned())
}

// A site is connected by configuration alone, so nothing but messages is offered.
channel_sdk::channel!(WebChat: messaging_channel);
