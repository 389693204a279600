//! Owns: telling open pages that something changed, so that they load the parts that show it.
//! Does not own: what changed; pages ask for it. Streams under way (`streams`).

use axum::{
    Extension,
    extract::State,
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use futures_util::stream;
use harness_inbox::{Changes, ConversationId, Follower, PublicId as _, WorkspaceId};
use tokio::sync::broadcast::{Receiver, error::RecvError};

use super::Desk;
use crate::{
    auth::Principal,
    listener::Stopping,
    pages::reader::Reader,
    streams::{Beside, write_event},
};

/// `GET /inbox/events`: server-sent events that name the conversation that changed. A page that opens it, or comes back,
/// loads what it shows.
pub(super) async fn events(
    State(desk): State<Desk>,
    reader: Reader,
    sender: Option<Extension<Principal>>,
    stopping: Option<Extension<Stopping>>,
) -> Response {
    let feed = Follower::new(desk.host.inbox(), None, Some(reader.workspace));
    let (sender, stopping) = (sender.map(|Extension(sender)| sender), stopping.map(|Extension(stopping)| stopping));
    let beside = present(desk.presence.news(), reader.workspace);
    let answer = desk.streams.open_with(feed, sender, stopping, told, beside);
    answer.unwrap_or_else(|| StatusCode::SERVICE_UNAVAILABLE.into_response())
}

/// Conversations of the workspace in which somebody comes, goes or writes.
fn present(news: Receiver<(WorkspaceId, ConversationId)>, workspace: WorkspaceId) -> Beside {
    let event = |data: &str| format!("event: present\ndata: {data}\n\n");
    Box::pin(stream::unfold(news, move |mut news| async move {
        loop {
            match news.recv().await {
                Ok((of, conversation)) if of == workspace => return Some((event(&conversation.public()), news)),
                Ok(_) => {}
                Err(RecvError::Lagged(_)) => return Some((event("*"), news)),
                Err(RecvError::Closed) => return None,
            }
        }
    }))
}

/// Each conversation once; `*` where the page has to load everything.
fn told(found: &Changes) -> String {
    let mut words = String::new();
    let id = found.position.to_string();
    if found.missed {
        write_event(&mut words, &id, "change", "*");
    }
    let mut conversations: Vec<_> = found.changes.iter().filter_map(|change| change.conversation).collect();
    conversations.sort_unstable();
    conversations.dedup();
    for conversation in conversations {
        write_event(&mut words, &id, "change", &conversation.public());
    }
    words
}
