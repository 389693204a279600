//! Owns: authenticating a request: by its token, or by the session of a browser on this host's own pages.
//! Does not own: which endpoint needs which scope (`api`), stored tokens (`tokens`), signing in (`sign_in`).

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, RwLock},
};

use axum::http::{HeaderMap, Method, header};
use harness_engine::{Host, Secret};
use harness_inbox::{InboxError, PublicId as _, WorkspaceId};
use subtle::ConstantTimeEq as _;

use super::{
    attempts::Attempts,
    cookies::Cookie,
    password::Passwords,
    principal::{Principal, Who},
    providers::{SignInOptions, Ways},
    sign_in,
    tokens::{Stamp, StoredToken, TokenFile, digest},
};
use crate::middleware::browser;

/// The header in which a sender for the whole host names the workspace of a request.
pub(crate) const WORKSPACE: &str = "workspace";

/// Why a request is not authenticated.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Denied {
    #[error("sign in, or send a token of the API as `Authorization: Bearer …`; `harness token create` makes one")]
    NoToken,
    #[error("this token is not known: it was mistyped or revoked; `harness token create` makes another")]
    Unknown,
    #[error("this token's time is over: make another with `harness token create`")]
    Expired,
    #[error("you are signed out: your session has ended; sign in again")]
    SignedOut,
    #[error(
        "a request that changes something, with a session, has to come from a page of this host: its `Origin` is missing or is another's. Programs send a token instead"
    )]
    OtherOrigin,
    #[error("there is no such workspace: the header `Workspace` names one by its id; without it, the first is meant")]
    NoWorkspace,
    #[error(transparent)]
    Inbox(#[from] InboxError),
}

/// The token in `Authorization`. The scheme is case-insensitive.
fn shown(header: &[u8]) -> Option<&[u8]> {
    let (scheme, token) = header.split_at_checked(b"Bearer ".len())?;
    let token = token.trim_ascii();
    (scheme.eq_ignore_ascii_case(b"Bearer ") && !token.is_empty()).then_some(token)
}

/// How often the last use of a token is recorded, in milliseconds.
const USED_EVERY_MS: u64 = 60_000;

/// Authenticates requests. Without any token, as by default, it accepts only people who have signed in. Cloning shares
/// it.
#[derive(Clone, Debug, Default)]
pub struct Authenticator {
    shared: Arc<Shared>,
    ways: Arc<Ways>,
}

#[derive(Debug, Default)]
struct Shared {
    /// SHA-256 of the token with all scopes.
    admin: Option<[u8; 32]>,
    file: Option<TokenFile>,
    known: RwLock<Option<(Stamp, Arc<[StoredToken]>)>>,
    used: Mutex<HashMap<[u8; 32], u64>>,
    passwords: Passwords,
    attempts: Attempts,
}

impl Authenticator {
    /// Accepts one token for everything, and each token of the file for its scopes. The sender's address and other
    /// headers grant nothing.
    pub fn new(admin: Option<&Secret>, file: Option<TokenFile>) -> Self {
        let admin = admin.map(|token| digest(token.expose()));
        Self { shared: Arc::new(Shared { admin, file, ..Shared::default() }), ways: Arc::default() }
    }

    /// The same, with other ways for people to sign in. By default, they have passwords.
    #[must_use]
    pub fn with_sign_in(self, options: SignInOptions) -> Self {
        Self { ways: Arc::new(Ways::new(options)), ..self }
    }

    /// How people may sign in.
    pub(crate) fn ways(&self) -> &Ways {
        &self.ways
    }

    /// The file of named tokens.
    pub(crate) fn token_file(&self) -> Option<&TokenFile> {
        self.shared.file.as_ref()
    }

    pub(super) fn passwords(&self) -> &Passwords {
        &self.shared.passwords
    }

    pub(super) fn attempts(&self) -> &Attempts {
        &self.shared.attempts
    }

    /// Authenticates a request by its headers. A token counts before a session.
    pub(crate) async fn authenticate(
        &self,
        host: &Host,
        method: &Method,
        headers: &HeaderMap,
    ) -> Result<Principal, Denied> {
        let token = headers.get(header::AUTHORIZATION).map(|value| shown(value.as_bytes()).ok_or(Denied::NoToken));
        let principal = match token {
            Some(token) => self.by_token(token?, host.clock().now())?,
            None => by_session(host, method, headers).await?,
        };
        self.choose_workspace(host, headers, principal).await
    }

    /// Whether a sender whose request goes on for long may still have the answer: not once their session has ended or
    /// their token was revoked.
    pub(crate) async fn still_admits(&self, host: &Host, principal: &Principal) -> bool {
        let now = host.clock().now();
        match &principal.who {
            Who::User { session, .. } => matches!(host.users().session(*session, now).await, Ok(Some(_))),
            Who::Token { sha256 } => {
                let lasts = |stored: &StoredToken| stored.expires_at.is_none_or(|end| end > now);
                self.known().iter().any(|stored| stored.sha256 == *sha256 && lasts(stored))
            }
            Who::Operator => true,
        }
    }

    async fn choose_workspace(
        &self,
        host: &Host,
        headers: &HeaderMap,
        principal: Principal,
    ) -> Result<Principal, Denied> {
        let Some(named) = headers.get(WORKSPACE) else { return Ok(principal) };
        let named =
            named.to_str().ok().and_then(|text| WorkspaceId::from_public(text).ok()).ok_or(Denied::NoWorkspace)?;
        if named == principal.workspace {
            return Ok(principal);
        }
        let exists = principal.is_of_host() && host.inbox().workspaces().await?.iter().any(|one| one.id == named);
        if exists { Ok(principal.in_workspace(named)) } else { Err(Denied::NoWorkspace) }
    }

    fn by_token(&self, token: &[u8], now: u64) -> Result<Principal, Denied> {
        let digest = digest(token);
        let is_admin = self.shared.admin.is_some_and(|admin| bool::from(admin.ct_eq(&digest)));
        let known = self.known();
        // All tokens are compared, so that the time taken does not reveal which one matched.
        let found = known.iter().fold(None, |found, stored| {
            let is_it = bool::from(stored.sha256.ct_eq(&digest));
            if is_it { Some(stored) } else { found }
        });
        if is_admin {
            return Ok(Principal::operator());
        }
        let stored = found.ok_or(Denied::Unknown)?;
        if stored.expires_at.is_some_and(|end| end <= now) {
            return Err(Denied::Expired);
        }
        self.note(stored, now);
        Ok(Principal::token(stored))
    }

    /// The tokens in the file now. The file is read again only when its metadata have changed.
    fn known(&self) -> Arc<[StoredToken]> {
        let Some(file) = &self.shared.file else { return Arc::default() };
        let Some(stamp) = file.stamp() else { return Arc::default() };
        {
            let known = self.shared.known.read().unwrap_or_else(PoisonError::into_inner);
            if let Some((of, tokens)) = known.as_ref()
                && *of == stamp
            {
                return Arc::clone(tokens);
            }
        }
        // An unreadable file grants nothing.
        let tokens: Arc<[StoredToken]> = file
            .list()
            .inspect_err(|error| tracing::error!(%error, "the API's tokens cannot be read and open nothing"))
            .unwrap_or_default()
            .into();
        let mut known = self.shared.known.write().unwrap_or_else(PoisonError::into_inner);
        *known = Some((stamp, Arc::clone(&tokens)));
        tokens
    }

    /// Records the use of a token, at most once per interval and without delaying the request.
    fn note(&self, stored: &StoredToken, now: u64) {
        let Some(file) = self.shared.file.clone() else { return };
        let mut used = self.shared.used.lock().unwrap_or_else(PoisonError::into_inner);
        let last = used.get(&stored.sha256).copied().max(stored.last_used_at).unwrap_or(0);
        if now.saturating_sub(last) < USED_EVERY_MS {
            return;
        }
        let id = stored.sha256;
        used.insert(id, now);
        tokio::task::spawn_blocking(move || {
            if let Err(error) = file.used(&id, now) {
                tracing::warn!(%error, "when a token was used could not be written down");
            }
        });
    }
}

/// The person whose session a browser shows. What changes something has to come from a page of this host, positively:
/// a cookie goes along with requests that the person knows nothing of.
async fn by_session(host: &Host, method: &Method, headers: &HeaderMap) -> Result<Principal, Denied> {
    let cookie = Cookie::Session.of(host, headers).ok_or(Denied::NoToken)?;
    if !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS) && !browser::is_of_this_host(host, headers) {
        return Err(Denied::OtherOrigin);
    }
    let id = digest(cookie.as_bytes());
    let user = sign_in::signed_in(host, id).await?.ok_or(Denied::SignedOut)?;
    Ok(Principal::user(user, id))
}
