//! What Slack's answer to a request means. Errors come with the status 200 as well.
//! Owns the reading of answers; not what a host makes of it.

use channel_sdk::{
    blank,
    failures::{self, Row, Verdict},
    types::{FailureCategory as Category, *},
};
use serde::Deserialize;

use crate::{message_id, thread_of};

#[derive(Default, Deserialize)]
#[serde(default)]
struct Answer {
    ok: bool,
    error: Option<String>,
    /// The scope that would have been needed.
    needed: Option<String>,
    channel: Option<String>,
    ts: Option<String>,
    message: Posted,
    files: Vec<Shared>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Posted {
    thread_ts: Option<String>,
}

#[derive(Deserialize)]
struct Shared {
    id: String,
}

const AGAIN: &str = "Connect the workspace again.";
const NO_CHANNEL: &str = "Slack does not find this conversation, or the app is not in it.";
const INVITE: &str = "Invite the app into the channel.";
const UNSURE: &str = "Slack failed in the middle, and may have done it.";
const NO_LONGER: &str = "The address that came with the tap takes no more answers.";

/// The errors that Slack names, of all that a call may get.
const ROWS: &[(&str, Row)] = &[
    ("invalid_auth", failures::unauthorized(0, 0, "Slack does not take the app's token.", AGAIN)),
    ("not_authed", failures::unauthorized(0, 0, "Slack got no token.", AGAIN)),
    ("token_revoked", failures::unauthorized(0, 0, "The app's token was taken back.", AGAIN)),
    ("token_expired", failures::unauthorized(0, 0, "The app's token is too old.", AGAIN)),
    ("account_inactive", failures::unauthorized(0, 0, "The app was removed from the workspace.", AGAIN)),
    ("missing_scope", failures::forbidden(0, 0, "The app may not do this in this workspace.", AGAIN)),
    ("restricted_action", failures::forbidden(0, 0, "The workspace does not allow this.", "Ask its administrator.")),
    ("cant_update_message", failures::forbidden(0, 0, "An app changes only its own messages.", "")),
    ("cant_delete_message", failures::forbidden(0, 0, "An app deletes only its own messages.", "")),
    ("not_in_channel", failures::rejected(0, 0, Category::RecipientUnavailable, NO_CHANNEL, INVITE)),
    ("channel_not_found", failures::rejected(0, 0, Category::RecipientUnavailable, NO_CHANNEL, INVITE)),
    ("is_archived", failures::rejected(0, 0, Category::RecipientUnavailable, "The channel is archived.", "")),
    ("msg_too_long", failures::rejected(0, 0, Category::ContentInvalid, "The message is too long.", "Shorten it.")),
    ("no_text", failures::rejected(0, 0, Category::ContentInvalid, "The message is empty.", "Write something.")),
    ("invalid_blocks", failures::rejected(0, 0, Category::ContentInvalid, "Slack cannot show these buttons.", "")),
    ("invalid_name", failures::rejected(0, 0, Category::ContentInvalid, "Slack has no emoji of this name.", "")),
    ("message_not_found", failures::rejected(0, 0, Category::NotFound, "The message is not there any more.", "")),
    ("file_not_found", failures::rejected(0, 0, Category::NotFound, "The file is not there any more.", "")),
    ("used_url", failures::rejected(0, 0, Category::Other, NO_LONGER, "Send a message instead.")),
    ("expired_url", failures::rejected(0, 0, Category::Other, NO_LONGER, "Send a message instead.")),
    ("ratelimited", failures::limited(0, 0, Scope::Account, "Slack wants a pause.", 30 * failures::SECOND)),
    ("rate_limited", failures::limited(0, 0, Scope::Account, "Slack wants a pause.", 30 * failures::SECOND)),
    ("service_unavailable", failures::later(0, 0, "Slack cannot be reached at the moment.", 5 * failures::SECOND)),
    ("internal_error", failures::unknown(0, 0, UNSURE, failures::SECOND)),
    ("fatal_error", failures::unknown(0, 0, UNSURE, failures::SECOND)),
];
const OTHER: Row = failures::rejected(0, 0, Category::Other, "Slack refused it.", "");
const FAULT: Row = failures::unknown(0, 0, UNSURE, failures::SECOND);

/// What was asked for twice is as it was asked for.
const ALREADY: &[&str] = &["already_reacted", "no_reaction"];

pub(crate) fn read(step: &SentStep, response: &HttpResponse) -> SendOutcome {
    let answer: Answer = serde_json::from_slice(&response.body).unwrap_or_default();
    let succeeded = (200..300).contains(&response.status);
    // An upload and an answer to a tap are answered in words.
    let in_words = !step.url.starts_with("https://slack.com/api/") && answer.error.is_none();
    let is_there = answer.error.as_deref().is_some_and(|error| ALREADY.contains(&error));
    if succeeded && (answer.ok || in_words || is_there) {
        let verdict = SendResult::Sent(receipt(step, answer));
        return SendOutcome { verdict, pause: None, reply_context: None };
    }
    let error = match response.status {
        429 => Some("ratelimited"),
        _ => answer.error.as_deref(),
    };
    let row = ROWS.iter().find(|(name, _)| Some(*name) == error).map(|(_, row)| row);
    let failed = response.status >= 500 || (succeeded && error.is_none());
    let row = row.unwrap_or(if failed { &FAULT } else { &OTHER });
    let retry_after = header(response, "retry-after").and_then(|seconds| seconds.parse::<u64>().ok());
    let wait = retry_after.and_then(|seconds| seconds.checked_mul(1000)).or(row.retry_after());
    let failure = Failure {
        code: error.map(str::to_owned),
        retry_after: wait,
        fix: answer.needed.map(|scope| format!("Give the app the scope {scope}.")).or(row.failure().fix),
        trace_id: header(response, "x-slack-req-id").map(str::to_owned),
        ..row.failure()
    };
    let verdict = match row.verdict {
        Verdict::Unknown if !step.repeatable => SendResult::Ambiguous(failure),
        verdict => verdict.result(failure),
    };
    let pause = row.pause.zip(wait).map(|(scope, duration)| Pause { scope, duration });
    SendOutcome { verdict, pause, reply_context: None }
}

fn header<'r>(response: &'r HttpResponse, name: &str) -> Option<&'r str> {
    response.headers.iter().find(|header| header.name == name).map(|header| header.value.as_str())
}

fn receipt(step: &SentStep, answer: Answer) -> Receipt {
    let part = step.parts.first().copied();
    let is_message = matches!(step.kind, StepKind::Message);
    let named = answer.channel.zip(answer.ts).filter(|_| is_message);
    let thread = named.as_ref().map(|(channel, ts)| {
        let within = answer.message.thread_ts.as_deref().filter(|parent| parent != ts);
        thread_of(channel, within, None)
    });
    let message = named.zip(part).map(|((channel, ts), part)| SentMessage {
        part,
        message: MessageRef { id: message_id(&channel, &ts), context: None },
    });
    Receipt {
        messages: message.into_iter().collect(),
        thread,
        // Of shared files it is all that the event about them will have.
        correlation: answer.files.into_iter().next().map(|file| file.id).filter(|_| is_message),
        ..blank::receipt()
    }
}
