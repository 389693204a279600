//! A customer's thread with an account: the messages as the customer sees them, and the data of the messaging window.
//! What belongs here: data and the window rule, no HTTP.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The window after a customer's message (Meta's documentation, messaging: 24 hours).
const STANDARD_WINDOW_MS: i64 = 24 * 3600 * 1000;
/// The window for people with the `HUMAN_AGENT` tag (7 days).
const HUMAN_AGENT_WINDOW_MS: i64 = 7 * STANDARD_WINDOW_MS;

/// Who wrote a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Author {
    /// The customer.
    Customer,
    /// The business, through the API or the Instagram app.
    Business,
}

/// A current reaction to a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StandingReaction {
    /// Who reacted.
    pub by: Author,
    /// The emoji; `love` is stored as the heart.
    pub emoji: String,
}

/// A message of a thread in its current state.
#[derive(Debug, Clone, Serialize)]
pub struct ThreadMessage {
    /// The message id.
    pub mid: String,
    /// Who wrote it.
    pub from: Author,
    /// Its time on the platform's clock.
    pub at_ms: i64,
    /// The text.
    pub text: Option<String>,
    /// Media, shares and templates, in the form of webhooks.
    pub attachments: Vec<Value>,
    /// The quick replies shown under it, titles cut to 20 characters.
    pub quick_replies: Vec<Value>,
    /// The mid of the message it answers.
    pub reply_to: Option<String>,
    /// The story that it answers or mentions: `{"mention"|"reply_to": {"id", "link"}}`.
    pub story: Option<Value>,
    /// Current reactions.
    pub reactions: Vec<StandingReaction>,
    /// Unsent by its author.
    pub deleted: bool,
    /// How often it was edited.
    pub edits: u32,
    /// Not supported by the API.
    pub unsupported: bool,
    /// The sending app's metadata, which the echo returns.
    pub metadata: Option<String>,
    /// The message tag it was sent with.
    pub tag: Option<String>,
    /// The comment it answers privately.
    pub comment_id: Option<String>,
}

impl ThreadMessage {
    pub(crate) fn new(mid: String, from: Author, at_ms: i64) -> Self {
        Self {
            mid,
            from,
            at_ms,
            text: None,
            attachments: Vec::new(),
            quick_replies: Vec::new(),
            reply_to: None,
            story: None,
            reactions: Vec::new(),
            deleted: false,
            edits: 0,
            unsupported: false,
            metadata: None,
            tag: None,
            comment_id: None,
        }
    }

    /// Sets or removes a side's reaction to a message.
    pub(crate) fn react(&mut self, by: Author, emoji: Option<&str>) {
        self.reactions.retain(|standing| standing.by != by);
        if let Some(emoji) = emoji {
            self.reactions.push(StandingReaction { by, emoji: emoji.to_owned() });
        }
    }
}

/// A customer's profile; the platform may give null for name and picture.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CustomerProfile {
    /// The display name.
    pub name: Option<String>,
    /// The handle.
    pub username: String,
    /// The picture's URL, which expires "in a few days".
    pub profile_pic: Option<String>,
    /// How many follow the customer.
    pub follower_count: u64,
    /// Whether the customer follows the business.
    pub is_user_follow_business: bool,
    /// Whether the business follows the customer.
    pub is_business_follow_user: bool,
    /// The blue mark.
    pub is_verified_user: bool,
}

impl CustomerProfile {
    pub(crate) fn invented(igsid: &str) -> Self {
        let tail: String = igsid.chars().skip(igsid.len().saturating_sub(4)).collect();
        Self {
            name: Some(format!("Customer {tail}")),
            username: format!("customer_{tail}"),
            profile_pic: Some(format!("https://scontent.cdninstagram.com/profile/{igsid}.jpg")),
            follower_count: 42,
            is_user_follow_business: false,
            is_business_follow_user: false,
            is_verified_user: false,
        }
    }
}

/// The state between one account and one customer.
#[derive(Debug)]
pub(crate) struct Thread {
    pub(crate) fbid: String,
    pub(crate) profile: CustomerProfile,
    pub(crate) messages: Vec<ThreadMessage>,
    pub(crate) last_interaction_ms: Option<i64>,
    pub(crate) ad_opened_ms: Option<i64>,
    /// The customer wrote, or tapped an ice breaker or menu entry: their profile may be read.
    pub(crate) consented: bool,
    pub(crate) blocked: bool,
    /// The thread's owner, if it is another app.
    pub(crate) owner: Option<String>,
    pub(crate) business_is_typing: bool,
    pub(crate) business_saw_ms: Option<i64>,
}

/// The state of the window at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Window {
    Open,
    HumanAgentOnly,
    Closed,
}

impl Thread {
    pub(crate) fn new(fbid: String, profile: CustomerProfile) -> Self {
        Self {
            fbid,
            profile,
            messages: Vec::new(),
            last_interaction_ms: None,
            ad_opened_ms: None,
            consented: false,
            blocked: false,
            owner: None,
            business_is_typing: false,
            business_saw_ms: None,
        }
    }

    /// The window rule. The last moment of a window is inside.
    pub(crate) fn window(&self, now_ms: i64, ad_window: Duration) -> Window {
        let ad_window_ms = i64::try_from(ad_window.as_millis()).unwrap_or(i64::MAX);
        let within =
            |since: Option<i64>, length: i64| since.is_some_and(|since| now_ms.saturating_sub(since) <= length);
        if within(self.last_interaction_ms, STANDARD_WINDOW_MS) || within(self.ad_opened_ms, ad_window_ms) {
            Window::Open
        } else if within(self.last_interaction_ms, HUMAN_AGENT_WINDOW_MS) {
            Window::HumanAgentOnly
        } else {
            Window::Closed
        }
    }

    pub(crate) fn message_mut(&mut self, mid: &str) -> Option<&mut ThreadMessage> {
        self.messages.iter_mut().find(|message| message.mid == mid)
    }

    /// Unsends a message: the fact stays, its content does not.
    pub(crate) fn forget(&mut self, mid: &str) {
        if let Some(message) = self.message_mut(mid) {
            message.deleted = true;
            message.text = None;
            message.attachments.clear();
        }
    }

    pub(crate) fn message(&self, mid: &str) -> Option<&ThreadMessage> {
        self.messages.iter().find(|message| message.mid == mid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY_MS: i64 = 24 * 3600 * 1000;
    const AD_WINDOW: Duration = Duration::from_secs(7 * 24 * 3600);

    #[test]
    fn the_window_closes_after_24_hours_and_after_7_days_for_people() {
        let mut thread = Thread::new("1".to_owned(), CustomerProfile::invented("5551230000000001"));
        assert_eq!(thread.window(0, AD_WINDOW), Window::Closed);
        thread.last_interaction_ms = Some(0);
        assert_eq!(thread.window(DAY_MS, AD_WINDOW), Window::Open);
        assert_eq!(thread.window(DAY_MS + 1, AD_WINDOW), Window::HumanAgentOnly);
        assert_eq!(thread.window(7 * DAY_MS, AD_WINDOW), Window::HumanAgentOnly);
        assert_eq!(thread.window(7 * DAY_MS + 1, AD_WINDOW), Window::Closed);
    }

    #[test]
    fn an_ad_keeps_the_thread_open_for_its_own_window() {
        let mut thread = Thread::new("1".to_owned(), CustomerProfile::invented("5551230000000001"));
        (thread.last_interaction_ms, thread.ad_opened_ms) = (Some(0), Some(0));
        assert_eq!(thread.window(6 * DAY_MS, AD_WINDOW), Window::Open);
        assert_eq!(thread.window(6 * DAY_MS, Duration::from_secs(24 * 3600)), Window::HumanAgentOnly);
    }
}
