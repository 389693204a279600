//! Owns: routes that cannot be declared without a scope, and the middleware that enforces it.
//! Does not own: who has which scope (`auth`).

use axum::{
    Router,
    extract::{MatchedPath, Request, State},
    http::{HeaderValue, Method, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse as _, Response},
    routing::MethodRouter,
};

use super::{Api, ApiError};
use crate::{
    auth::{Denied, Principal, Scope},
    middleware::{
        body::{self, BodyTime},
        browser,
    },
    problem,
};

/// Endpoints, each with the scope that a token needs for it.
#[derive(Default)]
pub(super) struct Routes(Router<Api>);

impl Routes {
    /// Adds endpoints of one path and one scope, without query parameters.
    pub(super) fn at(self, path: &str, scope: Scope, endpoints: MethodRouter<Api>) -> Self {
        self.taking(path, scope, &[], endpoints)
    }

    /// Like [`Self::at`], with query parameters. Any other parameter is rejected rather than ignored, which would be
    /// misleading.
    pub(super) fn taking(
        self,
        path: &str,
        scope: Scope,
        parameters: &'static [&'static str],
        endpoints: MethodRouter<Api>,
    ) -> Self {
        let scoped = endpoints
            .route_layer(middleware::from_fn(move |request, next| known_only(parameters, request, next)))
            .route_layer(middleware::from_fn(move |request, next| in_scope(scope, request, next)));
        Self(self.0.route(path, scoped))
    }

    pub(super) fn merge(self, other: Self) -> Self {
        Self(self.0.merge(other.0))
    }

    /// Adds endpoints that need no scope: every sender that is authenticated may use them, and those of [`OPEN`] anybody.
    pub(super) fn for_everybody(self, path: &str, endpoints: MethodRouter<Api>) -> Self {
        let endpoints = endpoints.route_layer(middleware::from_fn(|request, next| known_only(&[], request, next)));
        Self(self.0.route(path, endpoints))
    }

    /// Limits the time for receiving a body.
    pub(super) fn within(self, time: BodyTime) -> Self {
        Self(self.0.layer(middleware::from_fn_with_state(time, body::within)))
    }

    /// Answers unknown paths, unsupported methods, and bodies announced as too large.
    pub(super) fn answering_the_rest(self, largest_file: u64) -> Self {
        let rest = self.0.fallback(problem::no_such_address).method_not_allowed_fallback(problem::no_such_method);
        Self(rest.layer(middleware::from_fn(move |request, next| super::no_endless_body(largest_file, request, next))))
    }

    /// Requires authentication for all routes, and rejects requests from pages of other sites.
    pub(super) fn behind_the_lock(self, api: &Api) -> Router<Api> {
        self.0
            .layer(middleware::from_fn_with_state(api.clone(), authenticate))
            .layer(middleware::from_fn_with_state(api.host.clone(), browser::no_other_site))
    }
}

async fn authenticate(State(api): State<Api>, mut request: Request, next: Next) -> Response {
    if is_open(&request) {
        return next.run(request).await;
    }
    match api.access.authenticate(&api.host, request.method(), request.headers()).await {
        Ok(granted) => {
            tracing::Span::current().record("token", &granted.whose);
            request.extensions_mut().insert(granted);
            next.run(request).await
        }
        Err(denied) => {
            let mut answer = ApiError::from(denied).into_response();
            if answer.status() == StatusCode::UNAUTHORIZED {
                answer.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            answer
        }
    }
}

/// What people do who have not signed in yet: signing in, and accepting an invitation.
const OPEN: [(Method, &str); 2] = [(Method::POST, "/api/v1/session"), (Method::POST, "/api/v1/invitations/accept")];

fn is_open(request: &Request) -> bool {
    let path = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
    OPEN.iter().any(|(method, open)| method == request.method() && path == Some(open))
}

impl From<Denied> for ApiError {
    fn from(denied: Denied) -> Self {
        let (status, code) = match denied {
            Denied::NoToken => (StatusCode::UNAUTHORIZED, "no_token"),
            Denied::Unknown => (StatusCode::UNAUTHORIZED, "unknown_token"),
            Denied::Expired => (StatusCode::UNAUTHORIZED, "expired_token"),
            Denied::SignedOut => (StatusCode::UNAUTHORIZED, "signed_out"),
            Denied::OtherOrigin => (StatusCode::FORBIDDEN, "other_origin"),
            Denied::NoWorkspace => (StatusCode::NOT_FOUND, "no_such_workspace"),
            Denied::Inbox(error) => return error.into(),
        };
        Self::new(status, code, denied.to_string())
    }
}

async fn known_only(parameters: &'static [&'static str], request: Request, next: Next) -> Response {
    let given = request.uri().query().unwrap_or_default();
    let mut seen = Vec::new();
    for (name, _) in url::form_urlencoded::parse(given.as_bytes()) {
        let problem = if !parameters.contains(&&*name) {
            "does not exist here"
        } else if seen.contains(&name) {
            "is given twice"
        } else {
            seen.push(name);
            continue;
        };
        let known = match parameters {
            [] => "this address takes none".to_owned(),
            known => format!("this address takes `{}`", known.join("`, `")),
        };
        let name: String = name.chars().filter(|letter| !letter.is_control()).take(40).collect();
        let sentence = format!("the parameter `{name}` {problem}: {known}");
        return ApiError::bad("bad_parameter", sentence).at(name).into_response();
    }
    next.run(request).await
}

async fn in_scope(scope: Scope, request: Request, next: Next) -> Response {
    let granted = request.extensions().get::<Principal>().ok_or_else(|| Denied::NoToken.to_string());
    match granted.and_then(|granted| granted.requires(scope)) {
        Ok(()) => next.run(request).await,
        Err(sentence) => ApiError::new(StatusCode::FORBIDDEN, "scope_missing", sentence).into_response(),
    }
}
