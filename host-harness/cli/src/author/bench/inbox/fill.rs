//! Owns: filling a host's inbox through its webhooks, and what a team makes of it over the API; the note of how far a folder
//! is filled.
//! Does not own: the messages (`people`), measuring.

use std::{fs, path::Path, time::Duration};

use anyhow::{Context as _, Result, bail};
use indicatif::ProgressBar;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use simulator::{PastMessage, Simulator};
use tokio::net::TcpStream;

use super::{
    super::{
        ACCOUNT,
        load::{Signer, exchange},
        server::Server,
    },
    client::{Client, id_of, ids_of},
    people::{self, SPAN_MS, Times},
};

/// Messages in one delivery.
const TOGETHER: u64 = 20;
/// The pause after a delivery that the host could not take, because it has too many.
const LATER: Duration = Duration::from_millis(100);
/// Conversations that are read at once.
const PAGE: usize = 200;
/// The note in the folder.
const NOTE: &str = "filled.json";

/// How far a folder is filled.
#[derive(Deserialize, Serialize)]
pub(super) struct Filled {
    /// Messages that were sent, or may have been: the next one has this number.
    pub(super) messages: u64,
    first: u64,
    apart: u64,
    is_sorted: bool,
}

impl Filled {
    /// What is noted in the folder, or the beginning of this many messages.
    pub(super) fn of(folder: &Path, messages: u64) -> Result<Self> {
        match fs::read(folder.join(NOTE)) {
            Ok(note) => Ok(serde_json::from_slice(&note)?),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let first = now()?.saturating_sub(SPAN_MS);
                Ok(Self { messages: 0, first, apart: SPAN_MS / messages.max(1), is_sorted: false })
            }
            Err(error) => Err(error.into()),
        }
    }

    pub(super) fn note(&self, folder: &Path) -> Result<()> {
        Ok(fs::write(folder.join(NOTE), serde_json::to_vec(self)?)?)
    }

    pub(super) fn times(&self) -> Times {
        Times { first: self.first, apart: self.apart }
    }
}

fn now() -> Result<u64> {
    Ok(u64::try_from(jiff::Timestamp::now().as_millisecond())?)
}

/// Sends messages until there are as many, and waits until all of them are in the inbox.
pub(super) async fn messages(
    filled: &mut Filled,
    wanted: u64,
    (sim, server, folder): (&Simulator, &Server, &Path),
    progress: &ProgressBar,
) -> Result<()> {
    let (signer, times) = (Signer::new(), filled.times());
    let mut stream = TcpStream::connect(&server.address).await?;
    let (mut answer, mut known) = (Vec::new(), people::customers(filled.messages));
    if filled.messages == 0 {
        known = 0;
    }
    while filled.messages < wanted {
        let end = (filled.messages + TOGETHER).min(wanted);
        // The platform knows its customers before they write.
        while known <= people::customers(end) {
            introduce(sim, known)?;
            known += 1;
        }
        let request = signer.sign(&people::delivery(filled.messages..end, times));
        while !exchange(&mut stream, &request, &mut answer).await? {
            tokio::time::sleep(LATER).await;
        }
        filled.messages = end;
        if end.is_multiple_of(50 * TOGETHER) {
            progress.set_message(format!("filling: {end} of {wanted} messages"));
            filled.note(folder)?;
        }
    }
    progress.set_message("waiting for the host to take them in");
    server.drained().await?;
    filled.note(folder)
}

/// Makes a customer known to the platform: name, and the past that lets their profile be read.
fn introduce(sim: &Simulator, customer: u64) -> Result<()> {
    let igsid = people::igsid(customer);
    sim.customer(&igsid).set_profile(|profile| people::profile(customer, profile));
    sim.seed_conversation(ACCOUNT, &igsid, &[PastMessage::customer(Duration::ZERO, "…")])?;
    Ok(())
}

/// Does once what a team does: labels, people who take conversations, most of which are closed.
pub(super) async fn sort(filled: &mut Filled, client: &mut Client, progress: &ProgressBar) -> Result<()> {
    if filled.is_sorted {
        return Ok(());
    }
    let mut labels = Vec::new();
    for (name, color) in [("Urgent", "red"), ("Wholesale", "blue"), ("Return", "orange"), ("Workshop", "green")] {
        labels.push(id_of(&client.post("/labels", &json!({ "name": name, "color": color })).await?)?);
    }
    let users = ids_of(&client.get("/users").await?)?;
    let mut done = 0usize;
    let mut at = String::new();
    loop {
        let page = client.get(&format!("/conversations?limit={PAGE}{at}")).await?;
        for conversation in ids_of(&page)? {
            done += 1;
            let mut change = json!({});
            // Three of ten are still to be done, and half of those are somebody's.
            if done % 10 >= 3 {
                change = json!({ "state": "closed" });
            } else if done.is_multiple_of(2) {
                change = json!({ "assignee_id": users.get(done % users.len().max(1)), "state": "open" });
            }
            client.send("PATCH", &format!("/conversations/{conversation}"), &change).await?;
            if done.is_multiple_of(7) {
                let labels = json!({ "label_ids": [labels.get(done % labels.len())] });
                client.send("PUT", &format!("/conversations/{conversation}/labels"), &labels).await?;
            }
        }
        progress.set_message(format!("sorting: {done} conversations"));
        match page.get("cursor").and_then(Value::as_str) {
            Some(cursor) => at = format!("&cursor={cursor}"),
            None => break,
        }
    }
    if done == 0 {
        bail!("there are no conversations after filling");
    }
    filled.is_sorted = true;
    Ok(())
}

/// What the file of the inbox holds.
pub(super) struct File(rusqlite::Connection);

impl File {
    pub(super) fn open(folder: &Path) -> Result<Self> {
        let file = folder.join("data").join("inbox.sqlite");
        let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
        Ok(Self(rusqlite::Connection::open_with_flags(&file, flags).context("opening the inbox's file")?))
    }

    /// Messages that did not come from this host's own replies.
    pub(super) fn messages(&self) -> Result<u64> {
        self.count("SELECT count(*) FROM message WHERE reply_id IS NULL")
    }

    pub(super) fn conversations(&self) -> Result<u64> {
        self.count("SELECT count(*) FROM conversation")
    }

    /// Waits until the search finds every message.
    pub(super) async fn indexed(&self) -> Result<()> {
        while self.count("SELECT EXISTS (SELECT 1 FROM message WHERE id > (SELECT indexed_to FROM search))")? > 0 {
            tokio::time::sleep(LATER).await;
        }
        Ok(())
    }

    fn count(&self, sql: &str) -> Result<u64> {
        let count: i64 = self.0.query_row(sql, [], |row| row.get(0))?;
        Ok(u64::try_from(count)?)
    }
}
