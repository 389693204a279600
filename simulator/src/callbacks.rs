//! Deauthorisation and data deletion: what Meta posts when a person leaves an app.
//! What belongs here: `signed_request` and its delivery. When it happens is decided by the caller.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::Method;
use serde::Serialize;
use serde_json::{Value, json};

use crate::config::Login;
use crate::core::Core;
use crate::error::SimulatorError;
use crate::secret::Secret;
use crate::signature::hmac_sha256;
use crate::state::tokens::Holder;

/// The subcode of 190 for an app that was removed.
const APP_REMOVED: u32 = 458;
const DEADLINE: Duration = Duration::from_secs(20);

/// Who removes the app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// The person, for the Facebook login; all their pages are removed with them.
    Person,
    /// An Instagram account, by its id, for the Instagram login.
    Account(String),
}

impl Subject {
    fn login(&self) -> Login {
        match self {
            Self::Person => Login::Facebook,
            Self::Account(_) => Login::Instagram,
        }
    }
}

/// The kind of a callback.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CallbackKind {
    /// The app was removed, or a page unsubscribed.
    Deauthorize,
    /// The person asks for the deletion of their data.
    DataDeletion,
}

/// The receiver's answer to a callback.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CallbackAnswer {
    /// The status; `None` without an answer.
    pub status: Option<u16>,
    /// The body, or why there is no answer.
    pub body: String,
}

/// A callback that was sent.
#[derive(Debug, Clone, Serialize)]
pub struct CallbackRecord {
    /// Which one.
    pub kind: CallbackKind,
    /// The login whose secret signed it.
    pub login: Login,
    /// The payload inside `signed_request`.
    pub payload: Value,
    /// The receiver's answer.
    pub answer: CallbackAnswer,
}

/// `<base64url(HMAC)>.<base64url(JSON)>`, the HMAC over the encoded payload, no padding (Meta's
/// documentation, data deletion callback).
pub fn signed_request(key: &Secret, payload: &Value) -> String {
    let payload = URL_SAFE_NO_PAD.encode(payload.to_string());
    format!("{}.{payload}", URL_SAFE_NO_PAD.encode(hmac_sha256(key, payload.as_bytes())))
}

impl Core {
    /// The person or account removes the app: its tokens stop working and its subscriptions end.
    pub(crate) fn revoke(&self, subject: &Subject) -> Result<(), SimulatorError> {
        self.invalidate(subject, APP_REMOVED)?;
        let (person, login) = (*subject == Subject::Person, subject.login());
        self.world()
            .subscriptions
            .retain(|(of, by), _| *by != login || !(person || *subject == Subject::Account(of.clone())));
        Ok(())
    }

    /// Invalidates all tokens of a person or account, including the configured ones.
    pub(crate) fn invalidate(&self, subject: &Subject, subcode: u32) -> Result<(), SimulatorError> {
        let mut world = self.world();
        match subject {
            Subject::Person => {
                let plain = world.person.more_pages.iter().map(|page| page.token.expose().to_owned());
                let configured: Vec<String> = plain.chain([world.person.token.expose().to_owned()]).collect();
                for token in configured {
                    world.tokens.kill(&token, subcode);
                }
                world.tokens.kill_all(subcode, |holder| matches!(holder, Holder::Person | Holder::Page(_)));
                let accounts: Vec<String> = world.accounts.iter().map(|account| account.ig_id.clone()).collect();
                for ig_id in accounts {
                    world.kill_account(&ig_id, Login::Facebook, subcode);
                }
            }
            Subject::Account(ig_id) => {
                if world.account(ig_id).is_none() {
                    return Err(SimulatorError::UnknownAccount(ig_id.clone()));
                }
                world.kill_account(ig_id, Login::Instagram, subcode);
            }
        }
        Ok(())
    }

    pub(crate) async fn deauthorize(&self, subject: &Subject) -> Result<CallbackAnswer, SimulatorError> {
        let url = self.callback_url(CallbackKind::Deauthorize)?;
        self.revoke(subject)?;
        let payload = self.payload(json!({"user_id": self.user_id(subject)?}));
        Ok(self.call_back(CallbackKind::Deauthorize, &url, subject.login(), payload).await)
    }

    pub(crate) async fn request_deletion(&self, subject: &Subject) -> Result<CallbackAnswer, SimulatorError> {
        let url = self.callback_url(CallbackKind::DataDeletion)?;
        let expires = self.clock.now_ms() / 1000 + 3600;
        let payload = self.payload(json!({"user_id": self.user_id(subject)?, "expires": expires}));
        Ok(self.call_back(CallbackKind::DataDeletion, &url, subject.login(), payload).await)
    }

    /// The app ended its own subscription to a page. Meta sends the same callback as for a removal, with a page instead
    /// of a user.
    pub(crate) async fn page_unsubscribed(&self, page_id: &str) {
        if let Ok(url) = self.callback_url(CallbackKind::Deauthorize) {
            let payload = self.payload(json!({"profile_id": page_id, "user_id": ""}));
            self.call_back(CallbackKind::Deauthorize, &url, Login::Facebook, payload).await;
        }
    }

    fn callback_url(&self, kind: CallbackKind) -> Result<String, SimulatorError> {
        let world = self.world();
        let app = &world.app;
        let (url, name) = match kind {
            CallbackKind::Deauthorize => (&app.deauthorize_url, "deauthorize_url"),
            CallbackKind::DataDeletion => (&app.data_deletion_url, "data_deletion_url"),
        };
        url.clone().ok_or(SimulatorError::NoCallbackUrl(name))
    }

    fn user_id(&self, subject: &Subject) -> Result<String, SimulatorError> {
        match subject {
            Subject::Person => Ok(self.world().person.id.clone()),
            Subject::Account(ig_id) => {
                if self.world().account(ig_id).is_none() {
                    return Err(SimulatorError::UnknownAccount(ig_id.clone()));
                }
                Ok(self.instagram_user_id(ig_id))
            }
        }
    }

    fn payload(&self, mut payload: Value) -> Value {
        if let Some(payload) = payload.as_object_mut() {
            payload.insert("algorithm".to_owned(), json!("HMAC-SHA256"));
            payload.insert("issued_at".to_owned(), json!(self.clock.now_ms() / 1000));
        }
        payload
    }

    async fn call_back(&self, kind: CallbackKind, url: &str, login: Login, payload: Value) -> CallbackAnswer {
        let signed = signed_request(self.app_secret(login), &payload);
        let body = url::form_urlencoded::Serializer::new(String::new()).append_pair("signed_request", &signed).finish();
        let request = http::Request::builder()
            .method(Method::POST)
            .uri(url)
            .header("content-type", "application/x-www-form-urlencoded")
            .header("user-agent", "facebookplatform/1.0 (+http://developers.facebook.com)");
        let answer = match self.http.send(request, body.into_bytes(), DEADLINE).await {
            Ok(answer) => {
                CallbackAnswer { status: Some(answer.status), body: String::from_utf8_lossy(&answer.body).into_owned() }
            }
            Err(problem) => CallbackAnswer { status: None, body: problem },
        };
        let record = CallbackRecord { kind, login, payload, answer: answer.clone() };
        self.world().callbacks.push(record);
        answer
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
    use super::*;

    #[test]
    fn a_signed_request_is_signed_over_its_encoded_payload() {
        let key = Secret::from("key");
        let signed = signed_request(&key, &json!({"user_id": "1"}));
        let (signature, payload) = signed.split_once('.').unwrap();
        assert!(!signed.contains('=') && !signed.contains('+'));
        assert_eq!(URL_SAFE_NO_PAD.decode(payload).unwrap(), br#"{"user_id":"1"}"#);
        assert_eq!(URL_SAFE_NO_PAD.decode(signature).unwrap(), hmac_sha256(&key, payload.as_bytes()));
    }
}
