//! Owns: one connection: its socket under hyper, and how long it has been idle, sending a header, or stalled in a body.
//! Does not own: the limits of each (`listener`).

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering},
    },
    task::{Context, Poll, ready},
    time::{Duration, Instant},
};

use axum::{
    body::{Body, HttpBody},
    http::StatusCode,
    response::Response,
};
use http_body::{Frame, SizeHint};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    sync::Notify,
    time::Sleep,
};

use super::EventStream;
use crate::{listener::head::Heads, middleware::body::Keeping, problem::unreadable_head};

/// Answers up to this size, in bytes, fit into the system's buffers, so a client that does not read one blocks nothing.
const SMALL_ANSWER: u64 = 64 << 10;
/// How long, and for how many bytes, the socket is still read after the last answer. A sender whose connection is
/// closed while it is sending does not see the answer.
const LINGER_TIME: Duration = Duration::from_millis(500);
const LINGER_BYTES: usize = 4 << 20;

/// What a connection is doing.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Phase {
    /// Between two requests.
    Idle,
    /// A header is arriving. Also the phase before the first request.
    Header,
    /// A request's body has stalled: its handler waits for the sender.
    Body,
    /// A request is being answered.
    Busy,
}

/// A connection's state, as the listener sees it.
#[derive(Debug)]
pub(crate) struct Watched {
    phase: AtomicU8,
    began: Instant,
    /// When the phase began, in milliseconds after `began`.
    since: AtomicU64,
    /// Whether the answer under way is an event stream.
    streams: AtomicBool,
    /// Since when its client takes nothing of it, in milliseconds after `began`; 0 while it does.
    stalled: AtomicU64,
    /// Signals that the connection must close: its place is needed, or the host stops.
    pub(crate) close: Notify,
}

impl Watched {
    pub(crate) fn new() -> Self {
        Self {
            phase: AtomicU8::new(Phase::Header as u8),
            began: Instant::now(),
            since: AtomicU64::new(0),
            streams: AtomicBool::new(false),
            stalled: AtomicU64::new(0),
            close: Notify::new(),
        }
    }

    fn phase(&self) -> Phase {
        match self.phase.load(Ordering::Relaxed) {
            phase if phase == Phase::Idle as u8 => Phase::Idle,
            phase if phase == Phase::Header as u8 => Phase::Header,
            phase if phase == Phase::Body as u8 => Phase::Body,
            _ => Phase::Busy,
        }
    }

    /// Milliseconds after `began`.
    fn elapsed(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Whether the answer under way is an event stream.
    pub(crate) fn streams(&self) -> bool {
        self.streams.load(Ordering::Relaxed)
    }

    /// How long the client of an event stream has taken nothing of it.
    pub(crate) fn stalled_for(&self) -> Duration {
        match self.stalled.load(Ordering::Relaxed) {
            since if since > 0 && self.streams() => Duration::from_millis(self.elapsed().saturating_sub(since)),
            _ => Duration::ZERO,
        }
    }

    /// Notes whether the client took what was written.
    fn wrote(&self, took: bool) {
        if took {
            self.stalled.store(0, Ordering::Relaxed);
        } else if self.streams() && self.stalled.load(Ordering::Relaxed) == 0 {
            self.stalled.store(self.elapsed().max(1), Ordering::Relaxed);
        }
    }

    fn enter(&self, phase: Phase) {
        self.since.store(self.elapsed(), Ordering::Relaxed);
        self.phase.store(phase as u8, Ordering::Relaxed);
    }

    /// Wraps a request's body, to notice when it stalls.
    pub(crate) fn body<B>(self: &Arc<Self>, body: B) -> Awaited<B> {
        Awaited { body, watched: Arc::clone(self) }
    }

    /// Since when the connection waits for its sender, and in which phase; `None` while a request is being answered.
    pub(crate) fn waits_since(&self) -> Option<(Instant, Phase)> {
        let since = Duration::from_millis(self.since.load(Ordering::Relaxed));
        let phase = self.phase();
        (phase != Phase::Busy).then(|| (self.began + since, phase))
    }

    /// Marks the connection busy until the guard is dropped: with the answer, or once a large answer has been read.
    pub(crate) fn busy(self: &Arc<Self>) -> Busy {
        self.enter(Phase::Busy);
        Busy(Arc::clone(self))
    }
}

/// Guard of a request in progress.
pub(crate) struct Busy(Arc<Watched>);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.streams.store(false, Ordering::Relaxed);
        self.0.enter(Phase::Idle);
    }
}

impl Busy {
    /// Keeps the connection busy while a large answer is being read.
    pub(crate) fn until_read(self, answer: Response) -> Response {
        if answer.extensions().get::<EventStream>().is_some() {
            self.0.streams.store(true, Ordering::Relaxed);
        }
        if answer.body().size_hint().upper().is_some_and(|size| size <= SMALL_ANSWER) {
            return answer;
        }
        answer.map(|body| Body::new(Keeping::new(body, self)))
    }
}

/// The body of a request. While its reader waits for more data, the connection counts as waiting for its sender, as
/// when a header does not arrive.
pub(crate) struct Awaited<B> {
    body: B,
    watched: Arc<Watched>,
}

impl<B> Awaited<B> {
    fn goes_on(&self) {
        if self.watched.phase() == Phase::Body {
            self.watched.enter(Phase::Busy);
        }
    }
}

impl<B> Drop for Awaited<B> {
    /// The rest of the body is no longer wanted.
    fn drop(&mut self) {
        self.goes_on();
    }
}

impl<B: HttpBody + Unpin> HttpBody for Awaited<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(cx);
        match &polled {
            Poll::Ready(_) => self.goes_on(),
            Poll::Pending if self.watched.phase() == Phase::Busy => self.watched.enter(Phase::Body),
            Poll::Pending => {}
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The socket under hyper.
pub(crate) struct Socket {
    stream: TcpStream,
    watched: Arc<Watched>,
    heads: Heads,
    /// After the last answer: how many bytes are still read, and until when.
    lingering: Option<(usize, Pin<Box<Sleep>>)>,
    /// The answer that replaces hyper's own, and how much of it has been written.
    unreadable: Option<(Vec<u8>, usize)>,
}

impl Socket {
    pub(crate) fn new(stream: TcpStream, watched: Arc<Watched>) -> Self {
        Self { stream, watched, heads: Heads::default(), lingering: None, unreadable: None }
    }

    /// The status, if these bytes are hyper's own answer to a malformed head. That answer has an empty body.
    fn answers_for_itself(&self, bytes: &[u8]) -> Option<StatusCode> {
        if self.watched.phase() != Phase::Header {
            return None;
        }
        let mut lines = std::str::from_utf8(bytes).ok()?.strip_suffix("\r\n\r\n")?.split("\r\n");
        let status = lines.next()?.strip_prefix("HTTP/1.1 ")?.get(..3)?;
        let status = StatusCode::from_bytes(status.as_bytes()).ok().filter(StatusCode::is_client_error)?;
        let own = |line: &str| line == "connection: close" || line == "content-length: 0" || line.starts_with("date: ");
        lines.all(own).then_some(status)
    }

    /// Writes the replacement for hyper's own answer; `None` if there is none.
    fn poll_unreadable(&mut self, cx: &mut Context<'_>, length: usize) -> Option<Poll<io::Result<usize>>> {
        let (words, written) = self.unreadable.as_mut()?;
        while let Some(rest) = words.get(*written..).filter(|rest| !rest.is_empty()) {
            match Pin::new(&mut self.stream).poll_write(cx, rest) {
                Poll::Ready(Ok(0)) => return Some(Poll::Ready(Err(io::ErrorKind::WriteZero.into()))),
                Poll::Ready(Ok(count)) => *written += count,
                Poll::Ready(Err(error)) => return Some(Poll::Ready(Err(error))),
                Poll::Pending => return Some(Poll::Pending),
            }
        }
        Some(Poll::Ready(Ok(length)))
    }
}

impl AsyncRead for Socket {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buffer);
        if buffer.filled().len() > before {
            if self.watched.phase() == Phase::Idle {
                self.watched.enter(Phase::Header);
            }
            self.heads.read(buffer.filled_mut().get_mut(before..).unwrap_or_default());
        }
        read
    }
}

impl AsyncWrite for Socket {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.unreadable.is_none()
            && let Some(status) = self.answers_for_itself(bytes)
        {
            self.unreadable = Some((unreadable_head(status), 0));
        }
        if let Some(polled) = self.poll_unreadable(cx, bytes.len()) {
            return polled;
        }
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.watched.wrote(written.is_ready());
        written
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        // hyper writes its own answer in one piece.
        if let [bytes] = slices
            && (self.unreadable.is_some() || self.answers_for_itself(bytes).is_some())
        {
            return self.poll_write(cx, bytes);
        }
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.watched.wrote(written.is_ready());
        written
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Self { stream, lingering, .. } = self.get_mut();
        if lingering.is_none() {
            ready!(Pin::new(&mut *stream).poll_shutdown(cx))?;
        }
        let (left, end) = lingering.get_or_insert_with(|| (LINGER_BYTES, Box::pin(tokio::time::sleep(LINGER_TIME))));
        let mut unwanted = [0; 4096];
        while *left > 0 {
            let mut buffer = ReadBuf::new(&mut unwanted);
            match Pin::new(&mut *stream).poll_read(cx, &mut buffer) {
                Poll::Ready(Ok(())) if !buffer.filled().is_empty() => {
                    *left = left.saturating_sub(buffer.filled().len())
                }
                Poll::Ready(_) => break,
                Poll::Pending => {
                    ready!(end.as_mut().poll(cx));
                    break;
                }
            }
        }
        Poll::Ready(Ok(()))
    }
}
