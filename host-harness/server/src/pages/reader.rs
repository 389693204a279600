//! Owns: who looks at a page, and how they want it: language, time zone, theme; who may look at all.
//! Does not own: signing in (`auth`).

use std::{convert::Infallible, sync::Arc};

use axum::{
    extract::{FromRequestParts, Request, State},
    http::{HeaderMap, StatusCode, header, request::Parts},
    middleware::Next,
    response::{IntoResponse as _, Response},
};

use super::{error, words::Words};
use crate::auth::PageAccess;

/// The cookies of a reader's preferences. They hold no secret and identify nobody.
const LANGUAGE: &str = "language";
const OFFSET: &str = "offset";
const THEME: &str = "theme";

/// A person who looks at a page.
#[derive(Clone)]
pub(crate) struct Reader {
    /// The words in their language.
    pub(super) words: &'static Words,
    /// Minutes east of UTC.
    pub(super) offset: i32,
    /// `light` or `dark`, if they do not want the system's.
    pub(super) theme: Option<&'static str>,
    /// Their name, as it stands on their replies.
    pub(super) name: Arc<str>,
}

impl Reader {
    fn of(headers: &HeaderMap, name: Arc<str>) -> Self {
        let theme = match cookie(headers, THEME) {
            Some("light") => Some("light"),
            Some("dark") => Some("dark"),
            _ => None,
        };
        let offset = cookie(headers, OFFSET).and_then(|minutes| minutes.parse::<i32>().ok());
        Self {
            words: Words::of(cookie(headers, LANGUAGE).unwrap_or_default()),
            offset: offset.filter(|minutes| minutes.abs() <= 14 * 60).unwrap_or(0),
            theme,
            name,
        }
    }
}

/// A cookie's value.
fn cookie<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(known, _)| *known == name).map(|(_, value)| value)
}

impl<S: Send + Sync> FromRequestParts<S> for Reader {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(match parts.extensions.get::<Self>() {
            Some(reader) => reader.clone(),
            None => Self::of(&parts.headers, "".into()),
        })
    }
}

/// Lets in who may look at the inbox.
pub(super) async fn admit(State(access): State<PageAccess>, mut request: Request, next: Next) -> Response {
    let name: Arc<str> = match access {
        PageAccess::Demo if is_of_this_machine(request.headers()) => "You".into(),
        PageAccess::Demo | PageAccess::Closed => {
            let reader = Reader::of(request.headers(), "".into());
            let (title, hint) = (&reader.words.error_closed, &reader.words.error_closed_hint);
            return error::page(&reader, StatusCode::UNAUTHORIZED, title, hint, None).into_response();
        }
    };
    let reader = Reader::of(request.headers(), name);
    request.extensions_mut().insert(reader);
    next.run(request).await
}

/// Whether the address in the browser's bar is this machine's own. A page of another site that makes its name lead
/// here is recognised by that name.
fn is_of_this_machine(headers: &HeaderMap) -> bool {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let name = host
        .rsplit_once(':')
        .map_or(host, |(name, port)| if port.bytes().all(|digit| digit.is_ascii_digit()) { name } else { host });
    matches!(name, "127.0.0.1" | "localhost" | "[::1]")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked_for(host: &str) -> bool {
        is_of_this_machine(&HeaderMap::from_iter([(header::HOST, host.parse().unwrap_or_else(|_| panic!("{host}")))]))
    }

    #[test]
    fn only_this_machine_s_own_names_open_the_demo() {
        assert!(asked_for("127.0.0.1:8080") && asked_for("localhost") && asked_for("[::1]:80"));
        assert!(!asked_for("evil.example:8080") && !asked_for("127.0.0.1.evil.example") && !asked_for(""));
    }
}
