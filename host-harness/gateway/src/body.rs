//! Bodies with something beside them: a request's with the time that it may take, an answer's with the connection
//! that it keeps busy. Belongs here: those two wrappers.

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
use tokio::time::Sleep;

/// A second more is given for each of this many bytes that a sender announces and may send.
const BYTES_PER_SECOND: u64 = 512 << 10;

/// How long bodies may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BodyTime {
    /// Whatever its length.
    pub(crate) base: Duration,
    /// Bytes for which more time is given.
    pub(crate) largest: u64,
}

/// Lets a request's body fail that does not come in within its time: a sender that sends a byte now and then holds
/// nothing for long.
pub(crate) async fn within(State(time): State<BodyTime>, request: Request, next: Next) -> Response {
    if request.body().is_end_stream() {
        return next.run(request).await;
    }
    let announced = content_length(request.headers()).unwrap_or(0).min(time.largest);
    let time = time.base + Duration::from_secs(announced / BYTES_PER_SECOND);
    next.run(request.map(|body| Body::new(Within { body, end: Box::pin(tokio::time::sleep(time)) }))).await
}

/// The length that a header announces.
pub(crate) fn content_length(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
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

/// A body that keeps a value for as long as it is being read.
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
