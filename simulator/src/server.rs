//! The listener: connections, the mapping of path prefixes to Meta's hosts, and hanging up.
//! What belongs here: HTTP plumbing. Answers are `graph`, the test API is `control`.

use std::io;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware;
use axum::response::Response;
use http::header::DATE;
use http::{HeaderValue, StatusCode};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tower::ServiceExt;

use crate::cdn;
use crate::control;
use crate::core::Core;
use crate::graph;
use crate::login;

/// Marks a response that is not sent; the connection is closed instead.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HangUp;

pub(crate) fn router(core: Arc<Core>) -> Router {
    Router::new()
        .nest("/sim", control::router())
        .fallback(meta_host)
        .layer(middleware::map_response_with_state(Arc::clone(&core), date))
        .with_state(core)
}

/// Sets `date` to the platform's time, which tests may have moved.
async fn date(State(core): State<Arc<Core>>, mut response: Response) -> Response {
    let now = Duration::from_millis(u64::try_from(core.clock.now_ms()).unwrap_or(0));
    if let Ok(date) = HeaderValue::from_str(&httpdate::fmt_http_date(UNIX_EPOCH + now)) {
        response.headers_mut().insert(DATE, date);
    }
    response
}

/// Serves until `stop` changes or its sender is dropped; open connections end with it.
pub(crate) async fn run(listener: TcpListener, router: Router, mut stop: watch::Receiver<bool>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            _ = stop.changed() => return,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(connection(stream, router.clone()));
                }
                // Probably out of file descriptors: pause instead of spinning.
                Err(error) => {
                    tracing::warn!(%error, "accept failed");
                    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                }
            },
        }
    }
}

async fn connection(stream: TcpStream, router: Router) {
    let service = service_fn(move |request: http::Request<hyper::body::Incoming>| {
        let router = router.clone();
        async move {
            let response = match router.oneshot(without_trailing_slash(request).map(Body::new)).await {
                Ok(response) => response,
                Err(never) => match never {},
            };
            // A service error makes hyper close the connection without an answer.
            match response.extensions().get::<HangUp>() {
                Some(HangUp) => Err(io::Error::other("scripted hang-up")),
                None => Ok(response),
            }
        }
    });
    let served = http1::Builder::new().timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), service).await;
    if let Err(error) = served {
        tracing::trace!(%error, "connection ended");
    }
}

/// Ignores a trailing slash below `/sim/`.
fn without_trailing_slash<B>(mut request: http::Request<B>) -> http::Request<B> {
    let path = request.uri().path();
    if path.starts_with("/sim/") && path.ends_with('/') {
        let query = request.uri().query().map(|query| format!("?{query}")).unwrap_or_default();
        if let Ok(uri) = format!("{}{query}", path.trim_end_matches('/')).parse() {
            *request.uri_mut() = uri;
        }
    }
    request
}

/// The first path segment is the Meta host.
async fn meta_host(State(core): State<Arc<Core>>, request: Request) -> Response {
    let path = request.uri().path().to_owned();
    let (host, rest) = match path.trim_start_matches('/').split_once('/') {
        Some((host, rest)) => (host, rest),
        None => (path.trim_start_matches('/'), ""),
    };
    match (graph::Host::named(host), login::Host::named(host)) {
        (Some(host), _) => graph::serve(core, host, rest, request).await,
        (None, Some(host)) => login::serve(core, host, rest, request).await,
        (None, None) if host == cdn::HOST => cdn::serve(core, request.uri().query().unwrap_or("")).await,
        (None, None) => control::refuse(StatusCode::NOT_FOUND, "paths begin with one of Meta's hosts, or with sim"),
    }
}
