//! Owns: who looks at a page, and how they want it: language, time zone, theme; who may look at all.
//! Does not own: signing in (`auth`).

use std::{convert::Infallible, sync::Arc};

use axum::{
    extract::{FromRequestParts, Request, State},
    http::{HeaderMap, Method, StatusCode, header, request::Parts},
    middleware::Next,
    response::{IntoResponse as _, Response},
};

use harness_engine::Host;
use harness_inbox::{InboxError, PublicId, Row, UserId, WorkspaceId};

use super::{error, look::Look, sign_in, words::Words};
use crate::{
    auth::{Authenticator, Denied, PageAccess, Principal, Scope, Who},
    middleware::browser,
};

/// The cookies of a reader's preferences. They hold no secret and identify nobody.
const LANGUAGE: &str = "language";
const OFFSET: &str = "offset";
/// The query of a page that follows a form whose work is done.
const DONE: &str = "done";

/// A person who looks at a page.
#[derive(Clone)]
pub(crate) struct Reader {
    /// The words in their language.
    pub(super) words: &'static Words,
    /// Minutes east of UTC.
    pub(super) offset: i32,
    /// How they want the pages to look and behave.
    pub(super) look: Look,
    /// Whether the form that they sent before did what it was for.
    pub(super) is_done: bool,
    /// Their name, as it stands on their replies.
    pub(super) name: Arc<str>,
    /// Their workspace. Nothing of another one exists for them.
    pub(super) workspace: WorkspaceId,
    /// Who they are; `None` in a demo without people.
    pub(super) user: Option<UserId>,
    /// SHA-256 of their session's cookie; `None` in a demo without signing in.
    pub(super) session: Option<[u8; 32]>,
    /// Whether they may change accounts and the bot.
    pub(super) is_admin: bool,
    /// Whether they answer for the whole host: an admin where there is one workspace. What the platforms sent may be about
    /// several, so that with more than one it is for the operator alone.
    pub(super) is_of_host: bool,
    /// Whether the demo's phone is there.
    pub(super) has_demo: bool,
}

impl Reader {
    /// Whether a row is of their workspace.
    pub(super) async fn owns(&self, host: &Host, row: impl Into<Row>) -> Result<bool, InboxError> {
        Ok(host.inbox().workspace_of(row.into()).await? == Some(self.workspace))
    }

    /// The row that an address or a form names, if it is of their workspace: otherwise the page that says it is not there.
    pub(super) async fn row<T: PublicId + Into<Row>>(&self, host: &Host, id: &str) -> Result<T, Response> {
        let Ok(id) = T::from_public(id) else { return Err(error::no_page(self)) };
        match self.owns(host, id).await {
            Ok(true) => Ok(id),
            Ok(false) => Err(error::no_page(self)),
            Err(failed) => Err(error::failed(self, &failed.into())),
        }
    }

    /// Somebody who has not been let in.
    fn of(headers: &HeaderMap) -> Self {
        let offset = cookie(headers, OFFSET).and_then(|minutes| minutes.parse::<i32>().ok());
        Self {
            words: Words::of(cookie(headers, LANGUAGE).unwrap_or_default()),
            offset: offset.filter(|minutes| minutes.abs() <= 14 * 60).unwrap_or(0),
            look: Look::of(|name| cookie(headers, name)),
            is_done: false,
            name: "".into(),
            workspace: WorkspaceId::FIRST,
            user: None,
            session: None,
            is_admin: false,
            is_of_host: false,
            has_demo: false,
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

/// What decides who may look at the inbox.
#[derive(Clone)]
pub(super) struct Door {
    pub(super) host: Host,
    pub(super) access: Authenticator,
    pub(super) people: PageAccess,
}

impl Door {
    /// Who asks, and as whom they have signed in; `None` if they have to.
    async fn reader(
        &self,
        method: &Method,
        headers: &HeaderMap,
    ) -> Result<Option<(Reader, Option<Principal>)>, Denied> {
        match self.access.authenticate(&self.host, method, headers).await {
            Ok(principal) if matches!(principal.who, Who::User { .. }) => {
                let is_admin = principal.has(Scope::Admin);
                let Who::User { id, name, session } = &principal.who else { return Ok(None) };
                let (user, session, name) = (Some(*id), Some(*session), name.as_str().into());
                let workspace = principal.workspace;
                let reader = Reader { workspace, user, session, name, is_admin, ..Reader::of(headers) };
                Ok(Some((reader, Some(principal))))
            }
            Err(error @ (Denied::OtherOrigin | Denied::Inbox(_))) => Err(error),
            // Tokens are for programs, which read the API.
            Ok(_) | Err(_) if self.people.is_demo() && is_of_this_machine(headers) => {
                Ok(Some((self.visitor(Reader::of(headers)).await?, None)))
            }
            Ok(_) | Err(_) => Ok(None),
        }
    }

    /// Whoever visits the demo is the first of its people.
    async fn visitor(&self, stranger: Reader) -> Result<Reader, InboxError> {
        let people = self.host.inbox().users(stranger.workspace).await?;
        let stranger = Reader { is_admin: true, ..stranger };
        Ok(match people.into_iter().find(|user| user.disabled_at.is_none()) {
            Some(user) => Reader { name: user.name.into(), user: Some(user.id), ..stranger },
            None => Reader { name: stranger.words.myself.as_ref().into(), ..stranger },
        })
    }
}

/// Lets in who may look at the inbox. Which rows they see is up to the pages (`inbox::here`).
pub(super) async fn admit(State(door): State<Door>, mut request: Request, next: Next) -> Response {
    let (reader, principal) = match door.reader(request.method(), request.headers()).await {
        Ok(Some(known)) => known,
        Ok(None) => return sign_in::first(request.method(), request.uri()),
        Err(denied) => {
            let reader = Reader::of(request.headers());
            let (title, hint) = (&reader.words.error_closed, &reader.words.error_closed_hint);
            if matches!(denied, Denied::Inbox(_)) {
                tracing::error!(%denied, "a page could not be answered");
            }
            return error::page(&reader, StatusCode::FORBIDDEN, title, hint).into_response();
        }
    };
    let has_demo = door.people.phone().is_some();
    let is_alone = async || matches!(door.host.inbox().workspaces().await, Ok(all) if all.len() == 1);
    let is_of_host = reader.is_admin && is_alone().await;
    let is_done = request.uri().query() == Some(DONE);
    request.extensions_mut().insert(Reader { has_demo, is_of_host, is_done, ..reader });
    if let Some(principal) = principal {
        request.extensions_mut().insert(principal);
    }
    next.run(request).await
}

/// Rejects forms of other sites. Links from other sites are allowed: platforms send people back that way.
pub(super) async fn no_foreign_forms(
    State(host): State<Host>,
    reader: Reader,
    request: Request,
    next: Next,
) -> Response {
    let changes = !matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    if changes && browser::is_of_another_site(&host, request.headers()) {
        return error::other_site(&reader);
    }
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
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    fn asked_for(host: &str) -> bool {
        is_of_this_machine(&HeaderMap::from_iter([(header::HOST, host.parse().unwrap())]))
    }

    #[test]
    fn only_this_machine_s_own_names_open_the_demo() {
        assert!(asked_for("127.0.0.1:8080") && asked_for("localhost") && asked_for("[::1]:80"));
        assert!(!asked_for("evil.example:8080") && !asked_for("127.0.0.1.evil.example") && !asked_for(""));
    }
}
