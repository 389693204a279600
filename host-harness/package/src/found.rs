//! Owns: finding a package by the words that name it (a file, a folder, a registry), and reading it with its signatures: in
//! one place and with one strictness, for everybody who looks at packages.
//! Does not own: whether it can be trusted (`signature`), copying it (`copy`).

use std::path::Path;

use harness_contract::text::shown;

use crate::{
    Digest, Version,
    file::ComponentFile,
    layout::Layout,
    oci::{BUNDLE, Descriptor, Manifest, OciError},
    reference::{Reference, ReferenceError},
    registry::{Client, Registry},
    signature::{MAX_BUNDLE, MAX_BUNDLES},
    source::{Source, SourceError},
};

/// Why a package was not found or not read.
#[derive(Debug, thiserror::Error)]
pub enum FindError {
    /// The words name nothing.
    #[error("`{}` is neither a file nor a folder here, nor a package in a registry", shown(words))]
    Nothing {
        /// The words.
        words: String,
        /// Why they are no reference.
        #[source]
        source: ReferenceError,
    },
    /// The path of the file or folder cannot be followed, or is no text.
    #[error("`{}` cannot be followed as a path", shown(words))]
    Path {
        /// The words.
        words: String,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// The place did not give what was asked for.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// There is no package.
    #[error("{} has no version of a package", shown(.0))]
    NoVersion(String),
    /// What lies there is no package.
    #[error("{place}: {digest} is no package: {}", shown(&source.to_string()))]
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

/// Where packages lie that some words name.
pub struct Place {
    source: Box<dyn Source>,
    words: String,
    version: Option<Version>,
    manifest: Option<Digest>,
    /// A folder that somebody named.
    is_folder: bool,
    max: u64,
}

/// A package as it lies there. Nothing of it is trusted.
#[derive(Clone, Debug)]
pub struct Found {
    /// The component.
    pub component: Vec<u8>,
    /// The digest of the publisher's manifest; none beside a component's file.
    pub manifest: Option<Digest>,
    /// The version by which it was found: that of a tag.
    pub version: Option<Version>,
    /// What lies beside it.
    pub signatures: Signatures,
}

/// The signatures beside a package, as bundles.
#[derive(Clone, Debug, Default)]
pub struct Signatures {
    /// Those that were read.
    pub bundles: Vec<Vec<u8>>,
    /// How many are there, as far as was looked.
    pub there: usize,
    /// How many of the first ones could not be read.
    pub unread: usize,
}

impl Signatures {
    /// Where not all of them were read, so that a good one may be among the others: how many were.
    pub fn left_out(&self) -> Option<String> {
        let looked = self.bundles.len().saturating_add(self.unread);
        if looked == self.there && self.unread == 0 {
            return None;
        }
        let unread = match self.unread {
            0 => String::new(),
            many => format!(", and {many} of these could not be read"),
        };
        Some(format!("{} signatures are there, the first {looked} were looked at{unread}", self.there))
    }
}

impl Place {
    /// The place that these words name: a component's file, a folder, or a package in a registry, which `client` reaches.
    /// Components have at most `max` bytes.
    ///
    /// # Errors
    ///
    /// [`FindError`]. Of a registry, nothing is asked yet.
    pub async fn find(words: &str, client: &Client, max: u64) -> Result<Self, FindError> {
        let path = Path::new(words);
        let (is_file, is_folder) = (path.is_file(), path.is_dir());
        if !is_file && !is_folder {
            let reference: Reference =
                words.parse().map_err(|source| FindError::Nothing { words: words.to_owned(), source })?;
            return Ok(Self {
                source: Box::new(Registry::new(client, &reference)?),
                words: reference.bare().to_string(),
                version: reference.version().cloned(),
                manifest: reference.digest(),
                is_folder,
                max,
            });
        }
        // As it is found from anywhere: updates are looked for there.
        let wrong = |source| FindError::Path { words: words.to_owned(), source };
        let full = path.canonicalize().map_err(wrong)?;
        let full = full.to_str().ok_or_else(|| wrong(std::io::Error::other("it is no text")))?.to_owned();
        let (source, manifest): (Box<dyn Source>, _) = if is_file {
            let file = ComponentFile::open(path, max).await?;
            let manifest = file.package().digest;
            (Box::new(file), Some(manifest))
        } else {
            (Box::new(Layout::open(path).await?), None)
        };
        Ok(Self { source, words: full, version: None, manifest, is_folder, max })
    }

    /// The place in words, without a tag: where updates are looked for.
    pub fn words(&self) -> &str {
        &self.words
    }

    /// The place itself.
    pub fn source(&self) -> &dyn Source {
        self.source.as_ref()
    }

    /// The newest version there, of those that are no trial, up to a bound. In a folder that holds nothing else, the newest
    /// trial. None where there is none, such as in a file.
    ///
    /// # Errors
    ///
    /// [`FindError::Source`].
    pub async fn newest(&self, to: Option<&Version>) -> Result<Option<Version>, FindError> {
        let tags = self.source.tags().await?;
        let versions: Vec<Version> = tags.iter().filter_map(|tag| tag.parse().ok()).collect();
        let within = |version: &&Version| to.is_none_or(|to| *version <= to);
        let meant = |version: &&Version| version.is_release() || to == Some(*version);
        let newest = versions.iter().filter(within).filter(meant).max();
        let trial = || versions.iter().filter(within).max().filter(|_| self.is_folder);
        Ok(newest.or_else(trial).cloned())
    }

    /// The digest of the package's manifest, with the version by which it was found.
    ///
    /// # Errors
    ///
    /// [`FindError`], among others where there is no version up to `to`.
    pub async fn wanted(&self, to: Option<&Version>) -> Result<(Digest, Option<Version>), FindError> {
        if let Some(digest) = self.manifest {
            return Ok((digest, self.version.clone()));
        }
        let version = match &self.version {
            Some(version) => Some(version.clone()),
            None => self.newest(to).await?,
        };
        let version = version.ok_or_else(|| FindError::NoVersion(self.words.clone()))?;
        Ok((self.source.resolve(&version.to_string()).await?.digest, Some(version)))
    }

    /// The package, by its digest or version, or the newest up to `to`.
    ///
    /// # Errors
    ///
    /// [`FindError`].
    pub async fn read(&self, to: Option<&Version>) -> Result<Found, FindError> {
        let (digest, version) = self.wanted(to).await?;
        let no_package = |source| FindError::NoPackage { place: self.source.place(), digest, source };
        let manifest = Manifest::read(&self.source.manifest(&digest).await?).map_err(no_package)?;
        let layer = manifest.component().map_err(no_package)?;
        let signatures = self.signatures(&digest).await?;
        let component = self.source.blob(layer, self.max).await?;
        // That of a file was made up, so nobody signed it.
        let manifest = self.source.has_manifests().then_some(digest);
        Ok(Found { component, manifest, version, signatures })
    }

    /// The signatures among what refers to a package. One that cannot be read is passed over: it signs nothing.
    async fn signatures(&self, manifest: &Digest) -> Result<Signatures, FindError> {
        let referrers = self.source.referrers(manifest).await?.manifests;
        let entries: Vec<_> = referrers.iter().filter(|entry| entry.artifact_type.as_deref() == Some(BUNDLE)).collect();
        let mut signatures = Signatures { there: entries.len(), ..Signatures::default() };
        for entry in entries.into_iter().take(MAX_BUNDLES) {
            match self.bundle(entry).await {
                Ok(Some(bundle)) => signatures.bundles.push(bundle),
                Ok(None) => signatures.unread = signatures.unread.saturating_add(1),
                Err(error) => {
                    tracing::warn!(digest = %entry.digest, %error, "a signature could not be read");
                    signatures.unread = signatures.unread.saturating_add(1);
                }
            }
        }
        Ok(signatures)
    }

    /// None where it is no manifest with one bundle.
    async fn bundle(&self, entry: &Descriptor) -> Result<Option<Vec<u8>>, SourceError> {
        let Ok(referrer) = Manifest::read(&self.source.manifest(&entry.digest).await?) else { return Ok(None) };
        let [layer] = referrer.layers.as_slice() else { return Ok(None) };
        let max = u64::try_from(MAX_BUNDLE).unwrap_or(u64::MAX);
        self.source.blob(layer, max).await.map(Some)
    }
}
