//! A host with the hostile channel, whose requests arrive at a server of the test.
//! Does not own what the server answers.

use std::collections::BTreeMap;

use axum::Router;
use harness_engine::{Endpoints, Host, HostOptions};
use harness_sandbox::SandboxConfig;
use tempfile::TempDir;

use harness_inbox::ConversationId;

use crate::{
    end, hostile,
    hosts::{endpoints, newest_conversation, open_with},
    listen, secrets,
};

/// The host, and the conversation in which the channel is told what to try.
pub struct Attacked {
    /// It has the channel loaded and one account connected.
    pub host: Host,
    /// A reply in it names an attack.
    pub conversation: ConversationId,
    /// Where it keeps what it has.
    pub folder: TempDir,
    endpoints: Endpoints,
}

impl Attacked {
    /// Every origin that the manifest names leads to `server`; the account's token is `token`.
    pub async fn start(server: Router, origins: &[&str], sandbox: SandboxConfig, token: &str) -> Self {
        let address = listen(server).await;
        let folder = tempfile::tempdir().unwrap();
        let endpoints = endpoints(origins, &address);
        let host = open(&folder, &endpoints, sandbox).await;
        host.connect_account("hostile", "account", "Account", &BTreeMap::new(), secrets([("token", token)]))
            .await
            .unwrap();
        let headers = [("x-secret".parse().unwrap(), "the-webhook-secret".parse().unwrap())].into_iter().collect();
        host.deliver("hostile", &headers, b"hello".to_vec()).await.unwrap();
        let conversation = newest_conversation(&host).await;
        Self { host, conversation, folder, endpoints }
    }

    /// The same with another sandbox, after a restart.
    pub async fn again(self, sandbox: SandboxConfig) -> Self {
        end(self.host, self.folder.path()).await;
        Self { host: open(&self.folder, &self.endpoints, sandbox).await, ..self }
    }
}

async fn open(folder: &TempDir, endpoints: &Endpoints, sandbox: SandboxConfig) -> Host {
    let endpoints = endpoints.clone();
    let options = HostOptions { sandbox, endpoints, ..HostOptions::in_folder(folder.path()) };
    open_with(options, [(&hostile().1, secrets([("secret", "the-webhook-secret")]))]).await
}
