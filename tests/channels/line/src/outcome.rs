//! What LINE's answer to a request means.
//! Owns the reading of answers; not what a host makes of it.

use channel_sdk::{
    blank,
    failures::{self, Row, Verdict},
    types::{FailureCategory as Category, *},
};
use serde::Deserialize;

use crate::outbound::{Asked, Quotable};

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Answer {
    message: String,
    details: Vec<Problem>,
    sent_messages: Vec<Sent>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Problem {
    message: String,
    property: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Sent {
    id: String,
    quote_token: Option<String>,
}

/// By status: LINE gives no codes.
const ROWS: &[Row] = &[
    failures::rejected(400, 0, Category::ContentInvalid, "LINE refused the message.", ""),
    failures::unauthorized(401, 0, "LINE does not take the account's token any more.", "Connect the account again."),
    failures::forbidden(
        403,
        0,
        "The account may not do this on LINE.",
        "Look at its plan in LINE Official Account Manager.",
    ),
    failures::rejected(404, 0, Category::RecipientUnavailable, "LINE does not find this person or this group.", ""),
    failures::rejected(413, 0, Category::ContentInvalid, "The message is too large for LINE.", "Send less at once."),
    // The month's messages may be used up just as well: only the wording differs.
    failures::limited(429, 0, Scope::Account, "LINE takes no more messages of this account now.", failures::MINUTE),
];
const OTHER: Row = failures::rejected(0, 0, Category::Other, "LINE refused the message.", "");
const FAULT: Row = failures::unknown(500, 0, "LINE did not say whether it took the message.", failures::SECOND);

pub(crate) fn read(step: &SentStep, response: &HttpResponse) -> SendOutcome {
    let answer: Answer = serde_json::from_slice(&response.body).unwrap_or_default();
    let by_token = step.url.ends_with("/reply");
    let outcome = |verdict, spent| SendOutcome {
        verdict,
        pause: None,
        // A token is good for one request.
        reply_context: if spent { Some(Vec::new()) } else { None },
    };
    match response.status {
        200..300 => outcome(SendResult::Sent(receipt(step, answer)), by_token),
        // It was taken the first time.
        409 if !by_token => outcome(SendResult::Sent(receipt(step, answer)), false),
        // What is wrong with a message is in `details`. Without them it is the token, which is too old or was used.
        400 if by_token && answer.details.is_empty() => {
            let row = failures::rejected(400, 0, Category::Other, "LINE does not take the reply token.", "");
            outcome(SendResult::Rebuild(failure(&row, &answer, response)), true)
        }
        status => {
            let failed = status >= 500 || status == 408;
            let row = if failed { Some(&FAULT) } else { ROWS.iter().find(|row| row.code == u32::from(status)) };
            let row = row.unwrap_or(&OTHER);
            let failure = failure(row, &answer, response);
            let verdict = match row.verdict {
                Verdict::Unknown if !step.repeatable => SendResult::Ambiguous(failure),
                verdict => verdict.result(failure),
            };
            let pause = row.pause.zip(row.retry_after()).map(|(scope, duration)| Pause { scope, duration });
            SendOutcome { pause, ..outcome(verdict, false) }
        }
    }
}

/// Each message with the part that it is of.
fn receipt(step: &SentStep, answer: Answer) -> Receipt {
    let asked: Asked = step.context.as_deref().and_then(|kept| serde_json::from_slice(kept).ok()).unwrap_or_default();
    let message = |(sent, part): (Sent, u32)| {
        let context = sent.quote_token.map(|quote| Quotable { quote }.bytes());
        SentMessage { part, message: MessageRef { id: sent.id, context } }
    };
    Receipt { messages: answer.sent_messages.into_iter().zip(asked.parts).map(message).collect(), ..blank::receipt() }
}

fn failure(row: &Row, answer: &Answer, response: &HttpResponse) -> Failure {
    let mut failure = row.failure();
    failure.code = Some(response.status.to_string());
    let said = answer.details.iter().map(|problem| format!("{} ({})", problem.message, problem.property));
    let said: Vec<String> = [answer.message.clone()].into_iter().chain(said).filter(|said| !said.is_empty()).collect();
    if !said.is_empty() {
        failure.message = format!("{} LINE says: {}.", failure.message, said.join("; ").trim_end_matches('.'));
    }
    let header = |name: &str| response.headers.iter().find(|header| header.name == name);
    failure.trace_id = header("x-line-request-id").map(|header| header.value.clone());
    failure
}
