//! Owns: signing in and out: comparing a password, accepting an invitation, beginning, using and ending sessions.
//! Does not own: the requests for it (`api`, `pages`), storing (the inbox).

use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use axum::http::{HeaderMap, HeaderValue, header};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use harness_contract::text::shown;
use harness_engine::{Host, Secret, VaultError, random};
use harness_inbox::{Accepted, AtProvider, InboxError, InvitationView, NewSession, UserId, UserView};

use super::{
    attempts::Attempt,
    authenticator::Authenticator,
    cookies::Cookie,
    password::PasswordError,
    principal::Principal,
    providers::{Arrived, ProviderError},
    tokens::digest,
};

const DAY_MS: u64 = 24 * 3_600_000;
/// A session ends when it was not used for this long, in milliseconds.
const IDLE_MS: u64 = 7 * DAY_MS;
/// A session ends after this time, however much it is used, in milliseconds.
const ABSOLUTE_MS: u64 = 30 * DAY_MS;
/// How often the use of a session is recorded, in milliseconds.
const USED_EVERY_MS: u64 = 60_000;
/// How long a link of an invitation is good, in milliseconds.
pub(crate) const INVITED_MS: u64 = 7 * DAY_MS;
/// The longest e-mail address, in bytes: RFC 5321 allows no longer one.
const LONGEST_EMAIL: usize = 254;
/// The longest name of a person, in characters.
const LONGEST_NAME: usize = 80;
/// What is kept of what a browser calls itself, in characters.
const LONGEST_CLIENT: usize = 120;

/// Why somebody could not sign in.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SignInError {
    #[error("the e-mail address or the password is not right")]
    Wrong,
    #[error(
        "too many wrong passwords were tried; try again in {} s. A browser with which you have signed in before is not held up by others", .0.as_secs().max(1)
    )]
    TooMany(Duration),
    #[error(
        "this invitation is not valid any more: it was used, replaced or withdrawn, or its time is over. Ask for another"
    )]
    NoInvitation,
    #[error("people do not sign in with passwords here: the page `/sign-in` shows where they do")]
    NoPasswords,
    #[error(transparent)]
    BadPassword(PasswordError),
    #[error(transparent)]
    Busy(PasswordError),
    #[error(transparent)]
    Hash(PasswordError),
    #[error(transparent)]
    Inbox(#[from] InboxError),
    #[error(transparent)]
    Random(#[from] VaultError),
}

impl From<PasswordError> for SignInError {
    fn from(error: PasswordError) -> Self {
        match error {
            PasswordError::TooShort | PasswordError::TooLong | PasswordError::TooEasy => Self::BadPassword(error),
            PasswordError::Busy => Self::Busy(error),
            error => Self::Hash(error),
        }
    }
}

/// A session that was begun, with the cookies for the browser.
#[derive(Debug)]
pub(crate) struct Begun {
    pub(crate) principal: Principal,
    pub(crate) user: UserView,
    pub(crate) cookies: Vec<HeaderValue>,
}

/// An e-mail address as it is stored, if it is one.
pub(crate) fn email_of(text: &str) -> Option<String> {
    let email = text.trim().to_lowercase();
    let (local, domain) = email.split_once('@')?;
    let odd = |letter: char| letter.is_whitespace() || letter.is_control() || "<>()[]\\,;:\"@".contains(letter);
    let domain_fits = domain.split('.').count() >= 2 && domain.split('.').all(|part| !part.is_empty());
    let fits = !local.is_empty() && domain_fits && email.len() <= LONGEST_EMAIL;
    (fits && !local.contains(odd) && !domain.contains(odd)).then_some(email)
}

/// A person's name as it is stored, if it is one.
pub(crate) fn name_of(text: &str) -> Option<String> {
    let name = shown(text.trim());
    (1..=LONGEST_NAME).contains(&name.chars().count()).then_some(name)
}

/// The network of a client's address, if it stands for few people. Addresses inside are those of proxies and offices.
pub(crate) fn peer_of(peer: Option<SocketAddr>) -> Option<IpAddr> {
    let network = crate::listener::network_of(peer?.ip());
    let inside = match network {
        IpAddr::V4(address) => address.is_loopback() || address.is_private() || address.is_link_local(),
        IpAddr::V6(address) => address.is_loopback() || address.is_unique_local() || address.is_unicast_link_local(),
    };
    (!inside).then_some(network)
}

fn secret() -> Result<String, VaultError> {
    Ok(URL_SAFE_NO_PAD.encode(random::<32>()?))
}

/// The person whose session this is, unless it has ended. Its use is recorded without delaying the request.
pub(super) async fn signed_in(host: &Host, id: [u8; 32]) -> Result<Option<UserView>, InboxError> {
    let now = host.clock().now();
    let Some(session) = host.users().session(id, now).await? else { return Ok(None) };
    if now.saturating_sub(session.last_used_at) >= USED_EVERY_MS {
        let expires_at = now.saturating_add(IDLE_MS).min(session.created_at.saturating_add(ABSOLUTE_MS));
        let users = host.users();
        tokio::spawn(async move {
            if let Err(error) = users.use_session(id, expires_at, now).await {
                tracing::warn!(%error, "when a session was used could not be written down");
            }
        });
    }
    Ok(Some(session.user))
}

impl Authenticator {
    /// Signs a person in. An address that nobody has and a wrong password take the same work and get the same answer.
    pub(crate) async fn sign_in(
        &self,
        host: &Host,
        email: &str,
        password: Secret,
        headers: &HeaderMap,
        peer: Option<IpAddr>,
    ) -> Result<Begun, SignInError> {
        self.passwords_open()?;
        let email = email_of(email).unwrap_or_default();
        let known = host.users().credentials_of(&email).await?;
        let account = digest(email.as_bytes());
        let device = digest(Cookie::Device.of(host, headers).unwrap_or_default().as_bytes());
        // Looked up for nobody too: the same work.
        let person = known.as_ref().map_or(UserId::new(0), |known| known.user.id);
        let attempt = match host.users().is_known_device(device, person).await? {
            true => Attempt::Known { device, account },
            false => Attempt::Unknown { network: peer, account },
        };
        self.attempts().begin(&attempt, host.clock().steady()).map_err(SignInError::TooMany)?;
        let hash = known.as_ref().and_then(|known| known.password.clone());
        let right = self.passwords().verify(password, hash).await?;
        let user = known.map(|known| known.user).filter(|user| right && user.disabled_at.is_none());
        let Some(user) = user else {
            tracing::info!("somebody could not sign in");
            return Err(SignInError::Wrong);
        };
        self.attempts().succeeded(&attempt);
        begin(host, user, headers).await
    }

    /// The invitation that a link is for.
    pub(crate) async fn invitation(&self, host: &Host, secret: &str) -> Result<InvitationView, SignInError> {
        let now = host.clock().now();
        let found = host.users().invitation(digest(secret.as_bytes()), now).await?;
        found.ok_or(SignInError::NoInvitation)
    }

    /// Accepts an invitation with a password, and signs the person in.
    pub(crate) async fn accept(
        &self,
        host: &Host,
        secret: &str,
        name: &str,
        password: Secret,
        headers: &HeaderMap,
    ) -> Result<Begun, SignInError> {
        self.passwords_open()?;
        // Looked up first, so that nobody without an invitation makes the host hash.
        let invitation = self.invitation(host, secret).await?;
        let hash = self.passwords().hash(password, [&invitation.email, name]).await?;
        let accepted = Accepted::Password(hash);
        accept_with(host, secret, name, accepted, headers).await
    }

    /// Changes a person's password, who shows the present one, and ends their other sessions.
    pub(crate) async fn change_password(
        &self,
        host: &Host,
        user: UserId,
        session: [u8; 32],
        present: Secret,
        new: Secret,
    ) -> Result<(), SignInError> {
        self.passwords_open()?;
        let known = host.inbox().user(user).await?;
        // Whoever has the session may be another: they guess no faster than at the door.
        let attempt = Attempt::Known { device: session, account: digest(known.email.as_bytes()) };
        self.attempts().begin(&attempt, host.clock().steady()).map_err(SignInError::TooMany)?;
        let hash = host.users().password_of(user).await?;
        if !self.passwords().verify(present, hash).await? {
            return Err(SignInError::Wrong);
        }
        self.attempts().succeeded(&attempt);
        let hash = self.passwords().hash(new, [&known.email, &known.name]).await?;
        host.users().set_password(user, hash, Some(session), host.clock().now()).await?;
        Ok(())
    }

    fn passwords_open(&self) -> Result<(), SignInError> {
        if self.ways().password { Ok(()) } else { Err(SignInError::NoPasswords) }
    }

    /// Signs somebody in who comes back from an identity provider, and says where they wanted to go. The first time they are
    /// found by their verified e-mail address, and from then on by what the provider calls them.
    pub(crate) async fn arrive(
        &self,
        host: &Host,
        provider: &str,
        arrived: Arrived,
        headers: &HeaderMap,
    ) -> Result<(Begun, String), ProviderError> {
        let cookie = Cookie::SignIn.of(host, headers);
        let claimed = self.ways().arrive(host, provider, cookie, arrived).await?;
        let options = &self.ways().provider(provider)?.options;
        let users = host.users();
        let user = match users.user_at_provider(&options.issuer, &claimed.subject).await? {
            Some(user) => user,
            None => {
                let email = claimed.email?;
                let email = email_of(&email).ok_or(ProviderError::NoEmail)?;
                let local = email.split('@').next().unwrap_or_default();
                let name = claimed.name.as_deref().and_then(name_of).or_else(|| name_of(local)).unwrap_or_default();
                let open = options.open_to(&email);
                let (issuer, subject) = (options.issuer.clone(), claimed.subject);
                let person = AtProvider { issuer, subject, email: email.clone(), name };
                match users.join_from_provider(person, open, host.clock().now()).await {
                    Ok(user) => user.ok_or(ProviderError::NotInvited(email))?,
                    Err(InboxError::EmailTaken) => return Err(ProviderError::OtherIdentity(email)),
                    Err(error) => return Err(error.into()),
                }
            }
        };
        match begin(host, user, headers).await {
            Ok(begun) => Ok((begun, claimed.next)),
            Err(SignInError::Inbox(error)) => Err(error.into()),
            Err(SignInError::Random(error)) => Err(error.into()),
            Err(_) => Err(ProviderError::Disabled),
        }
    }
}

/// Accepts an invitation, and signs the person in.
pub(super) async fn accept_with(
    host: &Host,
    secret: &str,
    name: &str,
    accepted: Accepted,
    headers: &HeaderMap,
) -> Result<Begun, SignInError> {
    let now = host.clock().now();
    let user = host.users().accept_invitation(digest(secret.as_bytes()), name.to_owned(), accepted, now).await;
    match user {
        Ok(user) => begin(host, user, headers).await,
        Err(InboxError::NotFound { .. }) => Err(SignInError::NoInvitation),
        Err(error) => Err(error.into()),
    }
}

/// Begins a session of a person who has proved who they are. It is always a new one: a cookie that a browser had before
/// opens nothing more than it did.
pub(super) async fn begin(host: &Host, user: UserView, headers: &HeaderMap) -> Result<Begun, SignInError> {
    let now = host.clock().now();
    let value = secret()?;
    let client = headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let client: String = shown(client).chars().take(LONGEST_CLIENT).collect();
    let expires_at = now.saturating_add(IDLE_MS);
    let id = digest(value.as_bytes());
    let new = NewSession { id, user: user.id, client, expires_at };
    if !host.users().begin_session(new, now).await? {
        return Err(SignInError::Wrong);
    }
    if let Some(before) = Cookie::Session.of(host, headers) {
        host.users().end_session(digest(before.as_bytes())).await?;
    }
    let made_here = |cookie: &&str| cookie.len() == value.len();
    let device = match Cookie::Device.of(host, headers).filter(made_here) {
        Some(known) => known.to_owned(),
        None => secret()?,
    };
    host.users().remember_device(digest(device.as_bytes()), user.id, now).await?;
    let cookies = [Cookie::Session.set(host, &value), Cookie::Device.set(host, &device)];
    let principal = Principal::user(user.clone(), id);
    Ok(Begun { principal, user, cookies: cookies.into_iter().flatten().collect() })
}

/// A new secret for the link of an invitation, and its digest.
pub(crate) fn invitation_secret() -> Result<(String, [u8; 32]), VaultError> {
    let secret = secret()?;
    let digest = digest(secret.as_bytes());
    Ok((secret, digest))
}
