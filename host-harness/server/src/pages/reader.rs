//! Owns: who looks at a page, and how they want it: language, time zone, theme; who may look at all.
//! Does not own: signing in (`auth`).

use std::{convert::Infallible, sync::Arc};

use axum::{
    extract::{FromRequestParts, Request, State},
    http::{HeaderMap, StatusCode, header, request::Parts},
    middleware::Next,
    response::Response,
};
use harness_engine::Host;
use harness_inbox::{InboxError, Role, UserId, WorkspaceId};

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
    /// Their row; `None` for a visitor of the demo before it has people.
    pub(super) user: Option<UserId>,
    /// Whether they may change accounts and the bot.
    pub(super) is_admin: bool,
    /// Whether the demo's phone is there.
    pub(super) has_demo: bool,
    /// Whose conversations they see.
    pub(super) workspace: WorkspaceId,
}

impl Reader {
    /// Somebody who has not been let in.
    fn of(headers: &HeaderMap) -> Self {
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
            name: "".into(),
            user: None,
            is_admin: false,
            has_demo: false,
            workspace: WorkspaceId::FIRST,
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
            None => Self::of(&parts.headers),
        })
    }
}

/// Lets in who may look at the inbox.
pub(super) async fn admit(State(door): State<Door>, mut request: Request, next: Next) -> Response {
    let stranger = Reader::of(request.headers());
    let reader = match &door.access {
        PageAccess::Demo(_) if is_of_this_machine(request.headers()) => match visitor(&door.host, stranger.clone()).await {
            Ok(reader) => reader,
            Err(error) => return error::failed(&stranger, &error.into()),
        },
        PageAccess::Demo(_) | PageAccess::Closed => {
            let (title, hint) = (&stranger.words.error_closed, &stranger.words.error_closed_hint);
            return error::page(&stranger, StatusCode::UNAUTHORIZED, title, hint, None);
        }
    };
    let has_demo = door.access.phone().is_some();
    request.extensions_mut().insert(Reader { has_demo, ..reader });
    next.run(request).await
}

/// What letting people in needs.
#[derive(Clone)]
pub(super) struct Door {
    pub(super) access: PageAccess,
    pub(super) host: Host,
}

/// Whoever visits the demo is the first of its people.
async fn visitor(host: &Host, stranger: Reader) -> Result<Reader, InboxError> {
    let people = host.inbox().users(stranger.workspace).await?;
    Ok(match people.into_iter().find(|user| user.disabled_at.is_none()) {
        Some(user) => Reader { is_admin: user.role == Role::Admin, name: user.name.into(), user: Some(user.id), ..stranger },
        None => Reader { is_admin: true, name: stranger.words.myself.as_ref().into(), ..stranger },
    })
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
