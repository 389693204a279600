//! Owns: how far connecting an account has come, as its link says.
//! Does not own: going on from there (`connect`).

use harness_contract::Candidate;
use harness_inbox::AccountId;
use serde::{Deserialize, Serialize};

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
    /// How far it has come.
    #[serde(flatten)]
    pub stage: ConnectStage,
}

impl ConnectStage {
    /// Whether it is the same step, whatever it holds.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }
}
