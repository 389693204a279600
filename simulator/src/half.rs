//! An answer that ends in the middle: its head promises more bytes than come before the connection closes.
//! What belongs here: that body. Which answers end so is scripted in `faults` and `cdn`.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::response::Response;
use bytes::Bytes;
use http::header::{CONTENT_LENGTH, HeaderValue};
use hyper::body::Frame;
use tokio::time::{Sleep, sleep};

/// How long the half has to get on the wire before the connection closes.
const PAUSE: Duration = Duration::from_millis(20);

/// The same answer, of which only the first half comes.
pub(crate) async fn of(response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    // The bodies of this crate are in memory and cannot fail.
    let whole = to_bytes(body, usize::MAX).await.unwrap_or_default();
    parts.headers.insert(CONTENT_LENGTH, HeaderValue::from(whole.len()));
    let half = Half { bytes: Some(whole.slice(..whole.len() / 2)), pause: Box::pin(sleep(PAUSE)) };
    Response::from_parts(parts, Body::new(half))
}

struct Half {
    bytes: Option<Bytes>,
    pause: Pin<Box<Sleep>>,
}

impl hyper::body::Body for Half {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if let Some(bytes) = self.bytes.take() {
            return Poll::Ready(Some(Ok(Frame::data(bytes))));
        }
        // An error of the body makes hyper close the connection.
        self.pause.as_mut().poll(cx).map(|()| Some(Err(io::Error::other("scripted end in the middle"))))
    }
}
