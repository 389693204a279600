//! Owns: telling open pages that something changed, so that they load the parts that show it.
//! Does not own: what changed; pages ask for it.

use std::{convert::Infallible, time::Duration};

use axum::{
    extract::State,
    response::{
        IntoResponse as _, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use futures_util::stream;
use harness_inbox::Update;
use tokio::sync::broadcast::{Receiver, error::RecvError};

use super::Desk;

/// How often a quiet stream says that it is still there.
const ALIVE: Duration = Duration::from_secs(20);

/// `GET /inbox/events`: server-sent events that name the conversation that changed.
pub(super) async fn events(State(desk): State<Desk>) -> Response {
    let updates = desk.host.inbox().updates();
    let events = stream::unfold(updates, async |mut updates: Receiver<Update>| {
        let event = next(&mut updates).await?;
        Some((Ok::<_, Infallible>(event), updates))
    });
    // The first event says that the stream is open: what changed before it is loaded now.
    let hello = stream::once(std::future::ready(Ok(Event::default().event("open").data(""))));
    let events = futures_util::StreamExt::chain(hello, events);
    Sse::new(events).keep_alive(KeepAlive::new().interval(ALIVE)).into_response()
}

async fn next(updates: &mut Receiver<Update>) -> Option<Event> {
    loop {
        match updates.recv().await {
            Ok(Update::Conversation { conversation, kind }) => {
                return Some(Event::default().event("change").id(kind).data(conversation.to_string()));
            }
            Ok(_) => {}
            // Missed ones are made up for: the page loads everything that it shows.
            Err(RecvError::Lagged(_)) => return Some(Event::default().event("change").data("*")),
            Err(RecvError::Closed) => return None,
        }
    }
}
