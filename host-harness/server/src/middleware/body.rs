//! Owns: bodies with a deadline, with a connection that stays busy, or with a memory reservation.
//! Does not own: their content.

use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    BoxError,
    body::{Body, Bytes, HttpBody},
    extract::{Request, State},
    http::{HeaderMap, header},
    middleware::Next,
    response::Response,
};
use http_body::{Frame, SizeHint};
use http_body_util::BodyExt as _;
use tokio::time::Sleep;

use harness_engine::Held;

/// One more second is allowed for each of this many announced bytes.
const BYTES_PER_SECOND: u64 = 512 << 10;

/// The time limit of a body.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BodyTime {
    /// The time allowed for any body.
    pub(crate) base: Duration,
    /// The largest announced length, in bytes, for which time is added.
    pub(crate) largest: u64,
}

/// Fails a request's body that does not arrive in time, so that a sender that trickles bytes does not hold resources
/// for long.
pub(crate) async fn within(State(time): State<BodyTime>, request: Request, next: Next) -> Response {
    if request.body().is_end_stream() {
        return next.run(request).await;
    }
    let announced = content_length(request.headers()).unwrap_or(0).min(time.largest);
    let time = time.base + Duration::from_secs(announced / BYTES_PER_SECOND);
    next.run(request.map(|body| Body::new(Within { body, end: Box::pin(tokio::time::sleep(time)) }))).await
}

/// The value of `Content-Length`.
pub(crate) fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// The smallest growth of a memory reservation, in bytes.
const PIECE: usize = 64 << 10;

/// Why a body was not read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Unread {
    /// It exceeds the bound.
    TooLarge,
    /// There is no memory for it now.
    NoMemory,
    /// The sender aborted it.
    Broken,
}

/// A body and its memory reservation.
pub(crate) struct Read {
    pub(crate) bytes: Vec<u8>,
    _memory: Held,
}

/// Reads a body of at most `bound` bytes. `memory` grows with the received bytes, doubling each time and never beyond
/// the announced length, so a body that is announced and never sent takes no memory.
pub(crate) async fn read(body: &mut Body, bound: usize, mut memory: Held) -> Result<Read, Unread> {
    let likely = usize::try_from(body.size_hint().upper().unwrap_or(u64::MAX)).unwrap_or(usize::MAX).min(bound);
    let (mut bytes, mut room) = (Vec::new(), 0_usize);
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| Unread::Broken)?.into_data() else { continue };
        let length = bytes.len() + data.len();
        if length > bound {
            return Err(Unread::TooLarge);
        }
        if length > room {
            let wanted = (2 * room).max(length).max(PIECE).min(likely.max(length));
            if !memory.try_grow((wanted - room) as u64) {
                return Err(Unread::NoMemory);
            }
            room = wanted;
            bytes.reserve_exact(room - bytes.len());
        }
        bytes.extend_from_slice(&data);
    }
    Ok(Read { bytes, _memory: memory })
}

#[derive(Debug, thiserror::Error)]
#[error("the body did not come in within its time")]
struct TooSlow;

struct Within {
    body: Body,
    end: Pin<Box<Sleep>>,
}

impl HttpBody for Within {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        if self.end.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Some(Err(TooSlow.into())));
        }
        Pin::new(&mut self.body).poll_frame(cx).map_err(Into::into)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A body that keeps a value alive until it has been read.
pub(crate) struct Keeping<T> {
    body: Body,
    _kept: T,
}

impl<T> Keeping<T> {
    pub(crate) fn new(body: Body, kept: T) -> Self {
        Self { body, _kept: kept }
    }
}

impl<T: Send + Unpin + 'static> HttpBody for Keeping<T> {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
