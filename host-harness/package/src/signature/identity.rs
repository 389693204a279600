//! Owns: who signs without a key of their own: whom an issuer of identities vouches for.
//! Does not own: certificates that say so (`keyless`), which identities are trusted (`policy`).

use std::fmt;

use serde::{Deserialize, Serialize};
use url::Url;

use super::{key::KeyHint, quoted};

/// The longest issuer or subject, in bytes.
const MAX_IDENTITY: usize = 512;

/// Why something is no identity.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum IdentityError {
    /// Not an issuer.
    #[error("`{0}` is no issuer of identities: expected its https address, such as `https://accounts.google.com`")]
    Issuer(String),
    /// Not a subject.
    #[error(
        "`{0}` is no subject of an identity: expected a mail address, or an address of a build such as \
         `https://github.com/acme/channel/.github/workflows/release.yml@refs/heads/main`"
    )]
    Subject(String),
}

/// Whom an issuer vouches for. Both parts are compared letter by letter; neither can mislead a reader.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct Identity {
    issuer: String,
    subject: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    issuer: String,
    subject: String,
}

impl Identity {
    /// The identity with this issuer and subject, in printable ASCII of at most 512 bytes each.
    ///
    /// # Errors
    ///
    /// [`IdentityError`] where one of them is none.
    pub fn new(issuer: &str, subject: &str) -> Result<Self, IdentityError> {
        if !is_word(issuer) || !Url::parse(issuer).is_ok_and(|url| url.scheme() == "https") {
            return Err(IdentityError::Issuer(quoted(issuer)));
        }
        let address = || Url::parse(subject).is_ok();
        let mail = || subject.split_once('@').is_some_and(|(name, host)| !name.is_empty() && !host.is_empty());
        if !is_word(subject) || !(if subject.contains("://") { address() } else { mail() }) {
            return Err(IdentityError::Subject(quoted(subject)));
        }
        Ok(Self { issuer: issuer.to_owned(), subject: subject.to_owned() })
    }

    /// Who vouches for it: the address of an OpenID provider.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Whom it vouches for: a mail address, or the address of a build.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// Whether the subject is the address of a build or the like, and not a mail address.
    #[cfg(feature = "keyless")]
    pub(super) fn is_address(&self) -> bool {
        self.subject.contains("://")
    }
}

fn is_word(text: &str) -> bool {
    (1..=MAX_IDENTITY).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

impl TryFrom<Written> for Identity {
    type Error = IdentityError;

    fn try_from(Written { issuer, subject }: Written) -> Result<Self, IdentityError> {
        Self::new(&issuer, &subject)
    }
}

impl From<Identity> for Written {
    fn from(Identity { issuer, subject }: Identity) -> Self {
        Self { issuer, subject }
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (vouched for by {})", self.subject, self.issuer)
    }
}

/// By what a signature names who made it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Signer {
    /// A key of a publisher's.
    Key(KeyHint),
    /// A certificate for an identity.
    Identity(Identity),
}

impl Signer {
    /// The key, where it is one.
    pub fn key(&self) -> Option<&KeyHint> {
        match self {
            Self::Key(hint) => Some(hint),
            Self::Identity(_) => None,
        }
    }

    /// The identity, where it is one.
    pub fn identity(&self) -> Option<&Identity> {
        match self {
            Self::Key(_) => None,
            Self::Identity(identity) => Some(identity),
        }
    }
}

impl fmt::Display for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(hint) => write!(f, "the key {hint}"),
            Self::Identity(identity) => write!(f, "the identity {identity}"),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    const ISSUER: &str = "https://token.actions.githubusercontent.com";

    #[test]
    fn an_identity_is_printable_and_whole() {
        for subject in ["kim@acme.example", "https://github.com/acme/chat/.github/workflows/x.yml@refs/tags/v1"] {
            let identity = Identity::new(ISSUER, subject).unwrap();
            assert_eq!(identity.to_string(), format!("{subject} (vouched for by {ISSUER})"));
            let json = serde_json::to_string(&identity).unwrap();
            assert_eq!(serde_json::from_str::<Identity>(&json).unwrap(), identity);
        }
        let long = format!("{}@acme.example", "k".repeat(512));
        for subject in ["", "kim", "@acme.example", "kim@", "kim @acme.example", "kim@аcme.example", "://x", &long] {
            assert!(matches!(Identity::new(ISSUER, subject), Err(IdentityError::Subject(_))), "{subject:?}");
        }
        for issuer in
            ["", "accounts.google.com", "http://accounts.google.com", "https://a.example/\u{202e}", "https://"]
        {
            let refused = Identity::new(issuer, "kim@acme.example").unwrap_err();
            assert!(matches!(refused, IdentityError::Issuer(_)), "{issuer:?}");
            assert!(!refused.to_string().chars().any(harness_contract::text::misleads));
        }
    }
}
