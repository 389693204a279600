//! Hosts whose channels are granted everything that they ask for, and the servers that their requests go to.
//! Does not own what these channels do, nor what their platforms answer.

use std::collections::{BTreeMap, HashMap};

use harness_engine::{ChannelOptions, Endpoints, Grant, Host, HostOptions, Secret};
use harness_inbox::ConversationId;
use url::Url;

use crate::{eventually, secrets};

/// Everything that a component's manifest asks for, as an operator grants it who has read it.
pub fn granted(component: &[u8]) -> Option<Grant> {
    let inspection = harness_sandbox::inspect(component, component.len()).unwrap();
    Some(Grant::all_of(&inspection.manifest().unwrap()))
}

/// Loads a channel with these secrets.
pub async fn load_granted(host: &Host, component: &[u8], own: HashMap<String, Secret>) {
    let options = ChannelOptions { grant: granted(component), secrets: own, ..ChannelOptions::default() };
    host.load_channel(component.to_vec(), options).await.unwrap();
}

/// Opens a host with these channels, each with its secrets.
pub async fn open_with<const N: usize>(options: HostOptions, channels: [(&[u8], HashMap<String, Secret>); N]) -> Host {
    let host = Host::open(options).await.unwrap();
    for (component, own) in channels {
        load_granted(&host, component, own).await;
    }
    host
}

/// Endpoints that send requests for these origins to one server.
pub fn endpoints(origins: &[&str], server: &Url) -> Endpoints {
    origins.iter().map(|origin| ((*origin).to_owned(), server.clone())).collect()
}

/// Connects `shop` to the web chat.
pub async fn connect_shop(host: &Host) {
    let own = secrets([("site-secret", "secret-of-the-shop"), ("api-key", "key-of-the-shop-0123456789")]);
    host.connect_account("web-chat", "shop", "Shop", &BTreeMap::new(), own).await.unwrap();
}

/// The newest conversation, as soon as there is one.
pub async fn newest_conversation(host: &Host) -> ConversationId {
    eventually("the conversation", async || {
        host.inbox().conversations(1).await.unwrap().into_iter().next().map(|found| found.id)
    })
    .await
}
