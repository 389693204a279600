//! Owns: open streams of server-sent events over the change feed: their places, heartbeats, when they end.
//! Does not own: what a stream says of a change (the API, the pages), connections (`listener`).

use std::{
    collections::HashMap,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{
    body::{Body, Bytes},
    http::{HeaderName, HeaderValue, header},
    response::{IntoResponse as _, Response},
};
use futures_util::{Stream, StreamExt as _, stream};
use harness_engine::Host;
use harness_inbox::{Changes, Follower, InboxError};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::Instant,
};

use crate::{
    auth::{Authenticator, Principal},
    listener::{EventStream, Limits, Stopping},
};

/// Changes read at once.
const CHANGES: usize = 100;
/// The longest silence of a stream. Proxies close connections that say nothing.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// A stream ends after this time, and the client comes back where it stopped: so that a token that was revoked is noticed.
const LIFETIME: Duration = Duration::from_secs(300);
/// How soon a client whose stream ended comes back, in milliseconds.
const RETRY_MS: u64 = 1000;

/// A sender has so many places of all, divided: a quarter.
const SHARE: usize = 4;
/// So many are a sender's at least, where there are so many.
const FEW: usize = 8;

/// Places for streams, which are counted apart from other connections. Cloning shares them.
#[derive(Clone)]
pub(crate) struct Streams {
    host: Host,
    access: Authenticator,
    places: Arc<Semaphore>,
    shares: Arc<Shares>,
}

/// How many places each sender has, so that nobody takes those of the others.
struct Shares {
    most: usize,
    taken: Mutex<HashMap<String, usize>>,
}

/// A place of one sender, until it is dropped.
struct Share {
    of: Arc<Shares>,
    whose: String,
}

impl Shares {
    fn new(places: usize) -> Self {
        Self { most: (places / SHARE).max(places.min(FEW)), taken: Mutex::default() }
    }

    fn take(self: &Arc<Self>, whose: String) -> Option<Share> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let count = taken.entry(whose.clone()).or_default();
        if *count >= self.most {
            return None;
        }
        *count += 1;
        Some(Share { of: Arc::clone(self), whose })
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut taken = self.of.taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = taken.get_mut(&self.whose) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                taken.remove(&self.whose);
            }
        }
    }
}

impl Streams {
    pub(crate) fn new(host: Host, access: Authenticator, limits: &Limits) -> Self {
        let places = limits.max_streams;
        Self { host, access, places: Arc::new(Semaphore::new(places)), shares: Arc::new(Shares::new(places)) }
    }

    /// Answers with a stream of what `tell` says of the changes that this follower reads, for as long as this sender may
    /// have it. A demo's visitor is nobody. `None`: no place is free, or the sender has a quarter of them.
    pub(crate) fn open(
        &self,
        feed: Follower,
        sender: Option<Principal>,
        stopping: Option<Stopping>,
        tell: impl Fn(&Changes) -> String + Send + Sync + 'static,
    ) -> Option<Response> {
        self.open_with(feed, sender, stopping, tell, Box::pin(stream::pending()))
    }

    /// The same, with events that are no changes: they are not repeated for a client that comes back.
    pub(crate) fn open_with(
        &self,
        feed: Follower,
        sender: Option<Principal>,
        stopping: Option<Stopping>,
        tell: impl Fn(&Changes) -> String + Send + Sync + 'static,
        beside: Beside,
    ) -> Option<Response> {
        let whose = sender.as_ref().map(|sender| format!("{}/{}", sender.workspace, sender.whose)).unwrap_or_default();
        let share = self.shares.take(whose)?;
        let place = Arc::clone(&self.places).try_acquire_owned().ok()?;
        let told = Telling {
            host: self.host.clone(),
            access: self.access.clone(),
            sender,
            feed,
            tell,
            stopping,
            beside,
            ends: Instant::now() + LIFETIME,
            began: false,
            _place: (share, place),
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
        Some(answer)
    }
}

/// Further events of a stream, as they are written.
pub(crate) type Beside = Pin<Box<dyn Stream<Item = String> + Send + Sync>>;

/// A stream under way. It reads the next changes when the last ones are on their way to the client, so that a slow client
/// holds its position and nothing else.
struct Telling<T> {
    host: Host,
    access: Authenticator,
    sender: Option<Principal>,
    feed: Follower,
    tell: T,
    stopping: Option<Stopping>,
    beside: Beside,
    ends: Instant,
    began: bool,
    _place: (Share, OwnedSemaphorePermit),
}

impl<T: Fn(&Changes) -> String> Telling<T> {
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
                found = self.feed.next(CHANGES) => match found {
                    // A change of people wakes the stream too: whoever was disabled is told no more.
                    Ok(_) if !self.is_admitted().await => return None,
                    Ok(found) => {
                        let words = (self.tell)(&found);
                        if !words.is_empty() {
                            return Some(words.into());
                        }
                    }
                    Err(error) => {
                        tracing::warn!(%error, "a stream of events ends");
                        return None;
                    }
                },
                Some(words) = self.beside.next() => {
                    if !self.is_admitted().await {
                        return None;
                    }
                    return Some(words.into());
                }
                // An id without data is no event, but where the client comes back to.
                () = tokio::time::sleep_until(heartbeat) => {
                    if !self.is_admitted().await {
                        return None;
                    }
                    return Some(format!(": still here\nid: {}\n\n", self.feed.position()).into());
                }
            }
        }
    }

    async fn is_admitted(&self) -> bool {
        match &self.sender {
            Some(sender) => self.access.still_admits(&self.host, sender).await,
            None => true,
        }
    }
}

/// Adds an event to what a stream says. `data` has no line breaks.
pub(crate) fn write_event(words: &mut String, id: &str, kind: &str, data: &str) {
    for piece in ["id: ", id, "\nevent: ", kind, "\ndata: ", data, "\n\n"] {
        words.push_str(piece);
    }
}
