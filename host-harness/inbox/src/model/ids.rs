//! Owns: row ids, one type per kind of row, so that ids of different kinds cannot be confused.
//! Does not own: the platform's ids, which are text; how ids are stored in columns (`sqlite`).

use std::{fmt, num::ParseIntError, str::FromStr};

use serde::{Deserialize, Serialize};

macro_rules! ids {
    ($($(#[$meaning:meta])+ $name:ident),+ $(,)?) => {
        $(
            $(#[$meaning])+
            #[derive(Clone, Copy, Debug, Eq, PartialEq, Ord, PartialOrd, Hash, Serialize, Deserialize)]
            #[serde(transparent)]
            pub struct $name(i64);

            impl $name {
                /// The id with this number, such as one stored outside the inbox.
                pub const fn new(number: i64) -> Self {
                    Self(number)
                }

                /// Its number.
                pub const fn get(self) -> i64 {
                    self.0
                }
            }

            impl fmt::Display for $name {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    self.0.fmt(f)
                }
            }

            impl FromStr for $name {
                type Err = ParseIntError;

                fn from_str(text: &str) -> Result<Self, ParseIntError> {
                    text.parse().map(Self)
                }
            }
        )+
    };
}

ids! {
    /// An account's row.
    AccountId,
    /// The row of a canned answer.
    CannedAnswerId,
    /// A collection's row.
    CollectionId,
    /// The row of an event in an account that is not a message.
    ActivityId,
    /// A contact's row.
    ContactId,
    /// A conversation's row.
    ConversationId,
    /// A delivery's row; ascending in the order of arrival.
    DeliveryId,
    /// The row of an invitation.
    InvitationId,
    /// A label's row.
    LabelId,
    /// The row of a file that a message refers to.
    MediaId,
    /// A message's row.
    MessageId,
    /// The row of a private note.
    NoteId,
    /// A reply's row.
    ReplyId,
    /// The row of a person who signs in.
    UserId,
    /// The row of a product's address that is told what changes.
    WebhookId,
    /// A workspace's row.
    WorkspaceId,
}

impl WorkspaceId {
    /// The workspace that is there from the start.
    pub const FIRST: Self = Self::new(1);
}
