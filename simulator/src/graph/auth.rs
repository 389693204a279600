//! Authentication: tokens, `appsecret_proof`, and whether the path is the caller's own.
//! What belongs here: authentication and the refusals that come with it, per host.

use crate::config::{AccountConfig, Login, PageConfig};
use crate::core::Core;
use crate::graph::Host;
use crate::graph::error::GraphError;
use crate::graph::request::GraphRequest;
use crate::signature::appsecret_proof;
use crate::state::World;
use crate::state::tokens::{Grant, Holder};

/// Whom a token speaks for.
pub(crate) enum Who {
    App,
    /// The person, with a user token.
    Person,
    /// A page without a linked Instagram account.
    Page(PageConfig),
    /// An account, by its page's token or its own.
    Account(Box<AccountConfig>),
}

/// The caller. No `Debug`: it holds the token.
pub(crate) struct Caller {
    pub(crate) who: Who,
    pub(crate) grant: Grant,
    pub(crate) token: String,
}

/// Finds the token's owner and checks the proof, if present.
pub(crate) fn authenticate(core: &Core, request: &GraphRequest) -> Result<Caller, GraphError> {
    let Some((_, token)) = &request.token else {
        // Captured answers: 2500 speaks of "the current user", so of `me`; other nodes give 104.
        let me = request.segments.first().is_some_and(|first| first == "me");
        return Err(if me {
            no_current_user()
        } else {
            GraphError::new(104, None).saying("An access token is required to request this resource.")
        });
    };
    let login = request.host.login();
    let caller = {
        let world = core.world();
        let holder = world.holder(login, token).or_else(|| app_by_secret(core, login, token));
        let who = who(&world, holder.ok_or_else(GraphError::unparsable_token)?)?;
        let minted = world.tokens.get(token);
        Caller { who, grant: minted.map(|minted| minted.grant.clone()).unwrap_or_default(), token: token.clone() }
    };
    if let Some(proof) = &request.proof
        && *proof != appsecret_proof(core.app_secret(login), token)
    {
        return Err(GraphError::invalid_proof());
    }
    Ok(caller)
}

pub(crate) fn no_current_user() -> GraphError {
    GraphError::new(2500, None)
        .saying("An active access token must be used to query information about the current user.")
}

/// `APPID|APPSECRET` is an app token as well (Meta's documentation, access tokens).
fn app_by_secret(core: &Core, login: Login, token: &str) -> Option<Holder> {
    let (id, secret) = token.split_once('|')?;
    (id == core.app_id(login) && secret == core.app_secret(login).expose()).then_some(Holder::App)
}

fn who(world: &World, holder: Holder) -> Result<Who, GraphError> {
    Ok(match holder {
        Holder::App => Who::App,
        Holder::Person => Who::Person,
        Holder::Account(ig_id) => {
            Who::Account(Box::new(world.account(&ig_id).cloned().ok_or_else(GraphError::unparsable_token)?))
        }
        Holder::Page(id) => match world.account_of_page(&id) {
            Some(account) => Who::Account(Box::new(account.clone())),
            // The person lost the page after the token was created.
            None => Who::Page(world.page(&id).cloned().ok_or_else(|| GraphError::new(190, Some(492)))?),
        },
    })
}

/// Refuses a token that expired, was revoked, or was invalidated by a fault.
pub(crate) fn alive(core: &Core, request: &GraphRequest, caller: Caller) -> Result<Caller, GraphError> {
    match core.world().death(request.host.login(), &caller.token, core.clock.now_ms()) {
        Some(subcode) => Err(GraphError::new(190, Some(subcode))),
        None => Ok(caller),
    }
}

impl Caller {
    /// The page of a page token.
    pub(crate) fn page(&self) -> Option<&PageConfig> {
        match &self.who {
            Who::Page(page) => Some(page),
            Who::Account(account) => account.page.as_ref(),
            Who::App | Who::Person => None,
        }
    }

    /// Invalidates the token, as a fault does; an account loses all its tokens.
    pub(crate) fn kill(&self, world: &mut World, login: Login, subcode: u32) {
        match &self.who {
            Who::Account(account) => world.kill_account(&account.ig_id, login, subcode),
            Who::App | Who::Person | Who::Page(_) => world.tokens.kill(&self.token, subcode),
        }
    }
}

/// Checks that the id in a path is the caller's own: the page on graph.facebook.com, the Instagram account on
/// graph.instagram.com, or `me`.
pub(crate) fn own_path(request: &GraphRequest, account: &AccountConfig, id: &str) -> Result<(), GraphError> {
    let page = account.page.as_ref().map(|page| page.id.as_str());
    match request.host {
        _ if id == "me" => Ok(()),
        Host::Facebook if page == Some(id) => Ok(()),
        // The account's own Instagram id with a page token: known, but the wrong node.
        Host::Facebook if account.ig_id == id => Err(GraphError::new(3, None)),
        Host::Instagram if account.ig_id == id => Ok(()),
        // Another account's id and an unknown one are indistinguishable.
        Host::Facebook | Host::Instagram => Err(GraphError::unknown_object(request.method.as_str(), id)),
    }
}
