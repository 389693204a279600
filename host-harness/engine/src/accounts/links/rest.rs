//! Owns: a link as it rests, sealed, in the inbox's file.
//! Does not own: sealing it, and when it is written (`links`).

use std::{collections::BTreeMap, sync::Arc};

use harness_egress::credentials::Secret;
use harness_inbox::WorkspaceId;
use serde::{Deserialize, Serialize};
use url::Url;

use super::Link;
use crate::{accounts::stage::ConnectStage, network::PendingAccount};

/// The workspace of a link that was made before there were several.
fn first() -> WorkspaceId {
    WorkspaceId::FIRST
}

/// The same at rest.
#[derive(Serialize, Deserialize)]
pub(super) struct AtRest {
    ticket: String,
    #[serde(default = "first")]
    workspace: WorkspaceId,
    channel: String,
    only: Option<String>,
    login: Option<String>,
    began_at: u64,
    browser: Option<[u8; 32]>,
    state: Option<[u8; 32]>,
    spent: Option<[u8; 32]>,
    stage: ConnectStage,
    #[serde(default)]
    visit: Option<Url>,
    attempt: u64,
    secrets: BTreeMap<String, Vec<u8>>,
    storage: BTreeMap<String, Vec<u8>>,
}

impl Link {
    pub(super) fn at_rest(&self) -> AtRest {
        let secrets = self.pending.credentials.all().into_iter().map(|(slot, secret)| (slot, secret.expose().to_vec()));
        AtRest {
            ticket: self.ticket.clone(),
            workspace: self.workspace,
            channel: self.channel.clone(),
            only: self.only.clone(),
            login: self.login.clone(),
            began_at: self.began_at,
            browser: self.browser,
            state: self.state,
            spent: self.spent,
            stage: self.stage.clone(),
            visit: self.visit.clone(),
            attempt: self.attempt,
            secrets: secrets.collect(),
            storage: self.pending.storage().into_iter().collect(),
        }
    }

    pub(super) fn of(rest: AtRest, version: i64) -> Self {
        // What was under way then is not any more, and a code counts once.
        let stage = match rest.stage {
            ConnectStage::Working => ConnectStage::Failed {
                sentence: "This inbox was restarted in the middle of connecting. Begin again with the button.".into(),
            },
            stage => stage,
        };
        let secrets = rest.secrets.into_iter().map(|(slot, secret)| (slot, Secret::new(secret)));
        Self {
            ticket: rest.ticket,
            workspace: rest.workspace,
            channel: rest.channel,
            only: rest.only,
            login: rest.login,
            began_at: rest.began_at,
            browser: rest.browser,
            state: rest.state,
            spent: rest.spent,
            stage,
            visit: rest.visit,
            asking: false,
            attempt: rest.attempt,
            pending: Arc::new(PendingAccount::of(secrets.collect(), rest.storage)),
            version,
        }
    }
}
