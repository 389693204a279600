//! Whoever shows no token is answered nothing, wherever the request seems to come from: through a TCP proxy, through
//! one that rewrites `Host`, through Debian's nginx, from pages of other sites.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test fails by panicking"
)]

use std::fs;

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Request, State},
    response::{IntoResponse as _, Response},
};
use channel_tests::{World, dialog::Person, nginx::Nginx, request, serve};
use harness_cli::config::ConfigFile;
use harness_server::Authenticator;
use simulator::Config;
use tokio::net::{TcpListener, TcpStream};

/// What tells something or does something.
const ENDPOINTS: [(&str, &str); 10] = [
    ("GET", "/api/v1/conversations"),
    ("GET", "/api/v1/conversations/cnv_1/messages"),
    ("GET", "/api/v1/accounts"),
    ("GET", "/api/v1/channels"),
    ("GET", "/api/v1/health"),
    ("GET", "/metrics"),
    ("POST", "/api/v1/connect"),
    ("POST", "/api/v1/conversations/cnv_1/replies"),
    ("POST", "/api/v1/deliveries/retry"),
    ("DELETE", "/api/v1/accounts/acc_1"),
];

/// What a client may say about itself, to be taken for somebody of this machine.
const CLAIMS: [&[(&str, &str)]; 12] = [
    &[],
    &[("host", "localhost")],
    &[("host", "localhost:8080")],
    &[("host", "127.0.0.1")],
    &[("host", "[::1]")],
    &[("host", "localhost"), ("x-forwarded-for", "127.0.0.1"), ("x-real-ip", "::1"), ("forwarded", "for=127.0.0.1")],
    &[("host", "localhost"), ("origin", "http://localhost")],
    &[("host", "localhost"), ("origin", "null")],
    &[("origin", "null"), ("sec-fetch-site", "same-origin")],
    &[("sec-fetch-site", "none")],
    &[("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")],
    &[("authorization", "Bearer [local]"), ("host", "localhost")],
];

/// A host as `serve` sets it up when the configuration names no token, with an account and a conversation.
struct Served {
    world: World,
    address: String,
    token: String,
}

impl Served {
    async fn new() -> Self {
        let world = World::unconnected(Config::demo()).await;
        Person::new(&world).await.connects("facebook").await;
        world.sim.customer(Config::DEMO_CUSTOMER).text("canary-of-a-customer").await;
        world.conversation(Config::DEMO_CUSTOMER).await;
        let config = world.folder.path().join("harness.toml");
        fs::write(&config, "data-dir = \".\"\n").unwrap();
        let access = ConfigFile::read(&config).unwrap().access().unwrap();
        let listener = harness_server::bind(([127, 0, 0, 1], 0).into()).await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let router = harness_server::router_with(world.host.clone(), access, &harness_server::Limits::default());
        tokio::spawn(harness_server::serve(listener, router, std::future::pending()));
        let token = fs::read_to_string(world.folder.path().join("admin-token")).unwrap().trim().to_owned();
        Self { world, address, token }
    }

    /// Nobody without the token gets anything at this address, and who has it gets everything.
    async fn is_closed_at(&self, address: &str) {
        for (method, path) in ENDPOINTS {
            for claims in CLAIMS {
                let answer = request(method, &format!("{address}{path}"), claims, b"{}".to_vec()).await;
                let place = format!("{method} {address}{path} {claims:?}: {} {}", answer.status, answer.body);
                // A server in between may refuse a name that it does not know.
                assert!([400, 401, 403].contains(&answer.status), "{place}");
                assert!(!answer.body.contains("canary") && !answer.body.contains("17841"), "{place}");
            }
        }
        for path in ["/connect", "/connect/none"] {
            let answer = request("GET", &format!("{address}{path}"), &[("host", "localhost")], vec![]).await;
            assert!([400, 403].contains(&answer.status), "{path}: {}", answer.body);
            assert!(!answer.body.contains("<form"), "{}", answer.body);
        }
        let form = ("content-type", "application/x-www-form-urlencoded");
        let begun = request("POST", &format!("{address}/connect"), &[form], b"channel=instagram".to_vec()).await;
        assert_eq!(begun.status, 405, "{}", begun.body);
        assert!(self.world.sends().is_empty());
        assert_eq!(self.world.host.inbox().accounts().await.unwrap().len(), 1);
        for path in ["/health/live", "/health/ready"] {
            assert_eq!(request("GET", &format!("{address}{path}"), &[], vec![]).await.status, 200, "{path}");
        }
        let shown = format!("Bearer {}", self.token);
        let url = format!("{address}/api/v1/conversations");
        let answer = request("GET", &url, &[("authorization", &shown)], vec![]).await;
        assert!(answer.status == 200 && answer.body.contains("canary"), "{}", answer.body);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_credentials_the_api_answers_nobody_whatever_a_request_claims() {
    let served = Served::new().await;
    served.is_closed_at(&served.address).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_credentials_the_api_answers_nobody_through_a_tcp_proxy() {
    let served = Served::new().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy = format!("http://{}", listener.local_addr().unwrap());
    let to = served.address.trim_start_matches("http://").to_owned();
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            let to = to.clone();
            tokio::spawn(async move {
                let mut host = TcpStream::connect(to).await.unwrap();
                let _ = tokio::io::copy_bidirectional(&mut client, &mut host).await;
            });
        }
    });
    served.is_closed_at(&proxy).await;
}

/// Passes a request on as one for `localhost`.
async fn rewritten(State(to): State<String>, asked: Request) -> Response {
    let (parts, body) = asked.into_parts();
    let body = to_bytes(body, 1 << 20).await.unwrap();
    let shown = parts.headers.get("authorization").map(|value| value.to_str().unwrap().to_owned());
    let mut headers = vec![("host", "localhost")];
    headers.extend(shown.as_deref().map(|token| ("authorization", token)));
    let answer = request(parts.method.as_str(), &format!("{to}{}", parts.uri), &headers, body.to_vec()).await;
    (http::StatusCode::from_u16(answer.status).unwrap(), Body::from(answer.body)).into_response()
}

#[tokio::test(flavor = "multi_thread")]
async fn without_credentials_the_api_answers_nobody_through_a_proxy_that_rewrites_the_host() {
    let served = Served::new().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().fallback(rewritten).with_state(served.address.clone());
    tokio::spawn(async move { axum::serve(listener, router).await });
    served.is_closed_at(&proxy).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_credentials_the_api_answers_nobody_behind_the_shortest_configuration_of_nginx() {
    let served = Served::new().await;
    let nginx = Nginx::before(&served.address).await;
    served.is_closed_at(&nginx.address).await;
    served.world.host.set_public_url(nginx.address.parse().unwrap());
    served.is_closed_at(&nginx.address).await;
    served.world.host.set_public_url("https://inbox.example".parse().unwrap());
    served.is_closed_at(&nginx.address).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_product_that_gives_the_host_no_lock_has_a_closed_one() {
    let served = Served::new().await;
    for router in [
        harness_server::router(served.world.host.clone(), None),
        harness_server::router_with(
            served.world.host.clone(),
            Authenticator::default(),
            &harness_server::Limits::default(),
        ),
    ] {
        let listener = harness_server::bind(([127, 0, 0, 1], 0).into()).await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(harness_server::serve(listener, router, std::future::pending()));
        let shown = format!("Bearer {}", served.token);
        for (method, path) in ENDPOINTS {
            for headers in [&[][..], &[("host", "localhost")], &[("authorization", shown.as_str())]] {
                let answer = request(method, &format!("{address}{path}"), headers, vec![]).await;
                assert_eq!(answer.status, 401, "{method} {path} {headers:?}: {}", answer.body);
            }
        }
    }
    // Its own hosts in tests have one.
    let (address, _) = serve(&served.world.host).await;
    assert_eq!(channel_tests::api("GET", &format!("{address}/metrics"), &[], vec![]).await.status, 200);
}
