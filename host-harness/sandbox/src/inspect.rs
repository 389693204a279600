//! Owns: reading a component without running it: version, imports, exports, manifest, size.
//! Does not own: the cost of compiling it (`count`), its texts for other tools (`metadata`).

use harness_contract::{
    PACKAGE, VERSION, is_compatible,
    manifest::{MANIFEST_SECTION, Manifest, ManifestError},
    text,
};
use sha2::{Digest as _, Sha256};
use wasmparser::{Encoding, Parser, Payload};

use crate::metadata::{Metadata, MetadataError};

/// The interfaces that a component may import. All but the last two contain only types.
const ALLOWED_IMPORTS: [&str; 7] = ["types", "events", "messages", "requests", "capabilities", "http", "storage"];
/// The interfaces that it must export. Other interfaces are optional, and unknown ones are ignored.
const REQUIRED_EXPORTS: [&str; 1] = ["messaging-channel"];

/// What inspection finds out about a component.
#[derive(Clone, Debug)]
pub struct Inspection {
    /// SHA-256 of the component, in lower-case hex.
    pub digest: String,
    /// The size in bytes.
    pub size: usize,
    /// The version of the contract.
    pub contract: String,
    /// Its imports.
    pub imports: Vec<String>,
    /// Its exports.
    pub exports: Vec<String>,
    /// The embedded manifest.
    pub manifest: Option<String>,
    /// What it says about itself to other tools. Nothing is decided by it.
    pub metadata: Metadata,
}

/// Why a component was refused before it was compiled.
#[derive(Debug, thiserror::Error)]
pub enum InspectError {
    /// Larger than the host's limit.
    #[error(
        "the component has {size} bytes, this host takes at most {max}; in Rust build it with `cargo harness build`, which strips and optimises it; in another language look at which packages went in"
    )]
    TooLarge {
        /// The component's size, in bytes.
        size: usize,
        /// The limit, in bytes.
        max: usize,
    },
    /// Not WebAssembly.
    #[error("this is not a WebAssembly component: expected the magic bytes `\\0asm`, found {found}")]
    NotWasm {
        /// The first bytes, in hex.
        found: String,
    },
    /// A core module.
    #[error("this is a core WebAssembly module, not a component; `cargo harness build` encodes it as one")]
    CoreModule,
    /// Truncated or malformed.
    #[error("the component is malformed at byte {offset}: {reason}")]
    Malformed {
        /// The offset.
        offset: usize,
        /// The parser's message.
        reason: String,
    },
    /// Another version of the contract.
    #[error(
        "the component speaks {found}, this host speaks {}@{}; rebuild the channel against this host's wit/ with `cargo harness build`",
        package(),
        VERSION
    )]
    OtherVersion {
        /// The package and version found.
        found: String,
    },
    /// Two versions of the contract.
    #[error("the component speaks {0} and {1} at once; a component speaks one version of the contract")]
    TwoVersions(String, String),
    /// The manifest is for another version.
    #[error(
        "the component speaks {} {component}, its manifest says {manifest}; rebuild it with `cargo harness build`",
        package()
    )]
    OtherManifest {
        /// The component's version.
        component: String,
        /// The manifest's version.
        manifest: String,
    },
    /// A required interface is missing.
    #[error("the component does not export `{missing}`; its exports are {}; a channel implements at least the world `translator` of {PACKAGE}", list(.found))]
    MissingExport {
        /// The missing interface.
        missing: String,
        /// The actual exports.
        found: Vec<String>,
    },
    /// An import that the contract does not have.
    #[error("the component imports `{found}`; a channel may import http and storage of {PACKAGE} and nothing else{}", wasi_hint(.found))]
    ForeignImport {
        /// The import.
        found: String,
    },
    /// The embedded manifest was refused.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// Several manifests: it would be unclear which one counts.
    #[error(
        "the component has more than one manifest, of which only one could count; rebuild it with `cargo harness build`, which embeds one"
    )]
    SeveralManifests,
    /// The texts for other tools were refused.
    #[error(transparent)]
    Metadata(#[from] MetadataError),
    /// No manifest.
    #[error(
        "the component has no manifest; `cargo harness build` embeds the channel.toml that stands beside Cargo.toml, `cargo harness embed` puts one into a component that another tool made"
    )]
    NoManifest,
}

fn package() -> &'static str {
    PACKAGE.split('@').next().unwrap_or(PACKAGE)
}

fn list(names: &[String]) -> String {
    if names.is_empty() { "none".into() } else { names.join(", ") }
}

fn wasi_hint(import: &str) -> &'static str {
    if import.starts_with("wasi:") {
        "; in Rust build for wasm32-unknown-unknown, whose standard library needs no WASI; disable all features of \
         componentize-js; give componentize-py `--stub-wasi`"
    } else {
        ""
    }
}

/// Reads and checks a component. Nothing is compiled or run.
pub fn inspect(bytes: &[u8], max_size: usize) -> Result<Inspection, InspectError> {
    if bytes.len() > max_size {
        return Err(InspectError::TooLarge { size: bytes.len(), max: max_size });
    }
    if !bytes.starts_with(b"\0asm") {
        let found = bytes.get(..8.min(bytes.len())).unwrap_or_default();
        let found = if found.is_empty() { "an empty file".into() } else { hex::encode(found) };
        return Err(InspectError::NotWasm { found });
    }
    let mut inspection = Inspection {
        digest: hex::encode(Sha256::digest(bytes)),
        size: bytes.len(),
        contract: String::new(),
        imports: Vec::new(),
        exports: Vec::new(),
        manifest: None,
        metadata: Metadata::default(),
    };
    read(bytes, &mut inspection)?;
    inspection.contract = judge(&inspection)?;
    Ok(inspection)
}

/// A component that was inspected, so that loading it needs not do that again.
#[derive(Clone, Debug)]
pub struct Inspected {
    pub(crate) bytes: Vec<u8>,
    pub(crate) inspection: Inspection,
    pub(crate) manifest: Manifest,
}

impl Inspected {
    /// Reads and checks a component with its manifest. Nothing is compiled or run.
    ///
    /// # Errors
    ///
    /// [`InspectError`], as of [`inspect`] and [`Inspection::manifest`].
    pub fn of(bytes: Vec<u8>, max_size: usize) -> Result<Self, InspectError> {
        let inspection = inspect(&bytes, max_size)?;
        let manifest = inspection.manifest()?;
        Ok(Self { bytes, inspection, manifest })
    }

    /// What the component says of itself.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }
}

impl Inspection {
    /// The embedded manifest, parsed.
    pub fn manifest(&self) -> Result<Manifest, InspectError> {
        let text = self.manifest.as_deref().ok_or(InspectError::NoManifest)?;
        let manifest = Manifest::parse(text, "the embedded manifest")?;
        if !is_compatible(&manifest.channel.contract, &self.contract) {
            let (component, manifest) = (self.contract.clone(), manifest.channel.contract);
            return Err(InspectError::OtherManifest { component, manifest });
        }
        Ok(manifest)
    }
}

/// Collects the imports and exports of the outermost component; nested ones are skipped.
fn read(bytes: &[u8], inspection: &mut Inspection) -> Result<(), InspectError> {
    let malformed = |error: wasmparser::BinaryReaderError| InspectError::Malformed {
        offset: error.offset(),
        reason: reason(&error),
    };
    let mut depth = 0usize;
    for payload in Parser::new(0).parse_all(bytes) {
        match payload.map_err(malformed)? {
            Payload::Version { encoding: Encoding::Module, .. } if depth == 0 => return Err(InspectError::CoreModule),
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            _ if depth > 0 => {}
            Payload::ComponentImportSection(section) => {
                for import in section {
                    inspection.imports.push(shown(import.map_err(malformed)?.name.name));
                }
            }
            Payload::ComponentExportSection(section) => {
                for export in section {
                    inspection.exports.push(shown(export.map_err(malformed)?.name.name));
                }
            }
            Payload::CustomSection(section) if section.name() == MANIFEST_SECTION => {
                let text = std::str::from_utf8(section.data()).map_err(|_| InspectError::Malformed {
                    offset: section.data_offset(),
                    reason: "the embedded manifest is not UTF-8".into(),
                })?;
                if inspection.manifest.replace(text.to_owned()).is_some() {
                    return Err(InspectError::SeveralManifests);
                }
            }
            Payload::CustomSection(section) => inspection.metadata.take(&section)?,
            _ => {}
        }
    }
    Ok(())
}

/// The parser's message in one line: it may quote the component's names and bytes.
pub(crate) fn reason(error: &wasmparser::BinaryReaderError) -> String {
    text::shown(&error.message().split_whitespace().collect::<Vec<_>>().join(" "))
}

/// Escapes a name for terminals.
fn shown(name: &str) -> String {
    name.escape_debug().to_string()
}

/// Checks the imports and exports; returns the version of the contract.
fn judge(inspection: &Inspection) -> Result<String, InspectError> {
    let ours = format!("{}/", package());
    // The version is checked first: a component of another version also lacks exports of this one.
    let mut spoken: Option<&str> = None;
    for name in inspection.exports.iter().chain(&inspection.imports) {
        let Some((_, version)) = name.strip_prefix(&ours).and_then(|rest| rest.split_once('@')) else { continue };
        if !is_compatible(version, VERSION) {
            return Err(InspectError::OtherVersion { found: format!("{}@{version}", package()) });
        }
        match spoken {
            Some(other) if other != version => return Err(InspectError::TwoVersions(other.into(), version.into())),
            _ => spoken = Some(version),
        }
    }
    let version = spoken.unwrap_or(VERSION);
    for import in &inspection.imports {
        if !ALLOWED_IMPORTS.iter().any(|name| *import == interface(name, version)) {
            return Err(InspectError::ForeignImport { found: import.clone() });
        }
    }
    for export in REQUIRED_EXPORTS.map(|name| interface(name, version)) {
        if !inspection.exports.contains(&export) {
            return Err(InspectError::MissingExport { missing: export, found: inspection.exports.clone() });
        }
    }
    Ok(version.to_owned())
}

/// An interface's full name with package and version.
pub(crate) fn interface(name: &str, version: &str) -> String {
    format!("{}/{name}@{version}", package())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_parser_quotes_of_a_component_is_one_line() {
        // A nested component section without a component.
        let nested = [b"\0asm\x0d\0\x01\0\x04\x08\0as".as_slice(), &[0xb2, 0, 0, 0, 0]].concat();
        let error = inspect(&nested, nested.len()).err().map(|error| error.to_string()).unwrap_or_default();
        assert!(error.contains("bad magic number"), "{error}");
        assert!(!error.chars().any(text::misleads), "{error}");
    }
}
