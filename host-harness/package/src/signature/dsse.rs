//! Owns: the DSSE envelope: which bytes are signed, and the payload that counts only once they were verified.
//! Does not own: the JSON around it (`bundle`), what the payload says (`statement`).

use super::key::{KeyError, Mismatch, PublicKey, SigningKey};

/// The one payload type that is written and read: an in-toto statement.
pub const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";

/// The largest bundle that is read, in bytes.
pub const MAX_BUNDLE: usize = 64 << 10;
/// The largest payload: what a bundle can hold in base64.
pub(super) const MAX_PAYLOAD: usize = MAX_BUNDLE / 4 * 3;

/// The bytes that are signed for a payload (DSSE v1, "pre-authentication encoding").
pub fn pae(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let head = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len());
    [head.as_bytes(), payload].concat()
}

/// A payload of [`PAYLOAD_TYPE`] with one signature.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Envelope {
    pub(super) payload: Vec<u8>,
    /// ASN.1 DER.
    pub(super) signature: Vec<u8>,
}

impl Envelope {
    pub(super) fn sign(key: &SigningKey, payload: Vec<u8>) -> Result<Self, KeyError> {
        let signature = key.sign(&pae(PAYLOAD_TYPE, &payload))?;
        Ok(Self { payload, signature })
    }

    /// The payload, which this key signed.
    pub(super) fn verified(&self, key: &PublicKey) -> Result<&[u8], Mismatch> {
        key.verify(&pae(PAYLOAD_TYPE, &self.payload), &self.signature)?;
        Ok(&self.payload)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_encoding_is_that_of_the_specification() {
        let expected = b"DSSEv1 29 http://example.com/HelloWorld 11 hello world";
        assert_eq!(pae("http://example.com/HelloWorld", b"hello world"), expected);
        assert_eq!(pae("", b""), b"DSSEv1 0  0 ");
    }
}
