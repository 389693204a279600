//! A host with the scripted channel, whose requests arrive at a platform of the test. Belongs here: setting that up, and
//! telling the channel what to do.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex},
};

use axum::{Router, body::Body, http::HeaderName, response::Response};
use harness_contract::settings::RawSetting;
use harness_engine::{Host, HostOptions, Secret};
use harness_inbox::{ConversationId, ReplyState};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    eventually,
    hosts::{endpoints, newest_conversation, open_with},
    listen,
    manifest::with_manifest,
    message, sandbox_config, scripted, serve, text,
};

/// An answer to a path: status, headers, body.
type Answer = (u16, Vec<(String, String)>, String);

/// What the platform answers, and what it was asked.
#[derive(Clone, Default)]
pub struct Platform {
    answers: Arc<Mutex<HashMap<String, Answer>>>,
    /// Method and path with query, headers, body.
    pub asked: Arc<Mutex<Vec<String>>>,
}

impl Platform {
    /// From now on a path is answered with this.
    pub fn answer(&self, path: &str, status: u16, headers: &[(&str, &str)], body: &str) {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        self.answers.lock().unwrap().insert(path.to_owned(), (status, headers, body.to_owned()));
    }

    /// From now on a path is answered with all that was sent there.
    pub fn reflect(&self, path: &str) {
        self.answer(path, 200, &[], REFLECTED);
    }

    /// Everything that came in so far, and nothing of it again.
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }

    async fn take_in(&self, request: axum::extract::Request) -> Response {
        let (head, body) = request.into_parts();
        let body = axum::body::to_bytes(body, 64 << 20).await.unwrap();
        let seen = format!("{} {} {:?} {}", head.method, head.uri, head.headers, String::from_utf8_lossy(&body));
        self.asked.lock().unwrap().push(seen.clone());
        let found = self.answers.lock().unwrap().get(head.uri.path()).cloned();
        let (status, headers, body) = found.unwrap_or_else(|| (404, Vec::new(), "{}".to_owned()));
        let body = if body == REFLECTED { format!("you sent {seen}") } else { body };
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = status.try_into().unwrap();
        for (name, value) in headers {
            let name: HeaderName = name.parse().unwrap();
            response.headers_mut().append(name, value.parse().unwrap());
        }
        response
    }
}

const REFLECTED: &str = "(all that was sent)";

/// The host, and where it is.
pub struct Told {
    pub host: Host,
    pub platform: Platform,
    pub address: String,
    /// A conversation whose replies say what the channel is to do.
    pub conversation: ConversationId,
    pub folder: TempDir,
}

/// The webhook secret, unless a test gives another.
pub const WEBHOOK_SECRET: &str = "the-secret-of-the-webhooks";

impl Told {
    /// The channel with this manifest, or its own; its own credentials, and those of its account `account`.
    pub async fn start(
        manifest: Option<&str>,
        app: HashMap<String, Secret>,
        own: HashMap<String, Secret>,
        prove: impl Fn(&[u8]) -> (&'static str, String),
    ) -> Self {
        let platform = Platform::default();
        let takes = platform.clone();
        let router = Router::new().fallback(move |request| {
            let takes = takes.clone();
            async move { takes.take_in(request).await }
        });
        let endpoints = endpoints(&["https://scripted.example.com"], &listen(router).await);
        let folder = tempfile::tempdir().unwrap();
        let options = HostOptions { sandbox: sandbox_config(), endpoints, ..HostOptions::in_folder(folder.path()) };
        let component = manifest.map_or_else(|| scripted().1.clone(), |text| with_manifest(&scripted().1, text));
        let host = open_with(options, [(&component, app)]).await;
        host.connect_account("scripted", "account", "A", &BTreeMap::new(), own).await.unwrap();
        let (address, _) = serve(&host).await;
        let hello = json!({ "events": 1, "account": "account" }).to_string().into_bytes();
        let (name, proof) = prove(&hello);
        let headers = [(name.parse().unwrap(), proof.parse().unwrap())].into_iter().collect();
        host.deliver("scripted", &headers, hello).await.unwrap();
        let conversation = newest_conversation(&host).await;
        Self { host, platform, address, conversation, folder }
    }

    /// The manifest and the secret of the channel as it is.
    pub async fn usual(own: HashMap<String, Secret>) -> Self {
        let app = crate::secrets([("secret", WEBHOOK_SECRET)]);
        Self::start(None, app, own, |_| ("x-secret", WEBHOOK_SECRET.to_owned())).await
    }

    /// What the channel says of the answers to the requests of a reply: all that it was shown, or why there is none.
    pub async fn reply(&self, requests: Value) -> String {
        let script = json!({ "requests": requests }).to_string();
        let key = format!("{script}{:?}", std::time::Instant::now());
        let queued = self.host.reply(self.conversation, &key, message(vec![text(&script)])).await.unwrap();
        let view = eventually("the outcome", async || {
            let view = self.host.inbox().reply(queued.reply).await.unwrap();
            let tried = view.steps.iter().any(|step| step.outcome.is_some());
            (tried || matches!(view.state, ReplyState::Done | ReplyState::Refused)).then_some(view)
        })
        .await;
        let outcomes: Vec<_> =
            view.steps.iter().filter_map(|step| step.outcome.as_ref()).map(|outcome| outcome.get()).collect();
        format!("{} {:?}", outcomes.join("\n"), view.violations)
    }

    /// The same in one call of an account, which may also capture credentials.
    pub async fn check(&self, account: &str, requests: Value, own: HashMap<String, Secret>) -> String {
        let script = json!({ "requests": requests }).to_string();
        let settings = BTreeMap::from([("script".to_owned(), RawSetting::Text(script))]);
        let row = self.host.connect_account("scripted", account, account, &settings, own).await.unwrap();
        let health = self.host.check(row, false).await.unwrap();
        serde_json::to_string(&health.checks).unwrap()
    }
}
