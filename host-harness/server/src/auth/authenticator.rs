//! Owns: telling who a request is from by the token that it shows, and what they may do.
//! Does not own: which endpoint asks for which scope (`api`), tokens at rest (`tokens`).

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

/// What a request may do, by the token that it showed.
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

    /// Whether it holds the scope; otherwise the sentence for whoever asked.
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

/// Why a request shows nothing that opens the API.
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
    /// For programs.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::NoToken => "no_token",
            Self::Unknown => "unknown_token",
            Self::Expired => "expired_token",
        }
    }
}

/// The token in `Authorization`. The scheme's name may be written in any case.
fn shown(header: &[u8]) -> Option<&[u8]> {
    let (scheme, token) = header.split_at_checked(b"Bearer ".len())?;
    let token = token.trim_ascii();
    (scheme.eq_ignore_ascii_case(b"Bearer ") && !token.is_empty()).then_some(token)
}

/// How long a use of a token counts as the same for the note of when it was used last, in milliseconds.
const USED_EVERY_MS: u64 = 60_000;

/// The lock of the API. Without a key, as by default, it opens to nobody. Cloning shares it.
#[derive(Clone, Debug, Default)]
pub struct Authenticator {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    /// SHA-256 of the token that opens everything.
    admin: Option<[u8; 32]>,
    file: Option<TokenFile>,
    known: RwLock<Option<(Stamp, Arc<[StoredToken]>)>>,
    used: Mutex<HashMap<String, u64>>,
}

impl Authenticator {
    /// A lock that one token opens for everything, and each token of the file for its scopes. Where a request comes
    /// from and what it says about itself opens nothing.
    pub fn new(admin: Option<&Secret>, file: Option<TokenFile>) -> Self {
        let admin = admin.map(|token| digest(token.expose()));
        Self { shared: Arc::new(Shared { admin, file, ..Shared::default() }) }
    }

    /// Judges a request by its headers.
    pub(crate) fn authenticate(&self, headers: &HeaderMap, now: u64) -> Result<Principal, Denied> {
        let token =
            headers.get(header::AUTHORIZATION).and_then(|value| shown(value.as_bytes())).ok_or(Denied::NoToken)?;
        let digest = digest(token);
        let is_admin = self.shared.admin.is_some_and(|admin| bool::from(admin.ct_eq(&digest)));
        let known = self.known();
        // All are compared, so that the time tells nothing about which one it is.
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

    /// The tokens as the file holds them now. One look at the file's state is all that a request costs.
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
        // A file that cannot be read opens nothing.
        let tokens: Arc<[StoredToken]> = file
            .list()
            .inspect_err(|error| tracing::error!(%error, "the API's tokens cannot be read and open nothing"))
            .unwrap_or_default()
            .into();
        let mut known = self.shared.known.write().unwrap_or_else(PoisonError::into_inner);
        *known = Some((stamp, Arc::clone(&tokens)));
        tokens
    }

    /// Writes down that a token was used, once in a while and beside the request.
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
