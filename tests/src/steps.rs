//! A host whose scripted channel connects by other steps than a dialog. Belongs here: setting that up, and a person at the
//! link's page without a browser.

use std::{collections::BTreeMap, path::Path, time::Duration};

use harness_contract::settings::RawSetting;
use harness_engine::{ChannelOptions, Clock, ConnectStage, Host, HostOptions};
use harness_inbox::AccountRow;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    Answer, api, end, eventually,
    hosts::{endpoints, granted},
    listen,
    manifest::with_manifest,
    request, sandbox_config, scripted, secrets, serve,
};

pub const CANARY: &str = "canary-key-that-a-person-types-in";
pub const ONCE: &str = "canary-password-for-this-once";

const MANIFEST: &str = "
[channel]
id = 'scripted'
name = 'Scripted'
version = '0.1.0'
contract = '0.2.0'
[webhook.verification]
scheme = 'shared-secret-header'
header = 'x-secret'
secrets = ['secret']
[slots.secret]
scope = 'app'
[slots.token]
scope = 'account'
allowed-in = [{ authorization = 'Bearer' }]
[slots.password]
scope = 'connect'
[limits]
memory-bytes = 67108864
[[egress]]
host = 'scripted.example.com'
methods = ['GET', 'POST']
paths = ['/**']
[settings.connecting]
type = 'text'
scope = 'channel'
[settings.script]
type = 'text'
[settings.region]
type = 'text'
[settings.port]
type = 'number'
[logins.keys]
name = 'your keys'
[logins.dialog]
name = 'the dialog'
authorization-url = 'https://scripted.example.com/dialog'
";

/// A host whose channel connects by these steps.
pub struct World {
    pub host: Host,
    pub address: String,
    pub clock: Clock,
    pub folder: TempDir,
    platform: url::Url,
    server: tokio::task::AbortHandle,
}

async fn open(folder: &Path, clock: &Clock, steps: &Value, platform: &url::Url) -> Host {
    let endpoints = endpoints(&["https://scripted.example.com"], platform);
    let clock = clock.clone();
    let options = HostOptions { sandbox: sandbox_config(), endpoints, clock, ..HostOptions::in_folder(folder) };
    let host = Host::open(options).await.unwrap();
    let component = with_manifest(&scripted().1, MANIFEST);
    let options = ChannelOptions {
        grant: granted(&component),
        secrets: secrets([("secret", "the-secret-of-the-webhooks")]),
        settings: BTreeMap::from([("connecting".to_owned(), RawSetting::Text(steps.to_string()))]),
        ..ChannelOptions::default()
    };
    host.load_channel(component, options).await.unwrap();
    host
}

impl World {
    pub async fn new(steps: &Value) -> Self {
        let says_again = |headers: axum::http::HeaderMap| async move { format!("{headers:?}") };
        let platform = listen(axum::Router::new().fallback(says_again)).await;
        let (clock, folder) = (Clock::stopped(), tempfile::tempdir().unwrap());
        let host = open(folder.path(), &clock, steps, &platform).await;
        let (address, server) = serve(&host).await;
        Self { host, address, clock, folder, platform, server }
    }

    /// After a restart, with other steps where they are given.
    pub async fn again(self, steps: &Value) -> Self {
        self.server.abort();
        end(self.host, self.folder.path()).await;
        let host = open(self.folder.path(), &self.clock, steps, &self.platform).await;
        let (address, server) = serve(&host).await;
        Self { host, address, server, ..self }
    }

    /// A link whose button was pressed; with its cookie.
    pub async fn begun(&self, login: &str) -> (Person, Option<url::Url>) {
        let ticket = self.host.begin_connecting("scripted", None).await.unwrap();
        let cookie = self.host.open_link(&ticket, None).await.unwrap().unwrap();
        let to = self.host.start_connecting(&ticket, login, &cookie).await.unwrap();
        (Person { ticket, cookie }, to)
    }

    pub fn stage(&self, person: &Person) -> ConnectStage {
        self.host.connecting(&person.ticket).unwrap().stage
    }

    pub async fn reaches(&self, person: &Person, what: &str, is_it: impl Fn(&ConnectStage) -> bool) -> ConnectStage {
        eventually(what, async || Some(self.stage(person)).filter(&is_it)).await
    }

    pub async fn connected(&self, person: &Person) -> AccountRow {
        let stage =
            self.reaches(person, "the account", |stage| !matches!(stage, ConnectStage::WaitingFor { .. })).await;
        let ConnectStage::Connected { account } = stage else { panic!("not connected: {stage:?}") };
        self.host.inbox().account_row(account).await.unwrap()
    }

    fn page_address(&self, person: &Person) -> String {
        format!("{}/connect/{}", self.address, person.ticket)
    }

    pub async fn page(&self, person: &Person) -> Answer {
        let cookie = format!("harness-connect={}", person.cookie);
        request("GET", &self.page_address(person), &[("cookie", &cookie)], Vec::new()).await
    }

    pub async fn types(&self, person: &Person, fields: &[(&str, &str)]) -> Answer {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        for (key, value) in fields {
            form.append_pair(&format!("value.{key}"), value);
        }
        let cookie = format!("harness-connect={}", person.cookie);
        let headers =
            [("content-type", "application/x-www-form-urlencoded"), ("cookie", &cookie), ("origin", &self.address)];
        let address = format!("{}/enter", self.page_address(person));
        request("POST", &address, &headers, form.finish().into_bytes()).await
    }

    pub async fn api(&self, method: &str, path: &str, body: &Value) -> Answer {
        let address = format!("{}/api/v1/connect/{path}", self.address);
        api(method, &address, &[("content-type", "application/json")], body.to_string()).await
    }

    pub fn passes(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }
}

/// Somebody who goes on from one link.
pub struct Person {
    pub ticket: String,
    pub cookie: String,
}

/// Fields of every sort: two secrets, a choice, a number, a long text.
pub fn fields() -> Value {
    json!([
        { "key": "token", "label": "API key", "hint": "It stands under <Settings>.", "secret": true, "kind": "text" },
        { "key": "password", "label": "Password", "secret": true, "kind": "text" },
        { "key": "region", "label": "Region", "kind": "choice", "one_of": ["eu", "us"] },
        { "key": "port", "label": "Port", "kind": "number", "default": "443" },
        { "key": "script", "label": "Script", "kind": "long_text", "default": "{}" },
    ])
}

/// What fits into them.
pub fn typed() -> Vec<(&'static str, &'static str)> {
    const SCRIPT: &str = r#"{"requests":[{"url":"https://scripted.example.com/x","fills":["bearer"]}]}"#;
    vec![("token", CANARY), ("password", ONCE), ("region", "eu"), ("port", "8080"), ("script", SCRIPT)]
}

/// Something that is waited for.
pub fn wait(again_after: u64) -> Value {
    json!({ "wait": { "text": "Scan this on your phone.", "qr": "https://scripted.example.com/pair#1", "code": "AB-12",
        "again_after": again_after } })
}
