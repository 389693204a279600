//! Owns: a component's file with its signature beside it, as a place where one package lies.
//! Does not own: whether the signature is good.
//!
//! Beside `X.wasm` lies `X.wasm.sigstore.json`. There is no manifest of the publisher's, so one is made up that holds the
//! two together; the signature's subject that names a manifest can be compared with nothing.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{ErrorKind, Read as _},
    path::{Path, PathBuf},
};

use async_trait::async_trait;
use harness_contract::text::shown;

use crate::{
    Digest,
    oci::{
        BUNDLE, Descriptor, Index, MANIFEST, MAX_ATTACHMENT, Manifest, OciError, TITLE, WASM, WASM_CONFIG, WasmConfig,
    },
    source::{Source, SourceError, described},
};

/// What the name of the signature's file has more than that of the component's.
const SIGNATURE: &str = ".sigstore.json";

/// A component's file, and its signature where one lies beside it. Both are read once, when it is opened.
#[derive(Clone, Debug)]
pub struct ComponentFile {
    place: String,
    package: Descriptor,
    referrers: Index,
    bytes: BTreeMap<Digest, Vec<u8>>,
}

impl ComponentFile {
    /// Reads a component of at most `max` bytes, and its signature.
    ///
    /// # Errors
    ///
    /// [`SourceError`] where there is no such file, or one of the two is too large or no regular file.
    pub async fn open(path: &Path, max: u64) -> Result<Self, SourceError> {
        let place = shown(&path.display().to_string());
        let Some(component) = read(path, &place, max).await? else {
            return Err(SourceError::missing(&place, "component: there is no such file"));
        };
        let signature = beside(path);
        let signature = read(&signature, &shown(&signature.display().to_string()), MAX_ATTACHMENT).await?;
        let title = path.file_name().map(|name| shown(&name.to_string_lossy())).unwrap_or_default();
        Self::hold(place.clone(), &title, component, signature)
            .map_err(|error| SourceError::failed(&place, error.to_string()))
    }

    fn hold(place: String, title: &str, component: Vec<u8>, signature: Option<Vec<u8>>) -> Result<Self, OciError> {
        let mut bytes = BTreeMap::new();
        let mut hold = |media_type: &str, held: Vec<u8>| {
            let described = Descriptor::of(media_type, &held);
            bytes.insert(described.digest, held);
            described
        };
        let component = hold(WASM, component).annotated(TITLE, title);
        let config = WasmConfig::of(component.digest, Vec::new(), Vec::new());
        let config = hold(WASM_CONFIG, serde_json::to_vec(&config)?);
        let manifest = Manifest::of_package(config, component, BTreeMap::new());
        let package = hold(MANIFEST, manifest.to_bytes()?);
        let mut referrers = Index::default();
        if let Some(signature) = signature {
            let manifest = Manifest::of_referrer(BUNDLE, hold(BUNDLE, signature), &package);
            hold(&manifest.config.media_type, b"{}".to_vec());
            let entry = hold(MANIFEST, manifest.to_bytes()?);
            referrers.manifests.push(Descriptor { artifact_type: manifest.artifact_type, ..entry });
        }
        Ok(Self { place, package, referrers, bytes })
    }

    /// The manifest that was made up for the file. It has no tag.
    pub fn package(&self) -> &Descriptor {
        &self.package
    }

    fn held(&self, digest: &Digest) -> Result<Vec<u8>, SourceError> {
        self.bytes.get(digest).cloned().ok_or_else(|| SourceError::missing(&self.place, digest.to_string()))
    }
}

/// Where the signature of a component's file lies.
pub fn beside(component: &Path) -> PathBuf {
    let mut name = component.as_os_str().to_owned();
    name.push(SIGNATURE);
    name.into()
}

/// The bytes of a regular file. None where there is nothing.
async fn read(path: &Path, place: &str, max: u64) -> Result<Option<Vec<u8>>, SourceError> {
    let opened = path.to_owned();
    let read = tokio::task::spawn_blocking(move || {
        // Opening a pipe would wait for a writer.
        if !std::fs::metadata(&opened)?.is_file() {
            return Err(std::io::Error::other("it is no regular file"));
        }
        let mut bytes = Vec::new();
        File::open(&opened)?.take(max.saturating_add(1)).read_to_end(&mut bytes)?;
        Ok(bytes)
    });
    match read.await.unwrap_or_else(|error| Err(std::io::Error::other(error))) {
        Ok(bytes) if bytes.len() as u64 > max => Err(SourceError::too_large(place, "file", max)),
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(SourceError::failed(place, format!("the file could not be read: {error}"))),
    }
}

#[async_trait]
impl Source for ComponentFile {
    fn place(&self) -> String {
        self.place.clone()
    }

    fn has_manifests(&self) -> bool {
        false
    }

    async fn resolve(&self, tag: &str) -> Result<Descriptor, SourceError> {
        Err(SourceError::missing(&self.place, format!("tag {}: it is one file", shown(tag))))
    }

    async fn tags(&self) -> Result<Vec<String>, SourceError> {
        Ok(Vec::new())
    }

    async fn manifest(&self, digest: &Digest) -> Result<Vec<u8>, SourceError> {
        self.held(digest)
    }

    async fn blob(&self, of: &Descriptor, max: u64) -> Result<Vec<u8>, SourceError> {
        if of.size > max {
            return Err(SourceError::too_large(&self.place, of.digest.to_string(), max));
        }
        described(&self.place, of, self.held(&of.digest)?)
    }

    async fn referrers(&self, subject: &Digest) -> Result<Index, SourceError> {
        Ok(if *subject == self.package.digest { self.referrers.clone() } else { Index::default() })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_file_is_a_package_with_its_signature_and_no_manifest_of_the_publishers() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("web-chat.wasm");
        std::fs::write(&path, b"component").unwrap();
        std::fs::write(folder.path().join("web-chat.wasm.sigstore.json"), b"bundle").unwrap();
        let file = ComponentFile::open(&path, 100).await.unwrap();
        assert!(!file.has_manifests());
        let manifest = Manifest::read(&file.manifest(&file.package().digest).await.unwrap()).unwrap();
        assert_eq!(file.blob(manifest.component().unwrap(), 100).await.unwrap(), b"component");
        let referrers = file.referrers(&file.package().digest).await.unwrap().manifests;
        assert_eq!(referrers[0].artifact_type.as_deref(), Some(BUNDLE));
        let signature = Manifest::read(&file.manifest(&referrers[0].digest).await.unwrap()).unwrap();
        assert_eq!(file.blob(&signature.layers[0], 100).await.unwrap(), b"bundle");
        assert!(matches!(file.resolve("1.0.0").await, Err(SourceError::Missing { .. })));
    }

    #[tokio::test]
    async fn a_file_that_is_too_large_or_no_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("web-chat.wasm");
        let opened = || ComponentFile::open(&path, 4);
        assert!(matches!(opened().await, Err(SourceError::Missing { .. })));
        std::fs::write(&path, b"12345").unwrap();
        assert!(matches!(opened().await, Err(SourceError::TooLarge { max: 4, .. })));
        std::fs::write(&path, b"1234").unwrap();
        assert!(opened().await.unwrap().referrers(&Digest::of(b"")).await.unwrap().manifests.is_empty(), "unsigned");
        std::fs::create_dir(folder.path().join("web-chat.wasm.sigstore.json")).unwrap();
        assert!(matches!(opened().await, Err(SourceError::Failed { .. })));
    }
}
