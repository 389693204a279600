//! Owns: whether a component is what a trusted publisher signed, and why not; the proof that it is.
//! Does not own: fetching components and bundles (`source`), what follows from a refusal (the caller).

use super::{
    bundle::{Bundle, By},
    identity::Signer,
    key::KeyHint,
    policy::{ChannelPattern, TrustPolicy},
    quoted,
    refusal::{MAX_BUNDLES, TrustError},
    rotation::{Keyring, Rotation, RotationError},
    statement::{Attachment, Build, Package, PackageStatement, RotationStatement, SourceTree, Statement},
};
use crate::{Digest, Publisher, Version};

/// What a signature must be for.
#[derive(Clone, Debug)]
pub struct Expected {
    /// The digest of the component's bytes, computed and not taken from anybody's word.
    pub component: Digest,
    /// The digest of the package's manifest, where the component came with one: in a registry or a layout.
    pub manifest: Option<Digest>,
    /// The channel that was asked for, where one was.
    pub channel: Option<String>,
    /// The version that was asked for, where one was: by a tag or a command.
    pub version: Option<Version>,
}

impl Expected {
    /// Any channel and version of this component.
    pub fn component(component: Digest) -> Self {
        Self { component, manifest: None, channel: None, version: None }
    }
}

/// A component that a trusted publisher signed. Only [`verify`] makes one: whatever parses a component asks for it.
#[derive(Clone, Debug)]
pub struct Verified {
    statement: PackageStatement,
    signer: Signer,
    signed_at: Option<u64>,
    rotated_from: Vec<(KeyHint, Vec<u8>)>,
}

impl Verified {
    /// The component. Whoever reads its bytes again compares them with it.
    pub fn component(&self) -> &Digest {
        &self.statement.component
    }

    /// The package's OCI manifest, as signed; for a component without one, nobody compared it.
    pub fn manifest(&self) -> &Digest {
        &self.statement.manifest
    }

    /// Who signed.
    pub fn publisher(&self) -> &Publisher {
        &self.package().publisher
    }

    /// The channel's id.
    pub fn channel(&self) -> &str {
        &self.package().channel
    }

    /// The channel's version.
    pub fn version(&self) -> &Version {
        &self.package().version
    }

    /// The version of the contract that it speaks.
    pub fn contract(&self) -> &Version {
        &self.package().contract
    }

    /// The component of the version before.
    pub fn predecessor(&self) -> Option<&Digest> {
        self.package().predecessor.as_ref()
    }

    /// What it was built from, as the publisher says.
    pub fn source(&self) -> &SourceTree {
        &self.package().source
    }

    /// How it was built, as the publisher says.
    pub fn build(&self) -> &Build {
        &self.package().build
    }

    /// What is published beside it: whatever is not here is not the publisher's.
    pub fn attachments(&self) -> &[Attachment] {
        &self.package().attachments
    }

    /// The key or the identity that signed.
    pub fn signer(&self) -> &Signer {
        &self.signer
    }

    /// When it was signed, in milliseconds since 1970, where that is proved: for an identity.
    pub fn signed_at(&self) -> Option<u64> {
        self.signed_at
    }

    /// The keys that passed trust on to its key, from that of the policy on; empty where it is in the policy itself.
    pub fn rotated_from(&self) -> impl ExactSizeIterator<Item = &KeyHint> {
        self.rotated_from.iter().map(|(key, _)| key)
    }

    /// The bundles that say so, for verifying later packages: these alone of all that lay beside this one.
    pub fn rotations(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        self.rotated_from.iter().map(|(_, bundle)| bundle.as_slice())
    }

    fn package(&self) -> &Package {
        &self.statement.package
    }

    /// What it is, for people.
    fn label(&self) -> String {
        format!("`{}` {} by `{}`", self.channel(), self.version(), self.publisher())
    }
}

/// Verifies that one of these bundles is a trusted publisher's signature of the component. Bundles that are somebody
/// else's, or about something else, are passed over: whoever can write into a registry can add some.
///
/// `known` are rotations from earlier packages ([`Verified::rotations`]), so that a publisher need not add them to each.
/// They are verified again, because a key may have been revoked since.
///
/// # Errors
///
/// [`TrustError`]. [`TrustError::Unsigned`] says that there is no signature at all, and nothing else does: where an
/// operator allows unsigned components, it is the only refusal that this waives.
pub fn verify<B: AsRef<[u8]>>(
    bundles: &[B],
    known: &[B],
    expected: &Expected,
    policy: &TrustPolicy,
) -> Result<Verified, TrustError> {
    let digests = [Some(&expected.component), expected.manifest.as_ref()];
    if let Some(revoked) = digests.into_iter().flatten().find(|digest| policy.revokes(digest)) {
        return Err(TrustError::RevokedDigest(*revoked));
    }
    if bundles.len() > MAX_BUNDLES {
        return Err(TrustError::TooMany(bundles.len()));
    }
    let (mut packages, mut rotations, mut failures) = (Vec::new(), Vec::new(), Vec::new());
    let mut refused = Vec::new();
    for bytes in bundles {
        match claimed(bytes.as_ref()) {
            Ok((bundle, Statement::Package(claimed))) => packages.push((bundle, claimed)),
            Ok((bundle, Statement::Rotation(claimed))) => match rotation(bytes.as_ref(), bundle, claimed) {
                Ok(rotation) => rotations.push(rotation),
                Err(failure) => refused.push(failure),
            },
            Err(failure) => failures.push(failure),
        }
    }
    for bytes in known {
        if let Ok((bundle, Statement::Rotation(claimed))) = claimed(bytes.as_ref()) {
            rotations.extend(rotation(bytes.as_ref(), bundle, claimed));
        }
    }
    let mut keyring = Keyring::of(policy);
    refused.extend(keyring.rotate(rotations, policy));
    let mut accepted: Option<Verified> = None;
    for (bundle, claimed) in packages {
        match checked(&bundle, *claimed, expected, policy, &keyring) {
            Ok(verified) => match &accepted {
                Some(first) if !same(first, &verified) => {
                    return Err(TrustError::Contradiction { one: first.label(), other: verified.label() });
                }
                Some(_) => {}
                None => accepted = Some(verified),
            },
            Err(failure) => failures.push(failure),
        }
    }
    if let Some(verified) = accepted {
        return Ok(verified);
    }
    if failures.iter().any(|failure| matches!(failure, TrustError::AnothersKey { .. })) {
        failures.extend(refused.into_iter().map(TrustError::Rotation));
    }
    let furthest = |best: TrustError, next: TrustError| if next.stage() > best.stage() { next } else { best };
    Err(failures.into_iter().reduce(furthest).unwrap_or(TrustError::Unsigned))
}

/// A bundle and what it claims to say. Nothing follows from it but what to verify.
fn claimed(bytes: &[u8]) -> Result<(Bundle, Statement), TrustError> {
    let bundle = Bundle::read(bytes)?;
    let statement = bundle.unverified()?;
    Ok((bundle, statement))
}

fn rotation(bytes: &[u8], bundle: Bundle, claimed: RotationStatement) -> Result<Rotation, RotationError> {
    match bundle.hint().copied() {
        Some(old) => Ok(Rotation { bytes: bytes.to_vec(), old, bundle, claimed }),
        None => Err(RotationError::Identity { publisher: claimed.publisher, new: claimed.new_key.hint() }),
    }
}

/// Whether two statements say the same, but for how the component was built.
fn same(one: &Verified, other: &Verified) -> bool {
    let said = |of: &Verified| {
        (of.publisher().clone(), of.channel().to_owned(), of.version().clone(), of.package().predecessor)
    };
    said(one) == said(other)
}

fn checked(
    bundle: &Bundle,
    claimed: PackageStatement,
    expected: &Expected,
    policy: &TrustPolicy,
    keyring: &Keyring,
) -> Result<Verified, TrustError> {
    match bundle.by() {
        By::Key(hint) => by_key(bundle, *hint, claimed.package.publisher, expected, policy, keyring),
        By::Certificate { certificate, bundle } => by_identity(certificate, bundle, claimed, expected, policy),
    }
}

fn by_key(
    bundle: &Bundle,
    hint: KeyHint,
    claimed: Publisher,
    expected: &Expected,
    policy: &TrustPolicy,
    keyring: &Keyring,
) -> Result<Verified, TrustError> {
    if policy.revokes_key(&hint) {
        return Err(TrustError::RevokedKey(hint));
    }
    let trusted = keyring.get(&hint);
    let (allowed, trusted) = match (policy.channels(&claimed), trusted) {
        (Some(allowed), Some(trusted)) if trusted.publisher == claimed => (allowed, trusted),
        (Some(_), trusted) => {
            let owner = trusted.map(|trusted| trusted.publisher.clone());
            return Err(TrustError::AnothersKey { claimed, hint, owner });
        }
        (None, _) => return Err(unknown(claimed, Signer::Key(hint), policy)),
    };
    let publisher = claimed;
    let Ok(payload) = bundle.verified(&trusted.key) else { return Err(TrustError::Forged { hint, publisher }) };
    // Read again, from the bytes whose signature was verified.
    let Statement::Package(statement) = Statement::read(payload)? else {
        return Err(TrustError::Forged { hint, publisher });
    };
    let (signer, rotated_from) = (Signer::Key(hint), trusted.from.clone());
    fits(Verified { statement: *statement, signer, signed_at: None, rotated_from }, expected, allowed)
}

/// The statement is the one that was verified: it was read from the same payload, of which a bundle has one.
fn by_identity(
    certificate: &[u8],
    bundle: &str,
    statement: PackageStatement,
    expected: &Expected,
    policy: &TrustPolicy,
) -> Result<Verified, TrustError> {
    let Some(root) = policy.trusted_root() else { return Err(TrustError::NoRoot) };
    let identity = root.claimed(certificate).map_err(TrustError::Certificate)?;
    if policy.revokes_identity(&identity) {
        return Err(TrustError::RevokedIdentity(identity));
    }
    let claimed = statement.package.publisher.clone();
    let Some(allowed) = policy.channels(&claimed) else {
        return Err(unknown(claimed, Signer::Identity(identity), policy));
    };
    let owner = policy.owner(&identity);
    if owner != Some(&claimed) {
        let owner = owner.cloned();
        return Err(TrustError::AnothersIdentity { claimed, identity, owner });
    }
    let signed_at = match root.verify(bundle, &identity, &statement.component) {
        Ok(signed_at) => Some(signed_at),
        Err(source) => return Err(TrustError::NotProved { identity, publisher: claimed, source }),
    };
    let signer = Signer::Identity(identity);
    fits(Verified { statement, signer, signed_at, rotated_from: Vec::new() }, expected, allowed)
}

fn unknown(claimed: Publisher, signer: Signer, policy: &TrustPolicy) -> TrustError {
    let resembles = policy.resembled(&claimed).cloned();
    TrustError::UnknownPublisher { claimed, resembles, signer }
}

/// What a good signature says, held against what was asked for.
fn fits(verified: Verified, expected: &Expected, allowed: &[ChannelPattern]) -> Result<Verified, TrustError> {
    let publisher = || verified.publisher().clone();
    let (signed, found) = (*verified.component(), expected.component);
    if signed != found {
        return Err(TrustError::OtherComponent { publisher: publisher(), signed, found });
    }
    if let Some(found) = expected.manifest
        && found != *verified.manifest()
    {
        return Err(TrustError::OtherManifest { publisher: publisher(), signed: *verified.manifest(), found });
    }
    let channel = verified.channel();
    if !allowed.iter().any(|pattern| pattern.matches(channel)) {
        let (channel, allowed) = (channel.to_owned(), allowed.to_vec());
        return Err(TrustError::Namespace { publisher: publisher(), channel, allowed });
    }
    if let Some(expected) = expected.channel.as_deref().filter(|expected| *expected != channel) {
        let (signed, expected) = (channel.to_owned(), quoted(expected));
        return Err(TrustError::OtherChannel { publisher: publisher(), signed, expected });
    }
    let version = verified.version();
    if let Some(expected) = expected.version.clone().filter(|expected| expected != version) {
        return Err(TrustError::OtherVersion { publisher: publisher(), signed: version.clone(), expected });
    }
    Ok(verified)
}
