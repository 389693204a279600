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
use harness_inbox::{Change, Follower, PublicId as _};

use super::Desk;
use crate::pages::reader::Reader;

/// How often a quiet stream says that it is still there.
const ALIVE: Duration = Duration::from_secs(20);

/// Changes read at once.
const CHANGES: usize = 100;

/// `GET /inbox/events`: server-sent events that name the conversation that changed.
pub(super) async fn events(State(desk): State<Desk>, reader: Reader) -> Response {
    let changes = Follower::new(desk.host.inbox(), None, Some(reader.workspace));
    let followed = (changes, VecDeque::new());
    let events = stream::unfold(followed, async |(mut changes, mut waiting)| {
        let event = next(&mut changes, &mut waiting).await?;
        Some((Ok::<_, Infallible>(event), (changes, waiting)))
    });
    // The first event says that the stream is open: what changed before it is loaded now.
    let hello = stream::once(std::future::ready(Ok(Event::default().event("open").data(""))));
    let events = futures_util::StreamExt::chain(hello, events);
    Sse::new(events).keep_alive(KeepAlive::new().interval(ALIVE)).into_response()
}

async fn next(changes: &mut Follower, waiting: &mut VecDeque<Event>) -> Option<Event> {
    loop {
        if let Some(event) = waiting.pop_front() {
            return Some(event);
        }
        let news = changes.next(CHANGES).await.ok()?;
        if news.missed {
            // The page loads everything that it shows.
            waiting.push_back(Event::default().event("change").data("*"));
        }
        let event = |change: Change| {
            let conversation = change.conversation?;
            Some(Event::default().event("change").id(change.kind.name()).data(conversation.public()))
        };
        waiting.extend(news.changes.into_iter().filter_map(event));
    }
}
