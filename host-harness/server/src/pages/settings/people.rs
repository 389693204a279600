//! Owns: the page of a team's people: roles, who may sign in, invitations and ways back in.
//! Does not own: the rules (the inbox), what people change of themselves (`you`).

use axum::{
    extract::{Path, State},
    response::Response,
};
use harness_inbox::{InboxError, InvitationId, InvitationView, PublicId as _, Role, UserChange, UserId, UserView};
use maud::{Markup, html};

use super::{Admin, Desk, Tab, done, shown};
use crate::{
    auth::{self, InviteError},
    pages::{
        error,
        forms::{Field, Sent, Wrong, once},
        parts::{avatar, icon},
        reader::Reader,
        times,
        words::fill,
    },
};

/// What a form brought.
#[derive(Default)]
struct Tried {
    wrong: Wrong,
    email: String,
    role: String,
    /// An invitation with its link.
    made: Option<(InvitationView, String)>,
}

/// `GET /settings/people`.
pub(super) async fn page(State(desk): State<Desk>, Admin(reader): Admin) -> Response {
    draw(&desk, &reader, &Tried::default()).await
}

async fn draw(desk: &Desk, reader: &Reader, tried: &Tried) -> Response {
    let (inbox, now) = (desk.host.inbox(), desk.host.clock().now());
    let people = async {
        Ok::<_, InboxError>((inbox.users(reader.workspace).await?, inbox.invitations(reader.workspace, now).await?))
    };
    let (users, invitations) = match people.await {
        Ok(people) => people,
        Err(failed) => return error::failed(reader, &failed.into()),
    };
    let now = times::of(now);
    let content = html! {
        @if let Some((invitation, link)) = &tried.made { (made(invitation, link, reader)) }
        (table(&users, now, reader))
        @if !invitations.is_empty() { (open(&invitations, now, reader)) }
        (invite_form(tried, reader))
    };
    shown(Tab::People, &tried.wrong, reader, &content)
}

fn made(invitation: &InvitationView, link: &str, reader: &Reader) -> Markup {
    let words = &reader.words.settings;
    let title = fill(&words.link_made, &[("email", &invitation.email)]);
    once("link", &title, &words.link_made_hint, link, reader)
}

fn roles(reader: &Reader) -> [(&'static str, &str); 2] {
    [(Role::Agent.name(), &reader.words.settings.agent), (Role::Admin.name(), &reader.words.settings.admin)]
}

fn role(name: &str) -> Option<Role> {
    [Role::Agent, Role::Admin].into_iter().find(|role| role.name() == name)
}

fn invite_form(tried: &Tried, reader: &Reader) -> Markup {
    let (words, wrong) = (&reader.words.settings, &tried.wrong);
    let role = if tried.role.is_empty() { Role::Agent.name() } else { &tried.role };
    html! {
        section.panel.stack aria-labelledby="invite" {
            header { h2 id="invite" { (words.invite) } }
            form.stack.narrow-form method="post" action="/settings/people" novalidate {
                (Field { id: "email", label: &words.email, hint: None, wrong }.line("email", "off", &tried.email))
                (Field { id: "role", label: &words.role, hint: Some(&words.role_hint), wrong }.select(&roles(reader), role))
                p { button.btn.primary { (words.make_link) } }
            }
        }
    }
}

fn open(invitations: &[InvitationView], now: i64, reader: &Reader) -> Markup {
    let words = &reader.words.settings;
    html! {
        section.panel.flush aria-labelledby="invited" {
            header { h2 id="invited" { (words.invited) } }
            ul {
                @for one in invitations {
                    li.check-row {
                        (icon("person"))
                        div {
                            strong { bdi { (one.email) } }
                            p.small.muted {
                                (role_name(one.role, reader)) " · "
                                (fill(&words.good_until, &[("time", &times::moment_inside(times::of(one.expires_at), now, reader))]))
                            }
                        }
                        form.acts method="post" action={ "/settings/invitations/" (one.id.public()) } {
                            button.btn.small { (words.withdraw) span.sr { " " (one.email) } }
                        }
                    }
                }
            }
        }
    }
}

fn role_name(role: Role, reader: &Reader) -> &str {
    match role {
        Role::Agent => &reader.words.settings.agent,
        Role::Admin => &reader.words.settings.admin,
    }
}

fn table(users: &[UserView], now: i64, reader: &Reader) -> Markup {
    let words = &reader.words.settings;
    html! {
        section.panel.flush aria-labelledby="team" {
            header { h2 id="team" { (words.team) } }
            @if users.is_empty() { p.empty { (words.nobody_yet) } }
            ul { @for user in users { (person(user, now, reader)) } }
        }
    }
}

fn person(user: &UserView, now: i64, reader: &Reader) -> Markup {
    let words = &reader.words.settings;
    let id = user.id.public();
    let moment = |at: u64| times::moment_inside(times::of(at), now, reader);
    html! {
        li.check-row id=(id) {
            (avatar(&user.name, &user.email, "m", None))
            div {
                strong { bdi { (user.name) } @if reader.user == Some(user.id) { " " span.muted { (words.that_is_you) } } }
                p.small.muted { bdi { (user.email) } }
                @if let Some(since) = user.disabled_at {
                    p.small { span.chip data-tone="warn" { (icon("lock")) (fill(&words.disabled_since, &[("time", &moment(since))])) } }
                }
            }
            form.acts method="post" action={ "/settings/people/" (id) } {
                select.input.small name="role" aria-label={ (words.role) ", " (user.name) } {
                    @for (value, label) in roles(reader) { option value=(value) selected[value == user.role.name()] { (label) } }
                }
                button.btn.small name="do" value="role" { (reader.words.save) span.sr { ", " (words.role) ", " (user.name) } }
                details.menu {
                    summary.btn.icon.small.quiet aria-label={ (reader.words.more_actions) ", " (user.name) } { (icon("more")) }
                    div {
                        button.btn.small.quiet name="do" value="sign-out" { (icon("offline")) (words.sign_out_everywhere) }
                        button.btn.small.quiet name="do" value="link" { (icon("refresh")) (words.way_back) }
                        @if user.disabled_at.is_some() {
                            button.btn.small.quiet name="do" value="enable" { (icon("undo")) (words.enable) }
                        } @else {
                            button.btn.small.quiet name="do" value="disable" { (icon("lock")) (words.disable) }
                        }
                    }
                }
            }
        }
    }
}

/// `POST /settings/people`: invites somebody.
pub(super) async fn invite(State(desk): State<Desk>, Admin(reader): Admin, sent: Sent) -> Response {
    let (email, wanted) = (sent.one("email"), sent.one("role"));
    let Some(role) = role(wanted) else { return error::no_form(&reader) };
    let there = match desk.host.inbox().users(reader.workspace).await {
        Ok(users) => {
            users.iter().any(|user| user.disabled_at.is_none() && user.email.eq_ignore_ascii_case(email.trim()))
        }
        Err(failed) => return error::failed(&reader, &failed.into()),
    };
    let mut tried = Tried { email: email.chars().take(254).collect(), role: wanted.to_owned(), ..Tried::default() };
    if there {
        tried.wrong = Wrong::of("email", &reader.words.settings.is_there);
        return draw(&desk, &reader, &tried).await;
    }
    match auth::invite(&desk.host, reader.workspace, email, role, reader.user).await {
        Ok(made) => tried = Tried { made: Some(made), ..Tried::default() },
        Err(InviteError::Email) => tried.wrong = Wrong::of("email", &reader.words.settings.bad_email),
        Err(InviteError::Host(failed)) => return error::failed(&reader, &failed),
    }
    draw(&desk, &reader, &tried).await
}

/// `POST /settings/people/{user}`: changes one of the people.
pub(super) async fn change(
    State(desk): State<Desk>,
    Admin(reader): Admin,
    Path(user): Path<String>,
    sent: Sent,
) -> Response {
    let user: UserId = match reader.row(&desk.host, &user).await {
        Ok(user) => user,
        Err(answer) => return answer,
    };
    let change = match sent.one("do") {
        "role" => match role(sent.one("role")) {
            Some(role) => UserChange { role: Some(role), ..UserChange::default() },
            None => return error::no_form(&reader),
        },
        "disable" if reader.user == Some(user) => {
            let wrong = Wrong::of(&user.public(), &reader.words.settings.not_yourself);
            return draw(&desk, &reader, &Tried { wrong, ..Tried::default() }).await;
        }
        "disable" => UserChange { disabled: Some(true), ..UserChange::default() },
        "enable" => UserChange { disabled: Some(false), ..UserChange::default() },
        "sign-out" => {
            return match desk.host.users().end_sessions(user, None).await {
                Ok(_) => done(Tab::People),
                Err(failed) => error::failed(&reader, &failed.into()),
            };
        }
        "link" => return way_back(&desk, user, &reader).await,
        _ => return error::no_form(&reader),
    };
    match desk.host.users().update_user(user, change, desk.host.clock().now()).await {
        Ok(_) => done(Tab::People),
        Err(InboxError::LastAdmin) => {
            let wrong = Wrong::of(&user.public(), &reader.words.settings.last_admin);
            draw(&desk, &reader, &Tried { wrong, ..Tried::default() }).await
        }
        Err(failed) => error::failed(&reader, &failed.into()),
    }
}

/// A link for somebody who lost their password.
async fn way_back(desk: &Desk, user: UserId, reader: &Reader) -> Response {
    let known = match desk.host.inbox().user(user).await {
        Ok(known) => known,
        Err(failed) => return error::failed(reader, &failed.into()),
    };
    match auth::invite(&desk.host, reader.workspace, &known.email, known.role, reader.user).await {
        Ok(made) => draw(desk, reader, &Tried { made: Some(made), ..Tried::default() }).await,
        Err(InviteError::Email) => error::no_form(reader),
        Err(InviteError::Host(failed)) => error::failed(reader, &failed),
    }
}

/// `POST /settings/invitations/{invitation}`: withdraws an invitation.
pub(super) async fn withdraw(State(desk): State<Desk>, Admin(reader): Admin, Path(id): Path<String>) -> Response {
    let id: InvitationId = match reader.row(&desk.host, &id).await {
        Ok(id) => id,
        // Accepted, expired or withdrawn meanwhile.
        Err(_) => return done(Tab::People),
    };
    match desk.host.users().revoke_invitation(id, desk.host.clock().now()).await {
        Ok(()) | Err(InboxError::NotFound { .. }) => done(Tab::People),
        Err(failed) => error::failed(&reader, &failed.into()),
    }
}
