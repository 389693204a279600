//! Outcomes: turns Meta's response to a step into what happened, whether to retry, and what to do.
//! What belongs here is the decision; codes come from `table`, pauses from `headers`.
//!
//! Codes decide, never the wording: graph.instagram.com writes messages in the account's language.

mod headers;
mod table;

use channel_sdk::failures::{Row, Verdict};
use channel_sdk::json::{self, Json};
use channel_sdk::text::clip;

use crate::types::{
    Failure, FailureCategory, HttpResponse, MessageRef, Pause, Receipt, SendOutcome, SendResult, SentMessage, SentStep,
    StepKind,
};
use table::TABLE;

/// Determines the outcome of a step from Meta's response.
pub fn outcome(step: &SentStep, response: &HttpResponse) -> SendOutcome {
    let text = String::from_utf8_lossy(&response.body);
    let body = json::parse(&text).ok();
    // Meta sends some errors with status 200, so the error is checked first.
    let error = body.as_ref().and_then(error);
    let asked = headers::pause(&response.headers);
    // Whether the step must not be repeated automatically.
    let once = matches!(step.kind, StepKind::Message) && !step.repeatable;
    let (verdict, wished) = match (&error, &body) {
        (Some(error), _) => refused(error, response.status, once, asked.as_ref()),
        (None, Some(body)) if (200..300).contains(&response.status) => (accepted(step, body), None),
        // An action needs no receipt.
        _ if (200..300).contains(&response.status) && matches!(step.kind, StepKind::Action) => (
            SendResult::Sent(Receipt {
                messages: Vec::new(),
                thread: None,
                recipient: None,
                correlation: None,
                media_handle: None,
            }),
            None,
        ),
        _ => (unreadable(once, response.status, asked.as_ref()), None),
    };
    SendOutcome { verdict, pause: asked.or(wished), reply_context: None }
}

/// The failure in a response, or `None` if the request succeeded. For repeatable requests whose success has no content.
pub(crate) fn failure_of(response: &HttpResponse) -> Option<Failure> {
    let text = String::from_utf8_lossy(&response.body);
    let body = json::parse(&text).ok();
    let asked = headers::pause(&response.headers);
    let result = match (body.as_ref().and_then(error), &body) {
        (Some(error), _) => refused(&error, response.status, false, asked.as_ref()).0,
        (None, Some(_)) if (200..300).contains(&response.status) => return None,
        _ => unreadable(false, response.status, asked.as_ref()),
    };
    let mut failure = match result {
        SendResult::Sent(_) => return None,
        SendResult::RateLimited(failure)
        | SendResult::Transient(failure)
        | SendResult::Ambiguous(failure)
        | SendResult::Rejected(failure)
        | SendResult::Unauthorized(failure)
        | SendResult::Rebuild(failure) => failure,
    };
    // The table is about messages. If it has nothing specific, Meta's message helps an administrator more.
    if let FailureCategory::Other
    | FailureCategory::ContentInvalid
    | FailureCategory::Internal
    | FailureCategory::PlatformTransient = failure.category
        && let Some(words) = body.as_ref().and_then(words_of)
    {
        failure.message = format!("Meta refused the request: {}", clip(words, QUOTED));
        failure.fix = None;
    }
    Some(failure)
}

/// The meaning of a code that a response contains as data.
pub(crate) fn failure_of_code(code: u64, subcode: Option<u64>) -> Failure {
    let row = TABLE.find(Some(code), subcode, false, false);
    Failure { code: Some(code.to_string()), subcode: subcode.map(|subcode| subcode.to_string()), ..row.failure() }
}

/// The most characters quoted from Meta's messages.
const QUOTED: usize = 300;

/// Meta's own message about an error.
fn words_of<'j>(body: &'j Json<'_>) -> Option<&'j str> {
    let words = body.get("error").and_then(|error| error.get("message")).or_else(|| body.get("error_message"));
    match words {
        Some(Json::Text(words)) if !words.is_empty() => Some(words),
        _ => None,
    }
}

/// An error object in the form used by both Graph hosts.
struct Refusal {
    code: Option<u64>,
    subcode: Option<u64>,
    /// Both codes as written: some are negative, and have no row in the table.
    written: [Option<String>; 2],
    is_transient: bool,
    trace_id: Option<String>,
}

fn error(body: &Json<'_>) -> Option<Refusal> {
    match body.get("error") {
        Some(Json::Null | Json::Bool(false)) => None,
        Some(error) => Some(Refusal {
            code: error.get("code").and_then(Json::whole),
            subcode: error.get("error_subcode").and_then(Json::whole),
            written: ["code", "error_subcode"].map(|name| error.get(name).and_then(Json::id)),
            is_transient: match error.get("is_transient") {
                Some(Json::Bool(flag)) => *flag,
                Some(Json::Text(flag)) => flag == "true",
                _ => false,
            },
            trace_id: error.get("fbtrace_id").and_then(Json::id),
        }),
        // The error format of api.instagram.com, where `code` is an HTTP status.
        None => body.get("error_type").map(|_| Refusal {
            code: None,
            subcode: None,
            written: [None, None],
            is_transient: false,
            trace_id: None,
        }),
    }
}

fn refused(error: &Refusal, status: u16, once: bool, asked: Option<&Pause>) -> (SendResult, Option<Pause>) {
    let row = TABLE.find(error.code, error.subcode, error.is_transient, has_failed(status));
    // The fault's code is kept, even if the verdict on the message differs.
    let row = if once && row.verdict == Verdict::Unknown { &table::FAULT_AFTER_SEND } else { row };
    let limited = row.verdict == Verdict::RateLimited;
    let retry_after = match (row.retry_after(), asked) {
        (after, Some(pause)) if limited => Some(pause.duration.max(after.unwrap_or_default())),
        (after, _) => after,
    };
    let [code, subcode] = error.written.clone();
    let failure = Failure {
        code: error.code.map(|code| code.to_string()).or(code),
        subcode: error.subcode.map(|subcode| subcode.to_string()).or(subcode),
        retry_after,
        trace_id: error.trace_id.clone(),
        ..row.failure()
    };
    // A limit applies to everything in its scope, not only to this message.
    let wished = row.pause.map(|scope| Pause { scope, duration: row.retry_after().unwrap_or_default() });
    (row.verdict.result(failure), wished)
}

/// Whether a status says that Meta failed, so that the request may have been carried out.
fn has_failed(status: u16) -> bool {
    matches!(status, 408 | 500..)
}

/// The result of a step for a row of the table.
fn ended(row: &Row) -> SendResult {
    row.verdict.result(row.failure())
}

/// Parses a response without an error. A message without an id may or may not exist.
fn accepted(step: &SentStep, body: &Json<'_>) -> SendResult {
    let text = |name: &str| body.get(name).and_then(Json::id);
    let part = step.parts.first().copied().unwrap_or_default();
    let message = |id| SentMessage { part, message: MessageRef { id, context: None } };
    let messages: Vec<SentMessage> = text("message_id").map(message).into_iter().collect();
    // If the host captured the upload's id, it listed the name under which it did.
    let kept = |handle: &String| step.captured.contains(handle);
    let handle = text("attachment_id");
    match step.kind {
        StepKind::Message if messages.is_empty() => ended(&table::NO_MESSAGE_ID),
        StepKind::Upload if handle.is_none() => ended(&table::NO_ATTACHMENT_ID),
        _ => SendResult::Sent(Receipt {
            messages,
            thread: None,
            recipient: text("recipient_id"),
            correlation: None,
            media_handle: handle.filter(|handle| !kept(handle)),
        }),
    }
}

/// The result for a response that is neither Meta's error nor Meta's receipt, such as a proxy's page. `once`: the
/// request must not be repeated automatically.
fn unreadable(once: bool, status: u16, asked: Option<&Pause>) -> SendResult {
    let row = match status {
        401 => &table::HTTP_UNAUTHORIZED,
        404 | 410 => &table::HTTP_NOT_FOUND,
        413 => &table::HTTP_TOO_LARGE,
        429 => &table::HTTP_TOO_MANY,
        // The request may have reached Meta before the response was lost.
        status if (200..300).contains(&status) || has_failed(status) => {
            if once {
                &table::HTTP_LOST
            } else {
                &table::HTTP_BUSY
            }
        }
        _ => &table::HTTP_REFUSED,
    };
    let mut failure = row.failure();
    failure.code = Some(status.to_string());
    if row.verdict == Verdict::RateLimited
        && let Some(pause) = asked
    {
        failure.retry_after = Some(pause.duration.max(row.retry_after().unwrap_or_default()));
    }
    if row.category == FailureCategory::PlatformTransient
        && let Some(pause) = asked
    {
        failure.retry_after = Some(pause.duration);
    }
    row.verdict.result(failure)
}
