//! An answer that is cut off: its head announces more bytes than are sent.
//! What belongs here: that body. Which answers are cut off is scripted in `faults` and `cdn`.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, to_bytes};
use axum::response::Response;
use bytes::Bytes;
use http::header::{CONTENT_LENGTH, HeaderValue};
use hyper::body::Frame;
/// The first half of an answer.
pub(crate) async fn of(response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    // All bodies of this crate are in memory and cannot fail.
    let whole = to_bytes(body, usize::MAX).await.unwrap_or_default();
    parts.headers.insert(CONTENT_LENGTH, HeaderValue::from(whole.len()));
    let half = Half { bytes: Some(whole.slice(..whole.len() / 2)), flushed: false };
    Response::from_parts(parts, Body::new(half))
}

struct Half {
    bytes: Option<Bytes>,
    flushed: bool,
}

impl hyper::body::Body for Half {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if let Some(bytes) = self.bytes.take() {
            return Poll::Ready(Some(Ok(Frame::data(bytes))));
        }
        // hyper flushes the connection when the body is pending.
        if !self.flushed {
            self.flushed = true;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        // A body error makes hyper close the connection.
        Poll::Ready(Some(Err(io::Error::other("scripted end in the middle"))))
    }
}
