//! What Meta posts when somebody leaves: deauthorisation and requests to delete data.
//! What belongs here: payloads, signatures, and what happens to tokens and subscriptions.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "test code: a failed unwrap is a failed test"
)]

mod common;

use std::sync::{Arc, Mutex};

use axum::body::Bytes;
use axum::routing::post;
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use common::login::{FACEBOOK_SCOPES, INSTAGRAM_SCOPES, account_token, page_tokens, user_token};
use common::{Graph, IG, PAGE, SOON, request};
use hmac::{Hmac, KeyInit, Mac};
use http::Method;
use serde_json::{Value, json};
use sha2::Sha256;
use simulator::{CallbackKind, Config, Login, Simulator, SimulatorError, Subject};

/// The forms that arrived, as they were posted.
type Forms = Arc<Mutex<Vec<String>>>;

async fn receiver() -> (String, Forms) {
    let forms = Forms::default();
    let taken = Arc::clone(&forms);
    let take = move |body: Bytes| async move {
        taken.lock().unwrap().push(String::from_utf8(body.to_vec()).unwrap());
        Json(json!({"url": "https://inbox.example.com/deleted?id=abc", "confirmation_code": "abc"}))
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/left", listener.local_addr().unwrap());
    tokio::spawn(async { axum::serve(listener, Router::new().route("/left", post(take))).await });
    (url, forms)
}

/// The payload, when the signature is the secret's.
fn payload(form: &str, secret: &str) -> Option<Value> {
    let signed = form.strip_prefix("signed_request=").unwrap();
    assert!(!signed.contains('%'), "base64url needs no escapes: {signed}");
    let (signature, payload) = signed.split_once('.').unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(payload.as_bytes());
    let genuine = mac.verify_slice(&URL_SAFE_NO_PAD.decode(signature).unwrap()).is_ok();
    genuine.then(|| serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap())
}

async fn start() -> (Simulator, Forms) {
    let (url, forms) = receiver().await;
    let sim = Simulator::start(Config::demo()).await.unwrap();
    sim.update_app(|app| {
        app.deauthorize_url = Some(url.clone());
        app.data_deletion_url = Some(url);
    });
    (sim, forms)
}

#[tokio::test]
async fn a_person_who_leaves_is_told_with_the_app_secret_and_their_tokens_die() {
    let (sim, forms) = start().await;
    let user = user_token(&sim, FACEBOOK_SCOPES).await;
    let graph = Graph::facebook_as(&sim, &page_tokens(&sim, &user).await[0]);
    graph.subscribe().await;
    let answer = sim.deauthorize(&Subject::Person).await.unwrap();
    assert_eq!(answer.status, Some(200));
    assert!(answer.body.contains("confirmation_code"));
    let form = forms.lock().unwrap()[0].clone();
    let told = payload(&form, "demo-meta-app-secret").unwrap();
    assert_eq!((&told["user_id"], &told["algorithm"]), (&json!(sim.person().id), &json!("HMAC-SHA256")));
    assert!(told["issued_at"].as_i64().unwrap() > 1_700_000_000 && told.get("expires").is_none());
    assert_eq!(graph.get("/me").await.error(), (190, Some(458)));
    assert_eq!(Graph::facebook(&sim).get("/me").await.error(), (190, Some(458)));
    assert_eq!(Graph::instagram(&sim).get("/me").await.status, 200);
    assert!(sim.subscribed_fields(IG, Login::Facebook).is_empty());
    // A new login makes everything good.
    let again = user_token(&sim, FACEBOOK_SCOPES).await;
    let graph = Graph::facebook_as(&sim, &page_tokens(&sim, &again).await[0]);
    assert_eq!(graph.get("/me").await.status, 200);
}

#[tokio::test]
async fn an_instagram_account_that_leaves_is_told_with_the_instagram_secret() {
    let (sim, forms) = start().await;
    let token = account_token(&sim, INSTAGRAM_SCOPES).await;
    sim.deauthorize(&Subject::Account(IG.to_owned())).await.unwrap();
    let form = forms.lock().unwrap()[0].clone();
    assert_eq!(payload(&form, "demo-meta-app-secret"), None);
    let told = payload(&form, "demo-instagram-app-secret").unwrap();
    assert_eq!(told["user_id"], sim.instagram_user_id(IG));
    assert_eq!(Graph::instagram_as(&sim, &token).get("/me").await.error(), (190, Some(458)));
    assert_eq!(Graph::facebook(&sim).get("/me").await.status, 200);
}

#[tokio::test]
async fn a_request_to_delete_data_carries_its_end_and_brings_the_answer_back() {
    let (sim, forms) = start().await;
    let answer = sim.request_deletion(&Subject::Person).await.unwrap();
    let body: Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!(body["confirmation_code"], "abc");
    let form = forms.lock().unwrap()[0].clone();
    let told = payload(&form, "demo-meta-app-secret").unwrap();
    assert_eq!(told["expires"].as_i64().unwrap() - told["issued_at"].as_i64().unwrap(), 3600);
    assert_eq!(sim.callbacks()[0].kind, CallbackKind::DataDeletion);
    // Asking for deletion does not take the app away.
    assert_eq!(Graph::facebook(&sim).get("/me").await.status, 200);
}

#[tokio::test]
async fn unsubscribing_a_page_looks_like_somebody_leaving_but_names_nobody() {
    let (sim, forms) = start().await;
    let [facebook, instagram] = Graph::both(&sim);
    instagram.subscribe().await;
    instagram.delete("/me/subscribed_apps").await;
    facebook.subscribe().await;
    facebook.delete(&format!("/{PAGE}/subscribed_apps")).await;
    sim.wait_for_callbacks(1, SOON).await.unwrap();
    let form = forms.lock().unwrap()[0].clone();
    let told = payload(&form, "demo-meta-app-secret").unwrap();
    assert_eq!((&told["profile_id"], &told["user_id"]), (&json!(PAGE), &json!("")));
    assert_eq!(sim.callbacks().len(), 1);
    assert_eq!(facebook.get("/me").await.status, 200);
}

#[tokio::test]
async fn leaving_works_over_json_and_needs_an_address() {
    let (sim, forms) = start().await;
    let post = async |path: &str, body: Value| {
        let headers = [("content-type", "application/json")];
        let url = format!("{}/sim{path}", sim.base_url());
        request(Method::POST, &url, &headers, body.to_string()).await.unwrap()
    };
    let answer = post("/data-deletion", json!({"login": "instagram"})).await.json();
    assert_eq!(answer["status"], 200);
    assert_eq!(post("/deauthorize", json!({"login": "facebook"})).await.status, 200);
    assert_eq!(forms.lock().unwrap().len(), 2);
    assert_eq!(post("/deauthorize", json!({"login": "instagram", "account": "1"})).await.status, 404);
    post("/app", json!({"deauthorize_url": null})).await;
    assert_eq!(post("/deauthorize", json!({"login": "facebook"})).await.status, 409);
    let refused = sim.deauthorize(&Subject::Account(IG.to_owned())).await;
    assert!(matches!(refused, Err(SimulatorError::NoCallbackUrl("deauthorize_url"))));
    // Nothing was told, so nothing happened.
    assert_eq!(Graph::instagram(&sim).get("/me").await.status, 200);
}
