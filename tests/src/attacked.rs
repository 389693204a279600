//! A host with the hostile channel, whose requests arrive at a server of the test. Belongs here: setting that up.

use std::collections::BTreeMap;

use axum::Router;
use harness_engine::{ChannelOptions, Endpoints, Host, HostOptions};
use harness_sandbox::SandboxConfig;
use tempfile::TempDir;

use harness_inbox::ConversationId;

use crate::{end, eventually, granted, hostile, listen, secrets};

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
        let lead = |origin: &&str| ((*origin).to_owned(), address.clone());
        let endpoints: Endpoints = origins.iter().map(lead).collect();
        let host = open(&folder, &endpoints, sandbox).await;
        host.connect_account("hostile", "account", "Account", &BTreeMap::new(), secrets([("token", token)]))
            .await
            .unwrap();
        let headers = [("x-secret".parse().unwrap(), "the-webhook-secret".parse().unwrap())].into_iter().collect();
        host.deliver("hostile", &headers, b"hello".to_vec()).await.unwrap();
        let conversation = eventually("the conversation", async || {
            host.inbox().conversations(1).await.unwrap().into_iter().next().map(|found| found.id)
        })
        .await;
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
    let host = Host::open(options).await.unwrap();
    let setup = ChannelOptions {
        grant: granted(&hostile().1),
        secrets: secrets([("secret", "the-webhook-secret")]),
        ..ChannelOptions::default()
    };
    host.load_channel(hostile().1.clone(), setup).await.unwrap();
    host
}
