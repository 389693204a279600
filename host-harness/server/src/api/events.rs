//! Owns: endpoints of the change feed: a stream of events, and changes after a position.
//! Does not own: the changes (the inbox), the form of an event (the engine), streams under way (`streams`).

use std::time::Duration;

use axum::{
    Extension,
    extract::State,
    http::{HeaderMap, HeaderName, StatusCode},
    response::Response,
};
use harness_engine::{Event, MISSED};
use harness_inbox::{Changes, Follower, KindFilter};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::routes;

use super::{
    Answer, Api, ApiError, Routes,
    dto::event::{self, EventShape},
    extract::{Json, Query},
};
use crate::{
    auth::{Principal, Scope},
    listener::Stopping,
    streams::write_event,
};

/// Events on one page if the request does not say.
const EVENTS: usize = 100;
/// The largest page.
const MAX_PAGE: usize = 1000;
/// How often a page without any event reads on.
const READS: usize = 20;
/// The longest time that a page waits for its first event.
const MAX_WAIT: Duration = Duration::from_secs(60);
/// The header with which a client comes back.
const LAST: HeaderName = HeaderName::from_static("last-event-id");

pub(super) fn routes() -> Routes {
    Routes::default().at(Scope::Read, routes!(stream_events)).at(Scope::Read, routes!(list_changes))
}

/// A position in the feed, as a request gives it.
pub(super) fn position(name: &str, given: &str) -> Result<u64, ApiError> {
    let number = given.parse().ok().filter(|_| given.bytes().all(|byte| byte.is_ascii_digit()));
    number.ok_or_else(|| {
        let sentence = format!("`{name}` is the id of an event or a `position`, as the host gave it: a whole number");
        ApiError::bad("bad_parameter", sentence).at(name)
    })
}

fn filter(names: Option<&str>) -> Result<KindFilter, ApiError> {
    let names = names.unwrap_or_default().split(',').filter(|name| !name.is_empty());
    KindFilter::new(names).map_err(|error| ApiError::bad("bad_parameter", error.to_string()).at("kinds"))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Streaming {
    /// The id of an event: the stream begins after it. Without it, and without `Last-Event-ID`, it begins now.
    after: Option<String>,
    /// Which events, separated by commas: names, or beginnings such as `message.*`. Without it, every event.
    kinds: Option<String>,
}

/// Events as they happen, as server-sent events: `id` is the position, `event` the kind, `data` the event. A client that comes
/// back with `Last-Event-ID` misses nothing and gets nothing twice. `feed.missed` says that events before it are gone,
/// because they are older than the host keeps them. A comment comes every 15 seconds; after five minutes the stream ends,
/// and the client comes back.
#[utoipa::path(
    get, path = "/events", tag = "Events",
    params(Streaming, ("Last-Event-ID" = Option<String>, Header, description = "The id of the last event that was dealt with.")),
    responses(
        (status = 200, body = EventShape, content_type = "text/event-stream"),
        (status = 503, description = "As many streams as there may be are open."),
    ),
)]
async fn stream_events(
    State(api): State<Api>,
    principal: Principal,
    stopping: Option<Extension<Stopping>>,
    Query(asked): Query<Streaming>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let last =
        headers.get(LAST).map(|last| position("Last-Event-ID", last.to_str().unwrap_or_default())).transpose()?;
    let after = asked.after.map(|after| position("after", &after)).transpose()?;
    let kinds = filter(asked.kinds.as_deref())?;
    // The header is newer: the browser sends it with the address that it was given once.
    let feed = Follower::new(api.host.inbox(), last.or(after), Some(principal.workspace));
    let clock = api.host.clock().clone();
    let tell = move |found: &Changes| told(found, &kinds, clock.now());
    let stopping = stopping.map(|Extension(stopping)| stopping);
    api.streams.open(feed, Some(principal), stopping, tell).ok_or_else(|| {
        let sentence = "as many streams of events as this host has places for are open; poll `/changes` meanwhile";
        ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "too_many_streams", sentence)
    })
}

/// What a stream says of these changes.
fn told(found: &Changes, kinds: &KindFilter, now: u64) -> String {
    let mut words = String::new();
    if found.missed {
        let before = found.changes.first().map_or(found.position, |change| change.seq.saturating_sub(1));
        write(&mut words, MISSED, &Event::missed(before, now));
    }
    for change in found.changes.iter().filter(|change| kinds.matches(change.kind)) {
        write(&mut words, change.kind.name(), &Event::of(change));
    }
    words
}

fn write(words: &mut String, kind: &str, event: &Event) {
    // JSON has no line breaks of its own.
    let Ok(data) = serde_json::to_string(event) else { return };
    write_event(words, &event.id, kind, &data);
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Polling {
    /// The `position` of the page before. Without it, the page begins now and has no events.
    after: Option<String>,
    /// Which events, separated by commas: names, or beginnings such as `message.*`. Without it, every event.
    kinds: Option<String>,
    /// The number of events, at most 1000; without it 100.
    #[param(value_type = Option<u16>, minimum = 1, maximum = 1000)]
    limit: Option<String>,
    /// How long to wait for the first event if there is none yet, in milliseconds: at most a minute.
    #[serde(default)]
    wait: u64,
}

/// The events after a position, for clients that cannot hold a stream open.
#[utoipa::path(get, path = "/changes", tag = "Events", params(Polling), responses((status = 200, body = event::Changes)))]
async fn list_changes(
    State(api): State<Api>,
    principal: Principal,
    Query(asked): Query<Polling>,
) -> Answer<event::Changes> {
    let after = asked.after.map(|after| position("after", &after)).transpose()?;
    let kinds = filter(asked.kinds.as_deref())?;
    let limit = match &asked.limit {
        None => EVENTS,
        Some(limit) => {
            let given = limit.parse().ok().filter(|limit| (1..=MAX_PAGE).contains(limit));
            let sentence = format!("`limit` is how many events a page has: a number from 1 to {MAX_PAGE}");
            given.ok_or_else(|| ApiError::bad("bad_parameter", sentence).at("limit"))?
        }
    };
    let (inbox, workspace) = (api.host.inbox(), Some(principal.workspace));
    let (mut data, mut missed) = (Vec::new(), false);
    let mut position = after.unwrap_or_else(|| *inbox.newest_change().borrow());
    // What is there already, without waiting. A page ends early rather than read on for ever for kinds that are rare.
    for _ in 0..READS {
        let found = inbox.changes_after(position, workspace, limit).await?;
        (position, missed) = (found.position, found.missed);
        data.extend(found.changes.iter().filter(|change| kinds.matches(change.kind)).map(Event::of));
        if !data.is_empty() || missed || found.changes.len() < limit {
            break;
        }
    }
    if data.is_empty() && !missed {
        let mut feed = Follower::new(inbox.clone(), Some(position), workspace);
        let filled = async {
            while data.is_empty() && !missed {
                let found = feed.next(limit).await?;
                missed = found.missed;
                data.extend(found.changes.iter().filter(|change| kinds.matches(change.kind)).map(Event::of));
            }
            Ok::<_, ApiError>(())
        };
        if let Ok(filled) = tokio::time::timeout(Duration::from_millis(asked.wait).min(MAX_WAIT), filled).await {
            filled?;
        }
        position = feed.position();
    }
    Ok(Json(event::Changes {
        has_more: position < *inbox.newest_change().borrow(),
        data,
        position: position.to_string(),
        missed,
    }))
}
