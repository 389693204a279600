//! Owns: the number of connections, their time limits, and how they are closed.
//! Does not own: answers (`router`).

mod connection;
mod head;

use std::{
    collections::HashMap,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{Router, body::Body, extract::ConnectInfo};
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
};
use tower::ServiceExt as _;

use self::connection::{Phase, Socket, Watched};

/// Limits for clients.
#[derive(Clone, Debug)]
pub struct Limits {
    /// How long a request's header may take from its first byte; for the first request, from the connection on. This
    /// and `idle_time` are checked four times within the shorter of the two.
    pub header_time: Duration,
    /// The largest header including the request line, in bytes.
    pub max_header_bytes: usize,
    /// How long the body of a webhook, a form or an API call may take. The API adds one second for each announced 512
    /// KiB.
    pub body_time: Duration,
    /// How long a connection may stay idle between two requests.
    pub idle_time: Duration,
    /// The maximum number of connections. A new one then replaces the one that has waited longest for its sender:
    /// between two requests, for a header, or in a stalled body.
    pub max_connections: usize,
    /// The same per remote address, or per /64 for IPv6. Behind a reverse proxy every connection has the proxy's
    /// address, so set it to `max_connections` and let the proxy limit its clients.
    pub max_connections_per_address: usize,
    /// Refused webhooks per remote address and minute that are logged individually. Further ones are answered with 429
    /// and not logged. Valid webhooks are not counted, and are never rejected for this reason.
    pub refused_webhooks_per_minute: u32,
    /// The maximum number of event streams. They are counted apart: one that is open takes no place of another request.
    pub max_streams: usize,
    /// How long the client of an event stream may take none of what is sent, before the stream is closed.
    pub stall_time: Duration,
    /// How long requests in progress may take once the host stops.
    pub stop_time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            header_time: Duration::from_secs(10),
            max_header_bytes: 16 << 10,
            body_time: Duration::from_secs(10),
            idle_time: Duration::from_secs(75),
            max_connections: 512,
            max_connections_per_address: 256,
            refused_webhooks_per_minute: 60,
            max_streams: 256,
            stall_time: Duration::from_secs(30),
            stop_time: Duration::from_secs(65),
        }
    }
}

/// The pause after a failed accept, e.g. when file descriptors run out.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// The shortest interval between checks of the time limits.
const LEAST_LOOK: Duration = Duration::from_millis(50);

/// Marks an answer that goes on for as long as its client likes: it is counted apart from other requests.
#[derive(Clone, Copy, Debug)]
pub(crate) struct EventStream;

/// In the extensions of a request: when the host begins to stop.
#[derive(Clone, Debug)]
pub(crate) struct Stopping(watch::Receiver<bool>);

impl Stopping {
    /// Waits until the host begins to stop.
    pub(crate) async fn begins(&mut self) {
        // The sender goes when everything else has ended.
        let _ = self.0.wait_for(|stopping| *stopping).await;
    }
}

/// The table of open connections.
#[derive(Clone, Default)]
struct Open {
    connections: Arc<Mutex<HashMap<u64, Connected>>>,
}

#[derive(Clone)]
struct Connected {
    watched: Arc<Watched>,
    network: IpAddr,
}

impl Open {
    /// Adds a connection. If a limit is reached, first closes the one that has waited longest for its sender, among
    /// those of the same address if that limit is reached. Returns whether there was room.
    fn admit(&self, number: u64, watched: &Arc<Watched>, peer: SocketAddr, limits: &Limits) -> bool {
        let network = network_of(peer.ip());
        let mut open = self.connections.lock().unwrap_or_else(PoisonError::into_inner);
        // Streams have places of their own.
        let counted = || open.values().filter(|other| !other.watched.streams());
        let of_network = counted().filter(|other| other.network == network).count();
        let its_own = of_network >= limits.max_connections_per_address.max(1);
        if its_own || counted().count() >= limits.max_connections.max(1) {
            let others = open.iter().filter(|(_, other)| !its_own || other.network == network);
            let waiting = others.filter_map(|(number, other)| Some((other.watched.waits_since()?.0, *number)));
            let Some((_, longest)) = waiting.min_by_key(|(since, _)| *since) else { return false };
            if let Some(other) = open.remove(&longest) {
                other.watched.close.notify_one();
            }
        }
        open.insert(number, Connected { watched: Arc::clone(watched), network });
        true
    }

    /// Closes connections whose sender exceeds a time limit.
    fn sweep(&self, limits: &Limits) {
        let mut open = self.connections.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|_, connected| {
            let late = connected.watched.waits_since().is_some_and(|(since, phase)| match phase {
                Phase::Idle => since.elapsed() > limits.idle_time,
                Phase::Header => since.elapsed() > limits.header_time,
                // The reader of a body has its own deadline, and answers.
                Phase::Body | Phase::Busy => false,
            });
            let late = late || connected.watched.stalled_for() > limits.stall_time;
            if late {
                connected.watched.close.notify_one();
            }
            !late
        });
    }

    fn leave(&self, number: u64) {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner).remove(&number);
    }
}

/// Serves until `stop`, then lets requests in progress finish within `stop_time`. If this future is dropped, everything
/// is cut off.
pub(crate) async fn run(listener: TcpListener, router: Router, limits: &Limits, stop: impl Future<Output = ()> + Send) {
    let open = Open::default();
    let mut tasks = JoinSet::new();
    let (stopping, stopped) = watch::channel(false);
    let mut number = 0u64;
    // Refused connections since the last check, for one log line instead of many.
    let mut refused = 0u64;
    let mut stop = std::pin::pin!(stop);
    // One check of all connections costs less than a timer per request.
    let mut looks = tokio::time::interval((limits.header_time.min(limits.idle_time) / 4).max(LEAST_LOOK));
    loop {
        let accepted = tokio::select! {
            () = &mut stop => break,
            Some(_) = tasks.join_next() => continue,
            _ = looks.tick() => {
                open.sweep(limits);
                if refused > 0 {
                    let bound = limits.max_connections;
                    tracing::warn!(refused, bound, "connections were refused: all that are open have a request under way");
                    refused = 0;
                }
                continue;
            }
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                number += 1;
                let watched = Arc::new(Watched::new());
                if !open.admit(number, &watched, peer, limits) {
                    refused += 1;
                    continue;
                }
                let served = connection(
                    stream,
                    peer,
                    router.clone(),
                    limits.max_header_bytes,
                    Arc::clone(&watched),
                    stopped.clone(),
                );
                let open = open.clone();
                tasks.spawn(async move {
                    served.await;
                    open.leave(number);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    let _ = stopping.send(true);
    let finished = async {
        loop {
            tokio::select! {
                ended = tasks.join_next() => if ended.is_none() { return },
                _ = looks.tick() => open.sweep(limits),
            }
        }
    };
    if tokio::time::timeout(limits.stop_time, finished).await.is_err() {
        tracing::warn!("requests did not end in time when the host stopped, and were cut off");
    }
}

fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    max_header_bytes: usize,
    watched: Arc<Watched>,
    mut stopped: watch::Receiver<bool>,
) -> impl Future<Output = ()> + Send + use<> {
    let socket = Socket::new(stream, Arc::clone(&watched));
    let of_service = Arc::clone(&watched);
    let stopping_for_streams = stopped.clone();
    let service = hyper::service::service_fn(move |mut request: http::Request<hyper::body::Incoming>| {
        let busy = of_service.busy();
        request.extensions_mut().insert(ConnectInfo(peer));
        request.extensions_mut().insert(Stopping(stopping_for_streams.clone()));
        let answer = router.clone().oneshot(request.map(|body| Body::new(of_service.body(body))));
        async move { answer.await.map(|answer| busy.until_read(answer)) }
    });
    let mut builder = http1::Builder::new();
    // hyper has one timeout for both headers and idle time. Here they are two, enforced by `sweep`.
    builder.header_read_timeout(None).max_header_size(max_header_bytes);
    let served = builder.serve_connection(TokioIo::new(socket), service);
    async move {
        let mut served = std::pin::pin!(served);
        let mut stopping = false;
        loop {
            tokio::select! {
                ended = &mut served => {
                    if let Err(error) = ended {
                        tracing::debug!(%peer, error = error_of(&error), "a connection ended early");
                    }
                    return;
                }
                () = watched.close.notified() => {
                    tracing::debug!(%peer, "a connection closes: its sender took too long, or another needs its place");
                    if watched.waits_since().is_some() || watched.streams() {
                        return;
                    }
                    // A request arrived just now.
                    served.as_mut().graceful_shutdown();
                }
                _ = stopped.changed(), if !stopping => {
                    stopping = true;
                    served.as_mut().graceful_shutdown();
                }
            }
        }
    }
}

/// The error with its cause, which says more.
fn error_of(error: &hyper::Error) -> String {
    use std::error::Error as _;
    error.source().map_or_else(|| error.to_string(), |cause| format!("{error}: {cause}"))
}

/// The owner of one IPv6 address controls its whole /64.
pub(crate) fn network_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6(std::net::Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        address => address,
    }
}
