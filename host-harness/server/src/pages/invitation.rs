//! Owns: the page on which an invited person chooses a name and how they sign in.
//! Does not own: signing in (`sign_in`), inviting people (the API).

use axum::{
    Form,
    extract::{
        Path, State,
        rejection::{FormRejection, PathRejection},
    },
    http::{HeaderMap, StatusCode},
    response::Response,
};
use harness_engine::Secret;
use harness_inbox::InvitationView;
use maud::{Markup, html};
use serde::Deserialize;

use super::{
    reader::Reader,
    sign_in::{Door, see, solo, told, trouble},
    words::fill,
};
use crate::auth::{Begun, SignInError, name_of};

/// The page of an invitation. Looking at it does not use it up.
pub(super) async fn show(
    State(door): State<Door>,
    reader: Reader,
    secret: Result<Path<String>, PathRejection>,
) -> Response {
    let secret = secret.map(|Path(secret)| secret).unwrap_or_default();
    match door.access.invitation(&door.host, &secret).await {
        Ok(invitation) => door.invitation(&reader, StatusCode::OK, &secret, &invitation, "", None),
        Err(error) => no_invitation(&reader, &error),
    }
}

fn no_invitation(reader: &Reader, error: &SignInError) -> Response {
    let (status, sentence) = told(reader.words, error);
    solo(reader, status, &reader.words.error_ours, &trouble(&sentence))
}

impl Door {
    fn invitation(
        &self,
        reader: &Reader,
        status: StatusCode,
        secret: &str,
        invitation: &InvitationView,
        name: &str,
        problem: Option<&str>,
    ) -> Response {
        let words = reader.words;
        let described = problem.map(|_| "problem");
        let has_password = self.access.ways().password;
        let content: Markup = html! {
            p { (fill(&words.invited_as, &[("email", &invitation.email)])) }
            @if let Some(problem) = problem { (trouble(problem)) }
            @if !has_password { p { (words.sign_in_with_this_address) } }
            (self.providers(words, "/"))
            @if has_password {
                p { (words.choose_name_and_password) }
                form.panel.stack method="post" action={ "/invitations/" (secret) } {
                    // For password managers, which store it with the password.
                    input type="hidden" name="username" autocomplete="username" value=(invitation.email);
                    div.field {
                        label for="name" { (words.your_name) }
                        small id="name-hint" { (words.your_name_hint) }
                        input.input id="name" name="name" type="text" autocomplete="name" required maxlength="80" value=(name)
                            aria-describedby="name-hint";
                    }
                    div.field {
                        label for="password" { (words.password) }
                        small id="password-hint" { (words.new_password_hint) }
                        input.input id="password" name="password" type="password" autocomplete="new-password" required
                            minlength="10" aria-describedby={ "password-hint" @if let Some(id) = described { " " (id) } };
                    }
                    button.btn.primary type="submit" { (words.go_to_inbox) }
                }
            }
        };
        solo(reader, status, &words.invited_title, &content)
    }
}

#[derive(Deserialize)]
pub(super) struct Accept {
    name: String,
    password: String,
}

pub(super) async fn accept(
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
        door.invitation(&reader, status, &secret, &invitation, name, Some(sentence))
    };
    let Ok(Form(form)) = form else { return again(StatusCode::BAD_REQUEST, "", &reader.words.fill_in_both) };
    let typed: String = form.name.chars().take(200).collect();
    let Some(name) = name_of(&form.name) else {
        return again(StatusCode::UNPROCESSABLE_ENTITY, &typed, &reader.words.name_length);
    };
    let password = Secret::new(form.password.into_bytes());
    match door.access.accept(&door.host, &secret, &name, password, &headers).await {
        Ok(Begun { cookies, .. }) => see("/", cookies),
        Err(error @ SignInError::NoInvitation) => no_invitation(&reader, &error),
        Err(error) => {
            let (status, sentence) = told(reader.words, &error);
            again(status, &name, &sentence)
        }
    }
}
