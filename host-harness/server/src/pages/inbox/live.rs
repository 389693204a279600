//! Owns: telling open pages that something changed, so that they load the parts that show it.
//! Does not own: what changed; pages ask for it. Streams under way (`streams`).

use axum::{
    Extension,
    extract::State,
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use harness_inbox::{Changes, Follower, PublicId as _};

use super::Desk;
use crate::{auth::Principal, listener::Stopping, pages::reader::Reader, streams::write_event};

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
    let answer = desk.streams.open(feed, sender, stopping, told);
    answer.unwrap_or_else(|| StatusCode::SERVICE_UNAVAILABLE.into_response())
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
