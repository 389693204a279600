//! Owns: the bytes of files that a delivery holds itself.
//! Does not own: where it is kept (the inbox).

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::Value;

/// The bytes at a JSON pointer of a delivery, which holds them in base64; none where they are not there.
pub(super) fn inline(body: &[u8], pointer: &str) -> Option<Vec<u8>> {
    let document: Value = serde_json::from_slice(body).ok()?;
    STANDARD.decode(document.pointer(pointer)?.as_str()?).ok()
}
