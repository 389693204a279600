//! Owns: the page on which people see and change what concerns them alone: name, password, signing out.
//! Does not own: signing in and the rules of passwords (`auth`).

use axum::{extract::State, response::Response};
use harness_engine::Secret;
use harness_inbox::{UserChange, UserId, UserView};
use maud::{Markup, html};

use super::{Desk, Tab, done, shown};
use crate::{
    auth::{SignInError, name_of},
    pages::{
        error,
        forms::{Field, Sent, Wrong, as_sentence},
        parts::{avatar, icon},
        reader::Reader,
        redirect::see,
        words::fill,
    },
};

/// `GET /settings/you`.
pub(super) async fn page(State(desk): State<Desk>, reader: Reader) -> Response {
    draw(&desk, &reader, &Wrong::default(), None).await
}

async fn draw(desk: &Desk, reader: &Reader, wrong: &Wrong, typed: Option<&str>) -> Response {
    let words = &reader.words.settings;
    let user = match reader.user {
        Some(id) => match desk.host.inbox().user(id).await {
            Ok(user) => Some(user),
            Err(failed) => return error::failed(reader, &failed.into()),
        },
        None => None,
    };
    let content = html! {
        @match &user {
            None => div.callout data-tone="accent" { (icon("info")) div { (words.visitor) } },
            Some(user) => {
                section.panel.stack aria-labelledby="who" {
                    header {
                        (avatar(&user.name, &user.email, "", None))
                        div { h2 id="who" { bdi { (user.name) } } p.small.muted { bdi { (user.email) } } }
                    }
                    form.stack.narrow-form method="post" action="/settings/you" novalidate {
                        (Field { id: "name", label: &words.your_name, hint: Some(&words.your_name_hint), wrong }
                            .line("text", "name", typed.unwrap_or(&user.name)))
                        p { button.btn.primary name="do" value="name" { (reader.words.save) } }
                    }
                }
                @if reader.session.is_some() { (password(wrong, user, reader)) (leave(reader)) }
                @else { div.callout data-tone="accent" { (icon("info")) div { (words.visitor) } } }
            }
        }
    };
    shown(Tab::You, wrong, reader, &content)
}

fn password(wrong: &Wrong, user: &UserView, reader: &Reader) -> Markup {
    let words = &reader.words.settings;
    html! {
        section.panel.stack aria-labelledby="password" {
            header { h2 id="password" { (words.change_password) } }
            form.stack.narrow-form method="post" action="/settings/you" novalidate {
                // For password managers, which store it with the password.
                input type="hidden" name="username" autocomplete="username" value=(user.email);
                (Field { id: "current", label: &words.current_password, hint: None, wrong }.line("password", "current-password", ""))
                (Field { id: "new", label: &words.new_password, hint: Some(&words.new_password_hint), wrong }.line("password", "new-password", ""))
                p { button.btn name="do" value="password" { (words.change_password) } }
            }
        }
    }
}

fn leave(reader: &Reader) -> Markup {
    let words = &reader.words.settings;
    html! {
        section.panel.stack aria-labelledby="leave" {
            header { h2 id="leave" { (words.sign_out) } }
            p.small.muted { (words.sign_out_hint) }
            div.line.wrap {
                form method="post" action="/sign-out" { button.btn { (words.sign_out) } }
                form method="post" action="/settings/you" { button.btn name="do" value="sign-out" { (words.sign_out_everywhere) } }
            }
        }
    }
}

/// `POST /settings/you`.
pub(super) async fn change(State(desk): State<Desk>, reader: Reader, sent: Sent) -> Response {
    let Some(user) = reader.user else { return error::not_allowed(&reader) };
    match sent.one("do") {
        "name" => rename(&desk, user, &sent, &reader).await,
        "password" => change_password(&desk, user, sent, &reader).await,
        "sign-out" => match desk.host.users().end_sessions(user, None).await {
            Ok(_) => see("/sign-in"),
            Err(failed) => error::failed(&reader, &failed.into()),
        },
        _ => error::no_form(&reader),
    }
}

async fn rename(desk: &Desk, user: UserId, sent: &Sent, reader: &Reader) -> Response {
    let typed = sent.one("name");
    let Some(name) = name_of(typed) else {
        let wrong = Wrong::of("name", &reader.words.settings.bad_name);
        return draw(desk, reader, &wrong, Some(&typed.chars().take(200).collect::<String>())).await;
    };
    let change = UserChange { name: Some(name), ..UserChange::default() };
    match desk.host.users().update_user(user, change, desk.host.clock().now()).await {
        Ok(_) => done(Tab::You),
        Err(failed) => error::failed(reader, &failed.into()),
    }
}

async fn change_password(desk: &Desk, user: UserId, sent: Sent, reader: &Reader) -> Response {
    let Some(session) = reader.session else { return error::not_allowed(reader) };
    let words = &reader.words.settings;
    let secret = |name: &str| {
        let typed = sent.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
        Secret::new(typed.unwrap_or_default().into_bytes())
    };
    let (present, new) = (secret("current"), secret("new"));
    let wrong = match desk.access.change_password(&desk.host, user, session, present, new).await {
        Ok(()) => return done(Tab::You),
        Err(SignInError::Wrong) => Wrong::of("current", &words.wrong_password),
        Err(SignInError::TooMany(wait)) => {
            Wrong::of("current", &fill(&words.too_many_tries, &[("n", &wait.as_secs().max(1).to_string())]))
        }
        Err(SignInError::BadPassword(problem)) => Wrong::of("new", &as_sentence(&problem.to_string())),
        Err(SignInError::Busy(_)) => Wrong::of("new", &reader.words.error_busy_hint),
        Err(SignInError::Inbox(failed)) => return error::failed(reader, &failed.into()),
        Err(failed) => {
            tracing::error!(error = %failed, "a password could not be changed");
            return error::ours(reader);
        }
    };
    draw(desk, reader, &wrong, None).await
}
