//! Owns: telling open pages that something changed, so that they load the parts that show it.
//! Does not own: what changed; pages ask for it. Streams under way (`streams`).

use std::collections::BTreeMap;

use axum::{
    Extension,
    extract::State,
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use futures_util::stream;
use harness_inbox::{Change, ChangeKind, Changes, ConversationId, Follower, PublicId as _, WorkspaceId};
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
    let clock = desk.host.clock().clone();
    let told = move |found: &Changes| told(found, clock.now());
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

/// For how long somebody who types is shown to be, in milliseconds, unless they are heard of again.
const TYPES: u64 = 8_000;

/// Each conversation once; `*` where the page has to load everything. That a customer types changes nothing on the page, and
/// is told with what is left of its time, while there is some.
fn told(found: &Changes, now: u64) -> String {
    let mut words = String::new();
    let id = found.position.to_string();
    if found.missed {
        write_event(&mut words, &id, "change", "*");
    }
    let (typing, others): (Vec<_>, Vec<_>) =
        found.changes.iter().partition(|change| change.kind == ChangeKind::ConversationTyping);
    let mut conversations: Vec<_> = others.iter().filter_map(|change| change.conversation).collect();
    conversations.sort_unstable();
    conversations.dedup();
    for conversation in conversations {
        write_event(&mut words, &id, "change", &conversation.public());
    }
    let typing: BTreeMap<_, _> = typing.iter().filter_map(|change| Some((change.conversation?, change))).collect();
    for (conversation, newest) in typing {
        let left = newest.at.saturating_add(TYPES).saturating_sub(now).min(TYPES);
        // What they wrote since is the end of it.
        let wrote = |other: &&Change| other.seq > newest.seq && other.kind == ChangeKind::MessageCreated;
        if left > 0 && !others.iter().any(|other| other.conversation == Some(conversation) && wrote(other)) {
            write_event(&mut words, &id, "typing", &format!("{} {left}", conversation.public()));
        }
    }
    words
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    fn change(seq: u64, kind: ChangeKind, at: u64) -> Change {
        let conversation = Some(ConversationId::new(7));
        Change {
            seq,
            at,
            kind,
            workspace: None,
            account: None,
            conversation,
            message: None,
            reply: None,
            activity: None,
            delivery: None,
            object: None,
        }
    }

    fn events(changes: Vec<Change>, now: u64) -> Vec<String> {
        let told = told(&Changes { changes, position: 9, missed: false }, now);
        told.lines().filter_map(|line| line.strip_prefix("event: ").map(str::to_owned)).collect()
    }

    #[test]
    fn typing_is_told_for_some_seconds_of_the_hosts_clock_and_not_after_the_message() {
        let typing = || change(1, ChangeKind::ConversationTyping, 1_000);
        let said = |seq| change(seq, ChangeKind::MessageCreated, 1_500);
        assert_eq!(events(vec![typing()], 2_000), ["typing"]);
        assert!(events(vec![typing()], 1_000 + TYPES).is_empty(), "a page that comes back late is told nothing");
        assert_eq!(events(vec![typing(), said(2)], 2_000), ["change"]);
        assert_eq!(events(vec![said(0), typing()], 2_000), ["change", "typing"]);
    }
}
