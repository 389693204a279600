//! Owns: ids of rows, a type for each kind, so that the id of one kind is never taken for that of another.
//! Does not own: the platform's ids, which are text, and how ids are kept in columns (`sqlite`).

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
                /// The id with this number, such as one that was kept outside of the inbox.
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
    /// The row of something that happened in an account and is no message.
    ActivityId,
    /// A contact's row.
    ContactId,
    /// A conversation's row.
    ConversationId,
    /// A delivery's row; rises in the order of arrival.
    DeliveryId,
    /// The row of a file that a message names.
    MediaId,
    /// A message's row.
    MessageId,
    /// A reply's row.
    ReplyId,
}
