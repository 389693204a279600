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

    /// The picture or sound of a message's thing; things are counted from 0.
    async fn file(&self, message: &str, thing: usize) -> Option<PhoneFile>;
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
    /// When, in milliseconds since 1970.
    pub at: i64,
    /// What it is about.
    pub quote: Option<PhoneQuote>,
    /// Its text.
    pub text: Option<String>,
    /// What it is besides.
    pub things: Vec<PhoneThing>,
    /// Whether its text was changed.
    pub edited: bool,
    /// Whether it was unsent.
    pub gone: bool,
    /// What can be tapped under it.
    pub quick_replies: Vec<PhoneButton>,
    /// Its cards.
    pub cards: Vec<PhoneCard>,
    /// Reactions to it.
    pub reactions: Vec<String>,
}

/// What a message on a phone is about.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum PhoneQuote {
    /// It is no message: a public comment.
    Comment,
    /// A private answer to a comment.
    ToComment,
    /// A story of the business.
    Story,
    /// Another message, of which this is said.
    Message(String),
}

/// Something in a message that is no text, such as a photo.
#[derive(Clone, Debug, Default)]
pub struct PhoneThing {
    /// What it is, such as `image`.
    pub kind: String,
    /// What it is called, such as a shared post.
    pub title: String,
    /// Whether [`Phone::file`] has its picture or sound.
    pub has_file: bool,
}

/// A picture or a sound on a phone.
#[derive(Clone, Debug)]
pub struct PhoneFile {
    /// Its media type.
    pub mime: String,
    /// Its content.
    pub content: bytes::Bytes,
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
