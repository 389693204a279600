//! What agents write. Belongs here: messages of which a test says only what it is about. Not here: how they are sent.

use harness_contract::{
    MediaKind, MediaSource, MessageRef, OutboundMedia, OutboundMessage, OutboundPart, OutboundText, Sender, SenderKind,
    Window, WindowState,
};

/// Who writes, without a name or a picture.
pub fn sender(kind: SenderKind, id: &str) -> Sender {
    Sender { kind, id: id.into(), name: None, picture_url: None }
}

/// A message of a human agent.
pub fn message(parts: Vec<OutboundPart>) -> OutboundMessage {
    OutboundMessage {
        id: String::new(),
        sender: sender(SenderKind::Human, "agent-1"),
        parts,
        quick_replies: Vec::new(),
        reply_to: None,
        private_reply_to: None,
        fallback: Default::default(),
        try_anyway: false,
        options: Vec::new(),
        native: None,
    }
}

/// A file to send, of which nothing is said but where it is.
pub fn outbound_media(kind: MediaKind, source: MediaSource) -> OutboundMedia {
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

/// A message on the platform, for which the channel gave nothing to keep.
pub fn message_ref(id: impl Into<String>) -> MessageRef {
    MessageRef { id: id.into(), context: None }
}

/// A window that is open, and says nothing else.
pub fn open_window() -> Window {
    Window {
        state: WindowState::Open,
        opened_by: None,
        opened_at: None,
        closes_at: None,
        human_closes_at: None,
        replies_left: None,
        refused_at: None,
    }
}

pub fn text(text: &str) -> OutboundPart {
    OutboundPart::Text(OutboundText { text: text.into(), ..OutboundText::default() })
}
