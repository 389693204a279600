//! Owns: embedding a manifest in a component that another tool built.
//! Does not own: building components (`cargo`, `encode`).

use std::path::Path;

use harness_contract::manifest::MANIFEST_SECTION;
use wasm_encoder::{Component, ComponentSection as _, CustomSection, RawSection};
use wasmparser::{Parser, Payload};

use crate::{BuildError, Built, metadata::About, read, read_manifest, write};

/// Writes a component with this manifest to `out`, replacing any manifest and metadata that it has. Other custom sections
/// of the outermost component are dropped, such as those about the producing tools; everything else is unchanged.
pub fn embed(component: &Path, manifest: &Path, out: &Path) -> Result<Built, BuildError> {
    let (manifest, text) = read_manifest(manifest, "; name the channel's manifest with `--manifest`")?;
    let bytes = with_manifest(&read(component)?, &text)
        .map_err(|reason| BuildError::Malformed { path: component.to_owned(), reason })?;
    let bytes = About::manifest(&manifest).write(&bytes)?;
    write(out, &bytes)?;
    Ok(Built { path: out.to_owned(), bytes, manifest })
}

fn with_manifest(component: &[u8], manifest: &str) -> Result<Vec<u8>, String> {
    let mut whole = Component::new();
    let mut depth = 0usize;
    for payload in Parser::new(0).parse_all(component) {
        let payload = payload.map_err(|error| error.to_string())?;
        if depth == 0
            && let Some((id, range)) = payload.as_section()
            && !matches!(payload, Payload::CustomSection(_))
        {
            let data = component.get(range).ok_or("a section ends behind the end of the file")?;
            whole.section(&RawSection { id, data });
        }
        match payload {
            Payload::Version { encoding: wasmparser::Encoding::Module, .. } if depth == 0 => {
                return Err("it is a core module; encode it first, such as with `wasm-tools component new`".into());
            }
            Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    let mut whole = whole.finish();
    CustomSection { name: MANIFEST_SECTION.into(), data: manifest.as_bytes().into() }.append_to_component(&mut whole);
    Ok(whole)
}
