//! Owns: telling open pages that something changed, so that they load the parts that show it.
//! Does not own: what changed; pages ask for it.

use std::{collections::VecDeque, convert::Infallible, time::Duration};

use axum::{
    extract::State,
    response::{
        IntoResponse as _, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use futures_util::stream;
use harness_inbox::{ChangeKind, InboxView};
use tokio::sync::watch;

use super::Desk;

/// How often a quiet stream says that it is still there.
const ALIVE: Duration = Duration::from_secs(20);
/// How many changes are read at once.
const CHUNK: usize = 256;

/// `GET /inbox/events`: server-sent events that name the conversation that changed.
pub(super) async fn events(State(desk): State<Desk>) -> Response {
    let inbox = desk.host.inbox();
    let newest = inbox.newest_change();
    let position = *newest.borrow();
    let follower = Follower { inbox, newest, position, read: VecDeque::new() };
    let events = stream::unfold(follower, async |mut follower| {
        let event = follower.next().await?;
        Some((Ok::<_, Infallible>(event), follower))
    });
    // The first event says that the stream is open: what changed before it is loaded now.
    let hello = stream::once(std::future::ready(Ok(Event::default().event("open").data(""))));
    let events = futures_util::StreamExt::chain(hello, events);
    Sse::new(events).keep_alive(KeepAlive::new().interval(ALIVE)).into_response()
}

/// Follows the change feed from a position.
struct Follower {
    inbox: InboxView,
    newest: watch::Receiver<u64>,
    position: u64,
    read: VecDeque<(ChangeKind, String)>,
}

impl Follower {
    /// The next change of a conversation; `None` once the inbox is closed or cannot be read.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some((kind, conversation)) = self.read.pop_front() {
                return Some(Event::default().event("change").id(kind.name()).data(conversation));
            }
            let found = self.inbox.changes_after(self.position, None, CHUNK).await;
            let found =
                found.inspect_err(|error| tracing::warn!(%error, "an open page is told of no more changes")).ok()?;
            let Some(last) = found.changes.last() else {
                self.newest.changed().await.ok()?;
                continue;
            };
            self.position = last.seq;
            let named = found.changes.iter().filter_map(|change| Some((change.kind, change.conversation?.to_string())));
            self.read.extend(named);
        }
    }
}
