//! Owns: authenticating a request by its token: who sends it, and what they may do.
//! Does not own: which endpoint needs which scope (`api`), stored tokens (`tokens`).

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, RwLock},
};

use axum::http::{HeaderMap, header};
use subtle::ConstantTimeEq as _;

use super::{
    scope::Scope,
    tokens::{Stamp, StoredToken, TokenFile, digest},
};
use harness_engine::Secret;

/// The scopes as a list for people.
fn listed(scopes: &[Scope]) -> String {
    scopes.iter().map(|scope| format!("`{scope}`")).collect::<Vec<_>>().join(", ")
}

/// The authenticated sender of a request, and its scopes.
#[derive(Clone, Debug)]
pub(crate) struct Principal {
    /// The token's name, for the log.
    pub(crate) whose: String,
    scopes: Vec<Scope>,
}

impl Principal {
    fn everything(whose: &str) -> Self {
        Self { whose: whose.to_owned(), scopes: vec![Scope::Admin] }
    }

    /// Checks that the token has the scope. `Err`: the sentence for the sender.
    pub(crate) fn requires(&self, scope: Scope) -> Result<(), String> {
        if self.scopes.contains(&scope) || self.scopes.contains(&Scope::Admin) {
            return Ok(());
        }
        Err(format!(
            "this token lacks the scope `{scope}`; it has {}: `harness token create NAME --scope {scope}` makes one that has it",
            listed(&self.scopes)
        ))
    }
}

/// Why a request is not authenticated.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub(crate) enum Denied {
    #[error("send a token of the API as `Authorization: Bearer …`; `harness token create` makes one")]
    NoToken,
    #[error("this token is not known: it was mistyped or revoked; `harness token create` makes another")]
    Unknown,
    #[error("this token's time is over: make another with `harness token create`")]
    Expired,
}

impl Denied {
    /// The problem's `code`.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::NoToken => "no_token",
            Self::Unknown => "unknown_token",
            Self::Expired => "expired_token",
        }
    }
}

/// The token in `Authorization`. The scheme is case-insensitive.
fn shown(header: &[u8]) -> Option<&[u8]> {
    let (scheme, token) = header.split_at_checked(b"Bearer ".len())?;
    let token = token.trim_ascii();
    (scheme.eq_ignore_ascii_case(b"Bearer ") && !token.is_empty()).then_some(token)
}

/// How often the last use of a token is recorded, in milliseconds.
const USED_EVERY_MS: u64 = 60_000;

/// Authenticates requests to the API. Without any token, as by default, it rejects all of them. Cloning shares it.
#[derive(Clone, Debug, Default)]
pub struct Authenticator {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    /// SHA-256 of the token with all scopes.
    admin: Option<[u8; 32]>,
    file: Option<TokenFile>,
    known: RwLock<Option<(Stamp, Arc<[StoredToken]>)>>,
    used: Mutex<HashMap<String, u64>>,
}

impl Authenticator {
    /// Accepts one token for everything, and each token of the file for its scopes. The sender's address and other
    /// headers grant nothing.
    pub fn new(admin: Option<&Secret>, file: Option<TokenFile>) -> Self {
        let admin = admin.map(|token| digest(token.expose()));
        Self { shared: Arc::new(Shared { admin, file, ..Shared::default() }) }
    }

    /// Authenticates a request by its headers. `now` is in milliseconds since 1970.
    pub(crate) fn authenticate(&self, headers: &HeaderMap, now: u64) -> Result<Principal, Denied> {
        let token =
            headers.get(header::AUTHORIZATION).and_then(|value| shown(value.as_bytes())).ok_or(Denied::NoToken)?;
        let digest = digest(token);
        let is_admin = self.shared.admin.is_some_and(|admin| bool::from(admin.ct_eq(&digest)));
        let known = self.known();
        // All tokens are compared, so that the time taken does not reveal which one matched.
        let found = known.iter().fold(None, |found, stored| {
            let is_it = bool::from(stored.sha256.ct_eq(&digest));
            if is_it { Some(stored) } else { found }
        });
        if is_admin {
            return Ok(Principal::everything("[api]"));
        }
        let stored = found.ok_or(Denied::Unknown)?;
        if stored.expires_at.is_some_and(|end| end <= now) {
            return Err(Denied::Expired);
        }
        self.note(stored, now);
        Ok(Principal { whose: stored.name.clone(), scopes: stored.scopes.clone() })
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
        let last = used.get(&stored.name).copied().max(stored.last_used_at).unwrap_or(0);
        if now.saturating_sub(last) < USED_EVERY_MS {
            return;
        }
        used.insert(stored.name.clone(), now);
        let name = stored.name.clone();
        tokio::task::spawn_blocking(move || {
            if let Err(error) = file.used(&name, now) {
                tracing::warn!(%error, "when a token was used could not be written down");
            }
        });
    }
}
