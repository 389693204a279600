//! How long it takes until a page is drawn in the browser. Not here: what the page says of itself (`page.js`).

use serde_json::Value;

use super::{DRAWN, Line, Measured, Rounds, texts::Texts};
use crate::{browser::Browser, eventually};

/// Rounds that do not count: the browser keeps style sheets and scripts.
const WARM: usize = 3;
/// Rows of the list that are opened, by turns: those that a screen shows.
const ROWS: u64 = 8;

/// What a document said of itself, in milliseconds since it was wanted.
struct Said {
    came: f64,
    paint: f64,
    thread: f64,
}

pub(super) async fn measure(line: &Line, browser: &Browser, texts: &Texts, rounds: Rounds) -> Vec<Measured> {
    let address = line.address.clone();
    let list = anew(browser, rounds, false, |_| format!("{address}/inbox")).await;
    let thread = anew(browser, rounds, true, |round| format!("{address}/inbox/{}", texts.conversation(round))).await;
    let search = anew(browser, rounds, false, |round| format!("{address}/inbox?q={}", texts.word(round))).await;
    let click = opened(line, browser, rounds, false).await;
    let key = opened(line, browser, rounds, true).await;
    let of = |all: &[Said], part: fn(&Said) -> f64| all.iter().map(part).collect::<Vec<_>>();
    vec![
        Measured::new("drawn: list, loaded anew, first paint", Some(DRAWN), of(&list, |said| said.paint)),
        Measured::new("drawn: thread, loaded anew, first paint", Some(DRAWN), of(&thread, |said| said.paint)),
        Measured::new("drawn: thread, loaded anew, all messages", Some(DRAWN), of(&thread, |said| said.thread)),
        Measured::new("drawn: search, loaded anew, first paint", Some(DRAWN), of(&search, |said| said.paint)),
        Measured::new("from a click on a row: its page has come", None, of(&click, |said| said.came)),
        Measured::new("from a click on a row: first paint", Some(DRAWN), of(&click, |said| said.paint)),
        Measured::new("from a click on a row: all messages are drawn", Some(DRAWN), of(&click, |said| said.thread)),
        Measured::new("from Enter on a row: first paint", Some(DRAWN), of(&key, |said| said.paint)),
        Measured::new("from Enter on a row: all messages are drawn", Some(DRAWN), of(&key, |said| said.thread)),
    ]
}

/// Loads pages by their address.
async fn anew(browser: &Browser, rounds: Rounds, thread: bool, page: impl Fn(usize) -> String) -> Vec<Said> {
    let mut all = Vec::new();
    for round in 0..WARM + rounds.count {
        browser.open(&page(round)).await;
        let said = said(browser, thread).await;
        if round >= WARM {
            all.push(said);
        }
        is_looked_at(browser, rounds).await;
    }
    all
}

/// Opens unread conversations from the list.
async fn opened(line: &Line, browser: &Browser, rounds: Rounds, key: bool) -> Vec<Said> {
    let mut all = Vec::new();
    for round in 0..WARM + rounds.count {
        browser.open(&format!("{}/inbox", line.address)).await;
        let shown = browser.runs("return document.querySelectorAll('#rows > .row').length").await.as_u64().unwrap();
        let row = format!("#rows > .row:nth-child({}) > a", round as u64 % shown.clamp(1, ROWS) + 1);
        let place = browser.runs(&format!("return document.querySelector('{row}').pathname")).await;
        let place = place.as_str().unwrap();
        let unread = line.page("POST", &format!("{place}/unread"));
        line.exchange(unread).await;
        browser.open(&format!("{}/inbox", line.address)).await;
        is_looked_at(browser, rounds).await;
        if key {
            browser.runs(&format!("document.querySelector('{row}').focus()")).await;
            browser.presses_enter().await;
        } else {
            browser.click(&row).await;
        }
        eventually("the conversation", async || {
            let there = browser.tries("return location.pathname.length > 7").await;
            (there == Some(Value::Bool(true))).then_some(())
        })
        .await;
        let said = said(browser, true).await;
        if round >= WARM {
            all.push(said);
        }
    }
    all
}

/// Waits as long as somebody looks at a page before they go on.
async fn is_looked_at(browser: &Browser, rounds: Rounds) {
    rests(browser).await;
    tokio::time::sleep(rounds.pause).await;
}

/// Waits until the page does nothing by itself any more.
pub(super) async fn rests(browser: &Browser) {
    eventually("a page that rests", async || {
        (browser.tries("return window.bench?.rests() ?? false").await == Some(Value::Bool(true))).then_some(())
    })
    .await;
}

/// What a document says of itself, once it is drawn.
async fn said(browser: &Browser, thread: bool) -> Said {
    let script = format!("return window.bench?.said({thread}) ?? null");
    let said =
        eventually("a page that is drawn", async || browser.tries(&script).await.filter(|said| !said.is_null())).await;
    let of = |name: &str| said[name].as_f64().unwrap_or_default();
    Said { came: of("came"), paint: of("paint"), thread: of("thread") }
}
