//! Owns: a message that a person of the team writes as a customer would, as the automation sees messages. It is stored
//! nowhere.
//! Does not own: what would be done about it (`dry_run`).

use harness_contract::{
    AdContext, Author, Comment, EventBody, Message, Referral, ReplyTarget, Story, names::referral_source,
};
use harness_inbox::{MessageId, TimelineEntry};
use serde::{Deserialize, Serialize};
use serde_json::value::to_raw_value;

/// How something came from a customer.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CameAs {
    /// As a message.
    #[default]
    Message,
    /// As a message that answers a story.
    StoryReply,
    /// As a public comment.
    Comment,
    /// Nothing was written: an ad or a link was tapped.
    Referral,
}

impl CameAs {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Message, Self::StoryReply, Self::Comment, Self::Referral];

    /// Its name in forms and in the API.
    pub fn name(self) -> &'static str {
        match self {
            Self::Message => "message",
            Self::StoryReply => "story_reply",
            Self::Comment => "comment",
            Self::Referral => "referral",
        }
    }
}

/// What a customer might write, and what came with it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Written {
    /// The text.
    pub text: String,
    /// How it came.
    pub came_as: CameAs,
    /// How the customer came: `ad`, `link`, `product` … Without it, what follows says so.
    pub referral: Option<String>,
    /// The platform's id of the ad.
    pub ad: Option<String>,
    /// What the business put into its link or ad.
    pub ref_parameter: Option<String>,
}

/// What the automation sees of it.
pub(super) enum Seen {
    /// A message, as the only one of its conversation.
    Message(Box<TimelineEntry>),
    /// A comment or a way into a conversation.
    Event(Box<EventBody>),
}

impl Written {
    /// Whether there is nothing to look at.
    pub fn is_empty(&self) -> bool {
        match self.came_as {
            CameAs::Referral => self.came().is_none(),
            _ => self.text.trim().is_empty(),
        }
    }

    fn came(&self) -> Option<Referral> {
        let source = self.referral.clone();
        let source = source.or_else(|| self.ad.as_ref().map(|_| referral_source::AD.to_owned()));
        let source = source.or_else(|| self.ref_parameter.as_ref().map(|_| referral_source::LINK.to_owned()))?;
        Some(Referral { source, r#ref: self.ref_parameter.clone(), ad: self.tapped(), ..Referral::default() })
    }

    fn tapped(&self) -> Option<AdContext> {
        self.ad.clone().map(|id| AdContext { id: Some(id), ..AdContext::default() })
    }

    /// As if it came at this time.
    pub(super) fn seen(&self, now: u64) -> Result<Seen, serde_json::Error> {
        let message = match self.came_as {
            CameAs::Referral => return Ok(Seen::Event(Box::new(EventBody::Referral(self.came().unwrap_or_default())))),
            CameAs::Comment => {
                let comment = Comment { text: Some(self.text.clone()), ad: self.tapped(), ..Comment::default() };
                return Ok(Seen::Event(Box::new(EventBody::Comment(comment))));
            }
            CameAs::Message | CameAs::StoryReply => Message {
                text: Some(self.text.clone()),
                reply_to: (self.came_as == CameAs::StoryReply).then(|| ReplyTarget::Story(Story::default())),
                referral: self.came(),
                ..Message::default()
            },
        };
        Ok(Seen::Message(Box::new(TimelineEntry {
            // No message has it.
            id: MessageId::new(0),
            platform_id: None,
            further_platform_ids: Vec::new(),
            direction: "inbound".to_owned(),
            contact_id: None,
            contact: None,
            name: None,
            author: to_raw_value(&Author::Contact)?,
            at: i64::try_from(now).unwrap_or(i64::MAX),
            origin: "live".to_owned(),
            late: false,
            text: message.text.clone(),
            body: Some(to_raw_value(&message)?),
            part: None,
            details: None,
            deleted_at: None,
            revision: None,
            reply: None,
            state: None,
            outcome: None,
            reactions: Vec::new(),
            media: Vec::new(),
        })))
    }
}
