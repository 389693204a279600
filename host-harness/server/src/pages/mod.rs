//! Owns: the pages for people: the inbox, help, connecting an account; which of them need a sign-in.
//! Does not own: what they show (the modules), the API.

mod assets;
mod bot;
mod channels;
mod connect;
mod demo;
mod doctor;
mod error;
mod forms;
mod help;
mod inbox;
mod inspector;
mod invitation;
mod layout;
mod lenient;
mod look;
mod parts;
mod plugins;
mod provider;
mod reader;
mod redirect;
mod settings;
mod sign_in;
mod times;
mod words;

use axum::{Router, middleware, response::Response, routing::get};
use harness_engine::Host;

use self::{
    inbox::Desk,
    reader::{Door, Reader},
    redirect::see,
};
use crate::{
    auth::{Authenticator, PageAccess},
    listener::Limits,
    middleware::{
        body::{self, BodyTime},
        compress,
    },
    streams::Streams,
};

/// All pages. Those of the inbox are for people who have signed in, and for whom `people` lets in besides; the connect
/// pages have their own cookies.
pub(crate) fn router(
    host: Host,
    access: Authenticator,
    people: PageAccess,
    streams: Streams,
    limits: &Limits,
) -> Router {
    let time = BodyTime { base: limits.body_time, largest: host.largest_file() };
    let (phone, desk) = (people.phone(), Desk::new(host.clone(), streams));
    // No secret stands on these. The others are small, and some show one.
    let compressed = Router::new().route("/help", get(help::page)).merge(inbox::router(desk.clone()));
    let compressed = match phone {
        Some(phone) => compressed.merge(demo::router(desk, phone)),
        None => compressed,
    };
    let private = Router::new()
        .merge(compressed.layer(compress::pages()))
        .merge(channels::router(host.clone()))
        .merge(doctor::router(host.clone()))
        .merge(bot::router(host.clone()))
        .merge(inspector::router(host.clone()))
        .merge(plugins::router(host.clone()))
        .merge(settings::router(host.clone(), access.clone()));
    let private = private
        .layer(middleware::from_fn_with_state(
            Door { host: host.clone(), access: access.clone(), people },
            reader::admit,
        ))
        .layer(middleware::from_fn_with_state(host.clone(), reader::no_foreign_forms))
        .layer(middleware::from_fn_with_state(time, body::within));
    Router::new()
        .route("/", get(home))
        .merge(assets::router().layer(compress::pages()))
        .merge(private)
        .merge(sign_in::router(host.clone(), access, limits))
        .merge(connect::router(host, limits))
        .method_not_allowed_fallback(no_method)
}

async fn home() -> Response {
    see("/inbox")
}

async fn no_method(reader: Reader) -> Response {
    error::no_method(&reader)
}

/// The page for an unknown address.
pub(crate) async fn nothing_here(reader: Reader) -> Response {
    error::no_page(&reader)
}
