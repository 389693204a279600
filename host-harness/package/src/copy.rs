//! Owns: copying a package with all that refers to it, in an order in which nothing is there by half.
//! Does not own: the places, whether the package can be trusted.

use crate::{
    Digest,
    oci::{Descriptor, MAX_ATTACHMENT, Manifest, OciError},
    source::{Source, SourceError, Target},
};

/// The most layers of what refers to a package. Ours have one.
const MAX_LAYERS: usize = 8;

/// What was copied.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Copied {
    /// The package's manifest.
    pub package: Descriptor,
    /// The manifests of what refers to it.
    pub referrers: Vec<Descriptor>,
    /// What refers to it and is not copied: it is larger than what this product reads, or no manifest that it knows.
    pub skipped: Vec<Digest>,
}

/// Why a package was not copied.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// One of the places.
    #[error(transparent)]
    Place(#[from] SourceError),
    /// What lies there is no package.
    #[error("{place}: {digest} is no package: {}", harness_contract::text::shown(&source.to_string()))]
    NoPackage {
        /// The place, for people.
        place: String,
        /// Of the manifest.
        digest: Digest,
        /// Why.
        #[source]
        source: OciError,
    },
}

/// Copies the package with this manifest, and puts it under a tag where one is given. The component has at most `max`
/// bytes. Blobs come first, then the manifest by its digest, then what refers to it, the tag last: whoever finds the tag
/// finds all of it. What was interrupted can be done again.
///
/// # Errors
///
/// [`CopyError`]; the tag is not there then, unless it was before.
pub async fn copy(
    from: &dyn Source,
    to: &dyn Target,
    package: &Digest,
    tag: Option<&str>,
    max: u64,
) -> Result<Copied, CopyError> {
    let bytes = from.manifest(package).await?;
    let no_package = |source| CopyError::NoPackage { place: from.place(), digest: *package, source };
    let manifest = Manifest::read(&bytes).map_err(no_package)?;
    let component = manifest.component().map_err(no_package)?;
    copy_blob(from, to, &manifest.config, MAX_ATTACHMENT).await?;
    copy_blob(from, to, component, max).await?;
    let package = to.put_manifest(&bytes, None).await?;
    let mut copied = Copied { package, referrers: Vec::new(), skipped: Vec::new() };
    for entry in from.referrers(&copied.package.digest).await?.manifests {
        match copy_referrer(from, to, &copied.package, &entry).await? {
            Some(referrer) => copied.referrers.push(referrer),
            None => copied.skipped.push(entry.digest),
        }
    }
    if tag.is_some() {
        to.put_manifest(&bytes, tag).await?;
    }
    Ok(copied)
}

async fn copy_blob(from: &dyn Source, to: &dyn Target, of: &Descriptor, max: u64) -> Result<(), SourceError> {
    to.put_blob(of, &from.blob(of, max).await?).await
}

/// None where it is not for us.
async fn copy_referrer(
    from: &dyn Source,
    to: &dyn Target,
    subject: &Descriptor,
    entry: &Descriptor,
) -> Result<Option<Descriptor>, SourceError> {
    let bytes = from.manifest(&entry.digest).await?;
    let Ok(manifest) = Manifest::read(&bytes) else { return Ok(None) };
    let blobs = || manifest.layers.iter().chain([&manifest.config]);
    let refers = manifest.subject.as_ref().is_some_and(|named| named.digest == subject.digest);
    if !refers || manifest.layers.len() > MAX_LAYERS || blobs().any(|blob| blob.size > MAX_ATTACHMENT) {
        return Ok(None);
    }
    for blob in blobs() {
        copy_blob(from, to, blob, MAX_ATTACHMENT).await?;
    }
    let put = to.put_manifest(&bytes, None).await?;
    let artifact_type = manifest.artifact_type.or_else(|| entry.artifact_type.clone());
    let put = Descriptor { artifact_type, annotations: manifest.annotations, ..put };
    to.put_referrer(subject, put.clone()).await?;
    Ok(Some(put))
}
