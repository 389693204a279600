//! Owns: what the demo's page shows of a customer's phone and asks of it.
//! Does not own: the phone, which whoever starts a demo brings along; the page (`pages`).

use async_trait::async_trait;

/// A customer's phone, whose messages reach the host as a platform would bring them.
#[async_trait]
pub trait Phone: std::fmt::Debug + Send + Sync {
    /// What is on it now.
    async fn look(&self) -> PhoneView;

    /// Does something as the customer, or to the platform. What makes no sense now does nothing.
    async fn act(&self, action: PhoneAction);
}

/// What is on a phone.
#[derive(Clone, Debug, Default)]
pub struct PhoneView {
    /// The business, as the customer sees it.
    pub business: String,
    /// The customer's id at the platform.
    pub customer: String,
    /// The time there, in milliseconds since 1970.
    pub now: i64,
    /// How far the clock was moved, in milliseconds.
    pub ahead: i64,
    /// Oldest first.
    pub messages: Vec<PhoneMessage>,
    /// Whether the business has shown that it read the last message.
    pub seen: bool,
    /// Whether the business shows that it types.
    pub typing: bool,
    /// Whether the customer looks at the platform's web client.
    pub web: bool,
    /// What goes wrong at the platform.
    pub faults: Vec<PhoneFault>,
}

/// A message on a phone.
#[derive(Clone, Debug, Default)]
pub struct PhoneMessage {
    /// The platform's id.
    pub id: String,
    /// Whether the customer wrote it.
    pub own: bool,
    /// Its text.
    pub text: Option<String>,
    /// What it is besides, such as `image`.
    pub kinds: Vec<String>,
    /// Whether it was unsent.
    pub gone: bool,
    /// What can be tapped under it.
    pub quick_replies: Vec<PhoneButton>,
    /// Its cards.
    pub cards: Vec<PhoneCard>,
    /// Reactions to it.
    pub reactions: Vec<String>,
}

/// What can be tapped: its title, and what is sent back.
pub type PhoneButton = (String, String);

/// A card: its title, a second line, its buttons.
pub type PhoneCard = (String, String, Vec<PhoneButton>);

/// Something that goes wrong.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct PhoneFault {
    /// What.
    pub kind: FaultKind,
    /// Whether it is on.
    pub on: bool,
}

/// What can go wrong at the platform.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum FaultKind {
    /// Nothing reaches it.
    Cut,
    /// It refuses messages.
    Refuses,
    /// It takes messages and does not say so.
    Silent,
    /// It takes its time.
    Slow,
}

impl FaultKind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Cut, Self::Refuses, Self::Silent, Self::Slow];

    /// The name in forms.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cut => "cut",
            Self::Refuses => "refuses",
            Self::Silent => "silent",
            Self::Slow => "slow",
        }
    }
}

/// What the customer does, or somebody to the platform.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum PhoneAction {
    /// Writes.
    Text(String),
    /// Sends a photo.
    Photo,
    /// Sends a voice message.
    Voice,
    /// Sends a heart.
    Heart,
    /// Shares a post.
    Post,
    /// Shares a reel.
    Reel,
    /// Answers a story.
    Story,
    /// Writes a public comment.
    Comment,
    /// Reacts to the newest message of the business.
    React,
    /// Edits the own newest message.
    Edit,
    /// Unsends the own newest message.
    Unsend,
    /// Reads everything.
    Read,
    /// Taps a quick reply: title and payload.
    Quick(String, String),
    /// Taps a button of a card: title and payload.
    Button(String, String),
    /// Looks at the web client, or at the phone again.
    Web(bool),
    /// Moves the clock on by so many hours.
    Hours(u64),
    /// Lets something go wrong, or no longer.
    Fault(FaultKind, bool),
}
