//! Owns: sigstore bundles v0.3 with a DSSE envelope: the one form that is written, with a managed key, and the strict reading
//! of it and of the form with a certificate.
//! Does not own: what the payload says (`statement`), whose key or certificate it is (`policy`, `keyless`).
//!
//! What other readers of bundles accept and this one does not: members that are not in the format, members twice, a message
//! signature and an envelope together (readers differ about which counts), several signatures, base64 in another alphabet.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    dsse::{Envelope, MAX_BUNDLE, PAYLOAD_TYPE},
    evidence::{self, Evidence, EvidenceError},
    json::{self, JsonError},
    key::{KeyError, KeyHint, Mismatch, PublicKey, SigningKey},
    quoted,
    statement::{Statement, StatementError},
};
use crate::oci::BUNDLE;

/// Why bytes are not a bundle that is understood here.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// Not the expected JSON.
    #[error("the signature bundle cannot be read: {0}")]
    Json(#[from] JsonError),
    /// Another version, or no bundle.
    #[error("the signature bundle has the media type `{0}`, expected `{BUNDLE}`")]
    MediaType(String),
    /// A message signature and an envelope: two readers would see two things.
    #[error("the signature bundle has both a `messageSignature` and a `dsseEnvelope`, expected the envelope alone")]
    TwoContents,
    /// A signature over bytes alone.
    #[error(
        "the signature bundle has a `messageSignature`, which binds neither name nor version; expected a `dsseEnvelope` with an \
         in-toto statement"
    )]
    Message,
    /// A certificate whose proof is not looked at.
    #[error(transparent)]
    Proof(#[from] EvidenceError),
    /// Log entries or timestamps beside a key.
    #[error(
        "the signature bundle has entries of a log or timestamps beside a key, which are not checked here; expected none"
    )]
    Evidence,
    /// Not exactly one signature.
    #[error("the signature bundle has {0} signatures, expected exactly one")]
    Signatures(usize),
    /// The payload is no statement.
    #[error("the signature bundle carries `{0}`, expected `{PAYLOAD_TYPE}`")]
    PayloadType(String),
    /// The hint is none.
    #[error("the signature bundle does not name its key: {0}")]
    Hint(#[source] KeyError),
    /// The signature names another key than the bundle.
    #[error("the signature bundle names one key and its signature another")]
    TwoKeys,
    /// Not base64.
    #[error("`{0}` of the signature bundle is not base64 in its standard form")]
    Base64(&'static str),
}

/// Why nothing was signed.
#[derive(Debug, thiserror::Error)]
pub enum SignError {
    /// The statement would be refused by everybody who reads it.
    #[error(transparent)]
    Statement(#[from] StatementError),
    /// The key cannot sign.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The bundle would be refused by everybody who reads it.
    #[error(transparent)]
    Bundle(#[from] BundleError),
}

/// A statement with a signature that has not been verified.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Bundle {
    by: By,
    envelope: Envelope,
}

/// By what a bundle claims to be signed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum By {
    /// A key that the reader has to know.
    Key(KeyHint),
    /// A certificate in DER, and the whole bundle, for the verifier of such signatures.
    Certificate { certificate: Vec<u8>, bundle: String },
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Document<M> {
    media_type: String,
    verification_material: M,
    dsse_envelope: EnvelopeJson,
}

/// Of a managed key.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Material {
    public_key: Hint,
    /// Some writers write the empty lists.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tlog_entries: Option<[(); 0]>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    timestamp_verification_data: Option<Timestamps>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Hint {
    hint: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Timestamps {
    #[serde(default, skip_serializing_if = "Option::is_none", rename = "rfc3161Timestamps")]
    timestamps: Option<[(); 0]>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct EnvelopeJson {
    payload: String,
    payload_type: String,
    signatures: [Signature; 1],
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Signature {
    sig: String,
    /// The hint again: some readers of envelopes look for a key by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    keyid: Option<String>,
}

impl Bundle {
    /// Signs a statement.
    ///
    /// # Errors
    ///
    /// [`SignError`]; among others where the statement is larger than a bundle may be.
    pub fn sign(key: &SigningKey, statement: &Statement) -> Result<Self, SignError> {
        let envelope = Envelope::sign(key, statement.to_bytes()?)?;
        let bundle = Self { by: By::Key(key.public().hint()), envelope };
        Self::read(&bundle.to_bytes()?)?;
        Ok(bundle)
    }

    /// Reads a bundle.
    ///
    /// # Errors
    ///
    /// [`BundleError`] where it is anything else than a v0.3 bundle with one key or certificate and one signed statement.
    pub fn read(bytes: &[u8]) -> Result<Self, BundleError> {
        let tree = json::tree(bytes, MAX_BUNDLE)?;
        let (by, envelope) = if told_apart(&tree)? {
            let Document::<Evidence> { verification_material, dsse_envelope, .. } = json::typed(&tree)?;
            let certificate = decoded("certificate", &verification_material.certificate.raw_bytes)?;
            // What was read as JSON is text.
            (By::Certificate { certificate, bundle: String::from_utf8_lossy(bytes).into_owned() }, dsse_envelope)
        } else {
            let Document::<Material> { verification_material, dsse_envelope, .. } = json::typed(&tree)?;
            (By::Key(verification_material.public_key.hint.parse().map_err(BundleError::Hint)?), dsse_envelope)
        };
        let EnvelopeJson { payload, payload_type, signatures: [Signature { sig, keyid }] } = envelope;
        if payload_type != PAYLOAD_TYPE {
            return Err(BundleError::PayloadType(quoted(&payload_type)));
        }
        let named = keyid.filter(|id| !id.is_empty());
        if named.is_some_and(|id| !matches!(&by, By::Key(hint) if id == hint.to_string())) {
            return Err(BundleError::TwoKeys);
        }
        let envelope = Envelope { payload: decoded("payload", &payload)?, signature: decoded("sig", &sig)? };
        Ok(Self { by, envelope })
    }

    /// Its bytes, as they are written beside a file or into a registry.
    ///
    /// # Errors
    ///
    /// None in practice: every member can be written as JSON.
    pub fn to_bytes(&self) -> Result<Vec<u8>, BundleError> {
        let hint = match &self.by {
            By::Key(hint) => hint.to_string(),
            By::Certificate { bundle, .. } => return Ok(bundle.clone().into_bytes()),
        };
        let signature = Signature { sig: BASE64_STANDARD.encode(&self.envelope.signature), keyid: Some(hint.clone()) };
        let document = Document {
            media_type: BUNDLE.to_owned(),
            verification_material: Material {
                public_key: Hint { hint },
                tlog_entries: None,
                timestamp_verification_data: None,
            },
            dsse_envelope: EnvelopeJson {
                payload: BASE64_STANDARD.encode(&self.envelope.payload),
                payload_type: PAYLOAD_TYPE.to_owned(),
                signatures: [signature],
            },
        };
        Ok(json::written(&document)?)
    }

    /// The name of the key by which it claims to be signed; none where it is signed by a certificate.
    pub fn hint(&self) -> Option<&KeyHint> {
        match &self.by {
            By::Key(hint) => Some(hint),
            By::Certificate { .. } => None,
        }
    }

    /// By what it claims to be signed.
    pub(super) fn by(&self) -> &By {
        &self.by
    }

    /// What it says, whoever signed it: for refusals, and for finding out what to verify.
    ///
    /// # Errors
    ///
    /// [`StatementError`].
    pub fn unverified(&self) -> Result<Statement, StatementError> {
        Statement::read(&self.envelope.payload)
    }

    /// The payload, which this key signed.
    pub(super) fn verified(&self, key: &PublicKey) -> Result<&[u8], Mismatch> {
        self.envelope.verified(key)
    }
}

/// Tells bundles that are something else by what they are, where the JSON would only be called unexpected. Returns whether
/// it is one with a certificate.
fn told_apart(tree: &Value) -> Result<bool, BundleError> {
    let empty = |list: Option<&Value>| list.and_then(Value::as_array).is_none_or(Vec::is_empty);
    let media_type = tree.get("mediaType").and_then(Value::as_str).unwrap_or_default();
    if media_type != BUNDLE {
        return Err(BundleError::MediaType(quoted(media_type)));
    }
    let (message, envelope) = (tree.get("messageSignature"), tree.get("dsseEnvelope"));
    if message.is_some() {
        return Err(if envelope.is_some() { BundleError::TwoContents } else { BundleError::Message });
    }
    let signatures = envelope.and_then(|envelope| envelope.get("signatures")).and_then(Value::as_array);
    if let Some(other) = signatures.map(Vec::len).filter(|many| *many != 1) {
        return Err(BundleError::Signatures(other));
    }
    let Some(material) = tree.get("verificationMaterial") else { return Ok(false) };
    if material.get("certificate").or_else(|| material.get("x509CertificateChain")).is_some() {
        evidence::told_apart(material)?;
        return Ok(true);
    }
    let timestamps = material.get("timestampVerificationData").and_then(|data| data.get("rfc3161Timestamps"));
    if !empty(material.get("tlogEntries")) || !empty(timestamps) {
        return Err(BundleError::Evidence);
    }
    Ok(false)
}

/// Base64 in its one spelling: the standard alphabet, padded, no bits left over.
fn decoded(field: &'static str, text: &str) -> Result<Vec<u8>, BundleError> {
    let bytes = BASE64_STANDARD.decode(text).map_err(|_| BundleError::Base64(field))?;
    if BASE64_STANDARD.encode(&bytes) == text { Ok(bytes) } else { Err(BundleError::Base64(field)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_has_one_spelling() {
        assert!(decoded("sig", "+/8=").is_ok_and(|bytes| bytes == [0xfb, 0xff]));
        for other in ["-_8=", "+/8", "+/8==", "+/9=", " +/8=", "+/8=\n", "+/\n8=", "+/8=+/8=", "=", "+"] {
            assert!(decoded("sig", other).is_err(), "{other:?}");
        }
    }
}
