//! Owns: assembling the routers, and serving them.
//! Does not own: connections (`listener`), answers.

use std::net::SocketAddr;

use axum::{
    Router,
    extract::State,
    http::StatusCode,
    middleware,
    response::{IntoResponse as _, Response},
    routing::get,
};
use tokio::net::TcpListener;

use crate::{
    api,
    auth::{Authenticator, PageAccess},
    files,
    listener::{self, Limits},
    middleware::browser,
    pages, request_id,
    streams::Streams,
    webhooks,
};
use harness_engine::{Host, Secret};

/// All routes of the host: `/webhooks/{channel}`, the pages and callbacks of connecting accounts, `/files/…`,
/// `/health/…`, and, with a token, `/metrics` and `/api/v1`. If `api_token` is `None`, these two reject every request.
pub fn router(host: Host, api_token: Option<&Secret>) -> Router {
    router_with(host, Authenticator::new(api_token, None), &Limits::default())
}

/// Like [`router`], with an authenticator that may know several tokens, and with other limits. The inbox's pages are
/// closed.
pub fn router_with(host: Host, access: Authenticator, limits: &Limits) -> Router {
    router_with_pages(host, access, PageAccess::Closed, limits)
}

/// Like [`router_with`], with the inbox's pages for whom `people` lets in.
pub fn router_with_pages(host: Host, access: Authenticator, people: PageAccess, limits: &Limits) -> Router {
    let webhooks = webhooks::router(host.clone(), limits);
    let streams = Streams::new(host.clone(), access.clone(), limits);
    let others = Router::new()
        .route("/health/live", get(live))
        .route("/health/ready", get(ready))
        .with_state(host.clone())
        .merge(api::metrics_router(host.clone(), access.clone(), streams.clone()))
        .merge(pages::router(host.clone(), access.clone(), people, streams.clone(), limits))
        .merge(files::router(host.clone()))
        .merge(api::router(host, access, streams, limits))
        .fallback(pages::nothing_here)
        .layer(middleware::map_response(browser::headers))
        .layer(middleware::from_fn(request_id::trace));
    others.merge(webhooks)
}

/// Serves with the default limits until `stop`, then lets open requests finish.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    stop: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    serve_with(listener, router, &Limits::default(), stop).await
}

/// Like [`serve`], with other limits.
pub async fn serve_with(
    listener: TcpListener,
    router: Router,
    limits: &Limits,
    stop: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    listener::run(listener, router, limits, stop).await;
    Ok(())
}

/// Listens on the address.
pub async fn bind(address: SocketAddr) -> std::io::Result<TcpListener> {
    TcpListener::bind(address).await
}

/// Liveness: the process answers.
async fn live() -> Response {
    "live\n".into_response()
}

/// Readiness: whether deliveries are accepted, and if not, why.
async fn ready(State(host): State<Host>) -> Response {
    let reasons = host.not_ready().await;
    let status = if reasons.is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let body = serde_json::json!({ "ready": reasons.is_empty(), "reasons": reasons, "panics": host.panics() });
    (status, axum::Json(body)).into_response()
}
