//! Who is asking: tokens, `appsecret_proof`, and whether the path is the caller's own.
//! What belongs here: authentication and the refusals that come with it, per host.

use crate::config::{AccountConfig, Login};
use crate::core::Core;
use crate::graph::Host;
use crate::graph::error::GraphError;
use crate::graph::request::GraphRequest;
use crate::signature::appsecret_proof;

/// Finds the account whose token was sent and checks the proof, if there is one.
pub(crate) fn authenticate(core: &Core, request: &GraphRequest) -> Result<AccountConfig, GraphError> {
    let Some((_, token)) = &request.token else {
        // Captured answers: 2500 speaks of "the current user", so of `me`; other nodes give 104.
        let me = request.segments.first().is_some_and(|first| first == "me");
        return Err(if me {
            GraphError::new(2500, None)
                .saying("An active access token must be used to query information about the current user.")
        } else {
            GraphError::new(104, None).saying("An access token is required to request this resource.")
        });
    };
    let login = request.host.login();
    let account = core
        .world()
        .accounts
        .iter()
        .find(|account| account.token(login).is_some_and(|known| known.expose() == token))
        .cloned()
        .ok_or_else(GraphError::unparsable_token)?;
    if let Some(proof) = &request.proof {
        let secret = match login {
            Login::Facebook => &core.config.app_secret,
            Login::Instagram => &core.config.instagram_app_secret,
        };
        if *proof != appsecret_proof(secret, token) {
            return Err(GraphError::invalid_proof());
        }
    }
    Ok(account)
}

/// Refuses a token that a fault declared dead.
pub(crate) fn alive(core: &Core, request: &GraphRequest, account: AccountConfig) -> Result<AccountConfig, GraphError> {
    let key = (account.ig_id.clone(), request.host.login());
    match core.world().dead_accounts.get(&key) {
        Some(subcode) => Err(GraphError::new(190, Some(*subcode))),
        None => Ok(account),
    }
}

/// Checks that the id in a path is the caller's: the page on graph.facebook.com, the Instagram
/// account on graph.instagram.com, or `me`.
pub(crate) fn own_path(request: &GraphRequest, account: &AccountConfig, id: &str) -> Result<(), GraphError> {
    let page = account.page.as_ref().map(|page| page.id.as_str());
    match request.host {
        _ if id == "me" => Ok(()),
        Host::Facebook if page == Some(id) => Ok(()),
        // The account's own Instagram id with a page token: known, but the wrong node.
        Host::Facebook if account.ig_id == id => Err(GraphError::new(3, None)),
        Host::Instagram if account.ig_id == id => Ok(()),
        // Another account's id and an unknown one look the same from outside.
        Host::Facebook | Host::Instagram => Err(GraphError::unknown_object(request.method.as_str(), id)),
    }
}
