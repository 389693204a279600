//! From a core module to a component. Belongs here: the encoding and the manifest's section.

use harness_contract::manifest::MANIFEST_SECTION;
use wasm_encoder::{ComponentSection as _, CustomSection};
use wit_component::ComponentEncoder;

use crate::BuildError;

/// Encodes a core module, built against the world `channel`, as a component that holds its manifest.
pub fn encode(module: &[u8], manifest: &str) -> Result<Vec<u8>, BuildError> {
    let unfit = |error: anyhow::Error| BuildError::Encode(format!("{error:#}"));
    let mut component = ComponentEncoder::default()
        .validate(true)
        .module(module)
        .and_then(|encoder| encoder.encode())
        .map_err(unfit)?;
    CustomSection { name: MANIFEST_SECTION.into(), data: manifest.as_bytes().into() }
        .append_to_component(&mut component);
    Ok(component)
}
