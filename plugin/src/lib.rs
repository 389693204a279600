//! The Instagram channel: translates Meta's webhooks into typed events, and an agent's messages into requests to Meta.
//! What belongs here is the contract's surface; each function calls the module that owns it.
//!
//! The crate is a WebAssembly component, and a library with the same functions for tests and benchmarks: [`parse`],
//! [`validate`], [`build`], [`outcome`], [`capabilities`], and [`account`] over any network.
//!
//! ```
//! use instagram_channel::types::{Delivery, DeliverySource};
//!
//! let body = br#"{"object":"instagram","entry":[{"id":"17841400000000001","time":1795000000456,
//!     "messaging":[{"sender":{"id":"6512345678901234"},"recipient":{"id":"17841400000000001"},
//!     "timestamp":1795000000123,"message":{"mid":"aWdfZAG1","text":"hello"}}]}]}"#;
//! let delivery = Delivery {
//!     source: DeliverySource::Webhook,
//!     body: body.to_vec(),
//!     headers: Vec::new(),
//!     query: String::new(),
//!     received_at: 1795000000500,
//!     account: None,
//! };
//! let events = instagram_channel::parse(&delivery).unwrap();
//! assert_eq!(events[0].id, "m:aWdfZAG1");
//! ```

pub mod account;
mod capabilities;
mod limits;
mod outbound;
mod outcome;
mod time;
mod webhook;

pub use capabilities::capabilities;
pub use channel_sdk::types;
pub use outbound::{build, validate};
pub use outcome::outcome;
pub use webhook::parse;

use channel_sdk::messaging_channel::Guest;
use types::{
    AccountSettings, ChannelCapabilities, ConversationContext, Delivery, Event, HttpResponse, OutboundMessage,
    ParseError, SendOutcome, SendStep, SentStep, Validation, Violation,
};

/// The component: the contract's world `channel` and three additional interfaces.
struct Instagram;

impl Guest for Instagram {
    fn capabilities(account: Option<AccountSettings>) -> ChannelCapabilities {
        capabilities(account.as_ref())
    }

    fn parse_webhook(input: Delivery) -> Result<Vec<Event>, ParseError> {
        parse(&input)
    }

    fn validate_outbound(message: OutboundMessage, context: ConversationContext) -> Validation {
        validate(&message, &context)
    }

    fn build_send_request(
        message: OutboundMessage,
        context: ConversationContext,
    ) -> Result<Vec<SendStep>, Vec<Violation>> {
        build(&message, &context)
    }

    fn parse_send_response(step: SentStep, response: HttpResponse) -> SendOutcome {
        outcome(&step, &response)
    }
}

channel_sdk::channel!(Instagram: messaging_channel, account, profiles, history, entry_points; fresh);
