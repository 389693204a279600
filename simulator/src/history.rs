//! A conversation from before the connection: dated messages without webhooks.
//! What belongs here: adding the past to a thread. Present events are `customer`.

use std::time::Duration;

use serde_json::json;

use crate::core::Core;
use crate::state::thread::{Author, ThreadMessage};
use crate::webhook::attachment::Attachment;

/// A message of the past.
#[derive(Debug, Clone, PartialEq)]
pub struct PastMessage {
    /// Who wrote it.
    pub from: Author,
    /// How long ago, by the platform's clock.
    pub ago: Duration,
    /// The text.
    pub text: Option<String>,
    /// Media and shares.
    pub attachments: Vec<Attachment>,
}

impl PastMessage {
    /// A text of the customer.
    pub fn customer(ago: Duration, text: impl Into<String>) -> Self {
        Self { from: Author::Customer, ago, text: Some(text.into()), attachments: Vec::new() }
    }

    /// A text of the business, written in Instagram's own app.
    pub fn business(ago: Duration, text: impl Into<String>) -> Self {
        Self { from: Author::Business, ..Self::customer(ago, text) }
    }

    /// The same with an attachment.
    pub fn with(mut self, attachment: Attachment) -> Self {
        self.attachments.push(attachment);
        self
    }
}

impl Core {
    /// Inserts messages into a thread by their time, without webhooks. The customer's newest message sets the window.
    /// Returns the mids in the given order.
    pub(crate) fn seed(&self, ig_id: &str, igsid: &str, past: &[PastMessage]) -> Vec<String> {
        let now_micros = self.clock.now_micros();
        self.with_thread(ig_id, igsid, |thread| {
            let mut mids = Vec::new();
            for message in past {
                let ago = i64::try_from(message.ago.as_micros()).unwrap_or(i64::MAX);
                let micros = now_micros.saturating_sub(ago).max(0);
                let (at_ms, mid) = (micros / 1000, self.ids.mid(ig_id, &thread.fbid, micros));
                thread.messages.push(ThreadMessage {
                    text: message.text.clone(),
                    attachments: message.attachments.iter().map(|attachment| json!(attachment)).collect(),
                    ..ThreadMessage::new(mid.clone(), message.from, at_ms)
                });
                if message.from == Author::Customer {
                    thread.consented = true;
                    thread.last_interaction_ms = thread.last_interaction_ms.max(Some(at_ms));
                }
                mids.push(mid);
            }
            thread.messages.sort_by_key(|message| message.at_ms);
            mids
        })
    }
}
