//! Owns: empty values of the contract: `Message { text, ..blank::message() }` sets only the fields that a channel has.
//! Does not own: the content.

use crate::types::{
    Author, ChannelCapabilities, Contact, Event, EventBody, EventOrigin, Failure, FailureCategory, HttpRequest,
    IdentityRule, Message, ReactionPolicy, Receipt, SendStep, StepKind, WindowPolicy,
};

/// Nothing is supported, and the conversation is always open. The contact's id is called `id`.
pub fn capabilities() -> ChannelCapabilities {
    ChannelCapabilities {
        revision: 1,
        features: Vec::new(),
        text_limits: Vec::new(),
        count_limits: Vec::new(),
        media_rules: Vec::new(),
        window: WindowPolicy { customer_first: false, rules: Vec::new(), always_allowed: Vec::new() },
        stickers: Vec::new(),
        reactions: ReactionPolicy::None,
        rates: Vec::new(),
        typing: None,
        identity: IdentityRule { field: "id".to_owned(), start_with: Vec::new() },
        options: Vec::new(),
    }
}

/// A contact with nothing but an id.
pub fn person(id: String) -> Contact {
    Contact { id, name: None, username: None, addresses: Vec::new(), language: None, details: Vec::new() }
}

/// A live event without a contact.
pub fn event(id: String, account: String, body: EventBody) -> Event {
    Event {
        id,
        account,
        contact: None,
        thread: None,
        author: Author::Unknown,
        at: None,
        origin: EventOrigin::Live,
        opens: None,
        body,
        reply_context: None,
        details: Vec::new(),
        anomalies: Vec::new(),
        native: None,
    }
}

/// A message without an id and without content.
pub fn message() -> Message {
    Message {
        id: None,
        context: None,
        text: None,
        formatted: None,
        attachments: Vec::new(),
        answer: None,
        reply_to: None,
        referral: None,
        unavailable: None,
        to_self: false,
        automatic: false,
        album: None,
    }
}

/// A step that delivers the first part, in the rate class `messages`, and is not repeatable.
pub fn step(request: HttpRequest) -> SendStep {
    SendStep {
        parts: vec![0],
        kind: StepKind::Message,
        rate_class: "messages".to_owned(),
        request,
        repeatable: false,
        echoed: false,
        correlation: None,
        text: None,
        context: None,
        degradations: Vec::new(),
    }
}

/// A receipt that names nothing.
pub fn receipt() -> Receipt {
    Receipt { messages: Vec::new(), thread: None, recipient: None, correlation: None, media_handle: None }
}

/// A failure with only its category and message.
pub fn failure(category: FailureCategory, message: String) -> Failure {
    Failure { category, code: None, subcode: None, message, fix: None, retry_after: None, trace_id: None }
}
