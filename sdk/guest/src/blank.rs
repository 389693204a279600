//! Owns: empty values of the contract: `Message { text, ..blank::message() }` sets only the fields that a channel has.
//! Does not own: the content.

use crate::types::{
    AccountSettings, Author, ChannelCapabilities, Contact, ConversationContext, Event, EventBody, EventOrigin, Failure,
    FailureCategory, FallbackPolicy, HttpRequest, IdentityRule, MediaKind, MediaSource, Message, OutboundMedia,
    OutboundMessage, OutboundPart, OutboundText, ReactionPolicy, Receipt, SendStep, Sender, SenderKind, StepKind,
    TextFormat, TimestampMs, Window, WindowPolicy, WindowRule, WindowState,
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

/// What an action of the customer opens without an end.
pub fn window_rule(opener: &str) -> WindowRule {
    WindowRule { opener: opener.to_owned(), open_for: None, uncertain_until: None, human_until: None, replies: None }
}

/// A conversation in which the business may write and nothing was said yet. For a channel's tests.
pub fn conversation(account: &str, now: TimestampMs) -> ConversationContext {
    ConversationContext {
        account: AccountSettings { id: account.to_owned(), settings: Vec::new(), webhook_url: None },
        contact: None,
        address: None,
        thread: None,
        last_inbound: None,
        window: window(WindowState::Open),
        comment: None,
        now,
        reply_context: None,
    }
}

/// A window of which nothing but the state is known. For a channel's tests.
pub fn window(state: WindowState) -> Window {
    Window {
        state,
        opened_by: None,
        opened_at: None,
        closes_at: None,
        human_closes_at: None,
        replies_left: None,
        refused_at: None,
    }
}

/// A message that a person sends. For a channel's tests.
pub fn reply(id: &str, parts: Vec<OutboundPart>) -> OutboundMessage {
    OutboundMessage {
        id: id.to_owned(),
        sender: Sender { kind: SenderKind::Human, id: "agent-1".to_owned(), name: None, picture_url: None },
        parts,
        quick_replies: Vec::new(),
        reply_to: None,
        private_reply_to: None,
        fallback: FallbackPolicy::Usual,
        try_anyway: false,
        options: Vec::new(),
        native: None,
    }
}

/// A plain text to send, in one piece. For a channel's tests.
pub fn text(text: &str) -> OutboundPart {
    OutboundPart::Text(OutboundText { text: text.to_owned(), format: TextFormat::Plain, split: false })
}

/// A file to send of which nothing else is known. For a channel's tests.
pub fn file(kind: MediaKind, source: MediaSource) -> OutboundMedia {
    OutboundMedia {
        kind,
        source,
        mime: None,
        size: None,
        duration: None,
        preview: None,
        name: None,
        caption: None,
        description: None,
    }
}
