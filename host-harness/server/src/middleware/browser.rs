//! Owns: security headers for browsers, and rejecting cross-site requests.
//! Does not own: authentication (`auth`).

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse as _, Response},
};

use crate::problem::Problem;
use harness_engine::Host;

const FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const OTHER_SITE: &str = "this was asked by a page of another site: open this host's own page, or ask from a program";
/// Policy for answers that are not pages: nothing may be run, loaded or framed.
const NOTHING: &str = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

/// Adds headers to every answer, unless the endpoint has set its own.
pub(crate) async fn headers(mut answer: Response) -> Response {
    let given = answer.headers_mut();
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CONTENT_SECURITY_POLICY, NOTHING),
        // Part of the policy too; this is for browsers that do not support it.
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ] {
        given.entry(name).or_insert(HeaderValue::from_static(value));
    }
    answer
}

/// Rejects all cross-site requests to the API, whatever the method: reading can have effects there too.
pub(crate) async fn no_other_site(State(host): State<Host>, request: Request, next: Next) -> Response {
    if is_of_another_site(&host, request.headers()) {
        return Problem::new(StatusCode::FORBIDDEN, "other_site", OTHER_SITE).into_response();
    }
    next.run(request).await
}

/// Whether the browser says that the request comes from a page of this very host. A program says nothing.
pub(crate) fn is_of_this_host(host: &Host, headers: &HeaderMap) -> bool {
    let says = headers.get(FETCH_SITE).is_some_and(|site| site == "same-origin")
        || (headers.get(FETCH_SITE).is_none() && headers.get(header::ORIGIN).is_some());
    says && !is_of_another_site(host, headers)
}

/// Whether the browser marks the request as cross-site. Older browsers send only `Origin`; programs send neither
/// header.
pub(crate) fn is_of_another_site(host: &Host, headers: &HeaderMap) -> bool {
    if let Some(site) = headers.get(FETCH_SITE) {
        return site != "same-origin" && site != "none";
    }
    let Some(origin) = headers.get(header::ORIGIN) else { return false };
    let Ok(origin) = origin.to_str() else { return true };
    let authority = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
    let asked = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let public = || host.public_origin().is_some_and(|public| public == origin);
    !(authority.is_some() && authority == asked || public())
}
