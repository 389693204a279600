//! Owns: how far connecting an account has come, as its link says.
//! Does not own: going on from there (`connect`).

use harness_contract::{Candidate, InputField};
use harness_inbox::AccountId;
use serde::{Deserialize, Serialize};
use url::Url;

/// How far it has come.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "stage", rename_all = "snake_case")]
pub enum ConnectStage {
    /// The link is there, and nobody has gone on from it.
    Waiting,
    /// The person is at the platform's dialog.
    Visiting,
    /// The platform is being asked; this ends by itself.
    Working,
    /// The person types these in.
    Entering {
        /// Without what was typed into those that are secret.
        fields: Vec<InputField>,
        /// Why what was typed in last was not taken.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        problem: Option<String>,
    },
    /// Something outside must happen first; the channel is asked again by itself.
    WaitingFor {
        /// What the person should do.
        text: String,
        /// The content of a QR code.
        qr: Option<String>,
        /// A code to type in elsewhere.
        code: Option<String>,
        /// When the channel is asked again, in milliseconds since 1970.
        again_at: u64,
        /// When it is not asked any more.
        until: Option<u64>,
    },
    /// The person chooses one of these.
    Choosing {
        /// With the reason where one cannot be chosen.
        candidates: Vec<Candidate>,
    },
    /// The account is connected.
    Connected {
        /// Its row.
        account: AccountId,
    },
    /// It ended otherwise. One can begin again from the same link.
    Failed {
        /// What happened and what to do.
        sentence: String,
    },
}

/// A link as its owner sees it.
#[derive(Clone, Debug, Serialize)]
pub struct ConnectView {
    /// The channel's id.
    pub channel: String,
    /// The login, once it is known.
    pub login: Option<String>,
    /// The only login that the link is for, where there is one.
    #[serde(skip)]
    pub only: Option<String>,
    /// The dialog at which the person is expected. It holds what the platform hands back.
    #[serde(skip)]
    pub visit: Option<Url>,
    /// How far it has come.
    #[serde(flatten)]
    pub stage: ConnectStage,
}

impl ConnectStage {
    /// Whether it is the same step for whoever looks at it.
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
