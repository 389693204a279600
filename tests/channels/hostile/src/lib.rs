//! A channel that misbehaves as the body of a delivery tells it to: what the sandbox must survive.

#![allow(clippy::result_large_err, reason = "the contract's errors are as large as they are")]

mod attack;

use channel_sdk::{account, blank, history, http, messaging_channel, storage, types::*};

struct Hostile;

impl messaging_channel::Guest for Hostile {
    fn capabilities(_: Option<AccountSettings>) -> ChannelCapabilities {
        blank::capabilities()
    }

    fn parse_webhook(input: Delivery) -> Result<Vec<Event>, ParseError> {
        match input.body.as_slice() {
            b"loop" => loop {
                std::hint::black_box(0);
            },
            b"recurse" => Err(ParseError::Other(deeper(1).to_string())),
            b"grow" => {
                let mut kept: Vec<Vec<u8>> = Vec::new();
                loop {
                    kept.push(vec![1; 1 << 20]);
                    std::hint::black_box(&kept);
                }
            }
            // Each string is small in the guest and a copy in the host.
            b"flood" => Err(ParseError::NotThisChannel("x".repeat(4 << 20))),
            b"many" => {
                let event = || unknown("x".repeat(64 << 10));
                Ok((0..100).map(|_| event()).collect())
            }
            b"trap" => std::process::abort(),
            poison if poison.starts_with(b"poison") => std::process::abort(),
            b"escape" => Err(ParseError::Other("\u{1b}[31mred\u{9b}2J\nERROR forged\u{202e}".into())),
            b"http" => {
                let _ = http::send(&HttpRequest {
                    method: HttpMethod::Get,
                    url: "http://127.0.0.1/".into(),
                    headers: Vec::new(),
                    body: HttpBody::Empty,
                    fills: Vec::new(),
                    captures: Vec::new(),
                });
                Err(ParseError::Other("the request went through".into()))
            }
            b"storage" => {
                let _ = storage::set("key", b"value");
                Err(ParseError::Other("the value was stored".into()))
            }
            sound if sound.starts_with(b"sound") => {
                let id = String::from_utf8_lossy(sound).into_owned();
                Ok(vec![Event { id, ..hello() }])
            }
            // Of any account that it likes to speak for.
            speaks if speaks.starts_with(b"as ") => Ok(attack::speak(&input)),
            b"hello" => Ok(vec![hello()]),
            _ => Ok(Vec::new()),
        }
    }

    fn validate_outbound(_: OutboundMessage, _: ConversationContext) -> Validation {
        Validation { violations: Vec::new(), degradations: Vec::new() }
    }

    fn build_send_request(message: OutboundMessage, _: ConversationContext) -> Result<Vec<SendStep>, Vec<Violation>> {
        let asked = match message.parts.first() {
            Some(OutboundPart::Text(text)) => text.text.as_str(),
            _ => return Ok(Vec::new()),
        };
        if asked == "trap" {
            std::process::abort();
        }
        Ok(vec![blank::step(attack::request(asked))])
    }

    /// Passes on everything that it was shown.
    fn parse_send_response(_: SentStep, response: HttpResponse) -> SendOutcome {
        let headers: Vec<_> = response.headers.iter().map(|header| header.value.as_str()).collect();
        let message = format!("{} {}", String::from_utf8_lossy(&response.body), headers.join(" "));
        let failure = blank::failure(FailureCategory::Other, message);
        SendOutcome { verdict: SendResult::Rejected(failure), pause: None, reply_context: None }
    }
}

fn deeper(depth: u64) -> u64 {
    // Not a tail call, and nothing that a compiler may turn into a loop.
    if std::hint::black_box(depth) == 0 { 0 } else { deeper(depth + 1) + std::hint::black_box(1) }
}

/// Something that opens a conversation.
fn hello() -> Event {
    let contact = Some(blank::person("victim".into()));
    Event { id: "hello".into(), account: "account".into(), contact, ..unknown(String::new()) }
}

fn unknown(native: String) -> Event {
    let body = EventBody::Unknown(UnknownItem { reason: "x".into(), kind: None });
    Event { native: Some(native), ..blank::event("x".into(), "x".into(), body) }
}

impl account::Guest for Hostile {
    fn connect(_: account::ConnectRequest) -> Result<account::ConnectStep, AccountError> {
        Err(AccountError::Unsupported)
    }

    fn check(account: AccountSettings) -> Result<Vec<account::CheckResult>, AccountError> {
        attack::account(&account)
    }
    fn refresh(_: AccountSettings) -> Result<account::Refreshed, AccountError> {
        Err(AccountError::Unsupported)
    }
    fn subscribe(_: AccountSettings) -> Result<(), AccountError> {
        Err(AccountError::Unsupported)
    }
    fn unsubscribe(_: AccountSettings) -> Result<(), AccountError> {
        Err(AccountError::Unsupported)
    }
}

impl history::Guest for Hostile {
    fn history(
        account: AccountSettings,
        request: history::HistoryRequest,
    ) -> Result<history::HistoryPage, AccountError> {
        attack::history(&account, &request)
    }
}

channel_sdk::channel!(Hostile: messaging_channel, account, history);
