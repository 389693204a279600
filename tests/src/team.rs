//! A host without channels, whose people sign in.
//! Belongs here: setting it up, and the part of a browser that keeps cookies. Not here: what people do.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use harness_engine::{Clock, Host, HostOptions};
use harness_server::{Authenticator, TokenFile};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::task::AbortHandle;

use crate::{API_TOKEN, Answer, request, sandbox_config, secret};

/// The password of everybody who joins.
pub const PASSWORD: &str = "several words that do not belong together";

/// A host whose people sign in. Its operator has [`API_TOKEN`].
pub struct Team {
    pub host: Host,
    pub clock: Clock,
    pub folder: TempDir,
    /// `http://127.0.0.1:…`
    pub address: String,
    pub tokens: TokenFile,
    server: AbortHandle,
}

impl Drop for Team {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Team {
    pub async fn new() -> Self {
        Self::at(Clock::default()).await
    }

    /// The same, by this clock.
    pub async fn at(clock: Clock) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let options =
            HostOptions { sandbox: sandbox_config(), clock: clock.clone(), ..HostOptions::in_folder(folder.path()) };
        Self::of(Host::open(options).await.unwrap(), clock, folder).await
    }

    /// The people of a host that is there already.
    pub async fn of(host: Host, clock: Clock, folder: TempDir) -> Self {
        Self::with(host, clock, folder, |access, _| access).await
    }

    /// The same, with an authenticator that is set up further; it is given the host's address.
    pub async fn with(
        host: Host,
        clock: Clock,
        folder: TempDir,
        set_up: impl FnOnce(Authenticator, &str) -> Authenticator,
    ) -> Self {
        let tokens = TokenFile::in_folder(folder.path());
        let listener = harness_server::bind(([127, 0, 0, 1], 0).into()).await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        host.set_public_url(address.parse().unwrap());
        let access = set_up(Authenticator::new(Some(&secret(API_TOKEN)), Some(tokens.clone())), &address);
        let router = harness_server::router_with(host.clone(), access, &harness_server::Limits::default());
        let server = tokio::spawn(harness_server::serve(listener, router, std::future::pending())).abort_handle();
        Self { host, clock, folder, address, tokens, server }
    }

    /// One request with a token.
    pub async fn with_token(&self, token: &str, method: &str, path: &str, body: &Value) -> Answer {
        let shown = format!("Bearer {token}");
        let headers = [("authorization", shown.as_str()), ("content-type", "application/json")];
        request(method, &format!("{}{path}", self.address), &headers, body_of(body)).await
    }

    /// One request of the operator.
    pub async fn operator(&self, method: &str, path: &str, body: &Value) -> Answer {
        self.with_token(API_TOKEN, method, path, body).await
    }

    /// The secret of a link that invites somebody into this workspace.
    pub async fn invited(&self, workspace: Option<&str>, email: &str, role: &str) -> String {
        let shown = format!("Bearer {API_TOKEN}");
        let link = invited_at(&self.address, &shown, workspace, email, role).await;
        link.strip_prefix(&format!("{}/invitations/", self.address)).unwrap().to_owned()
    }

    /// A browser in which nobody has signed in.
    pub fn browser(&self) -> Browser {
        Browser::at(&self.address)
    }

    /// Somebody who has accepted an invitation into the first workspace, in their browser.
    pub async fn join(&self, email: &str, role: &str) -> Browser {
        self.join_in(None, email, role).await
    }

    /// The same, in another workspace.
    pub async fn join_in(&self, workspace: Option<&str>, email: &str, role: &str) -> Browser {
        let secret = self.invited(workspace, email, role).await;
        accepts(&self.address, &secret, email.split('@').next().unwrap()).await
    }

    pub fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }
}

/// A link that invites somebody, made with this `authorization` at the host with this address.
pub async fn invited_at(
    address: &str,
    authorization: &str,
    workspace: Option<&str>,
    email: &str,
    role: &str,
) -> String {
    let body = json!({ "email": email, "role": role });
    let mut headers = vec![("authorization", authorization), ("content-type", "application/json")];
    headers.extend(workspace.map(|workspace| ("workspace", workspace)));
    let answer = request("POST", &format!("{address}/api/v1/invitations"), &headers, body_of(&body)).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    answer.json()["link"].as_str().unwrap().to_owned()
}

/// Somebody who accepts an invitation, by its link or its secret, in their browser.
pub async fn accepts(address: &str, invitation: &str, name: &str) -> Browser {
    let (browser, secret) = (Browser::at(address), invitation.rsplit('/').next());
    let body = json!({ "secret": secret, "name": name, "password": PASSWORD });
    let answer = browser.ask("POST", "/api/v1/invitations/accept", &body).await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    browser
}

fn body_of(body: &Value) -> Vec<u8> {
    if body.is_null() { Vec::new() } else { body.to_string().into_bytes() }
}

/// A browser as far as cookies go, on a page of the host.
pub struct Browser {
    address: String,
    cookies: Mutex<BTreeMap<String, String>>,
}

impl Browser {
    /// A browser that has been nowhere, for pages of this address.
    pub fn at(address: &str) -> Self {
        Self { address: address.to_owned(), cookies: Mutex::default() }
    }

    /// A request of one of the host's own pages.
    pub async fn ask(&self, method: &str, path: &str, body: &Value) -> Answer {
        let headers = [("content-type", "application/json"), ("sec-fetch-site", "same-origin")];
        self.send(method, path, &headers, body_of(body)).await
    }

    /// A request with these headers, and the cookies.
    pub async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Answer {
        let cookies = self.cookies().iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>();
        let cookies = cookies.join("; ");
        let mut all = headers.to_vec();
        if !cookies.is_empty() {
            all.push(("cookie", &cookies));
        }
        let answer = request(method, &format!("{}{path}", self.address), &all, body).await;
        for value in answer.headers.get_all(http::header::SET_COOKIE) {
            let (pair, attributes) = value.to_str().unwrap().split_once(';').unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            let mut known = self.cookies.lock().unwrap_or_else(PoisonError::into_inner);
            if attributes.contains("Max-Age=0") {
                known.remove(name);
            } else {
                known.insert(name.to_owned(), value.to_owned());
            }
        }
        answer
    }

    pub async fn status(&self, path: &str) -> u16 {
        self.ask("GET", path, &Value::Null).await.status
    }

    /// Signs in with a password.
    pub async fn sign_in(&self, email: &str, password: &str) -> Answer {
        self.ask("POST", "/api/v1/session", &json!({ "email": email, "password": password })).await
    }

    /// The cookies, by name.
    pub fn cookies(&self) -> BTreeMap<String, String> {
        self.cookies.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub fn forget(&self, cookie: &str) {
        self.cookies.lock().unwrap_or_else(PoisonError::into_inner).remove(cookie);
    }

    /// A browser with copies of these cookies.
    pub fn copied(&self) -> Self {
        Self { address: self.address.clone(), cookies: Mutex::new(self.cookies()) }
    }
}
