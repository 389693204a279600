//! Owns: routes that cannot be declared without a scope and a description, and the middleware that enforces both.
//! Does not own: who has which scope (`auth`).

use std::sync::Arc;

use axum::{
    Router,
    extract::{DefaultBodyLimit, MatchedPath, Request, State},
    http::{HeaderValue, Method, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse as _, Response},
};
use utoipa::openapi::{
    HttpMethod, PathItem, RefOr,
    path::{Operation, ParameterIn},
    security::SecurityRequirement,
};
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter};

use super::{Api, ApiError, openapi, reference};
use crate::{
    auth::{Denied, Principal, Scope},
    middleware::{
        body::{self, BodyTime},
        browser,
    },
    problem,
};

/// Endpoints, each with the scope that a token needs for it, and their description.
#[derive(Default)]
pub(super) struct Routes(OpenApiRouter<Api>);

/// The query parameters that an operation of a path takes.
type Parameters = Arc<[(HttpMethod, Vec<String>)]>;

impl Routes {
    /// Adds endpoints of one path and one scope. A query parameter that their description does not have is rejected
    /// rather than ignored, which would be misleading.
    pub(super) fn at(self, scope: Scope, (schemas, paths, endpoints): UtoipaMethodRouter<Api>) -> Self {
        self.with(Some(scope), (schemas, paths, endpoints))
    }

    /// Adds endpoints that need no scope: every sender that is authenticated may use them, and those of [`OPEN`] anybody.
    pub(super) fn for_everybody(self, endpoints: UtoipaMethodRouter<Api>) -> Self {
        self.with(None, endpoints)
    }

    fn with(self, scope: Option<Scope>, (schemas, mut paths, endpoints): UtoipaMethodRouter<Api>) -> Self {
        let mut parameters = Vec::new();
        let described =
            paths.paths.iter_mut().flat_map(|(path, item)| operations(item).map(move |one| (path.clone(), one)));
        for (path, (method, operation)) in described {
            let all = operation.parameters.iter().flatten();
            let named = all.filter_map(|one| match one {
                RefOr::T(one) if one.parameter_in == ParameterIn::Query => Some(one.name.clone()),
                _ => None,
            });
            let named = named.collect();
            operation.security = Some(match scope {
                Some(scope) => vec![
                    SecurityRequirement::new("token", [scope.name()]),
                    SecurityRequirement::new("session", [scope.name()]),
                ],
                None if OPEN.iter().any(|(open, at)| is(&method, open) && *at == format!("/api/v1{path}")) => {
                    Vec::new()
                }
                None => vec![SecurityRequirement::new("token", [""; 0]), SecurityRequirement::new("session", [""; 0])],
            });
            parameters.push((method, named));
        }
        let parameters = Parameters::from(parameters);
        let scoped = endpoints
            .route_layer(middleware::from_fn(move |request, next| known_only(Arc::clone(&parameters), request, next)));
        let scoped = match scope {
            Some(scope) => scoped.route_layer(middleware::from_fn(move |request, next| in_scope(scope, request, next))),
            None => scoped,
        };
        Self(self.0.routes((schemas, paths, scoped)))
    }

    pub(super) fn merge(self, other: Self) -> Self {
        Self(self.0.merge(other.0))
    }

    /// Requires authentication for all routes, answers the rest of the addresses, and puts them below `/api/v1`. Beside them
    /// stand their description and the page of it, which anybody may read.
    pub(super) fn finished(self, api: &Api, time: BodyTime) -> Router {
        let largest_file = api.host.largest_file();
        let (router, description) = self.0.split_for_parts();
        let document = openapi::document(&description);
        let router = router
            .layer(middleware::from_fn_with_state(time, body::within))
            .fallback(problem::no_such_address)
            .method_not_allowed_fallback(problem::no_such_method)
            .layer(middleware::from_fn(move |request, next| super::no_endless_body(largest_file, request, next)))
            .layer(DefaultBodyLimit::max(super::MAX_BODY))
            .layer(middleware::from_fn_with_state(api.clone(), authenticate))
            .layer(middleware::from_fn_with_state(api.host.clone(), browser::no_other_site))
            .with_state(api.clone());
        Router::new().nest("/api/v1", router).merge(openapi::router(&document)).merge(reference::router(&document))
    }
}

/// Requires authentication for one route that is not part of the API.
pub(super) fn behind_the_lock(router: Router<Api>, scope: Scope, api: &Api) -> Router<Api> {
    router
        .route_layer(middleware::from_fn(|request, next| known_only(Parameters::default(), request, next)))
        .route_layer(middleware::from_fn(move |request, next| in_scope(scope, request, next)))
        .layer(middleware::from_fn_with_state(api.clone(), authenticate))
        .layer(middleware::from_fn_with_state(api.host.clone(), browser::no_other_site))
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = (HttpMethod, &mut Operation)> {
    let PathItem { get, put, post, delete, patch, .. } = item;
    let all = [
        (HttpMethod::Get, get),
        (HttpMethod::Put, put),
        (HttpMethod::Post, post),
        (HttpMethod::Delete, delete),
        (HttpMethod::Patch, patch),
    ];
    all.into_iter().filter_map(|(method, operation)| Some((method, operation.as_mut()?)))
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

fn is(described: &HttpMethod, method: &Method) -> bool {
    matches!(
        (described, method.as_str()),
        // A route that takes GET takes HEAD too.
        (HttpMethod::Get, "GET" | "HEAD")
            | (HttpMethod::Put, "PUT")
            | (HttpMethod::Post, "POST")
            | (HttpMethod::Delete, "DELETE")
            | (HttpMethod::Patch, "PATCH")
    )
}

async fn known_only(parameters: Parameters, request: Request, next: Next) -> Response {
    let of_method = parameters.iter().find(|(method, _)| is(method, request.method()));
    let parameters = of_method.map(|(_, known)| known.as_slice()).unwrap_or_default();
    let given = request.uri().query().unwrap_or_default();
    let mut seen = Vec::new();
    for (name, _) in url::form_urlencoded::parse(given.as_bytes()) {
        let problem = if !parameters.iter().any(|known| *known == name) {
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
