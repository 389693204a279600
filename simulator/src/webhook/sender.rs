//! Sending a webhook body to the receiver: signing, posting, retrying, recording.
//! What belongs here: bytes in, delivery out. The content of bodies is built in `envelope` and `customer`.

use std::sync::Arc;

use http::Method;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;
use tokio::task::JoinSet;

use crate::config::Login;
use crate::core::Core;
use crate::signature::{sha1_header, sha256_header};

/// How a delivery is signed. Meta itself always signs as `Valid`; the rest is what attackers,
/// misconfigured apps and proxies send.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Signing {
    /// Both headers, with the secret of the login.
    #[default]
    Valid,
    /// Only the legacy SHA-1 header.
    Sha1Only,
    /// Both headers, made with a secret that is not the app's.
    WrongSecret,
    /// Both headers, for a body that differs in one space.
    OtherBody,
    /// No signature headers.
    Missing,
}

/// One webhook body and the receiver's answers to it.
#[derive(Debug, Clone, Serialize)]
pub struct Delivery {
    /// The number of the delivery, from 0; `None` while it is held.
    pub id: Option<usize>,
    /// Whose secret signed it.
    pub login: Login,
    /// How it was signed.
    pub signing: Signing,
    /// The exact bytes.
    #[serde(serialize_with = "as_text")]
    pub body: Vec<u8>,
    /// Every attempt, in order; empty while it is held or if no URL is set.
    pub attempts: Vec<Attempt>,
}

/// One attempt to deliver.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Attempt {
    /// The platform's time of the attempt, milliseconds.
    pub at_ms: i64,
    /// The status of the receiver's answer; `None` if there was none.
    pub status: Option<u16>,
    /// Why there was no answer.
    pub problem: Option<String>,
}

impl Delivery {
    /// The status of the last attempt.
    pub fn status(&self) -> Option<u16> {
        self.attempts.last().and_then(|attempt| attempt.status)
    }

    /// Whether the receiver finally accepted it (2xx).
    pub fn accepted(&self) -> bool {
        self.status().is_some_and(|status| (200..300).contains(&status))
    }

    /// The body as JSON; `Null` if it is not JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

impl Core {
    /// Signs and posts a body, retries as configured, and records the outcome.
    pub(crate) async fn deliver(&self, login: Login, body: Vec<u8>, signing: Signing) -> Delivery {
        let (url, redelivery) = {
            let world = self.world();
            (world.webhook_url.clone(), world.redelivery.clone())
        };
        let mut attempts = Vec::new();
        if let Some(url) = url {
            let mut pauses = redelivery.pauses.into_iter();
            loop {
                let attempt = self.attempt(&url, login, &body, signing).await;
                let done = attempt.status.is_some_and(|status| (200..300).contains(&status));
                attempts.push(attempt);
                match pauses.next() {
                    Some(pause) if !done => self.clock.wait(pause).await,
                    _ => break,
                }
            }
        }
        self.remember_delivery(login, body, signing, attempts)
    }

    fn remember_delivery(&self, login: Login, body: Vec<u8>, signing: Signing, attempts: Vec<Attempt>) -> Delivery {
        let mut world = self.world();
        let delivery = Delivery { id: Some(world.deliveries.len()), login, signing, body, attempts };
        world.deliveries.push(delivery.clone());
        self.deliveries_seen.send_replace(world.deliveries.len());
        delivery
    }

    /// A delivery that has not been sent, because webhooks are held.
    pub(crate) fn undelivered(&self, login: Login, body: Vec<u8>) -> Delivery {
        Delivery { id: None, login, signing: Signing::Valid, body, attempts: Vec::new() }
    }

    /// Sends the same bytes `copies` times, all at once.
    pub(crate) async fn deliver_copies(self: &Arc<Self>, delivery: &Delivery, copies: usize) -> Vec<Delivery> {
        let mut tasks = JoinSet::new();
        for _ in 0..copies {
            let (core, body) = (Arc::clone(self), delivery.body.clone());
            let (login, signing) = (delivery.login, delivery.signing);
            tasks.spawn(async move { core.deliver(login, body, signing).await });
        }
        tasks.join_all().await
    }

    async fn attempt(&self, url: &str, login: Login, body: &[u8], signing: Signing) -> Attempt {
        let request = self.signed_request(url, login, body, signing);
        let timeout = self.config.webhook_timeout;
        let (status, problem) = match self.http.send(request, body.to_vec(), timeout).await {
            Ok(answer) => (Some(answer.status), None),
            Err(problem) => (None, Some(problem)),
        };
        tracing::debug!(?status, ?problem, bytes = body.len(), "webhook posted");
        Attempt { at_ms: self.clock.now_ms(), status, problem }
    }

    fn signed_request(&self, url: &str, login: Login, body: &[u8], signing: Signing) -> http::request::Builder {
        let request = http::Request::builder()
            .method(Method::POST)
            .uri(url)
            .header("content-type", "application/json")
            .header("accept", "*/*")
            .header("user-agent", "facebookexternalua");
        let app_secret = self.app_secret(login);
        let (key, signed) = match signing {
            Signing::WrongSecret => (&"not-the-app-secret".into(), body.to_vec()),
            Signing::OtherBody => (app_secret, [body, b" "].concat()),
            Signing::Valid | Signing::Sha1Only | Signing::Missing => (app_secret, body.to_vec()),
        };
        match signing {
            Signing::Missing => request,
            Signing::Sha1Only => request.header("x-hub-signature", sha1_header(key, &signed)),
            Signing::Valid | Signing::WrongSecret | Signing::OtherBody => request
                .header("x-hub-signature", sha1_header(key, &signed))
                .header("x-hub-signature-256", sha256_header(key, &signed)),
        }
    }
}

fn as_text<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&String::from_utf8_lossy(bytes))
}
