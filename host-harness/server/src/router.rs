//! Owns: putting the routers together, and serving them.
//! Does not own: connections (`listener`), what is answered.

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
    auth::Authenticator,
    files,
    listener::{self, Limits},
    middleware::browser,
    pages, request_id, webhooks,
};
use harness_engine::{Host, Secret};

/// Everything that the host answers: `/webhooks/{channel}`, the pages and callbacks of connecting accounts,
/// `/health/…`, and `/metrics` and `/api/v1` for whoever shows the token; without one they answer nobody.
pub fn router(host: Host, api_token: Option<&Secret>) -> Router {
    router_with(host, Authenticator::new(api_token, None), &Limits::default())
}

/// The same behind a lock that may have more than one key, and with other bounds.
pub fn router_with(host: Host, access: Authenticator, limits: &Limits) -> Router {
    let webhooks = webhooks::router(host.clone(), limits);
    let others = Router::new()
        .route("/health/live", get(live))
        .route("/health/ready", get(ready))
        .with_state(host.clone())
        .merge(api::metrics_router(host.clone(), access.clone()))
        .merge(pages::router(host.clone(), limits))
        .merge(files::router(host.clone()))
        .nest("/api/v1", api::router(host, access, limits))
        .fallback(nothing_here)
        .layer(middleware::map_response(browser::headers))
        .layer(middleware::from_fn(request_id::trace));
    others.merge(webhooks)
}

/// Serves with the usual bounds until the process is told to stop, then lets open requests finish.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    stop: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    serve_with(listener, router, &Limits::default(), stop).await
}

/// The same with other bounds.
pub async fn serve_with(
    listener: TcpListener,
    router: Router,
    limits: &Limits,
    stop: impl Future<Output = ()> + Send + 'static,
) -> std::io::Result<()> {
    listener::run(listener, router, limits, stop).await;
    Ok(())
}

/// Binds the address.
pub async fn bind(address: SocketAddr) -> std::io::Result<TcpListener> {
    TcpListener::bind(address).await
}

async fn nothing_here() -> Response {
    (StatusCode::NOT_FOUND, "there is nothing at this address\n").into_response()
}

/// The process answers.
async fn live() -> Response {
    "live\n".into_response()
}

/// Whether deliveries are taken, and if not, why.
async fn ready(State(host): State<Host>) -> Response {
    let reasons = host.not_ready().await;
    let status = if reasons.is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let body = serde_json::json!({ "ready": reasons.is_empty(), "reasons": reasons, "panics": host.panics() });
    (status, axum::Json(body)).into_response()
}
