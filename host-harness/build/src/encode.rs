//! From a core module to a component. Belongs here: the encoding, what is left out, the manifest.

use harness_contract::manifest::MANIFEST_SECTION;
use wasm_encoder::{ComponentSection as _, CustomSection};
use wit_component::ComponentEncoder;

use crate::BuildError;

/// Sections that tell a debugger how things were called, and who built them. Nothing reads them in use.
const LEFT_OUT: [&[u8]; 2] = [b"component-name", b"producers"];

/// Encodes a core module, built against the world `channel`, as a component that holds its manifest.
pub fn encode(module: &[u8], manifest: &str) -> Result<Vec<u8>, BuildError> {
    let encoded = ComponentEncoder::default()
        .validate(true)
        .module(module)
        .and_then(|encoder| encoder.encode())
        .map_err(|error| BuildError::Encode(format!("{error:#}")))?;
    let mut component = without_names(&encoded)
        .ok_or_else(|| BuildError::Encode("the encoder wrote a section that is longer than the component".into()))?;
    CustomSection { name: MANIFEST_SECTION.into(), data: manifest.as_bytes().into() }
        .append_to_component(&mut component);
    Ok(component)
}

/// The component without the outermost custom sections of [`LEFT_OUT`].
fn without_names(component: &[u8]) -> Option<Vec<u8>> {
    let (header, mut rest) = component.split_at_checked(8)?;
    let mut kept = header.to_vec();
    while let [id, after @ ..] = rest {
        let (length, content) = leb128(after)?;
        let (payload, next) = content.split_at_checked(length)?;
        let name = leb128(payload).and_then(|(length, name)| name.get(..length));
        if !(*id == 0 && name.is_some_and(|name| LEFT_OUT.contains(&name))) {
            kept.extend_from_slice(rest.get(..rest.len() - next.len())?);
        }
        rest = next;
    }
    Some(kept)
}

/// An unsigned number in LEB128, and what follows it.
fn leb128(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let mut value = 0usize;
    for (index, byte) in bytes.iter().enumerate().take(5) {
        value |= usize::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return Some((value, bytes.get(index + 1..)?));
        }
    }
    None
}
