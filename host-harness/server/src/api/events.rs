//! Owns: endpoints of the change feed: a stream of events, and changes after a position.
//! Does not own: the changes (the inbox), the form of an event (the engine), places for connections (`listener`).

use std::{sync::Arc, time::Duration};

use axum::{
    Extension,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use futures_util::stream;
use harness_engine::{Event, Host, MISSED};
use harness_inbox::{Changes, Follower, InboxError, KindFilter};
use serde::Deserialize;
use tokio::{sync::OwnedSemaphorePermit, time::Instant};
use utoipa::IntoParams;
use utoipa_axum::routes;

use super::{
    Answer, Api, ApiError, Routes,
    dto::event::{self, EventShape},
    extract::{Json, Query},
};
use crate::{
    auth::{Authenticator, Principal, Scope},
    listener::{EventStream, Stopping},
};

/// Events read at once, and on one page if the request does not say.
const EVENTS: usize = 100;
/// The largest page.
const MAX_PAGE: usize = 1000;
/// How often a page without any event reads on.
const READS: usize = 20;
/// The longest time that a page waits for its first event.
const MAX_WAIT: Duration = Duration::from_secs(60);
/// The longest silence of a stream. Proxies close connections that say nothing.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// A stream ends after this time, and the client comes back where it stopped: so that a token that was revoked is noticed.
const LIFETIME: Duration = Duration::from_secs(300);
/// How soon a client whose stream ended comes back, in milliseconds.
const RETRY_MS: u64 = 1000;
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
    let place = Arc::clone(&api.streams).try_acquire_owned().map_err(|_| {
        let sentence = "as many streams of events as this host has places for are open; poll `/changes` meanwhile";
        ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "too_many_streams", sentence)
    })?;
    // The header is newer: the browser sends it with the address that it was given once.
    let feed = Follower::new(api.host.inbox(), last.or(after), Some(principal.workspace));
    let told = Telling {
        host: api.host.clone(),
        access: api.access.clone(),
        principal,
        feed,
        kinds,
        stopping: stopping.map(|Extension(stopping)| stopping),
        ends: Instant::now() + LIFETIME,
        began: false,
        _place: place,
    };
    let body = Body::from_stream(stream::unfold(told, |mut told| async move {
        let next = told.next().await?;
        Some((Ok::<_, InboxError>(next), told))
    }));
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        // nginx holds answers back otherwise.
        (HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no")),
    ];
    let mut answer = (headers, body).into_response();
    answer.extensions_mut().insert(EventStream);
    Ok(answer)
}

/// A stream under way. It reads the next events when the last ones are on their way to the client, so that a slow client
/// holds its position and nothing else.
struct Telling {
    host: Host,
    access: Authenticator,
    principal: Principal,
    feed: Follower,
    kinds: KindFilter,
    stopping: Option<Stopping>,
    ends: Instant,
    began: bool,
    _place: OwnedSemaphorePermit,
}

impl Telling {
    /// The next piece; `None` at the end.
    async fn next(&mut self) -> Option<Bytes> {
        if !self.began {
            self.began = true;
            // The position too, so that a client that goes before the first event comes back to it.
            return Some(format!("retry: {RETRY_MS}\nid: {}\n\n", self.feed.position()).into());
        }
        let heartbeat = Instant::now() + HEARTBEAT;
        loop {
            let stopping = self.stopping.as_mut();
            tokio::select! {
                biased;
                () = async { match stopping {
                    Some(stopping) => stopping.begins().await,
                    None => std::future::pending().await,
                } } => return None,
                () = tokio::time::sleep_until(self.ends) => return None,
                found = self.feed.next(EVENTS) => match found {
                    // A change of people wakes the stream too: whoever was disabled is told no more.
                    Ok(_) if !self.access.still_admits(&self.host, &self.principal).await => return None,
                    Ok(found) => {
                        let words = self.words(&found);
                        if !words.is_empty() {
                            return Some(words.into());
                        }
                    }
                    Err(error) => {
                        tracing::warn!(%error, "a stream of events ends");
                        return None;
                    }
                },
                // An id without data is no event, but where the client comes back to.
                () = tokio::time::sleep_until(heartbeat) => {
                    if !self.access.still_admits(&self.host, &self.principal).await {
                        return None;
                    }
                    return Some(format!(": still here\nid: {}\n\n", self.feed.position()).into());
                }
            }
        }
    }

    fn words(&self, found: &Changes) -> String {
        let mut words = String::new();
        if found.missed {
            let before = found.changes.first().map_or(found.position, |change| change.seq.saturating_sub(1));
            let event = Event::missed(before, self.host.clock().now());
            write_event(&mut words, MISSED, &event);
        }
        for change in found.changes.iter().filter(|change| self.kinds.matches(change.kind)) {
            write_event(&mut words, change.kind.name(), &Event::of(change));
        }
        words
    }
}

fn write_event(words: &mut String, kind: &str, event: &Event) {
    // JSON has no line breaks of its own.
    let Ok(data) = serde_json::to_string(event) else { return };
    for piece in ["id: ", &event.id, "\nevent: ", kind, "\ndata: ", &data, "\n\n"] {
        words.push_str(piece);
    }
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
