//! Owns: the use of sigstore's verifier: what it is asked, and what its refusals mean here.
//! Does not own: the arithmetic under it (`provider`), what is asked for (`verify`).

mod provider;

use std::panic::{AssertUnwindSafe, catch_unwind};

use sigstore_verify::{
    Error, IdentityMatcher, TransparencyLogError, VerificationPolicy,
    crypto::parse_certificate_info,
    trust_root::TrustedRoot,
    types::{Bundle, DerCertificate, Sha256Hash},
};

use super::KeylessError;
use crate::{
    Digest,
    signature::{bounded, identity::Identity},
};

/// The longest message of sigstore's that is shown, in characters.
const MAX_MESSAGE: usize = 300;

/// Sigstore's verifier with a trusted root.
pub(super) struct Verifier(sigstore_verify::Verifier);

impl Verifier {
    pub(super) fn new(root: &str) -> Result<Self, KeylessError> {
        provider::install();
        let wrong = |error: &dyn std::error::Error| KeylessError::Root(told(error));
        let root = TrustedRoot::from_json(root).map_err(|error| wrong(&error))?;
        let missing = |what: &str| Err(KeylessError::Root(format!("it names no {what}")));
        if root.certificate_authorities.is_empty() {
            return missing("authority of certificates");
        }
        if root.tlogs.is_empty() {
            return missing("transparency log");
        }
        if root.ctlogs.is_empty() {
            return missing("log of certificates");
        }
        caught(|| sigstore_verify::Verifier::new(&root))
            .map_err(KeylessError::Root)?
            .map(Self)
            .map_err(|error| wrong(&error))
    }

    pub(super) fn claimed(&self, certificate: &[u8]) -> Result<Identity, KeylessError> {
        let read = caught(|| parse_certificate_info(&DerCertificate::new(certificate.to_vec())));
        let read = read.and_then(|read| read.map_err(|error| told(&error))).map_err(KeylessError::Certificate)?;
        let issuer = read.issuer.unwrap_or_default();
        let subject = read.identity.map(|identity| identity.as_str().to_owned()).unwrap_or_default();
        Ok(Identity::new(&issuer, &subject)?)
    }

    pub(super) fn verify(&self, bundle: &str, identity: &Identity, component: &Digest) -> Result<u64, KeylessError> {
        let bundle = Bundle::from_json(bundle).map_err(|error| KeylessError::Other(told(&error)))?;
        let subject = identity.subject().to_owned();
        let subject =
            if identity.is_address() { IdentityMatcher::Uri(subject) } else { IdentityMatcher::Email(subject) };
        let policy = VerificationPolicy::new(subject, identity.issuer());
        let component = Sha256Hash::new(*component.as_bytes());
        let verified = caught(|| self.0.verify(component, &bundle, &policy)).map_err(KeylessError::Other)?;
        let verified = verified.map_err(|error| meaning(&error))?;
        // What a policy of theirs could leave out, and this one does not.
        if !(verified.certificate_verified() && verified.sct_verified() && verified.tlog_verified()) {
            return Err(KeylessError::Other("not everything was verified".to_owned()));
        }
        let first = verified.verified_timestamps().iter().min();
        let first = first.ok_or_else(|| KeylessError::Time("there is no time".to_owned()))?;
        u64::try_from(first.as_millisecond()).map_err(|_| KeylessError::Time("it is before 1970".to_owned()))
    }
}

/// What a refusal is about.
fn meaning(error: &Error) -> KeylessError {
    let said = told(error);
    match error {
        Error::IdentityMismatch { .. } | Error::IssuerMismatch { .. } => KeylessError::SomebodyElse(said),
        Error::SignatureInvalid(_) => KeylessError::Forged(said),
        Error::Certificate(
            sigstore_verify::CertificateError::NotYetValid { .. } | sigstore_verify::CertificateError::Expired { .. },
        )
        | Error::Timestamp(_)
        | Error::TransparencyLog(TransparencyLogError::IntegratedTime(_)) => KeylessError::Time(said),
        Error::Certificate(_) => KeylessError::Certificate(said),
        Error::TransparencyLog(TransparencyLogError::EntryMismatch(_)) | Error::ArtifactMismatch(_) => {
            KeylessError::OtherEntry(said)
        }
        Error::TransparencyLog(_) => KeylessError::Log(said),
        _ => KeylessError::Other(said),
    }
}

/// A message for people, which may quote a stranger's bundle.
fn told(error: &dyn std::error::Error) -> String {
    bounded(&error.to_string(), MAX_MESSAGE)
}

/// Certificates are a stranger's bytes, and their readers are other people's: one that panics must not end the host.
fn caught<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|_| "it could not be read without a fault of this program".to_owned())
}
