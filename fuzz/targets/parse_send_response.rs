//! Any answer has a reading: a refusal is never taken for a success, and what may have been accepted is
//! never sent again by itself.
#![no_main]

use instagram_channel::types::{Header, HttpMethod, HttpResponse, SendResult, SentStep, StepKind};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let [low, high, kind, rest @ ..] = data else { return };
    let status = 100 + u16::from_le_bytes([*low, *high]) % 500;
    let kind = match kind % 3 {
        0 => StepKind::Message,
        1 => StepKind::Action,
        _ => StepKind::Upload,
    };
    // What stands before the first NUL is the header with the rates.
    let split = rest.iter().position(|byte| *byte == 0).unwrap_or(0);
    let (rates, body) = rest.split_at(split);
    let header = |name: &str| Header { name: name.to_owned(), value: String::from_utf8_lossy(rates).into_owned() };
    let response = HttpResponse {
        status,
        headers: vec![header("x-business-use-case-usage"), header("x-app-usage"), header("retry-after")],
        body: body.to_vec(),
    };
    let step = SentStep {
        parts: vec![0],
        kind,
        repeatable: !matches!(kind, StepKind::Message),
        correlation: None,
        context: None,
        method: HttpMethod::Post,
        url: "https://graph.facebook.com/v25.0/1/messages".into(),
        captured: Vec::new(),
    };
    let outcome = instagram_channel::outcome(&step, &response);
    match outcome.verdict {
        SendResult::Sent(receipt) => {
            assert!((200..300).contains(&status));
            assert!(!matches!(kind, StepKind::Message) || !receipt.messages.is_empty());
        }
        SendResult::Transient(failure) if matches!(kind, StepKind::Message) => assert!(failure.code.is_some()),
        SendResult::RateLimited(failure)
        | SendResult::Transient(failure)
        | SendResult::Ambiguous(failure)
        | SendResult::Rejected(failure)
        | SendResult::Unauthorized(failure)
        | SendResult::Rebuild(failure) => assert!(!failure.message.is_empty()),
    }
});
