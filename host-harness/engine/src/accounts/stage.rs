//! Owns: the progress of connecting an account, as stored in its link.
//! Does not own: going on from there (`connect`).

use harness_contract::{Candidate, InputField};
use harness_inbox::{AccountId, WorkspaceId};
use serde::{Deserialize, Serialize};
use url::Url;

/// The progress of connecting.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "stage", rename_all = "snake_case")]
pub enum ConnectStage {
    /// The link exists and nobody has started.
    Waiting,
    /// The person is in the platform's dialog.
    Visiting,
    /// The platform is being called. This stage ends without a person.
    Working,
    /// The person fills in fields.
    Entering {
        /// Without the values of secret fields.
        fields: Vec<InputField>,
        /// Why the last values were rejected.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        problem: Option<String>,
    },
    /// Something outside must happen first. The host asks the channel again from time to time.
    WaitingFor {
        /// What the person should do.
        text: String,
        /// The content of a QR code.
        qr: Option<String>,
        /// A code to type in elsewhere.
        code: Option<String>,
        /// When the channel is asked again, in milliseconds since 1970.
        again_at: u64,
        /// When the host gives up, in milliseconds since 1970.
        until: Option<u64>,
    },
    /// The person chooses an account.
    Choosing {
        /// Each with the reason if it cannot be chosen.
        candidates: Vec<Candidate>,
    },
    /// The account is connected.
    Connected {
        /// The account's row.
        account: AccountId,
    },
    /// Connecting failed. The same link can be used to start again.
    Failed {
        /// What happened and what to do.
        sentence: String,
    },
}

/// A link, as seen by its owner.
#[derive(Clone, Debug, Serialize)]
pub struct ConnectView {
    /// The workspace that the account is connected in.
    #[serde(skip)]
    pub workspace: WorkspaceId,
    /// The channel's id.
    pub channel: String,
    /// The login, once chosen.
    pub login: Option<String>,
    /// The only login that the link allows, if restricted.
    #[serde(skip)]
    pub only: Option<String>,
    /// The dialog that the person is sent to. Its URL contains the state that the platform returns.
    #[serde(skip)]
    pub visit: Option<Url>,
    /// The progress.
    #[serde(flatten)]
    pub stage: ConnectStage,
}

impl ConnectStage {
    /// Whether both stages look the same to a person.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        match (self, other) {
            (
                Self::WaitingFor { text, qr, code, until, again_at: _ },
                Self::WaitingFor { text: text_b, qr: qr_b, code: code_b, until: until_b, again_at: _ },
            ) => (text, qr, code, until) == (text_b, qr_b, code_b, until_b),
            _ => std::mem::discriminant(self) == std::mem::discriminant(other),
        }
    }
}
