//! Owns: extracting file contents that are embedded in a delivery.
//! Does not own: where deliveries are stored (the inbox).

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::Value;

/// Decodes the base64 bytes at a JSON pointer of a delivery; `None` if they are not there.
pub(super) fn inline(body: &[u8], pointer: &str) -> Option<Vec<u8>> {
    let document: Value = serde_json::from_slice(body).ok()?;
    STANDARD.decode(document.pointer(pointer)?.as_str()?).ok()
}
