//! Owns: the OCI documents that a package consists of, read strictly and written canonically, and their media types.
//! Does not own: where they lie (`source`), what a signature says.
//!
//! Formats: OCI image specification 1.1 (manifest, descriptor, index, layout), and the WebAssembly OCI artifact layout
//! that `wkg` reads: one layer `application/wasm`, config `application/vnd.wasm.config.v0+json`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Digest;

/// A component.
pub const WASM: &str = "application/wasm";
/// What a component exports and imports, for tools that do not parse it.
pub const WASM_CONFIG: &str = "application/vnd.wasm.config.v0+json";
/// A signature: a sigstore bundle.
pub const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
/// The parts that a component was built from.
pub const SBOM: &str = "application/vnd.cyclonedx+json";
/// A licence's text.
pub const LICENCE: &str = "text/plain";
/// `{}`: the config of a referrer.
pub const EMPTY: &str = "application/vnd.oci.empty.v1+json";
/// A manifest.
pub const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// A list of manifests.
pub const INDEX: &str = "application/vnd.oci.image.index.v1+json";
/// The file name of a layer.
pub const TITLE: &str = "org.opencontainers.image.title";
/// The tag under which an entry of a layout's index stands.
pub const REF_NAME: &str = "org.opencontainers.image.ref.name";

/// The largest manifest or index that is read, in bytes.
pub const MAX_MANIFEST: u64 = 1 << 20;
/// The largest bundle, config, SBOM or licence that is read, in bytes.
pub const MAX_ATTACHMENT: u64 = 4 << 20;

/// Bytes that lie somewhere, by their digest.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    /// What they are.
    pub media_type: String,
    /// Which they are.
    pub digest: Digest,
    /// How many.
    pub size: u64,
    /// For a referrer in an index: what it is. Set alike in its manifest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    /// Facts about them. Not signed: nothing is decided by them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

impl Descriptor {
    /// Describes these bytes.
    pub fn of(media_type: &str, bytes: &[u8]) -> Self {
        Self {
            media_type: media_type.to_owned(),
            digest: Digest::of(bytes),
            size: u64::try_from(bytes.len()).unwrap_or(u64::MAX),
            artifact_type: None,
            annotations: BTreeMap::new(),
        }
    }

    /// With an annotation.
    #[must_use]
    pub fn annotated(mut self, key: &str, value: impl Into<String>) -> Self {
        self.annotations.insert(key.to_owned(), value.into());
        self
    }
}

/// A manifest: of a package, or of what refers to one.
///
/// `urls` of a descriptor and every other member that is not here are not read: no address that a registry names is
/// followed.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    /// 2.
    pub schema_version: u32,
    /// [`MANIFEST`].
    pub media_type: String,
    /// For a referrer: what it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    /// [`WASM_CONFIG`], or [`EMPTY`] for a referrer.
    pub config: Descriptor,
    /// One: the component, or what the referrer carries.
    pub layers: Vec<Descriptor>,
    /// For a referrer: what it refers to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<Descriptor>,
    /// Facts about it. Not signed by themselves: nothing is decided by them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

/// A list of manifests: of a layout, or of what refers to a package.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Index {
    /// 2.
    pub schema_version: u32,
    /// [`INDEX`].
    pub media_type: String,
    /// The entries.
    pub manifests: Vec<Descriptor>,
}

fn index_type() -> String {
    INDEX.to_owned()
}

impl Default for Index {
    fn default() -> Self {
        Self { schema_version: 2, media_type: index_type(), manifests: Vec::new() }
    }
}

impl Index {
    /// Reads an index. An entry that cannot be read, such as one with a digest of another kind, is left out.
    ///
    /// # Errors
    ///
    /// [`OciError`] where it is none.
    pub fn read(bytes: &[u8]) -> Result<Self, OciError> {
        let document = Document::read(bytes)?;
        let manifests = document.manifests.into_iter().filter_map(|entry| serde_json::from_value(entry).ok()).collect();
        Ok(Self { manifests, ..Self::default() })
    }

    /// An index of these entries, of at most so many. Signatures come first, in the order in which they were: whoever can write
    /// other things beside a package cannot push them out.
    pub(crate) fn of_referrers(mut entries: Vec<Descriptor>, max: usize) -> Self {
        entries.sort_by_key(|entry| entry.artifact_type.as_deref() != Some(BUNDLE));
        entries.truncate(max);
        Self { manifests: entries, ..Self::default() }
    }

    /// An index's bytes with one entry more, or none where it is in there already. All else in it, written by whatever
    /// tool, stays as it is.
    ///
    /// # Errors
    ///
    /// [`OciError`] where the bytes are no index.
    pub fn with_entry(bytes: &[u8], entry: &Descriptor) -> Result<Option<Vec<u8>>, OciError> {
        let mut document = Document::read(bytes)?;
        let wanted = serde_json::to_value(entry)?;
        let existing = document.manifests.iter_mut().find(|existing| {
            let same = existing.get("digest") == wanted.get("digest");
            let (one, other) = (tag_of(existing), tag_of(&wanted));
            same && (one == other || one.is_none() || other.is_none())
        });
        match existing {
            Some(existing) => {
                let before = existing.clone();
                merge(existing, &wanted);
                if *existing == before {
                    return Ok(None);
                }
            }
            None => document.manifests.push(wanted),
        }
        Ok(Some(serde_json::to_vec(&document)?))
    }
}

/// An index with all that other tools write into it.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    schema_version: u32,
    /// Some tools leave it out.
    #[serde(default = "index_type")]
    media_type: String,
    manifests: Vec<Value>,
    #[serde(flatten)]
    others: BTreeMap<String, Value>,
}

impl Document {
    fn read(bytes: &[u8]) -> Result<Self, OciError> {
        let document: Self = serde_json::from_slice(bytes)?;
        if document.media_type != INDEX {
            return Err(OciError::MediaType { expected: INDEX, found: document.media_type });
        }
        Ok(document)
    }
}

fn tag_of(entry: &Value) -> Option<&Value> {
    entry.get("annotations")?.get(REF_NAME)
}

/// Writes the members of one JSON object into another, objects in them too.
fn merge(into: &mut Value, from: &Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (name, value) in from {
                merge(into.entry(name.clone()).or_insert(Value::Null), value);
            }
        }
        (into, from) => into.clone_from(from),
    }
}

/// Why a manifest is not that of a package.
#[derive(Debug, thiserror::Error)]
pub enum OciError {
    /// No JSON, or a member is missing or of another type.
    #[error("the manifest cannot be read: {}", harness_contract::text::shown(&.0.to_string()))]
    Json(#[from] serde_json::Error),
    /// Another kind of thing.
    #[error("expected the media type {expected}, found {}", harness_contract::text::shown(.found))]
    MediaType {
        /// What it should be.
        expected: &'static str,
        /// What it says.
        found: String,
    },
    /// A package has one layer.
    #[error("a package has one layer, the component; this one has {0}")]
    Layers(usize),
}

impl Manifest {
    /// The manifest of a package: the component with its config, and annotations that say whose it is.
    pub fn of_package(config: Descriptor, layer: Descriptor, annotations: BTreeMap<String, String>) -> Self {
        Self {
            schema_version: 2,
            media_type: MANIFEST.to_owned(),
            artifact_type: None,
            config,
            layers: vec![layer],
            subject: None,
            annotations,
        }
    }

    /// The manifest of a referrer: one layer that says something about the subject.
    pub fn of_referrer(artifact_type: &str, layer: Descriptor, subject: &Descriptor) -> Self {
        let subject = Descriptor { artifact_type: None, annotations: BTreeMap::new(), ..subject.clone() };
        Self {
            schema_version: 2,
            media_type: MANIFEST.to_owned(),
            artifact_type: Some(artifact_type.to_owned()),
            config: Descriptor::of(EMPTY, b"{}"),
            layers: vec![layer],
            subject: Some(subject),
            annotations: BTreeMap::new(),
        }
    }

    /// Reads a manifest.
    ///
    /// # Errors
    ///
    /// [`OciError`] where it is none.
    pub fn read(bytes: &[u8]) -> Result<Self, OciError> {
        let manifest: Self = serde_json::from_slice(bytes)?;
        if manifest.media_type != MANIFEST {
            return Err(OciError::MediaType { expected: MANIFEST, found: manifest.media_type });
        }
        Ok(manifest)
    }

    /// The component of a package.
    ///
    /// # Errors
    ///
    /// [`OciError`] where it is no package.
    pub fn component(&self) -> Result<&Descriptor, OciError> {
        let [layer] = self.layers.as_slice() else { return Err(OciError::Layers(self.layers.len())) };
        for (descriptor, expected) in [(layer, WASM), (&self.config, WASM_CONFIG)] {
            if descriptor.media_type != expected {
                return Err(OciError::MediaType { expected, found: descriptor.media_type.clone() });
            }
        }
        Ok(layer)
    }

    /// Its bytes: the same manifest gives the same bytes, and so the same digest.
    ///
    /// # Errors
    ///
    /// None in practice: every member can be written as JSON.
    pub fn to_bytes(&self) -> Result<Vec<u8>, OciError> {
        Ok(serde_json::to_vec(self)?)
    }
}

/// The config of a package: what a component exports and imports, for tools that do not parse it.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WasmConfig {
    /// Fixed, so that the same component gives the same package.
    pub created: String,
    /// None.
    pub author: Option<String>,
    /// `wasm`.
    pub architecture: String,
    /// `wasip2`: the binary format of components.
    pub os: String,
    /// The component's digest.
    pub layer_digests: Vec<Digest>,
    /// Its interfaces.
    pub component: WasmInterfaces,
}

/// The interfaces of a component, such as `inbox:channel/account@0.2.0`.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
pub struct WasmInterfaces {
    /// What it exports.
    pub exports: Vec<String>,
    /// What it imports.
    pub imports: Vec<String>,
    /// None.
    pub target: Option<String>,
}

impl WasmConfig {
    /// The config of a component.
    pub fn of(component: Digest, exports: Vec<String>, imports: Vec<String>) -> Self {
        Self {
            created: "1970-01-01T00:00:00Z".to_owned(),
            author: None,
            architecture: "wasm".to_owned(),
            os: "wasip2".to_owned(),
            layer_digests: vec![component],
            component: WasmInterfaces { exports, imports, target: None },
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_added_to_an_index_once_and_what_others_wrote_stays() {
        let others = format!(
            r#"{{"schemaVersion":2,"manifests":[{{"mediaType":"m","digest":"sha512:00","size":1,"platform":{{"os":"x"}}}},
            {{"mediaType":"{MANIFEST}","digest":"{}","size":1,"data":"e30="}}],"annotations":{{"a":"b"}}}}"#,
            Digest::of(b"1")
        );
        let untagged = Descriptor::of(MANIFEST, b"2");
        let added = Index::with_entry(others.as_bytes(), &untagged).unwrap().unwrap();
        assert_eq!(Index::with_entry(&added, &untagged).unwrap(), None, "it is in there");
        let tagged = untagged.clone().annotated(REF_NAME, "1.0.0");
        let added = Index::with_entry(&added, &tagged).unwrap().unwrap();
        let document: Value = serde_json::from_slice(&added).unwrap();
        assert_eq!(document["manifests"].as_array().unwrap().len(), 3, "the tag came to the entry that was there");
        assert_eq!(document["manifests"][0]["platform"]["os"], "x");
        assert_eq!(document["manifests"][1]["data"], "e30=");
        assert_eq!(document["annotations"]["a"], "b");
        assert_eq!(Index::with_entry(&added, &untagged).unwrap(), None);
        let other = untagged.annotated(REF_NAME, "1.0.1");
        let added = Index::with_entry(&added, &other).unwrap().unwrap();
        let index = Index::read(&added).unwrap();
        assert_eq!(index.manifests.len(), 3, "the entry with another kind of digest is left out");
        assert_eq!(index.manifests[1], tagged);
        assert_eq!(index.manifests[2], other);
    }
}
