//! Owns: the host's own calls, against servers that redirect, stall and never end.
//! Does not own: requests of channels (`egress`).

#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs, reason = "a test fails by panicking")]

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    Router,
    body::{Body, Bytes},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header::LOCATION},
    routing::{get, post},
};
use futures_util::{StreamExt as _, stream};
use harness_engine::{Clock, DirectCall, DirectClient, DirectError, DirectLimits};

const LIMITS: DirectLimits =
    DirectLimits { answer: 1000, total: Duration::from_secs(60), idle: Duration::from_secs(10) };

async fn served() -> String {
    let piece =
        |text: &'static str| stream::once(async move { Ok::<_, Infallible>(Bytes::from_static(text.as_bytes())) });
    let router = Router::new()
        .route(
            "/echo",
            post(|headers: HeaderMap, body: String| async move { format!("{:?} {body}", headers["x-key"]) }),
        )
        .route("/away", get(|| async { (StatusCode::FOUND, [(LOCATION, "/echo")]) }))
        .route("/stall", get(move || async move { Body::from_stream(piece("begun").chain(stream::pending())) }))
        .route("/silent", get(std::future::pending::<()>))
        .route("/endless", get(|| async { Body::from_stream(stream::repeat(Ok::<_, Infallible>("a".repeat(100)))) }));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    address.to_string()
}

fn client(address: &str, clock: &Clock) -> Arc<DirectClient> {
    Arc::new(DirectClient::new(vec![address.to_owned()], Arc::new(clock.clone())).unwrap())
}

fn call(client: &DirectClient, address: &str, path: &str, method: Method) -> DirectCall {
    let mut headers = HeaderMap::new();
    headers.insert("x-key", HeaderValue::from_static("value"));
    let url = client.check(&format!("http://{address}{path}")).unwrap();
    DirectCall { method, url, headers, body: Bytes::from_static(b"words") }
}

#[tokio::test]
async fn the_hosts_own_call_carries_its_headers_and_body_and_follows_no_redirect() {
    let (address, clock) = (served().await, Clock::stopped());
    let client = client(&address, &clock);
    let answer = client.call(call(&client, &address, "/echo", Method::POST), LIMITS).await.unwrap();
    assert_eq!((answer.status, &*answer.body), (StatusCode::OK, &b"\"value\" words"[..]));
    let answer = client.call(call(&client, &address, "/away", Method::GET), LIMITS).await.unwrap();
    assert_eq!(answer.status, StatusCode::FOUND);
}

#[tokio::test]
async fn an_answer_of_the_hosts_own_call_ends_at_its_size_and_at_its_time() {
    let (address, clock) = (served().await, Clock::stopped());
    let client = client(&address, &clock);
    let endless = client.call(call(&client, &address, "/endless", Method::GET), LIMITS).await;
    assert!(matches!(endless, Err(DirectError::AnswerTooLarge(1000))), "{endless:?}");

    let mut stalled = client.stream(call(&client, &address, "/stall", Method::GET), LIMITS).await.unwrap();
    assert_eq!(stalled.next().await.unwrap().as_deref(), Some(&b"begun"[..]));
    let (next, ()) = tokio::join!(stalled.next(), async { clock.advance(LIMITS.idle) });
    assert!(next.unwrap_err().to_string().contains("paused for 10s"));

    let silent = client.call(call(&client, &address, "/silent", Method::GET), LIMITS);
    let (silent, ()) = tokio::join!(silent, async { clock.advance(LIMITS.total) });
    let error = silent.unwrap_err();
    assert!(error.may_have_arrived() && error.to_string().contains("after 60s"), "{error}");
}

#[tokio::test]
async fn a_name_that_leads_into_the_network_is_refused_when_it_is_resolved() {
    let client = DirectClient::new(Vec::new(), Arc::new(Clock::stopped())).unwrap();
    let url = client.check("https://localhost/").unwrap();
    let call = DirectCall { method: Method::GET, url, headers: HeaderMap::new(), body: Bytes::new() };
    let error = client.call(call, LIMITS).await.unwrap_err();
    assert!(error.to_string().contains("no public address") && !error.may_have_arrived(), "{error}");
}
