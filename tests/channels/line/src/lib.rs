//! LINE's Messaging API as a channel: a translator, and where the files of messages lie.
//! Owns which function answers what; not how events are read (`webhook`) and messages written (`outbound`, `outcome`).

mod capabilities;
mod outbound;
mod outcome;
mod webhook;

use channel_sdk::{files, messaging_channel};

pub use channel_sdk::types;
use types::*;

/// The channel.
pub struct Line;

/// How people call the platform.
const LINE: channel_sdk::report::Platform = channel_sdk::report::Platform { name: "LINE", longest_id: 64 };

impl messaging_channel::Guest for Line {
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
        let (report, groups) = outbound::plan(&message, &context);
        if report.has_errors() {
            return Err(report.into_validation().violations);
        }
        Ok(outbound::steps(&report, groups, &message, &context))
    }

    fn parse_send_response(step: SentStep, response: HttpResponse) -> SendOutcome {
        outcome::read(&step, &response)
    }
}

impl files::Guest for Line {
    /// Without asking anybody: the address follows from the message's id.
    fn locate_media(_: AccountSettings, media: Media) -> Result<files::MediaLocation, AccountError> {
        let id = media.handle.as_deref().filter(|id| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit()));
        let Some(id) = id else {
            return Err(AccountError::InvalidInput("Files of LINE's are named by a message's number.".into()));
        };
        Ok(files::MediaLocation {
            request: HttpRequest {
                method: HttpMethod::Get,
                url: format!("https://api-data.line.me/v2/bot/message/{id}/content"),
                headers: Vec::new(),
                body: HttpBody::Empty,
                fills: vec![token()],
                captures: Vec::new(),
            },
            mime: None,
            size: media.size,
            name: media.name,
            expires: None,
        })
    }
}

/// The account's token, where LINE wants it.
fn token() -> Fill {
    Fill { source: FillSource::Slot("channel-token".into()), place: FillPlace::Authorization("Bearer".into()) }
}

channel_sdk::channel!(Line: messaging_channel, files);
