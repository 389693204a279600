//! Slack as a channel: a translator, and how its private files are fetched.
//! Owns which function answers what; not how events are read (`webhook`) and messages written (`outbound`, `outcome`).

mod capabilities;
mod emoji;
mod interaction;
mod marks;
mod outbound;
mod outcome;
mod webhook;

use channel_sdk::{files, messaging_channel};

pub use channel_sdk::types;
use types::*;

/// The channel.
pub struct Slack;

/// How people call the platform.
const SLACK: channel_sdk::report::Platform = channel_sdk::report::Platform { name: "Slack", longest_id: 128 };

impl messaging_channel::Guest for Slack {
    fn capabilities(_: Option<AccountSettings>) -> ChannelCapabilities {
        capabilities::capabilities()
    }

    fn parse_webhook(input: Delivery) -> Result<Vec<Event>, ParseError> {
        webhook::parse(&input)
    }

    fn validate_outbound(message: OutboundMessage, context: ConversationContext) -> Validation {
        outbound::plan(&message, &context).0.into_validation()
    }

    fn build_send_request(
        message: OutboundMessage,
        context: ConversationContext,
    ) -> Result<Vec<SendStep>, Vec<Violation>> {
        let (report, steps) = outbound::plan(&message, &context);
        if report.has_errors() {
            return Err(report.into_validation().violations);
        }
        Ok(steps)
    }

    fn parse_send_response(step: SentStep, response: HttpResponse) -> SendOutcome {
        outcome::read(&step, &response)
    }
}

impl files::Guest for Slack {
    /// The address came with the event, and opens with the workspace's token alone.
    fn locate_media(_: AccountSettings, media: Media) -> Result<files::MediaLocation, AccountError> {
        let url = media.handle.filter(|url| url.starts_with("https://files.slack.com/"));
        let Some(url) = url else {
            return Err(AccountError::InvalidInput("Slack's files lie at https://files.slack.com/.".into()));
        };
        Ok(files::MediaLocation {
            request: HttpRequest {
                method: HttpMethod::Get,
                url,
                headers: Vec::new(),
                body: HttpBody::Empty,
                fills: vec![token()],
                captures: Vec::new(),
            },
            mime: media.mime,
            size: media.size,
            name: media.name,
            expires: None,
        })
    }
}

/// The workspace's token, where Slack wants it.
fn token() -> Fill {
    Fill { source: FillSource::Slot("bot-token".into()), place: FillPlace::Authorization("Bearer".into()) }
}

/// A message's id: `ts` counts within a channel.
fn message_id(channel: &str, ts: &str) -> String {
    format!("{channel}:{ts}")
}

/// The conversation of a channel, or of a thread in it.
fn thread_of(channel: &str, thread_ts: Option<&str>, kind: Option<&str>) -> Thread {
    if let Some(ts) = thread_ts {
        let parent = Some(channel.to_owned());
        return Thread { id: message_id(channel, ts), kind: ThreadKind::Topic, title: None, parent };
    }
    // Events that do not say what a channel is have ids that begin so.
    let kind = match (kind, channel.as_bytes().first()) {
        (Some("im"), _) | (None, Some(b'D')) => ThreadKind::Direct,
        (Some("mpim"), _) => ThreadKind::Group,
        _ => ThreadKind::Channel,
    };
    Thread { id: channel.to_owned(), kind, title: None, parent: None }
}

/// A `ts` in milliseconds: seconds since 1970, a dot, and microseconds.
fn milliseconds(ts: &str) -> Option<u64> {
    let (seconds, micros) = ts.split_once('.').unwrap_or((ts, "0"));
    let (seconds, micros): (u64, u64) = (seconds.parse().ok()?, micros.parse().ok()?);
    seconds.checked_mul(1000)?.checked_add(micros / 1000)
}

channel_sdk::channel!(Slack: messaging_channel, files);
