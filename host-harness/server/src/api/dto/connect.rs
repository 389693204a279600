//! Owns: connect links in the API's JSON, and how far connecting has come.
//! Does not own: connecting.

use harness_contract::{Candidate, InputField};
use harness_engine::{ConnectStage, ConnectView};
use serde::Serialize;
use utoipa::ToSchema;

use super::{ConnectLinkTag, contract};
use crate::api::{ids::AccountRef, time::Time};

/// A link for a person who connects an account.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct NewConnectLink {
    pub(crate) object: ConnectLinkTag,
    /// Identifies the attempt in later requests. A credential, like the link.
    pub(crate) ticket: String,
    /// For the person who connects.
    pub(crate) link: String,
}

/// How far connecting an account has come.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ConnectLink {
    object: ConnectLinkTag,
    /// The channel's id.
    channel: String,
    /// The login, once chosen.
    login: Option<String>,
    #[serde(flatten)]
    stage: Stage,
    /// Whether a message has arrived since. Null until the account is connected.
    received: Option<bool>,
}

/// The progress.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "stage", rename_all = "snake_case")]
#[schema(as = ConnectStage)]
enum Stage {
    /// The link exists and nobody has started.
    Waiting,
    /// The person is in the platform's dialog.
    Visiting,
    /// The platform is being called. This stage ends without a person.
    Working,
    /// The person fills in fields.
    Entering {
        /// Without the values of secret fields.
        #[schema(value_type = Vec<contract::InputField>)]
        fields: Vec<InputField>,
        /// Why the last values were rejected.
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
        /// When the channel is asked again.
        again_at: Time,
        /// When the host gives up.
        until_at: Option<Time>,
    },
    /// The person chooses an account.
    Choosing {
        /// Each with the reason if it cannot be chosen.
        candidates: Vec<ConnectCandidate>,
    },
    /// The account is connected.
    Connected { account_id: AccountRef },
    /// Connecting failed. The same link can be used to start again.
    Failed {
        /// What happened and what to do.
        sentence: String,
    },
}

/// An account that the person may choose.
#[derive(Debug, Serialize, ToSchema)]
struct ConnectCandidate {
    /// Chooses it.
    id: String,
    /// The platform's id of the account, if it is known.
    platform_id: Option<String>,
    name: String,
    username: Option<String>,
    /// The platform's address of its picture.
    picture_url: Option<String>,
    /// Why this one cannot be chosen, and what to do.
    obstacle: Option<String>,
}

impl From<Candidate> for ConnectCandidate {
    fn from(candidate: Candidate) -> Self {
        let Candidate { id, account_id, name, username, picture, obstacle } = candidate;
        Self { id, platform_id: account_id, name, username, picture_url: picture.and_then(|one| one.url), obstacle }
    }
}

impl ConnectLink {
    pub(crate) fn of(view: ConnectView, received: Option<bool>) -> Self {
        let stage = match view.stage {
            ConnectStage::Waiting => Stage::Waiting,
            ConnectStage::Visiting => Stage::Visiting,
            ConnectStage::Working => Stage::Working,
            ConnectStage::Entering { fields, problem } => Stage::Entering { fields, problem },
            ConnectStage::WaitingFor { text, qr, code, again_at, until } => {
                let until_at = until.map(Time::from);
                Stage::WaitingFor { text, qr, code, again_at: again_at.into(), until_at }
            }
            ConnectStage::Choosing { candidates } => {
                Stage::Choosing { candidates: candidates.into_iter().map(ConnectCandidate::from).collect() }
            }
            ConnectStage::Connected { account } => Stage::Connected { account_id: account.into() },
            ConnectStage::Failed { sentence } => Stage::Failed { sentence },
        };
        Self { object: ConnectLinkTag::Tag, channel: view.channel, login: view.login, stage, received }
    }
}
