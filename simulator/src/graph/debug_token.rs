//! `GET /debug_token`: information on a token of the Facebook login.
//! What belongs here: describing tokens, read-only.

use serde_json::{Map, Value, json};

use crate::config::Login;
use crate::core::Core;
use crate::graph::auth::{Caller, Who};
use crate::graph::error::GraphError;
use crate::graph::request::GraphRequest;
use crate::graph::{Done, Host, Outcome};
use crate::login::FACEBOOK_SCOPES;
use crate::state::World;
use crate::state::tokens::{Grant, Holder};

/// Access to data ends 90 days after the person last used the app (Meta's documentation, refresh
/// user data).
const DATA_ACCESS_MS: i64 = 90 * 24 * 3600 * 1000;

/// Requires an app token: an issued one, or `APPID|APPSECRET`.
pub(crate) fn handle(core: &Core, request: &GraphRequest, caller: &Caller) -> Outcome {
    if !matches!(caller.who, Who::App) {
        return Err(GraphError::parameter(
            "You must provide an app access token, or a user access token that is an owner or developer of the app",
        ));
    }
    let token = request
        .text("input_token")
        .filter(|token| !token.is_empty())
        .ok_or_else(|| GraphError::parameter("The parameter input_token is required."))?;
    Ok(Done::answering(json!({ "data": describe(core, &token) })))
}

fn describe(core: &Core, token: &str) -> Value {
    let now_ms = core.clock.now_ms();
    let world = core.world();
    let Some(holder) = world.holder(Login::Facebook, token) else {
        let error =
            json!({"code": 190, "message": GraphError::unparsable_token().message(Host::Facebook, Default::default())});
        return json!({"error": error, "is_valid": false, "scopes": []});
    };
    let minted = world.tokens.get(token);
    let grant = minted.map(|minted| minted.grant.clone()).unwrap_or_default();
    let issued_ms = minted.map_or(core.started_ms, |minted| minted.issued_ms);
    let expires_ms = minted.and_then(|minted| minted.expires_ms);
    let mut data = Map::new();
    let mut set = |name: &str, value: Value| data.insert(name.to_owned(), value);
    set("app_id", json!(core.config.app_id));
    set("application", json!(world.app.name));
    set("expires_at", json!(expires_ms.map_or(0, |ms| ms / 1000)));
    set("issued_at", json!(issued_ms / 1000));
    let kind = match &holder {
        Holder::App => "APP",
        Holder::Person => "USER",
        Holder::Page(id) => {
            set("profile_id", json!(id));
            "PAGE"
        }
        Holder::Account(_) => "USER",
    };
    set("type", json!(kind));
    if kind != "APP" {
        set("user_id", json!(world.person.id));
        set("data_access_expires_at", json!(issued_ms.saturating_add(DATA_ACCESS_MS) / 1000));
        set("granular_scopes", granular(&world, &grant));
    }
    set("scopes", if kind == "APP" { json!([]) } else { json!(scopes(&grant)) });
    match world.death(Login::Facebook, token, now_ms) {
        None => set("is_valid", json!(true)),
        Some(subcode) => {
            let message = GraphError::new(190, Some(subcode)).message(Host::Facebook, Default::default());
            set("error", json!({"code": 190, "message": message, "subcode": subcode}));
            set("is_valid", json!(false))
        }
    };
    Value::Object(data)
}

fn scopes(grant: &Grant) -> Vec<String> {
    match &grant.scopes {
        Some(scopes) => scopes.iter().cloned().collect(),
        None => FACEBOOK_SCOPES.iter().map(|scope| (*scope).to_owned()).collect(),
    }
}

/// The ids of each permission: pages or Instagram accounts.
fn granular(world: &World, grant: &Grant) -> Value {
    let pages: Vec<&str> = world.pages().map(|page| page.id.as_str()).filter(|id| grant.covers_page(id)).collect();
    let accounts: Vec<&str> = pages
        .iter()
        .filter_map(|page| world.account_of_page(page))
        .filter(|account| account.is_professional())
        .map(|account| account.ig_id.as_str())
        .collect();
    scopes(grant)
        .into_iter()
        .map(|scope| {
            if scope.starts_with("pages_") {
                json!({"scope": scope, "target_ids": pages})
            } else if scope.starts_with("instagram_") {
                json!({"scope": scope, "target_ids": accounts})
            } else {
                json!({ "scope": scope })
            }
        })
        .collect()
}
