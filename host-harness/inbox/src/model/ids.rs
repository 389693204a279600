//! Owns: row ids, one type per kind of row, so that ids of different kinds cannot be confused.
//! Does not own: the platform's ids, which are text; how ids are stored in columns (`sqlite`) and spelled outside
//! (`public_id`).

use std::{fmt, num::ParseIntError, str::FromStr};

use serde::{Deserialize, Serialize};

use super::public_id::PublicId;

macro_rules! ids {
    ($($(#[$meaning:meta])+ $name:ident = $prefix:literal, $noun:literal;)+) => {
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

            impl PublicId for $name {
                const PREFIX: &'static str = $prefix;
                const NOUN: &'static str = $noun;

                fn number(self) -> i64 {
                    self.0
                }

                fn from_number(number: i64) -> Self {
                    Self(number)
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
    AccountId = "acc", "account";
    /// The row of a canned answer.
    CannedAnswerId = "can", "canned answer";
    /// A collection's row.
    CollectionId = "col", "collection";
    /// The row of an event in an account that is not a message.
    ActivityId = "act", "activity";
    /// A contact's row.
    ContactId = "con", "contact";
    /// A conversation's row.
    ConversationId = "cnv", "conversation";
    /// A delivery's row; ascending in the order of arrival.
    DeliveryId = "dlv", "delivery";
    /// The row of an invitation.
    InvitationId = "inv", "invitation";
    /// A label's row.
    LabelId = "lbl", "label";
    /// The row of a file that a message refers to.
    MediaId = "med", "file";
    /// A message's row.
    MessageId = "msg", "message";
    /// The row of a private note.
    NoteId = "nte", "note";
    /// A reply's row.
    ReplyId = "rpl", "reply";
    /// The row of a saved view of the list.
    SavedViewId = "viw", "saved view";
    /// The row of a person who signs in.
    UserId = "usr", "user";
    /// The row of a product's address that is told what changes.
    WebhookId = "whk", "webhook";
    /// A workspace's row.
    WorkspaceId = "wsp", "workspace";
}

impl WorkspaceId {
    /// The workspace that is there from the start.
    pub const FIRST: Self = Self::new(1);
}
