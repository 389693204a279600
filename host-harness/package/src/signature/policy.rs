//! Owns: whom an operator trusts: which publisher has which keys and may publish which channels, and what is revoked.
//! Does not own: reading it from a configuration file (the caller), whether a signature fits it (`verify`).

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    str::FromStr,
};

use serde::{Deserialize, Serialize};

use super::{
    identity::Identity,
    key::{KeyHint, PublicKey},
    keyless::TrustedRoot,
};
use crate::{Digest, NameError, Publisher, names::check_channel};

/// How many publishers, keys of one, channels of one and revocations a policy has at most.
const MAX_RULES: usize = 1000;

/// Why a policy is refused before anything is verified against it.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum PolicyError {
    /// The same name twice.
    #[error("the publisher `{0}` is configured twice: put its keys and channels into one entry")]
    Twice(Publisher),
    /// Two names that a person could take for each other.
    #[error(
        "the publishers `{0}` and `{1}` look alike, so that nobody could tell which of them a package is from: keep one of them"
    )]
    LookAlike(Publisher, Publisher),
    /// A publisher that can sign nothing.
    #[error("the publisher `{0}` has neither a key nor an identity: add the public key that it gave you")]
    NoKey(Publisher),
    /// Identities of which nothing could ever be verified.
    #[error(
        "the publisher `{0}` has identities, and no trusted root says whose certificates count for them: configure one, such \
         as the `trusted_root.json` of sigstore"
    )]
    NoRoot(Publisher),
    /// A publisher that may publish nothing.
    #[error("the publisher `{0}` may publish no channel: name them, such as `web-chat` or `{0}-*`")]
    NoChannel(Publisher),
    /// A key that would speak for two.
    #[error(
        "the key {hint} is configured for both `{one}` and `{other}`, so that it does not say who signed: keep one of them"
    )]
    SharedKey {
        /// Which.
        hint: KeyHint,
        /// Whose.
        one: Publisher,
        /// And whose.
        other: Publisher,
    },
    /// An identity that would speak for two.
    #[error(
        "the identity {identity} is configured for both `{one}` and `{other}`, so that it does not say who signed: keep one of \
         them"
    )]
    SharedIdentity {
        /// Which.
        identity: Identity,
        /// Whose.
        one: Publisher,
        /// And whose.
        other: Publisher,
    },
    /// Too much of something.
    #[error("the trust policy has more than {MAX_RULES} {0}")]
    TooMany(&'static str),
    /// Neither a channel's id nor the beginning of some.
    #[error("no channels can be named so: {0}; or the beginning of some ids, such as `acme-*`")]
    Pattern(#[from] NameError),
}

/// Channels that a publisher may publish. As text: an id, or `PREFIX-*` for all ids that begin with `PREFIX-`.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum ChannelPattern {
    /// One.
    Exact(String),
    /// All whose id begins with this and a hyphen.
    Prefix(String),
}

impl ChannelPattern {
    /// Whether it names this channel.
    pub fn matches(&self, channel: &str) -> bool {
        match self {
            Self::Exact(id) => id == channel,
            Self::Prefix(prefix) => channel.strip_prefix(prefix.as_str()).is_some_and(|rest| rest.starts_with('-')),
        }
    }
}

impl FromStr for ChannelPattern {
    type Err = PolicyError;

    fn from_str(text: &str) -> Result<Self, PolicyError> {
        if let Some(prefix) = text.strip_suffix("-*") {
            check_channel(prefix)?;
            return Ok(Self::Prefix(prefix.to_owned()));
        }
        check_channel(text)?;
        Ok(Self::Exact(text.to_owned()))
    }
}

impl fmt::Display for ChannelPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(id) => f.write_str(id),
            Self::Prefix(prefix) => write!(f, "{prefix}-*"),
        }
    }
}

as_text!(ChannelPattern, PolicyError);

/// A publisher that an operator trusts.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct PublisherRule {
    /// Its name.
    pub name: Publisher,
    /// Its public keys, as PEM blocks.
    #[serde(default)]
    pub keys: Vec<PublicKey>,
    /// Who may sign for it without a key.
    #[serde(default)]
    pub identities: Vec<Identity>,
    /// What it may publish.
    pub channels: Vec<ChannelPattern>,
}

/// A trust policy as it is configured. The default trusts nobody.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct TrustRules {
    /// Who is trusted.
    #[serde(default)]
    pub publishers: Vec<PublisherRule>,
    /// Components and manifests that are refused whoever signed them.
    #[serde(default)]
    pub revoked_digests: BTreeSet<Digest>,
    /// Keys whose signatures count no more, those from before included: a signature does not say when it was made.
    #[serde(default)]
    pub revoked_keys: BTreeSet<KeyHint>,
    /// Identities whose signatures count no more, those from before included: an account that was taken over can have signed
    /// at any time.
    #[serde(default)]
    pub revoked_identities: BTreeSet<Identity>,
    /// Whose certificates and logs count, for signatures without a key.
    #[serde(skip)]
    pub trusted_root: Option<TrustedRoot>,
}

/// A trust policy that is sound: every key or identity speaks for one publisher, and no two publishers look alike.
///
/// The default trusts nobody.
#[derive(Clone, Debug, Default)]
pub struct TrustPolicy {
    channels: BTreeMap<Publisher, Vec<ChannelPattern>>,
    keys: BTreeMap<KeyHint, (Publisher, PublicKey)>,
    identities: BTreeMap<Identity, Publisher>,
    revoked_digests: BTreeSet<Digest>,
    revoked_keys: BTreeSet<KeyHint>,
    revoked_identities: BTreeSet<Identity>,
    trusted_root: Option<TrustedRoot>,
}

impl TrustPolicy {
    /// Checks the rules.
    ///
    /// # Errors
    ///
    /// [`PolicyError`] where a signature could be taken for somebody else's, or a publisher has no use.
    pub fn new(rules: TrustRules) -> Result<Self, PolicyError> {
        let TrustRules { publishers, revoked_digests, revoked_keys, revoked_identities, trusted_root } = rules;
        let bounded = |many: usize, of| if many > MAX_RULES { Err(PolicyError::TooMany(of)) } else { Ok(()) };
        bounded(publishers.len(), "publishers")?;
        bounded(revoked_digests.len(), "revoked digests")?;
        bounded(revoked_keys.len(), "revoked keys")?;
        bounded(revoked_identities.len(), "revoked identities")?;
        let mut policy = Self { revoked_digests, revoked_keys, revoked_identities, trusted_root, ..Self::default() };
        for PublisherRule { name, keys, identities, channels } in publishers {
            bounded(keys.len(), "keys of one publisher")?;
            bounded(identities.len(), "identities of one publisher")?;
            bounded(channels.len(), "channels of one publisher")?;
            if keys.is_empty() && identities.is_empty() {
                return Err(PolicyError::NoKey(name));
            }
            if !identities.is_empty() && policy.trusted_root.is_none() {
                return Err(PolicyError::NoRoot(name));
            }
            if channels.is_empty() {
                return Err(PolicyError::NoChannel(name));
            }
            if let Some(other) = policy.resembled(&name) {
                return Err(PolicyError::LookAlike(other.clone(), name));
            }
            for key in keys {
                let hint = key.hint();
                match policy.keys.get(&hint) {
                    Some((one, _)) if *one != name => {
                        return Err(PolicyError::SharedKey { hint, one: one.clone(), other: name });
                    }
                    _ => policy.keys.insert(hint, (name.clone(), key)),
                };
            }
            for identity in identities {
                match policy.identities.get(&identity) {
                    Some(one) if *one != name => {
                        return Err(PolicyError::SharedIdentity { identity, one: one.clone(), other: name });
                    }
                    _ => policy.identities.insert(identity, name.clone()),
                };
            }
            if policy.channels.insert(name.clone(), channels).is_some() {
                return Err(PolicyError::Twice(name));
            }
        }
        Ok(policy)
    }

    /// The publisher that a person could take this name for.
    pub(super) fn resembled(&self, name: &Publisher) -> Option<&Publisher> {
        self.channels.keys().find(|known| known.looks_like(name))
    }

    /// What a publisher may publish; nothing where it is not known.
    pub(super) fn channels(&self, name: &Publisher) -> Option<&[ChannelPattern]> {
        self.channels.get(name).map(Vec::as_slice)
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = (&KeyHint, &Publisher, &PublicKey)> {
        self.keys.iter().map(|(hint, (publisher, key))| (hint, publisher, key))
    }

    /// Whose identity this is, where it is known.
    pub(super) fn owner(&self, identity: &Identity) -> Option<&Publisher> {
        self.identities.get(identity)
    }

    pub(super) fn trusted_root(&self) -> Option<&TrustedRoot> {
        self.trusted_root.as_ref()
    }

    pub(super) fn revokes_identity(&self, identity: &Identity) -> bool {
        self.revoked_identities.contains(identity)
    }

    pub(super) fn revokes_key(&self, hint: &KeyHint) -> bool {
        self.revoked_keys.contains(hint)
    }

    /// Whether a component or a manifest is revoked: for what is installed already, too.
    pub fn revokes(&self, digest: &Digest) -> bool {
        self.revoked_digests.contains(digest)
    }
}
