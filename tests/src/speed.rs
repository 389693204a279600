//! How fast the pages are, for the benchmark `pages` and for the test that keeps it working. Belongs here: whose pages
//! they are, the rounds, the table. Not here: what is asked (`asked`), drawn (`drawn`) and comes in (`arrives`).

mod arrives;
mod asked;
mod drawn;
mod texts;

use std::{fmt::Write as _, time::Duration};

use axum::body::{Body, Bytes, to_bytes};
use http::Request;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::Value;

use crate::browser::Browser;

/// A host with conversations, and somebody who works in its inbox.
pub struct Desk {
    /// `http://127.0.0.1:…`
    pub address: String,
    /// Opens its API.
    pub token: String,
    /// The person's session; empty where pages are open.
    pub cookies: Vec<(String, String)>,
    /// What the platform's webhooks are signed with.
    pub app_secret: String,
    /// The account that customers write to.
    pub account: String,
}

/// How often each thing is measured.
#[derive(Clone, Copy)]
pub struct Rounds {
    pub count: usize,
    /// How long somebody looks at a page before they go on, and the pause before a customer's message, where each is
    /// longer or shorter than this by up to a half.
    pub pause: Duration,
}

/// What was measured of one thing.
pub struct Measured {
    pub what: &'static str,
    /// What its p95 is to be, in milliseconds; none for what explains the others.
    pub aim: Option<f64>,
    /// In milliseconds.
    pub times: Vec<f64>,
}

impl Measured {
    fn new(what: &'static str, aim: Option<f64>, times: Vec<f64>) -> Self {
        Self { what, aim, times }
    }

    /// The time that this share of the rounds kept to, from 0 to 1.
    fn percentile(&self, share: f64) -> f64 {
        let mut times = self.times.clone();
        times.sort_by(f64::total_cmp);
        let at = (times.len() as f64 * share).ceil() as usize;
        times.get(at.saturating_sub(1)).copied().unwrap_or_default()
    }
}

/// Aims for the 95th percentile, in milliseconds: an answer of the server, a page that is drawn, a customer's message.
const SERVER: f64 = 20.0;
const DRAWN: f64 = 150.0;
const MESSAGE: f64 = 300.0;

/// Measures everything, with a browser of its own.
pub async fn measure(desk: &Desk, rounds: Rounds) -> Vec<Measured> {
    let line = Line::to(desk);
    let texts = texts::Texts::read(&line).await;
    let mut all = asked::measure(&line, &texts, rounds).await;
    let browser = Browser::start().await;
    browser.sized(1440, 900).await;
    browser.in_every_page(include_str!("speed/page.js")).await;
    for (name, value) in &desk.cookies {
        browser.keeps_cookie(&desk.address, name, value).await;
    }
    all.extend(drawn::measure(&line, &browser, &texts, rounds).await);
    all.extend(arrives::measure(desk, &line, &browser, rounds).await);
    browser.quit().await;
    all
}

/// The table of what was measured, with the aims beside.
pub fn table(all: &[Measured]) -> String {
    let mut table = format!("{:<58}{:>7}{:>9}{:>9}{:>9}{:>8}\n", "ms", "rounds", "p50", "p95", "max", "aim");
    for one in all {
        let [half, most, last] = [0.5, 0.95, 1.0].map(|share| one.percentile(share));
        let aim = one.aim.map(|aim| format!("{aim:.0}")).unwrap_or_default();
        let missed = if one.aim.is_some_and(|aim| most > aim) { "  missed" } else { "" };
        let rounds = one.times.len();
        let _ = writeln!(table, "{:<58}{rounds:>7}{half:>9.1}{most:>9.1}{last:>9.1}{aim:>8}{missed}", one.what);
    }
    table
}

/// One connection to the host that stays open, as a browser's.
struct Line {
    client: Client<HttpConnector, Body>,
    address: String,
    token: String,
    cookies: String,
}

impl Line {
    fn to(desk: &Desk) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let cookies = desk.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ");
        Self {
            client: Client::builder(TokioExecutor::new()).build(connector),
            address: desk.address.clone(),
            token: desk.token.clone(),
            cookies,
        }
    }

    /// Asks for something, and returns the whole answer.
    async fn exchange(&self, request: Request<Body>) -> Bytes {
        let what = format!("{} {}", request.method(), request.uri());
        let answer = self.client.request(request).await.unwrap_or_else(|error| panic!("{what}: {error}"));
        let (head, body) = answer.into_parts();
        let body = to_bytes(Body::new(body), 64 << 20).await.unwrap();
        let fine = head.status.is_success() || head.status.is_redirection();
        assert!(fine, "{what}: {} {}", head.status, String::from_utf8_lossy(&body));
        // Whoever is not signed in is sent elsewhere, which would be fast.
        let elsewhere =
            head.headers.get(http::header::LOCATION).is_some_and(|place| place.as_bytes().starts_with(b"/sign-in"));
        assert!(!elsewhere, "{what}: nobody is signed in");
        body
    }

    /// A request of the person's browser.
    fn page(&self, method: &str, path: &str) -> Request<Body> {
        let request = Request::builder().method(method).uri(format!("{}{path}", self.address));
        let request = request.header("accept-encoding", "gzip").header("sec-fetch-site", "same-origin");
        request.header("cookie", &self.cookies).body(Body::empty()).unwrap()
    }

    /// What the API says.
    async fn api(&self, path: &str) -> Value {
        let request = Request::builder().uri(format!("{}/api/v1{path}", self.address));
        let request = request.header("authorization", format!("Bearer {}", self.token)).body(Body::empty()).unwrap();
        serde_json::from_slice(&self.exchange(request).await).unwrap()
    }
}
