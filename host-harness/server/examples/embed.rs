//! An inbox product with the harness inside: load a channel, feed a webhook, send a reply.
//!
//! `cargo harness build && cargo run -p harness-server --example embed`
//!
//! Nothing leaves this machine: the reply goes to an address where nobody listens, and ends as such.

#![allow(clippy::print_stdout, reason = "an example shows what it does")]

use std::{collections::HashMap, error::Error};

use harness_contract::{OutboundMessage, settings::RawSetting};
use harness_engine::{ChannelOptions, Endpoints, Grant, Host, HostOptions, Secret};
use hmac::{Hmac, KeyInit, Mac};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::temp_dir().join(format!("embed-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let endpoints = Endpoints::from([("https://graph.facebook.com".into(), "http://127.0.0.1:9".parse()?)]);
    let host = Host::open(HostOptions { endpoints, ..HostOptions::in_folder(&folder) }).await?;

    // The channel, with the hosts that it may reach and the app's secret, and one account with its token.
    let secret = |text: &str| Secret::new(text.as_bytes().to_vec());
    let secrets = HashMap::from([("app-secret".to_owned(), secret("the-app-secret"))]);
    let component = std::fs::read("target/channels/instagram.wasm")?;
    let grant = Some(Grant { egress: vec!["graph.facebook.com".into()], media: Vec::new() });
    host.load_channel(component, ChannelOptions { grant, secrets, ..ChannelOptions::default() }).await?;
    let settings = [("login", "facebook"), ("page-id", "104857000000001")];
    let settings = settings.map(|(key, value)| (key.to_owned(), RawSetting::Text(value.into()))).into();
    let token = HashMap::from([("page-token".to_owned(), secret("the-page-token"))]);
    host.connect_account("instagram", "17841400000000001", "My shop", &settings, token).await?;

    // A webhook, as a web framework hands it over: headers and the raw body. Durable when this returns.
    let body = br#"{"object":"instagram","entry":[{"id":"17841400000000001","messaging":[{"sender":{"id":"5551230000000001"},"recipient":{"id":"17841400000000001"},"timestamp":1795000000123,"message":{"mid":"m1","text":"hello"}}]}]}"#;
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(b"the-app-secret")?;
    mac.update(body);
    let signature = format!("sha256={}", hex::encode(mac.finalize().into_bytes()));
    let headers = [("x-hub-signature-256".parse()?, signature.parse()?)].into_iter().collect();
    let mut changes = host.inbox().follow();
    host.deliver("instagram", &headers, body.to_vec()).await?;
    let news = changes.next(1).await?;
    let conversation = news.changes.iter().find_map(|change| change.conversation).ok_or("no conversation")?;
    println!("{}", serde_json::to_string_pretty(&host.inbox().timeline(conversation, 10).await?)?);

    // A reply. The key makes asking twice one reply; the outcome comes with a change of it.
    let message: OutboundMessage = serde_json::from_str(
        r#"{"id": "", "sender": {"kind": "human", "id": "kim"}, "parts": [{"text": {"text": "Hello! How can we help?"}}], "try_anyway": true}"#,
    )?;
    let queued = host.reply(conversation, "reply-1", message).await?;
    while host.inbox().reply(queued.reply).await?.steps.iter().all(|step| step.outcome.is_none()) {
        changes.next(100).await?;
    }
    println!("{}", serde_json::to_string_pretty(&host.inbox().reply(queued.reply).await?)?);
    std::fs::remove_dir_all(&folder)?;
    Ok(())
}
