//! Owns: the pages on which people sign in and out, and the sentences for those who cannot.
//! Does not own: signing in (`auth`), invitations (`invitation`), providers (`provider`), the frame of a page.

use axum::{
    Form, Router,
    extract::{
        DefaultBodyLimit, Query, State,
        rejection::{FormRejection, QueryRejection},
    },
    http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header},
    middleware,
    response::{AppendHeaders, IntoResponse as _, Response},
    routing::{get, post},
};
use harness_engine::{Host, Secret};
use harness_inbox::InboxError;
use maud::{Markup, html};
use serde::Deserialize;

use super::{
    error, invitation, layout,
    parts::icon,
    provider,
    reader::{self, Reader},
    redirect,
    words::{Words, count, fill},
};
use crate::{
    auth::{Authenticator, Begun, Cookie, PasswordError, SignInError, Who, peer_of},
    listener::Limits,
    middleware::{
        body::{self, BodyTime},
        peer::Peer,
    },
};

/// Maximum size of a form, in bytes.
const MAX_FORM: usize = 8 << 10;
/// The longest address to go to after signing in, in bytes.
const MAX_NEXT: usize = 500;

#[derive(Clone)]
pub(super) struct Door {
    pub(super) host: Host,
    pub(super) access: Authenticator,
}

/// `/sign-in`, `/sign-in/{provider}`, `/sign-out` and `/invitations/{secret}`.
pub(crate) fn router(host: Host, access: Authenticator, limits: &Limits) -> Router {
    let time = BodyTime { base: limits.body_time, largest: 0 };
    Router::new()
        .route("/sign-in", get(form).post(sign_in))
        .route("/sign-out", post(sign_out))
        .route("/sign-in/{provider}", get(provider::start))
        .route("/sign-in/{provider}/callback", get(provider::callback))
        .route("/invitations/{secret}", get(invitation::show).post(invitation::accept))
        .layer(DefaultBodyLimit::max(MAX_FORM))
        .layer(middleware::from_fn_with_state(host.clone(), reader::no_foreign_forms))
        .layer(middleware::from_fn_with_state(time, body::within))
        .with_state(Door { host, access })
}

/// Where to go after signing in: an address of this host, and nothing that a browser could take for another one.
pub(super) fn next(wanted: Option<&str>) -> &str {
    let plain = |text: &&str| {
        let mut bytes = text.bytes();
        bytes.next() == Some(b'/')
            && !matches!(bytes.next(), Some(b'/' | b'\\'))
            && text.len() <= MAX_NEXT
            && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\')
    };
    wanted.filter(plain).unwrap_or("/")
}

/// Sends somebody who has not signed in to do so, and back to the page that they wanted.
pub(super) fn first(method: &Method, wanted: &Uri) -> Response {
    let wanted = wanted.path_and_query().map_or("/", |wanted| wanted.as_str());
    // A form is not sent again: it is another request by then.
    let wanted = if *method == Method::GET { next(Some(wanted)) } else { "/" };
    see(&format!("/sign-in?{}", with_next(wanted)), Vec::new())
}

/// A page outside of the inbox's frame.
pub(super) fn solo(reader: &Reader, status: StatusCode, title: &str, content: &Markup) -> Response {
    let body = html! {
        body {
            div.solo {
                main.stack.wide id="main" tabindex="-1" {
                    div.stack { (layout::sign(44)) h1 { (title) } }
                    (content)
                }
            }
        }
    };
    layout::document(reader, status, title, &body)
}

/// What went wrong, beside what may be tried instead.
pub(super) fn trouble(sentence: &str) -> Markup {
    html! { div.callout data-tone="fail" role="alert" id="problem" { (icon("stop")) div { (sentence) } } }
}

/// Sends a browser on with these cookies.
pub(super) fn see(place: &str, cookies: Vec<HeaderValue>) -> Response {
    let cookies = AppendHeaders(cookies.into_iter().map(|cookie| (header::SET_COOKIE, cookie)));
    (cookies, redirect::see(place)).into_response()
}

/// Where somebody wants to go after signing in.
#[derive(Default, Deserialize)]
pub(super) struct Asked {
    pub(super) next: Option<String>,
}

async fn form(
    State(door): State<Door>,
    reader: Reader,
    asked: Result<Query<Asked>, QueryRejection>,
    headers: HeaderMap,
) -> Response {
    let asked = asked.map(|Query(asked)| asked).unwrap_or_default();
    let next = next(asked.next.as_deref());
    match door.access.authenticate(&door.host, &Method::GET, &headers).await {
        Ok(principal) if matches!(principal.who, Who::User { .. }) => see(next, Vec::new()),
        _ => door.page(&reader, StatusCode::OK, "", next, None),
    }
}

impl Door {
    /// The page on which people sign in, with what went wrong before.
    pub(super) fn page(
        &self,
        reader: &Reader,
        status: StatusCode,
        email: &str,
        next: &str,
        problem: Option<&str>,
    ) -> Response {
        let words = reader.words;
        let has_password = self.access.ways().password;
        let content = html! {
            @if let Some(problem) = problem { (trouble(problem)) }
            (self.providers(words, next))
            @if has_password {
                form.panel.stack method="post" action="/sign-in" {
                    input type="hidden" name="next" value=(next);
                    div.field {
                        label for="email" { (words.email_address) }
                        input.input id="email" name="email" type="email" autocomplete="username" required value=(email)
                            aria-describedby=[problem.map(|_| "problem")];
                    }
                    div.field {
                        label for="password" { (words.password) }
                        input.input id="password" name="password" type="password" autocomplete="current-password" required;
                    }
                    button.btn.primary type="submit" { (words.sign_in) }
                }
            }
            p.small.muted { @if has_password { (words.forgotten) " " } (words.no_account) }
        };
        solo(reader, status, &words.sign_in, &content)
    }

    /// The buttons of the identity providers.
    pub(super) fn providers(&self, words: &Words, next: &str) -> Markup {
        let ways = self.access.ways();
        let names: Vec<_> = ways.names().collect();
        html! {
            @if !names.is_empty() {
                div.stack {
                    @for (id, name) in names {
                        a.btn.primary[!ways.password] href={ "/sign-in/" (id) "?" (with_next(next)) } {
                            (fill(&words.continue_with, &[("name", name)]))
                        }
                    }
                }
                @if ways.password { p.small.muted { (words.or_with_password) } }
            }
        }
    }
}

fn with_next(next: &str) -> String {
    url::form_urlencoded::Serializer::new(String::new()).append_pair("next", next).finish()
}

#[derive(Deserialize)]
struct SignIn {
    email: String,
    password: String,
    next: Option<String>,
}

async fn sign_in(
    State(door): State<Door>,
    reader: Reader,
    Peer(peer): Peer,
    headers: HeaderMap,
    form: Result<Form<SignIn>, FormRejection>,
) -> Response {
    let Ok(Form(form)) = form else {
        return door.page(&reader, StatusCode::BAD_REQUEST, "", "/", Some(&reader.words.fill_in_both));
    };
    let next = next(form.next.as_deref());
    let password = Secret::new(form.password.into_bytes());
    match door.access.sign_in(&door.host, &form.email, password, &headers, peer_of(peer)).await {
        Ok(Begun { cookies, .. }) => see(next, cookies),
        Err(error) => {
            let (status, sentence) = told(reader.words, &error);
            // What was typed in is shown again, so that a mistake in it is seen; the password is not.
            let email: String = form.email.chars().take(254).collect();
            with_wait(door.page(&reader, status, &email, next, Some(&sentence)), &error)
        }
    }
}

/// The status and the sentence for a person.
pub(super) fn told(words: &Words, error: &SignInError) -> (StatusCode, String) {
    let (status, sentence) = match error {
        SignInError::Wrong => (StatusCode::UNAUTHORIZED, &words.sign_in_wrong),
        SignInError::TooMany(wait) => {
            return (StatusCode::TOO_MANY_REQUESTS, count(&words.sign_in_held_up, wait.as_secs().max(1)));
        }
        SignInError::NoInvitation => (StatusCode::NOT_FOUND, &words.invitation_gone),
        SignInError::NoPasswords => (StatusCode::FORBIDDEN, &words.no_passwords),
        SignInError::BadPassword(why) => {
            let sentence = match why {
                PasswordError::TooLong => &words.password_too_long,
                PasswordError::TooEasy => &words.password_too_easy,
                _ => &words.password_too_short,
            };
            (StatusCode::UNPROCESSABLE_ENTITY, sentence)
        }
        SignInError::Busy(_) => (StatusCode::SERVICE_UNAVAILABLE, &words.sign_in_busy),
        SignInError::Inbox(InboxError::EmailTaken) => (StatusCode::CONFLICT, &words.email_taken),
        error => {
            tracing::error!(%error, "somebody could not sign in");
            (StatusCode::INTERNAL_SERVER_ERROR, &words.sign_in_ours)
        }
    };
    (status, sentence.to_string())
}

fn with_wait(mut answer: Response, error: &SignInError) -> Response {
    if let SignInError::TooMany(wait) = error {
        answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(wait.as_secs().max(1)));
    }
    answer
}

/// Ends the session of this browser. Without one it is done already.
async fn sign_out(State(door): State<Door>, reader: Reader, headers: HeaderMap) -> Response {
    if let Ok(principal) = door.access.authenticate(&door.host, &Method::POST, &headers).await
        && let Who::User { session, .. } = principal.who
        && let Err(error) = door.host.users().end_session(session).await
    {
        return error::failed(&reader, &error.into());
    }
    see("/sign-in", Cookie::Session.removed(&door.host).into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_signing_in_nobody_is_sent_to_another_host() {
        assert_eq!(next(Some("/inbox?state=open&q=%2F")), "/inbox?state=open&q=%2F");
        for elsewhere in [
            "",
            "//evil.example",
            "/\\evil.example",
            "https://evil.example",
            "javascript:alert(1)",
            "/a\nb",
            "/a\\b",
            "inbox",
        ] {
            assert_eq!(next(Some(elsewhere)), "/", "{elsewhere:?}");
        }
        assert_eq!(next(None), "/");
    }
}
