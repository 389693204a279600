//! How long the server takes for what a browser asks for: from the request that is sent to the last byte of the answer.
//! Not here: drawing it.

use std::time::Instant;

use super::{Line, Measured, Rounds, SERVER, texts::Texts};

/// Rounds that do not count: statements are prepared, pages of the file are read.
const WARM: usize = 3;

pub(super) async fn measure(line: &Line, texts: &Texts, rounds: Rounds) -> Vec<Measured> {
    let list = each(line, rounds, |_| "/inbox".to_owned()).await;
    let thread = each(line, rounds, |round| format!("/inbox/{}", texts.conversation(round))).await;
    let search = each(line, rounds, |round| format!("/inbox?q={}", texts.word(round))).await;
    let mut opening = Vec::new();
    for round in 0..WARM + rounds.count {
        let id = texts.conversation(round);
        let unread = line.page("POST", &format!("/inbox/{id}/unread"));
        line.exchange(unread).await;
        let took = once(line, &format!("/inbox/{id}")).await;
        if round >= WARM {
            opening.push(took);
        }
    }
    let log = each(line, rounds, |round| format!("/inbox/{}/log", texts.conversation(round))).await;
    let rows = each(line, rounds, |round| format!("/inbox/list?open={}", texts.conversation(round))).await;
    vec![
        Measured::new("server: list", Some(SERVER), list),
        Measured::new("server: thread", Some(SERVER), thread),
        Measured::new("server: search, rare and everyday words by turns", Some(SERVER), search),
        Measured::new("server: opening a conversation that nobody has read", Some(SERVER), opening),
        Measured::new("server: thread, as an open page renews it", Some(SERVER), log),
        Measured::new("server: list, as an open page renews it", Some(SERVER), rows),
    ]
}

async fn each(line: &Line, rounds: Rounds, path: impl Fn(usize) -> String) -> Vec<f64> {
    let mut times = Vec::new();
    for round in 0..WARM + rounds.count {
        let took = once(line, &path(round)).await;
        if round >= WARM {
            times.push(took);
        }
    }
    times
}

async fn once(line: &Line, path: &str) -> f64 {
    let request = line.page("GET", path);
    let begun = Instant::now();
    line.exchange(request).await;
    begun.elapsed().as_secs_f64() * 1000.0
}
