//! Identity providers on loopback: somebody else's, and one that says whatever a test wants.
//! Belongs here: running them. Not here: what a host makes of them.

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex, PoisonError},
};

use axum::{
    Json, Router,
    extract::{Form, State},
    http::StatusCode,
    response::{IntoResponse as _, Response},
    routing::{get, post},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _},
};
use serde_json::{Value, json};
use tokio::task::AbortHandle;

use crate::{request, root, team::Browser};

/// The package `oidc-provider`, which its makers had certified.
pub struct RealProvider {
    process: Child,
    pub issuer: String,
}

impl Drop for RealProvider {
    fn drop(&mut self) {
        // It has ended already, or ends now.
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

impl RealProvider {
    pub fn new() -> Self {
        let mut process = Command::new("node")
            .arg(root().join("tests/providers/provider.mjs"))
            .env("PROVIDER_PACKAGES", root().join("target/providers/node"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let port = lines.map_while(Result::ok).find_map(|line| line.parse::<u16>().ok());
        let issuer = format!("http://127.0.0.1:{}", port.expect(".ci/setup installs the provider"));
        Self { process, issuer }
    }

    async fn tell(&self, path: &str, body: Value) {
        let answer = request("POST", &format!("{}{path}", self.issuer), &[], body.to_string().into_bytes()).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
    }

    /// Where it sends browsers back to.
    pub async fn serves(&self, redirect: &str) {
        self.tell("/client", json!({ "redirect": redirect })).await;
    }

    /// Who signs in at it from now on, and what it knows of them. Without an id they press Cancel.
    pub async fn person(&self, claims: Value) {
        self.tell("/people", claims).await;
    }

    /// What a browser goes through at it; where it is sent in the end.
    pub async fn visit(&self, url: &str) -> String {
        let browser = Browser::at(&self.issuer);
        let mut next = url.to_owned();
        while let Some(path) = next.strip_prefix(&self.issuer) {
            let answer = browser.send("GET", path, &[], Vec::new()).await;
            assert!(matches!(answer.status, 302 | 303), "{path}: {} {}", answer.status, answer.body);
            let place = answer.headers["location"].to_str().unwrap();
            next = if place.starts_with('/') { format!("{}{place}", self.issuer) } else { place.to_owned() };
        }
        next
    }
}

impl Default for RealProvider {
    fn default() -> Self {
        Self::new()
    }
}

/// A key with which tokens are signed: ES256.
pub struct SigningKey {
    id: String,
    pair: EcdsaKeyPair,
}

impl SigningKey {
    pub fn new(id: &str) -> Self {
        let random = SystemRandom::new();
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref(), &random).unwrap();
        Self { id: id.to_owned(), pair }
    }

    /// As it is published.
    pub fn public(&self) -> Value {
        let (x, y) = self.pair.public_key().as_ref()[1..].split_at(32);
        let (x, y) = (URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y));
        json!({ "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": self.id, "x": x, "y": y })
    }

    /// A token with these claims.
    pub fn token(&self, claims: &Value) -> String {
        self.token_with(&json!({ "alg": "ES256", "kid": self.id }), claims)
    }

    /// The same with another header.
    pub fn token_with(&self, header: &Value, claims: &Value) -> String {
        let signed = format!("{}.{}", part(header), part(claims));
        let signature = self.pair.sign(&SystemRandom::new(), signed.as_bytes()).unwrap();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

/// A part of a token.
pub fn part(json: &Value) -> String {
    URL_SAFE_NO_PAD.encode(json.to_string())
}

/// What a provider says.
#[derive(Default)]
pub struct Says {
    /// Instead of its own issuer.
    pub issuer: Option<String>,
    /// What else stands in its description.
    pub metadata: Value,
    pub keys: Vec<Value>,
    /// For any code.
    pub token: String,
    pub userinfo: Value,
    /// The forms that came to its token endpoint.
    pub redeemed: Vec<Vec<(String, String)>>,
    /// How often its keys were fetched.
    pub fetched: usize,
}

/// A provider that says whatever it is told to.
pub struct Impostor {
    pub issuer: String,
    says: Arc<Mutex<Says>>,
    server: AbortHandle,
}

impl Drop for Impostor {
    fn drop(&mut self) {
        self.server.abort();
    }
}

type Saying = State<(Arc<Mutex<Says>>, String)>;

impl Impostor {
    pub async fn new() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let says = Arc::<Mutex<Says>>::default();
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(describe))
            .route("/keys", get(keys))
            .route("/token", post(redeem))
            .route("/me", get(async |State((says, _)): Saying| Json(locked(&says).userinfo.clone())))
            .with_state((Arc::clone(&says), issuer.clone()));
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() }).abort_handle();
        Self { issuer, says, server }
    }

    pub fn set(&self, change: impl FnOnce(&mut Says)) {
        change(&mut locked(&self.says));
    }

    pub fn get<T>(&self, read: impl FnOnce(&Says) -> T) -> T {
        read(&locked(&self.says))
    }
}

fn locked(says: &Mutex<Says>) -> std::sync::MutexGuard<'_, Says> {
    says.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn describe(State((says, own)): Saying) -> Json<Value> {
    let says = locked(&says);
    let mut described = json!({
        "issuer": says.issuer.as_ref().unwrap_or(&own),
        "authorization_endpoint": format!("{own}/authorize?kept=1"),
        "token_endpoint": format!("{own}/token"),
        "jwks_uri": format!("{own}/keys"),
        "userinfo_endpoint": format!("{own}/me"),
    });
    if let (Some(all), Some(more)) = (described.as_object_mut(), says.metadata.as_object()) {
        all.extend(more.clone());
    }
    Json(described)
}

async fn keys(State((says, _)): Saying) -> Json<Value> {
    let mut says = locked(&says);
    says.fetched += 1;
    // One of a kind that nobody knows, too.
    let unknown = json!({ "kty": "LATTICE", "kid": 7 });
    let keys = [vec![unknown], says.keys.clone()].concat();
    Json(json!({ "keys": keys }))
}

async fn redeem(State((says, _)): Saying, Form(form): Form<Vec<(String, String)>>) -> Response {
    let mut says = locked(&says);
    says.redeemed.push(form);
    if says.token.is_empty() {
        return (StatusCode::BAD_REQUEST, Json(json!({ "error": "invalid_grant" }))).into_response();
    }
    Json(json!({ "id_token": says.token, "access_token": "for /me", "token_type": "Bearer" })).into_response()
}
