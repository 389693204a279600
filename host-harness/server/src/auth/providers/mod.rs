//! Owns: signing in at identity providers that the operator trusts (OpenID Connect: authorization code with PKCE).
//! Does not own: who is let in as whom (the inbox), sessions (`sign_in`), the pages.

mod flow;
mod id_token;
mod metadata;
mod signature;

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use harness_engine::{DirectError, Host, Secret, VaultError};
use harness_inbox::{InboxError, WorkspaceId};

pub(crate) use self::flow::Arrived;
pub(crate) use self::id_token::TokenError;
use self::metadata::Known;

/// How long a sign-in may take at the provider.
pub(crate) const FLOW: Duration = Duration::from_secs(600);
/// How many finished sign-ins are remembered, so that none is finished twice. Only people of a provider add to them.
const MAX_FINISHED: usize = 10_000;

/// How people may sign in.
#[derive(Clone, Debug)]
pub struct SignInOptions {
    /// Whether passwords open anything.
    pub password: bool,
    /// The identity providers, in the order in which they are shown.
    pub providers: Vec<ProviderOptions>,
}

impl Default for SignInOptions {
    fn default() -> Self {
        Self { password: true, providers: Vec::new() }
    }
}

/// An identity provider that the operator trusts to say who somebody is.
#[derive(Clone, Debug)]
pub struct ProviderOptions {
    /// Its short name in addresses of this host: `a`–`z`, `0`–`9` and `-`.
    pub id: String,
    /// Its name, for people.
    pub name: String,
    /// Its issuer identifier, exactly as its tokens have it.
    pub issuer: String,
    /// What it calls this host.
    pub client_id: String,
    /// This host's secret there.
    pub client_secret: Secret,
    /// Everybody with a verified address of these mail domains joins without an invitation, as an agent.
    pub domains: Vec<String>,
    /// The workspace that they join.
    pub workspace: WorkspaceId,
}

impl ProviderOptions {
    /// The workspace that whoever has this address joins without an invitation.
    pub(crate) fn open_to(&self, email: &str) -> Option<WorkspaceId> {
        let (_, domain) = email.rsplit_once('@')?;
        self.domains.iter().any(|open| open.eq_ignore_ascii_case(domain)).then_some(self.workspace)
    }
}

/// Why somebody could not sign in at a provider. None quotes a token, a code or the host's own secret.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProviderError {
    #[error("there is no such identity provider")]
    Unknown,
    #[error("the sign-in was not begun in this browser, or it has been finished, or it took longer than ten minutes")]
    NotBegunHere,
    #[error("the answer names another issuer than the provider that was asked")]
    OtherIssuer,
    #[error("the provider refused: {0}")]
    Refused(String),
    #[error("the provider cannot be reached: {0}")]
    Unreachable(#[from] DirectError),
    #[error("the provider answered {at} with status {status}")]
    Status { at: &'static str, status: u16 },
    #[error("what the provider answered {at} is not what it should be: {problem}")]
    Answer { at: &'static str, problem: String },
    #[error("the provider's token was rejected: {0}")]
    Token(#[from] TokenError),
    #[error("the provider names no e-mail address")]
    NoEmail,
    #[error("the provider has not verified this person's e-mail address")]
    Unverified,
    #[error("nobody is invited with this e-mail address")]
    NotInvited(String),
    #[error("this address belongs to a person with another identity at a provider")]
    OtherIdentity(String),
    #[error("this person is disabled")]
    Disabled,
    #[error(transparent)]
    Inbox(#[from] InboxError),
    #[error(transparent)]
    Random(#[from] VaultError),
    #[error("this host's own address is not set: {0}")]
    NoAddress(String),
}

/// A provider, with what is known of it.
#[derive(Debug)]
pub(crate) struct Provider {
    pub(crate) options: ProviderOptions,
    known: Known,
}

/// The ways in: passwords, and providers.
#[derive(Debug)]
pub(crate) struct Ways {
    pub(crate) password: bool,
    providers: Vec<Provider>,
    finished: Mutex<HashMap<[u8; 32], Duration>>,
}

impl Default for Ways {
    fn default() -> Self {
        Self::new(SignInOptions::default())
    }
}

impl Ways {
    pub(crate) fn new(options: SignInOptions) -> Self {
        let provider = |options| Provider { options, known: Known::default() };
        Self {
            password: options.password,
            providers: options.providers.into_iter().map(provider).collect(),
            finished: Mutex::default(),
        }
    }

    /// The short names and the names of all providers.
    pub(crate) fn names(&self) -> impl Iterator<Item = (&str, &str)> {
        self.providers.iter().map(|one| (one.options.id.as_str(), one.options.name.as_str()))
    }

    pub(crate) fn provider(&self, id: &str) -> Result<&Provider, ProviderError> {
        self.providers.iter().find(|one| one.options.id == id).ok_or(ProviderError::Unknown)
    }

    /// Notes that a sign-in is finished. False if it was before.
    fn finish(&self, host: &Host, sign_in: [u8; 32]) -> bool {
        let now = host.clock().steady();
        let mut finished = self.finished.lock().unwrap_or_else(PoisonError::into_inner);
        finished.retain(|_, at| now.saturating_sub(*at) < FLOW * 2);
        if finished.len() >= MAX_FINISHED
            && let Some(oldest) = finished.iter().min_by_key(|(_, at)| **at).map(|(oldest, _)| *oldest)
        {
            finished.remove(&oldest);
        }
        finished.insert(sign_in, now).is_none()
    }
}
