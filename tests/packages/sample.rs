//! A package to copy about. It says nothing that anybody would trust.

use std::collections::BTreeMap;

use harness_package::{
    copy::Copied,
    oci::{BUNDLE, Descriptor, LICENCE, Manifest, SBOM, TITLE, WASM, WASM_CONFIG, WasmConfig},
    source::{Source, Target},
};

/// The tag that [`put`] gives.
pub(crate) const VERSION: &str = "0.1.0";
/// More than any component of these tests has.
pub(crate) const MAX: u64 = 32 << 20;

/// The parts of a package.
pub(crate) struct Sample {
    pub(crate) component: Vec<u8>,
    pub(crate) config: Vec<u8>,
    pub(crate) manifest: Manifest,
}

impl Sample {
    pub(crate) fn of(component: &[u8]) -> Self {
        let layer = Descriptor::of(WASM, component).annotated(TITLE, "web-chat.wasm");
        let config = WasmConfig::of(layer.digest, vec!["inbox:channel/account@0.2.0".into()], Vec::new());
        let config = serde_json::to_vec(&config).unwrap();
        let annotations = BTreeMap::from([("org.opencontainers.image.version".into(), VERSION.into())]);
        let manifest = Manifest::of_package(Descriptor::of(WASM_CONFIG, &config), layer, annotations);
        Self { component: component.to_vec(), config, manifest }
    }

    /// Puts it with three referrers, under [`VERSION`].
    pub(crate) async fn put(&self, into: &dyn Target) -> Descriptor {
        into.put_blob(&self.manifest.config, &self.config).await.unwrap();
        into.put_blob(&self.manifest.layers[0], &self.component).await.unwrap();
        let bytes = self.manifest.to_bytes().unwrap();
        let package = into.put_manifest(&bytes, None).await.unwrap();
        for (kind, content) in [(BUNDLE, "a signature"), (SBOM, "the parts"), (LICENCE, "do what you like")] {
            put_referrer(into, &package, kind, content.as_bytes()).await;
        }
        into.put_manifest(&bytes, Some(VERSION)).await.unwrap()
    }
}

/// Puts something that refers to a package.
pub(crate) async fn put_referrer(into: &dyn Target, package: &Descriptor, kind: &str, content: &[u8]) -> Descriptor {
    let layer = Descriptor::of(kind, content);
    into.put_blob(&layer, content).await.unwrap();
    let manifest = Manifest::of_referrer(kind, layer, package);
    into.put_blob(&manifest.config, b"{}").await.unwrap();
    let put = into.put_manifest(&manifest.to_bytes().unwrap(), None).await.unwrap();
    let entry = Descriptor { artifact_type: manifest.artifact_type, ..put };
    into.put_referrer(package, entry.clone()).await.unwrap();
    entry
}

/// Reads all of a package back, by its tag, and what refers to it: kinds and contents, sorted.
pub(crate) async fn read(from: &dyn Source, tag: &str) -> (Descriptor, Vec<u8>, Vec<(String, Vec<u8>)>) {
    let package = from.resolve(tag).await.unwrap();
    let manifest = Manifest::read(&from.manifest(&package.digest).await.unwrap()).unwrap();
    let component = from.blob(manifest.component().unwrap(), MAX).await.unwrap();
    from.blob(&manifest.config, MAX).await.unwrap();
    let mut referrers = Vec::new();
    for entry in from.referrers(&package.digest).await.unwrap().manifests {
        let manifest = Manifest::read(&from.manifest(&entry.digest).await.unwrap()).unwrap();
        assert_eq!(manifest.subject.as_ref().unwrap().digest, package.digest);
        assert_eq!(manifest.artifact_type, entry.artifact_type);
        referrers.push((entry.artifact_type.unwrap(), from.blob(&manifest.layers[0], MAX).await.unwrap()));
    }
    referrers.sort();
    (package, component, referrers)
}

/// What [`Sample::put`] lets refer to a package.
pub(crate) fn referrers() -> Vec<(String, Vec<u8>)> {
    let mut all = [(BUNDLE, "a signature"), (SBOM, "the parts"), (LICENCE, "do what you like")]
        .map(|(kind, content)| (kind.to_owned(), content.as_bytes().to_vec()));
    all.sort();
    all.to_vec()
}

/// Copies everything, and expects nothing to be skipped.
pub(crate) async fn copy(from: &dyn Source, to: &dyn Target, package: &Descriptor, tag: Option<&str>) -> Copied {
    let copied = harness_package::copy::copy(from, to, &package.digest, tag, MAX).await.unwrap();
    assert_eq!(copied.skipped, []);
    copied
}
