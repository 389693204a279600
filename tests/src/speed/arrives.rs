//! How long a customer's message takes from the webhook that is sent to the page that shows it. Not here: what the page
//! says of itself (`page.js`).

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::body::Body;
use http::Request;
use serde_json::Value;
use simulator::{
    CHANNEL, MessageId, Secret,
    webhook::{
        envelope::{Entry, Envelope},
        item::{Item, Kind, MessageBody},
    },
};

use super::{Desk, Line, MESSAGE, Measured, Rounds, drawn::rests};
use crate::{browser::Browser, eventually};

/// Questions to the page's clock, of which the one that is answered the soonest tells how far it is off.
const QUESTIONS: usize = 20;
/// Messages of the customer before it begins.
const BEFORE: usize = 60;

pub(super) async fn measure(desk: &Desk, line: &Line, browser: &Browser, rounds: Rounds) -> Vec<Measured> {
    // Somebody new, as what was filled may be of any time. Their thread is longer than a page of it.
    let customer = format!("5559{:012}", now() as u64 % 1_000_000_000_000);
    let first: Vec<_> = (0..BEFORE).map(|nth| format!("Do you have number {nth} in blue?")).collect();
    let request = webhook(desk, &customer, &first);
    line.exchange(request).await;
    let id = eventually("the conversation", async || {
        let newest = line.api("/conversations?limit=20").await;
        let is_theirs = |one: &&Value| one["contact"]["identifiers"].to_string().contains(&customer);
        newest["data"].as_array()?.iter().find(is_theirs)?["id"].as_str().map(str::to_owned)
    })
    .await;
    browser.open(&format!("{}/inbox", desk.address)).await;
    let list = messages(desk, line, browser, (&customer, "#rows"), rounds, false).await;
    browser.open(&format!("{}/inbox/{id}", desk.address)).await;
    let thread = messages(desk, line, browser, (&customer, "#log"), rounds, false).await;
    let second = messages(desk, line, browser, (&customer, "#log"), rounds, true).await;
    let mut all = Vec::new();
    for (names, seen) in [
        (["message: in the open list's document", "message: drawn in the open list"], list),
        (["message: in the open thread's document", "message: drawn in the open thread"], thread),
        (["message: the same, right behind another one", "message: drawn, right behind another one"], second),
    ] {
        let (put, drawn) = seen.into_iter().unzip();
        all.push(Measured::new(names[0], None, put));
        all.push(Measured::new(names[1], Some(MESSAGE), drawn));
    }
    all
}

/// Lets a customer write, and notes how long each message took until it was put on the page and until it was drawn.
async fn messages(
    desk: &Desk,
    line: &Line,
    browser: &Browser,
    (customer, place): (&str, &str),
    rounds: Rounds,
    is_second: bool,
) -> Vec<(f64, f64)> {
    rests(browser).await;
    let ahead = ahead(browser).await;
    let mut seen = Vec::new();
    for round in 0..=rounds.count {
        tokio::time::sleep(pause(rounds.pause, round)).await;
        let words = format!("{:x}", now().to_bits());
        browser.runs(&format!("window.bench.expect('{words}', '{place}')")).await;
        if is_second {
            let first = webhook(desk, customer, &[format!("Before {}", round)]);
            line.exchange(first).await;
        }
        let request = webhook(desk, customer, &[format!("{words} is it still there, and in blue?")]);
        let sent = now();
        line.exchange(request).await;
        let at = browser.waits("window.bench.seen").await;
        let after = |which: usize| at[which].as_f64().unwrap() - ahead - sent;
        // The first one prepares statements.
        if round > 0 {
            seen.push((after(0), after(1)));
        }
    }
    seen
}

/// The machine's clock, in milliseconds.
fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64() * 1000.0
}

/// How far the page's clock is ahead of the machine's, in milliseconds: it was set when the browser started, and does not
/// follow what is set later.
async fn ahead(browser: &Browser) -> f64 {
    let mut best = (f64::INFINITY, 0.0);
    for _ in 0..QUESTIONS {
        let before = now();
        let page = browser.runs("return window.bench.clock()").await.as_f64().unwrap();
        let after = now();
        if after - before < best.0 {
            best = (after - before, page - before.midpoint(after));
        }
    }
    best.1
}

/// A pause around this one, of no rhythm.
fn pause(around: Duration, round: usize) -> Duration {
    let golden = 0.618_033_988_75 * round as f64;
    around.mul_f64(0.5 + golden.fract())
}

/// Text messages of a customer, as the platform sends them.
fn webhook(desk: &Desk, customer: &str, texts: &[String]) -> Request<Body> {
    let at = now();
    let item = |(text, nth): (&String, u128)| {
        let item = (((at * 1000.0) as u128) << 64) + nth;
        let mid = MessageId { ig_id: desk.account.clone(), thread: format!("{customer:0>39}"), item }.encode();
        Item::new(customer, &desk.account, at as i64, Kind::Message(MessageBody { mid, ..MessageBody::text(text) }))
    };
    let items = texts.iter().zip(0..).map(item).collect();
    let body = Envelope::new(vec![Entry::messaging(&desk.account, at as i64, items)]).to_wire();
    let mut request = Request::builder().method("POST").uri(format!("{}/webhooks/{CHANNEL}", desk.address));
    for (name, value) in simulator::webhook_headers(&Secret::new(desk.app_secret.as_str()), &body) {
        request = request.header(name, value);
    }
    request.body(Body::from(body)).unwrap()
}
