//! The two login dialogs: checks, choices, and the redirect.
//! What belongs here: `/dialog/oauth` and `/oauth/authorize`, as a form and its answer.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::body::to_bytes;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, LOCATION};
use http::{Method, StatusCode};
use url::Url;

use crate::config::Login;
use crate::core::Core;
use crate::login::html::{self, Choice, Group};
use crate::login::{FACEBOOK_SCOPES, INSTAGRAM_SCOPES};
use crate::state::tokens::{Grant, Holder};

const MAX_FORM: usize = 64 * 1024;

type Pairs = Vec<(String, String)>;

/// The checked request of the client.
struct Asked {
    login: Login,
    redirect_uri: Url,
    /// As sent: the code is bound to these characters.
    redirect_text: String,
    state: Option<String>,
    scopes: Vec<String>,
}

pub(crate) async fn serve(core: &Arc<Core>, login: Login, request: Request) -> Response {
    let query = pairs(request.uri().query().unwrap_or("").as_bytes());
    let asked = match Asked::read(core, login, &query) {
        Ok(asked) => asked,
        Err(sentence) => return page(StatusCode::BAD_REQUEST, html::error(&sentence)),
    };
    match *request.method() {
        Method::GET => page(StatusCode::OK, form(core, &asked)),
        Method::POST => match to_bytes(request.into_body(), MAX_FORM).await {
            Ok(body) => answer(core, &asked, &pairs(&body)),
            Err(_) => page(StatusCode::BAD_REQUEST, html::error("The form could not be read.")),
        },
        _ => page(StatusCode::METHOD_NOT_ALLOWED, html::error("This page takes GET and POST.")),
    }
}

fn pairs(encoded: &[u8]) -> Pairs {
    url::form_urlencoded::parse(encoded).map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
}

fn first<'a>(pairs: &'a Pairs, name: &str) -> Option<&'a str> {
    pairs.iter().find(|(of, _)| of == name).map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
}

fn page(status: StatusCode, body: String) -> Response {
    (status, [(CONTENT_TYPE, "text/html; charset=utf-8")], body).into_response()
}

impl Asked {
    fn read(core: &Core, login: Login, query: &Pairs) -> Result<Self, String> {
        if first(query, "client_id") != Some(core.app_id(login)) {
            return Err("Invalid App ID: The provided app ID does not look like a valid app ID.".to_owned());
        }
        let redirect_text = first(query, "redirect_uri").ok_or("The parameter redirect_uri is required")?.to_owned();
        let redirect_uri = Url::parse(&redirect_text)
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https") && url.fragment().is_none())
            .ok_or("The redirect_uri URL must be absolute")?;
        let allowed = core.world().app.allowed_redirect_uris.clone();
        if !allowed.is_empty() && !allowed.contains(&redirect_text) {
            return Err("URL Blocked: This redirect failed because the redirect URI is not whitelisted in the app's \
                        Client OAuth Settings."
                .to_owned());
        }
        match (first(query, "response_type"), login) {
            // The Facebook dialog defaults to `code` (Meta's documentation, manual flow).
            (Some("code"), _) | (None, Login::Facebook) => {}
            _ => return Err("The parameter response_type must be code".to_owned()),
        }
        let known = match login {
            Login::Facebook => FACEBOOK_SCOPES,
            Login::Instagram => INSTAGRAM_SCOPES,
        };
        let mut scopes: Vec<String> = Vec::new();
        for scope in first(query, "scope").unwrap_or("").split([',', ' ']).filter(|scope| !scope.is_empty()) {
            if !known.contains(&scope) {
                return Err(format!("Invalid Scopes: {scope}."));
            }
            if !scopes.iter().any(|other| other == scope) {
                scopes.push(scope.to_owned());
            }
        }
        match login {
            // Login for Business: a configuration stands for a list of permissions, here for all.
            Login::Facebook if scopes.is_empty() && first(query, "config_id").is_some() => {
                scopes = known.iter().map(|scope| (*scope).to_owned()).collect();
            }
            Login::Facebook => {}
            Login::Instagram if scopes.is_empty() => return Err("The parameter scope is required".to_owned()),
            Login::Instagram => {}
        }
        // The public profile is part of every Facebook login and cannot be declined.
        scopes.retain(|scope| scope != "public_profile");
        let state = query.iter().find(|(name, _)| name == "state").map(|(_, value)| value.clone());
        Ok(Self { login, redirect_uri, redirect_text, state, scopes })
    }
}

fn form(core: &Core, asked: &Asked) -> String {
    let world = core.world();
    let permissions = Group {
        title: "What the app may do",
        name: "permission",
        kind: "checkbox",
        choices: asked.scopes.iter().map(|scope| Choice::checked(scope.clone(), scope.clone())).collect(),
    };
    let app = &world.app.name;
    match asked.login {
        Login::Facebook => {
            let pages = world.pages().map(|page| Choice {
                checked: page.preselected,
                ..Choice::checked(page.id.clone(), page.name.clone())
            });
            let pages = Group { title: "Pages", name: "page", kind: "checkbox", choices: pages.collect() };
            let intro = format!("{app} asks {} for access.", world.person.name);
            html::form(&format!("Log in to {app} with Facebook"), &intro, &[pages, permissions])
        }
        Login::Instagram => {
            let first = world.accounts.iter().find(|account| account.is_professional()).map(|account| &account.ig_id);
            let accounts = world.accounts.iter().map(|account| {
                let professional = account.is_professional();
                let checked = first == Some(&account.ig_id);
                let kind = if professional { "" } else { " (personal account)" };
                let label = format!("@{}{kind}", account.username);
                Choice { checked, disabled: !professional, ..Choice::checked(account.ig_id.clone(), label) }
            });
            let accounts = Group { title: "Account", name: "account", kind: "radio", choices: accounts.collect() };
            let intro = format!("{app} asks for access to a professional account.");
            html::form(&format!("Log in to {app} with Instagram"), &intro, &[accounts, permissions])
        }
    }
}

fn answer(core: &Core, asked: &Asked, form: &Pairs) -> Response {
    match first(form, "action") {
        Some("cancel") => redirect(asked, &refusal(asked.login)),
        Some("continue") => match decision(core, asked, form) {
            Ok((holder, grant)) => {
                let code = core.new_code(asked.login, &asked.redirect_text, holder, grant);
                redirect(asked, &[("code", code.as_str())])
            }
            Err(sentence) => page(StatusCode::BAD_REQUEST, html::error(sentence)),
        },
        _ => page(StatusCode::BAD_REQUEST, html::error("The form needs action=continue or action=cancel.")),
    }
}

fn refusal(login: Login) -> [(&'static str, &'static str); 3] {
    let description = match login {
        Login::Facebook => "Permissions error",
        Login::Instagram => "The user denied your request",
    };
    [("error", "access_denied"), ("error_reason", "user_denied"), ("error_description", description)]
}

/// The person's choices. Only requested permissions can be granted.
fn decision(core: &Core, asked: &Asked, form: &Pairs) -> Result<(Holder, Grant), &'static str> {
    let ticked = |name: &str| -> BTreeSet<String> {
        form.iter().filter(|(of, _)| of == name).map(|(_, value)| value.clone()).collect()
    };
    let permissions = ticked("permission");
    let (mut granted, declined): (BTreeSet<String>, BTreeSet<String>) =
        asked.scopes.iter().cloned().partition(|scope| permissions.contains(scope));
    let world = core.world();
    match asked.login {
        Login::Facebook => {
            granted.insert("public_profile".to_owned());
            let pages = ticked("page");
            let pages = world.pages().map(|page| page.id.clone()).filter(|id| pages.contains(id)).collect();
            Ok((Holder::Person, Grant { scopes: Some(granted), declined, pages: Some(pages) }))
        }
        Login::Instagram => {
            let account = first(form, "account").and_then(|ig_id| world.account(ig_id));
            let account =
                account.filter(|account| account.is_professional()).ok_or("Choose a professional account.")?;
            Ok((Holder::Account(account.ig_id.clone()), Grant { scopes: Some(granted), declined, pages: None }))
        }
    }
}

/// Redirects back. Facebook appends `#_=_`, Instagram `#_`.
fn redirect(asked: &Asked, parameters: &[(&str, &str)]) -> Response {
    let mut target = asked.redirect_uri.clone();
    {
        let mut query = target.query_pairs_mut();
        for (name, value) in parameters {
            query.append_pair(name, value);
        }
        if let Some(state) = &asked.state {
            query.append_pair("state", state);
        }
    }
    target.set_fragment(Some(match asked.login {
        Login::Facebook => "_=_",
        Login::Instagram => "_",
    }));
    (StatusCode::FOUND, [(LOCATION, target.to_string())]).into_response()
}
