//! A person in front of the login dialogs, and a client that turns codes into tokens.
//! What belongs here: helpers for the files about logins; each states its own promises.

use http::Method;
use serde_json::Value;
use simulator::{Config, Simulator};
use url::Url;

use super::{Answer, request};

pub const REDIRECT: &str = "https://inbox.example.com/connect/callback?tenant=7";
pub const FACEBOOK_SCOPES: &str =
    "instagram_basic,instagram_manage_messages,pages_manage_metadata,pages_show_list,instagram_manage_comments";
pub const INSTAGRAM_SCOPES: &str = "instagram_business_basic,instagram_business_manage_messages";

pub fn encode(pairs: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

pub async fn get(url: &str) -> Answer {
    request(Method::GET, url, &[], "").await.unwrap()
}

pub async fn post_form(url: &str, pairs: &[(&str, &str)]) -> Answer {
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    request(Method::POST, url, &headers, encode(pairs)).await.unwrap()
}

pub fn facebook_dialog(sim: &Simulator, scopes: &str) -> String {
    let query = encode(&[
        ("client_id", &sim.config().app_id),
        ("redirect_uri", REDIRECT),
        ("state", "s&1"),
        ("response_type", "code"),
        ("scope", scopes),
    ]);
    format!("{}/v25.0/dialog/oauth?{query}", sim.www_facebook_url())
}

pub fn instagram_dialog(sim: &Simulator, scopes: &str) -> String {
    let query = encode(&[
        ("client_id", &sim.config().instagram_app_id),
        ("redirect_uri", REDIRECT),
        ("state", "s&1"),
        ("response_type", "code"),
        ("scope", scopes),
    ]);
    format!("{}/oauth/authorize?{query}", sim.www_instagram_url())
}

/// Fills in the form as it stands, and presses a button.
pub async fn press(dialog: &str, button: &str) -> Url {
    let page = get(dialog).await;
    assert_eq!(page.status, 200, "{page:?}");
    let mut fields: Vec<(String, String)> = Vec::new();
    for input in page.body.split("<input ").skip(1) {
        let input = input.split('>').next().unwrap();
        let attribute = |name: &str| {
            let value = input.split(&format!(" {name}=\"")).nth(1).unwrap().split('"').next().unwrap();
            value.to_owned()
        };
        if input.contains(" checked") {
            fields.push((attribute("name"), attribute("value")));
        }
    }
    fields.push(("action".to_owned(), button.to_owned()));
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    press_with(dialog, &fields).await
}

pub async fn press_with(dialog: &str, fields: &[(&str, &str)]) -> Url {
    let answer = post_form(dialog, fields).await;
    assert_eq!(answer.status, 302, "{answer:?}");
    Url::parse(answer.header("location")).unwrap()
}

pub fn parameter(url: &Url, name: &str) -> Option<String> {
    url.query_pairs().find(|(of, _)| of == name).map(|(_, value)| value.into_owned())
}

pub fn code(back: &Url) -> String {
    parameter(back, "code").unwrap_or_else(|| panic!("no code in {back}"))
}

pub async fn facebook_tokens(sim: &Simulator, pairs: &[(&str, &str)]) -> Answer {
    let config = sim.config();
    let app = [("client_id", config.app_id.as_str()), ("client_secret", config.app_secret.expose())];
    let query = encode(&[&app, pairs].concat());
    get(&format!("{}/v25.0/oauth/access_token?{query}", sim.graph_facebook_url())).await
}

pub async fn instagram_token(sim: &Simulator, code: &str) -> Answer {
    let config = sim.config();
    let form = [
        ("client_id", config.instagram_app_id.as_str()),
        ("client_secret", config.instagram_app_secret.expose()),
        ("grant_type", "authorization_code"),
        ("redirect_uri", REDIRECT),
        ("code", code),
    ];
    post_form(&format!("{}/oauth/access_token", sim.api_instagram_url()), &form).await
}

pub fn token(answer: &Answer) -> String {
    answer.json()["access_token"].as_str().unwrap_or_else(|| panic!("no token: {answer:?}")).to_owned()
}

/// A short-lived user token of somebody who ticked everything that was asked.
pub async fn user_token(sim: &Simulator, scopes: &str) -> String {
    let back = press(&facebook_dialog(sim, scopes), "continue").await;
    token(&facebook_tokens(sim, &[("redirect_uri", REDIRECT), ("code", &code(&back))]).await)
}

pub async fn lengthened(sim: &Simulator, short: &str) -> String {
    token(&facebook_tokens(sim, &[("grant_type", "fb_exchange_token"), ("fb_exchange_token", short)]).await)
}

/// A long-lived Instagram token of the first account.
pub async fn account_token(sim: &Simulator, scopes: &str) -> String {
    let back = press(&instagram_dialog(sim, scopes), "continue").await;
    token(&exchange(sim, &token(&instagram_token(sim, &code(&back)).await)).await)
}

pub async fn exchange(sim: &Simulator, short: &str) -> Answer {
    let secret = sim.config().instagram_app_secret.expose();
    let query = encode(&[("grant_type", "ig_exchange_token"), ("client_secret", secret), ("access_token", short)]);
    get(&format!("{}/access_token?{query}", sim.graph_instagram_url())).await
}

pub async fn refresh(sim: &Simulator, token: &str) -> Answer {
    let query = encode(&[("grant_type", "ig_refresh_token"), ("access_token", token)]);
    get(&format!("{}/v25.0/refresh_access_token?{query}", sim.graph_instagram_url())).await
}

pub async fn facebook(sim: &Simulator, token: &str, path: &str, pairs: &[(&str, &str)]) -> Answer {
    let query = encode(&[&[("access_token", token)], pairs].concat());
    get(&format!("{}/v25.0{path}?{query}", sim.graph_facebook_url())).await
}

/// The page tokens that a user token is given, in the order of the pages.
pub async fn page_tokens(sim: &Simulator, user: &str) -> Vec<String> {
    let list = facebook(sim, user, "/me/accounts", &[("fields", "access_token")]).await.json();
    let entries = list["data"].as_array().unwrap().clone();
    entries.iter().map(|page| page["access_token"].as_str().unwrap().to_owned()).collect()
}

pub async fn debug(sim: &Simulator, input: &str) -> Value {
    let Config { app_id, app_secret, .. } = sim.config();
    let app = format!("{app_id}|{}", app_secret.expose());
    facebook(sim, &app, "/debug_token", &[("input_token", input)]).await.json()["data"].clone()
}
