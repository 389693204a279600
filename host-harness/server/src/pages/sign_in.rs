//! Owns: the pages on which people sign in, accept an invitation and sign out.
//! Does not own: signing in (`auth`), the frame of a page.

use axum::{
    Form, Router,
    extract::{
        DefaultBodyLimit, Path, Query, State,
        rejection::{FormRejection, PathRejection, QueryRejection},
    },
    http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header},
    middleware,
    response::{AppendHeaders, IntoResponse as _, Response},
    routing::{get, post},
};
use harness_engine::{Host, Secret};
use harness_inbox::InvitationView;
use maud::{Markup, html};
use serde::Deserialize;

use super::{
    error, layout,
    reader::{self, Reader},
};
use crate::{
    auth::{Authenticator, Begun, Cookie, SignInError, Who, name_of, peer_of},
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
struct Door {
    host: Host,
    access: Authenticator,
}

/// `/sign-in`, `/sign-out` and `/invitations/{secret}`.
pub(crate) fn router(host: Host, access: Authenticator, limits: &Limits) -> Router {
    let time = BodyTime { base: limits.body_time, largest: 0 };
    Router::new()
        .route("/sign-in", get(form).post(sign_in))
        .route("/sign-out", post(sign_out))
        .route("/invitations/{secret}", get(invitation).post(accept))
        .layer(DefaultBodyLimit::max(MAX_FORM))
        .layer(middleware::from_fn_with_state(host.clone(), reader::no_foreign_forms))
        .layer(middleware::from_fn_with_state(time, body::within))
        .with_state(Door { host, access })
}

/// Where to go after signing in: an address of this host, and nothing that a browser could take for another one.
fn next(wanted: Option<&str>) -> &str {
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
    let query = url::form_urlencoded::Serializer::new(String::new()).append_pair("next", wanted).finish();
    see(&format!("/sign-in?{query}"), Vec::new())
}

/// A page outside of the inbox's frame.
fn solo(reader: &Reader, status: StatusCode, title: &str, content: &Markup) -> Response {
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

fn see(place: &str, cookies: Vec<HeaderValue>) -> Response {
    let place = HeaderValue::from_str(place).unwrap_or(HeaderValue::from_static("/"));
    let cookies = AppendHeaders(cookies.into_iter().map(|cookie| (header::SET_COOKIE, cookie)));
    (StatusCode::SEE_OTHER, [(header::LOCATION, place)], cookies).into_response()
}

#[derive(Default, Deserialize)]
struct Asked {
    next: Option<String>,
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
        _ => sign_in_page(&reader, StatusCode::OK, "", next, None),
    }
}

fn sign_in_page(reader: &Reader, status: StatusCode, email: &str, next: &str, problem: Option<&str>) -> Response {
    let content = html! {
        @if let Some(problem) = problem { p.notice.bad role="alert" id="problem" { (problem) } }
        form.panel.stack method="post" action="/sign-in" {
            input type="hidden" name="next" value=(next);
            div.field {
                label for="email" { "Email address" }
                input.input id="email" name="email" type="email" autocomplete="username" required value=(email)
                    aria-describedby=[problem.map(|_| "problem")];
            }
            div.field {
                label for="password" { "Password" }
                input.input id="password" name="password" type="password" autocomplete="current-password" required;
            }
            button.btn.primary type="submit" { "Sign in" }
        }
        p.small.muted {
            "Forgotten your password? An admin of your team can send you a new link. No account yet? Ask for an invitation."
        }
    };
    solo(reader, status, "Sign in", &content)
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
        return sign_in_page(&reader, StatusCode::BAD_REQUEST, "", "/", Some("Fill in both fields."));
    };
    let next = next(form.next.as_deref());
    let password = Secret::new(form.password.into_bytes());
    match door.access.sign_in(&door.host, &form.email, password, &headers, peer_of(peer)).await {
        Ok(Begun { cookies, .. }) => see(next, cookies),
        Err(error) => {
            let (status, sentence) = told(&error);
            // What was typed in is shown again, so that a mistake in it is seen; the password is not.
            let email: String = form.email.chars().take(254).collect();
            with_wait(sign_in_page(&reader, status, &email, next, Some(&sentence)), &error)
        }
    }
}

/// The status and the sentence for a person.
fn told(error: &SignInError) -> (StatusCode, String) {
    let status = match error {
        SignInError::Wrong => StatusCode::UNAUTHORIZED,
        SignInError::TooMany(_) => StatusCode::TOO_MANY_REQUESTS,
        SignInError::NoInvitation => StatusCode::NOT_FOUND,
        SignInError::BadPassword(_) => StatusCode::UNPROCESSABLE_ENTITY,
        SignInError::Busy(_) => StatusCode::SERVICE_UNAVAILABLE,
        SignInError::Inbox(harness_inbox::InboxError::EmailTaken) => StatusCode::CONFLICT,
        error => {
            tracing::error!(%error, "somebody could not sign in");
            let sentence = "This did not work, and it is not your fault. Try again, or tell whoever runs this inbox.";
            return (StatusCode::INTERNAL_SERVER_ERROR, sentence.to_owned());
        }
    };
    let sentence = error.to_string();
    let mut letters = sentence.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    (status, format!("{first}{}.", letters.as_str()))
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

/// The page of an invitation. Looking at it does not use it up.
async fn invitation(State(door): State<Door>, reader: Reader, secret: Result<Path<String>, PathRejection>) -> Response {
    let secret = secret.map(|Path(secret)| secret).unwrap_or_default();
    match door.access.invitation(&door.host, &secret).await {
        Ok(invitation) => invitation_page(&reader, StatusCode::OK, &secret, &invitation, "", None),
        Err(error) => no_invitation(&reader, &error),
    }
}

fn no_invitation(reader: &Reader, error: &SignInError) -> Response {
    let (status, sentence) = told(error);
    solo(reader, status, "This did not work", &html! { p.notice.bad role="alert" { (sentence) } })
}

fn invitation_page(
    reader: &Reader,
    status: StatusCode,
    secret: &str,
    invitation: &InvitationView,
    name: &str,
    problem: Option<&str>,
) -> Response {
    let described = problem.map(|_| "problem");
    let content: Markup = html! {
        p { "You are invited to this inbox as " strong { (invitation.email) } ". Choose how you are called here and a password." }
        @if let Some(problem) = problem { p.notice.bad role="alert" id="problem" { (problem) } }
        form.panel.stack method="post" action={ "/invitations/" (secret) } {
            // For password managers, which store it with the password.
            input type="hidden" name="username" autocomplete="username" value=(invitation.email);
            div.field {
                label for="name" { "Your name" }
                small id="name-hint" { "It stands on your replies." }
                input.input id="name" name="name" type="text" autocomplete="name" required maxlength="80" value=(name)
                    aria-describedby="name-hint";
            }
            div.field {
                label for="password" { "Password" }
                small id="password-hint" { "At least 10 characters: several words that do not belong together are a good one." }
                input.input id="password" name="password" type="password" autocomplete="new-password" required minlength="10"
                    aria-describedby={ "password-hint" @if let Some(id) = described { " " (id) } };
            }
            button.btn.primary type="submit" { "Go to the inbox" }
        }
    };
    solo(reader, status, "Welcome", &content)
}

#[derive(Deserialize)]
struct Accept {
    name: String,
    password: String,
}

async fn accept(
    State(door): State<Door>,
    reader: Reader,
    secret: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
    form: Result<Form<Accept>, FormRejection>,
) -> Response {
    let secret = secret.map(|Path(secret)| secret).unwrap_or_default();
    let invitation = match door.access.invitation(&door.host, &secret).await {
        Ok(invitation) => invitation,
        Err(error) => return no_invitation(&reader, &error),
    };
    let again = |status, name: &str, sentence: &str| {
        invitation_page(&reader, status, &secret, &invitation, name, Some(sentence))
    };
    let Ok(Form(form)) = form else { return again(StatusCode::BAD_REQUEST, "", "Fill in both fields.") };
    let typed: String = form.name.chars().take(200).collect();
    let Some(name) = name_of(&form.name) else {
        return again(StatusCode::UNPROCESSABLE_ENTITY, &typed, "A name has 1 to 80 characters.");
    };
    let password = Secret::new(form.password.into_bytes());
    match door.access.accept(&door.host, &secret, &name, password, &headers).await {
        Ok(Begun { cookies, .. }) => see("/", cookies),
        Err(error @ SignInError::NoInvitation) => no_invitation(&reader, &error),
        Err(error) => {
            let (status, sentence) = told(&error);
            again(status, &name, &sentence)
        }
    }
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
