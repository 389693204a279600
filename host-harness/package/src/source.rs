//! Owns: the interface of a place where packages lie.
//! Does not own: the places (`layout`, `registry`), whether what lies there can be trusted.

use async_trait::async_trait;

use crate::{
    Digest,
    oci::{Descriptor, Index},
};

/// Why a place did not give what was asked of it.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// It has no such tag, manifest or blob.
    #[error("{place} has no {what}")]
    Missing {
        /// The place, for people.
        place: String,
        /// What was asked for, for people.
        what: String,
    },
    /// It gave other bytes than it was asked for.
    #[error("{place} gave other bytes than it was asked for: {source}")]
    OtherBytes {
        /// The place, for people.
        place: String,
        /// Both digests.
        #[source]
        source: crate::digest::OtherBytes,
    },
    /// It gave more than it announced, or more than is read.
    #[error("{place} gave more than the {max} bytes that {what} may have")]
    TooLarge {
        /// The place, for people.
        place: String,
        /// What was read, for people.
        what: String,
        /// The bound.
        max: u64,
    },
    /// It asks for a login, or refused the one that was given.
    #[error(
        "{place} asks for a login or refused it ({status}): log in with the tools of your registry, such as `docker login`"
    )]
    Unauthorized {
        /// The place, for people.
        place: String,
        /// The HTTP status.
        status: u16,
    },
    /// It cannot be reached, did not answer in time, or its answer was something else than expected.
    #[error("{place}: {problem}")]
    Failed {
        /// The place, for people.
        place: String,
        /// What happened and what was expected; of what the other side wrote, no more than the names in a certificate,
        /// escaped.
        problem: String,
    },
}

impl SourceError {
    pub(crate) fn missing(place: &str, what: impl Into<String>) -> Self {
        Self::Missing { place: place.to_owned(), what: what.into() }
    }

    pub(crate) fn failed(place: &str, problem: impl Into<String>) -> Self {
        Self::Failed { place: place.to_owned(), problem: problem.into() }
    }

    pub(crate) fn too_large(place: &str, what: impl Into<String>, max: u64) -> Self {
        Self::TooLarge { place: place.to_owned(), what: what.into(), max }
    }
}

/// The bytes, where they are those of the digest.
pub(crate) fn checked(place: &str, digest: &Digest, bytes: Vec<u8>) -> Result<Vec<u8>, SourceError> {
    match digest.check(&bytes) {
        Ok(()) => Ok(bytes),
        Err(source) => Err(SourceError::OtherBytes { place: place.to_owned(), source }),
    }
}

/// The bytes, where they are as many as the descriptor says, and those of its digest.
pub(crate) fn described(place: &str, of: &Descriptor, bytes: Vec<u8>) -> Result<Vec<u8>, SourceError> {
    if bytes.len() as u64 == of.size {
        return checked(place, &of.digest, bytes);
    }
    let problem = format!("{} has {} bytes, {} were announced", of.digest, bytes.len(), of.size);
    Err(SourceError::failed(place, problem))
}

/// A place where packages lie: a registry's repository, a folder, or a file with its signature beside it.
///
/// All bytes are checked against the digest by which they were asked for; nothing is larger than was asked for. Whether
/// they can be trusted is another question.
#[async_trait]
pub trait Source: Send + Sync {
    /// The place in words, without credentials: for errors, and for the lock file as where to look for updates.
    fn place(&self) -> String;

    /// Whether the manifests here are the publisher's. Beside a component's file there is none, so one is made up, and of
    /// the signature's subjects only the component can be compared.
    fn has_manifests(&self) -> bool {
        true
    }

    /// The descriptor of the package's manifest under a tag.
    ///
    /// # Errors
    ///
    /// [`SourceError::Missing`] where there is no such tag.
    async fn resolve(&self, tag: &str) -> Result<Descriptor, SourceError>;

    /// All tags, in no particular order; at most 10,000.
    ///
    /// # Errors
    ///
    /// [`SourceError`].
    async fn tags(&self) -> Result<Vec<String>, SourceError>;

    /// The bytes of a manifest, at most [`crate::oci::MAX_MANIFEST`].
    ///
    /// # Errors
    ///
    /// [`SourceError`]; among others where they are not those of the digest.
    async fn manifest(&self, digest: &Digest) -> Result<Vec<u8>, SourceError>;

    /// The bytes of a blob, which has at most `max` bytes and exactly as many as the descriptor says.
    ///
    /// # Errors
    ///
    /// [`SourceError`]; among others where they are not those of the descriptor.
    async fn blob(&self, of: &Descriptor, max: u64) -> Result<Vec<u8>, SourceError>;

    /// What refers to the manifest with this digest: signatures, SBOM, licence. Empty where nothing does. At most 100
    /// entries are returned, signatures first.
    ///
    /// # Errors
    ///
    /// [`SourceError`].
    async fn referrers(&self, subject: &Digest) -> Result<Index, SourceError>;
}

/// A place into which packages can be put.
#[async_trait]
pub trait Target: Source {
    /// Puts a blob. Nothing happens where it is there already.
    ///
    /// # Errors
    ///
    /// [`SourceError`].
    async fn put_blob(&self, of: &Descriptor, bytes: &[u8]) -> Result<(), SourceError>;

    /// Puts a manifest, under a tag where one is given. A tag that names another manifest is refused with
    /// [`SourceError::Failed`]: versions do not change.
    ///
    /// # Errors
    ///
    /// [`SourceError`].
    async fn put_manifest(&self, bytes: &[u8], tag: Option<&str>) -> Result<Descriptor, SourceError>;

    /// Notes that the manifest `referrer` refers to `subject`, where the place does not see that by itself. The entry has
    /// `artifact_type` and annotations.
    ///
    /// # Errors
    ///
    /// [`SourceError`].
    async fn put_referrer(&self, subject: &Descriptor, referrer: Descriptor) -> Result<(), SourceError>;
}
