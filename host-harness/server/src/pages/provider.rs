//! Owns: going to an identity provider and coming back from it, and what is told when that fails.
//! Does not own: what is exchanged with it and who is let in (`auth`), the page with its button (`sign_in`).

use axum::{
    extract::{
        Path, Query, State,
        rejection::{PathRejection, QueryRejection},
    },
    http::{HeaderMap, StatusCode},
    response::Response,
};
use harness_contract::text::shown;

use super::{
    reader::Reader,
    sign_in::{Asked, Door, next, see},
    words::{Words, fill},
};
use crate::auth::{Arrived, Cookie, ProviderError};

/// Sends the browser to the provider.
pub(super) async fn start(
    State(door): State<Door>,
    reader: Reader,
    provider: Result<Path<String>, PathRejection>,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Response {
    let provider = provider.map(|Path(id)| id).unwrap_or_default();
    let asked = asked.map(|Query(asked)| asked).unwrap_or_default();
    let next = next(asked.next.as_deref());
    match door.access.ways().start(&door.host, &provider, next).await {
        Ok(started) => {
            let cookie = Cookie::SignIn.set(&door.host, &started.cookie);
            see(started.url.as_str(), cookie.into_iter().collect())
        }
        Err(error) => door.failed(&reader, &provider, &error),
    }
}

/// Where the provider sends the browser back to.
pub(super) async fn callback(
    State(door): State<Door>,
    reader: Reader,
    provider: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    arrived: Result<Query<Arrived>, QueryRejection>,
) -> Response {
    let provider = provider.map(|Path(id)| id).unwrap_or_default();
    // Something given twice is nothing: it fits no sign-in that was begun.
    let arrived = arrived.map(|Query(arrived)| arrived).unwrap_or_default();
    match door.access.arrive(&door.host, &provider, arrived, &headers).await {
        Ok((begun, wanted)) => {
            let cookies = begun.cookies.into_iter().chain(Cookie::SignIn.removed(&door.host));
            see(next(Some(&wanted)), cookies.collect())
        }
        Err(error) => door.failed(&reader, &provider, &error),
    }
}

impl Door {
    fn failed(&self, reader: &Reader, provider: &str, error: &ProviderError) -> Response {
        let name = self.access.ways().names().find(|(id, _)| *id == provider).map_or("", |(_, name)| name);
        let (status, sentence) = told(reader.words, name, error);
        if status.is_server_error() {
            tracing::error!(provider, %error, "somebody could not sign in at an identity provider");
        } else {
            tracing::info!(provider = %shown(provider), %error, "somebody could not sign in at an identity provider");
        }
        self.page(reader, status, "", "/", Some(&sentence))
    }
}

/// The status and the sentence for a person.
fn told(words: &Words, name: &str, error: &ProviderError) -> (StatusCode, String) {
    let (status, sentence, email, reason) = match error {
        ProviderError::Unknown => (StatusCode::NOT_FOUND, &words.provider_unknown, "", ""),
        ProviderError::NotBegunHere => (StatusCode::BAD_REQUEST, &words.provider_begin_again, "", ""),
        ProviderError::OtherIssuer | ProviderError::Token(_) => {
            (StatusCode::BAD_GATEWAY, &words.provider_not_trusted, "", "")
        }
        ProviderError::Refused(reason) if reason == "access_denied" => {
            (StatusCode::FORBIDDEN, &words.provider_cancelled, "", "")
        }
        ProviderError::Refused(reason) => (StatusCode::FORBIDDEN, &words.provider_refused, "", reason.as_str()),
        ProviderError::Unreachable(_) | ProviderError::Status { .. } | ProviderError::Answer { .. } => {
            (StatusCode::BAD_GATEWAY, &words.provider_away, "", "")
        }
        ProviderError::NoEmail => (StatusCode::FORBIDDEN, &words.provider_no_email, "", ""),
        ProviderError::Unverified => (StatusCode::FORBIDDEN, &words.provider_unverified, "", ""),
        ProviderError::NotInvited(email) => (StatusCode::FORBIDDEN, &words.provider_not_invited, email.as_str(), ""),
        ProviderError::OtherIdentity(email) => {
            (StatusCode::FORBIDDEN, &words.provider_other_identity, email.as_str(), "")
        }
        ProviderError::Disabled => (StatusCode::FORBIDDEN, &words.provider_disabled, "", ""),
        ProviderError::Inbox(_) | ProviderError::Random(_) | ProviderError::NoAddress(_) => {
            (StatusCode::INTERNAL_SERVER_ERROR, &words.sign_in_ours, "", "")
        }
    };
    (status, fill(sentence, &[("name", name), ("email", email), ("reason", reason)]))
}
