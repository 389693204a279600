//! Owns: why a component is not trusted, a sentence for each reason, and which of several reasons is told.
//! Does not own: finding out (`verify`).

use super::{
    bundle::BundleError,
    identity::{Identity, Signer},
    key::KeyHint,
    keyless::KeylessError,
    policy::ChannelPattern,
    rotation::RotationError,
    statement::StatementError,
};
use crate::{Digest, Publisher, Version};

/// How many bundles of one package are looked at.
pub const MAX_BUNDLES: usize = 32;

/// Why a component is refused. Each sentence holds digests and checked names only, nothing that a stranger wrote freely.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// There is no bundle about it.
    #[error("the component is not signed: expected a signature by a publisher that the trust policy names")]
    Unsigned,
    /// More bundles than are looked at.
    #[error("the package has {0} signatures and statements, expected at most {MAX_BUNDLES}")]
    TooMany(usize),
    /// The operator revoked it.
    #[error("{0} is revoked by the trust policy, whoever signed it: take another version")]
    RevokedDigest(Digest),
    /// The operator revoked the key.
    #[error(
        "the component is signed by the key {0}, which the trust policy revokes: ask the publisher for a signature by its new key"
    )]
    RevokedKey(KeyHint),
    /// The operator revoked the identity.
    #[error(
        "the component is signed by the identity {0}, which the trust policy revokes: ask the publisher for a signature by another"
    )]
    RevokedIdentity(Identity),
    /// Nothing says whose certificates count.
    #[error(
        "the signature was made without a key of the publisher's (keyless, with a certificate), and this host has no trusted \
         root for such signatures: configure one with the publisher's identity{}, or ask the publisher for one that is made \
         with a key",
        not_built()
    )]
    NoRoot,
    /// A certificate of which nothing can be said.
    #[error("the signature by a certificate (keyless) is not accepted: {0}")]
    Certificate(#[source] KeylessError),
    /// Nobody knows the publisher.
    #[error("the publisher `{claimed}` is not in the trust policy; {}", advice(signer, .resembles.as_ref()))]
    UnknownPublisher {
        /// Who it claims to be from.
        claimed: Publisher,
        /// A publisher of the policy whose name looks like it.
        resembles: Option<Publisher>,
        /// The key or identity that it names.
        signer: Signer,
    },
    /// A known publisher, but not its key.
    #[error(
        "the component claims to be from `{claimed}`, but is signed by the key {hint}, which {}; if the publisher has a \
         new key, it must be signed by the old one or be added to the trust policy", whose(.owner.as_ref())
    )]
    AnothersKey {
        /// Who it claims to be from.
        claimed: Publisher,
        /// The key that it names.
        hint: KeyHint,
        /// Whose key that is, where it is known.
        owner: Option<Publisher>,
    },
    /// A known publisher, but not its identity.
    #[error(
        "the component claims to be from `{claimed}`, but is signed by the identity {identity}, which {}; if the publisher \
         signs as somebody else now, it must be added to the trust policy", whose_identity(.owner.as_ref())
    )]
    AnothersIdentity {
        /// Who it claims to be from.
        claimed: Publisher,
        /// The identity that its certificate names.
        identity: Identity,
        /// Whose identity that is, where it is known.
        owner: Option<Publisher>,
    },
    /// An identity of the publisher's, of which nothing is proved.
    #[error("the signature by the identity {identity} of `{publisher}` is not accepted: {source}")]
    NotProved {
        /// The identity that its certificate names.
        identity: Identity,
        /// Whose identity that is.
        publisher: Publisher,
        /// What is wrong.
        source: KeylessError,
    },
    /// The signature does not fit the statement.
    #[error(
        "the signature is not by the key {hint} of `{publisher}` that it names: the statement or the signature was changed"
    )]
    Forged {
        /// The key that it names.
        hint: KeyHint,
        /// Whose key that is.
        publisher: Publisher,
    },
    /// Another component.
    #[error(
        "the signature of `{publisher}` is for the component {signed}, this one is {found}: it was changed or mixed up"
    )]
    OtherComponent {
        /// Who signed.
        publisher: Publisher,
        /// What was signed.
        signed: Digest,
        /// What is here.
        found: Digest,
    },
    /// Another manifest.
    #[error(
        "the signature of `{publisher}` is for the package with the manifest {signed}, this one is {found}: it was replaced"
    )]
    OtherManifest {
        /// Who signed.
        publisher: Publisher,
        /// What was signed.
        signed: Digest,
        /// What is here.
        found: Digest,
    },
    /// Somebody else's channel.
    #[error("`{publisher}` may not publish the channel `{channel}`: the trust policy lets it publish {}", list(.allowed))]
    Namespace {
        /// Who signed.
        publisher: Publisher,
        /// The channel.
        channel: String,
        /// What it may publish.
        allowed: Vec<ChannelPattern>,
    },
    /// Not the channel that was asked for.
    #[error("this is the channel `{signed}`, as `{publisher}` signed it, and not `{expected}`")]
    OtherChannel {
        /// Who signed.
        publisher: Publisher,
        /// What was signed.
        signed: String,
        /// What was asked for.
        expected: String,
    },
    /// Not the version that was asked for.
    #[error("this is version {signed}, as `{publisher}` signed it, and not {expected}: a tag or a file name is wrong")]
    OtherVersion {
        /// Who signed.
        publisher: Publisher,
        /// What was signed.
        signed: Version,
        /// What was asked for.
        expected: Version,
    },
    /// Two statements that are both good and say two things.
    #[error(
        "the component is signed as {one} and as {other}, so that it does not say what it is: ask for one of the versions"
    )]
    Contradiction {
        /// Channel, version and publisher of one.
        one: String,
        /// Of the other.
        other: String,
    },
    /// A bundle cannot be read.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// A statement cannot be read.
    #[error(transparent)]
    Statement(#[from] StatementError),
    /// Its key is not trusted, because a rotation was refused.
    #[error(transparent)]
    Rotation(#[from] RotationError),
}

/// What to do about a publisher that nobody knows. Never how to trust one that looks like somebody else.
fn advice(signer: &Signer, known: Option<&Publisher>) -> String {
    known.map_or_else(
        || format!("to trust it, compare {signer} with what the publisher says, and add it"),
        |known| format!("its name looks like that of `{known}`, which is somebody else, so this may be an imitation"),
    )
}

fn whose(known: Option<&Publisher>) -> String {
    known.map_or_else(|| "is none of its keys".to_owned(), |known| format!("is a key of `{known}`"))
}

fn whose_identity(known: Option<&Publisher>) -> String {
    known.map_or_else(|| "is none of its identities".to_owned(), |known| format!("is an identity of `{known}`"))
}

/// What an operator must know first where this program could not use a trusted root.
fn not_built() -> &'static str {
    if cfg!(feature = "keyless") { "" } else { " (after building this program with the feature `keyless`)" }
}

fn list(patterns: &[ChannelPattern]) -> String {
    let shown: Vec<_> = patterns.iter().take(10).map(|pattern| format!("`{pattern}`")).collect();
    let more = patterns.len().saturating_sub(shown.len());
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    shown.join(", ") + &more
}

impl TrustError {
    /// How far a bundle came: of several refusals, the one that came furthest is told.
    pub(super) fn stage(&self) -> u8 {
        match self {
            Self::Unsigned | Self::TooMany(_) | Self::Bundle(_) | Self::NoRoot | Self::Certificate(_) => 0,
            Self::Statement(_) => 1,
            Self::UnknownPublisher { .. } => 2,
            Self::AnothersKey { .. } | Self::AnothersIdentity { .. } => 3,
            Self::Rotation(_) => 4,
            Self::Forged { .. } | Self::NotProved { .. } => 5,
            Self::RevokedKey(_) | Self::RevokedIdentity(_) | Self::RevokedDigest(_) => 6,
            Self::OtherComponent { .. } | Self::OtherManifest { .. } => 7,
            Self::Namespace { .. } | Self::OtherChannel { .. } | Self::OtherVersion { .. } => 8,
            Self::Contradiction { .. } => 9,
        }
    }
}
