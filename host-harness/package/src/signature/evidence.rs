//! Owns: the form of a certificate with its entry in a transparency log, in a bundle: what is read, and nothing else.
//! Does not own: whether it proves anything (`keyless`), the envelope (`bundle`).
//!
//! The verifier under `keyless` reads the same bytes with another reader, so this one leaves no two ways to read them.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::quoted;

/// Why the proof in a bundle is not looked at.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum EvidenceError {
    /// A chain of certificates.
    #[error("the signature bundle has a chain of certificates, expected the one that signed")]
    Chain,
    /// Not exactly one entry.
    #[error("the signature by a certificate has {0} entries of a transparency log, expected exactly one")]
    Entries(usize),
    /// Nothing shows that the entry is in the log.
    #[error(
        "the entry in the transparency log has no proof that it is in the log (`inclusionProof` with a `checkpoint`)"
    )]
    NoProof,
    /// An entry of another kind.
    #[error("the entry in the transparency log is a `{0}`, expected `dsse` 0.0.1 or `hashedrekord` 0.0.2")]
    Kind(String),
    /// Nothing says when it was signed.
    #[error(
        "nothing says when the signature by a certificate was made: expected the log's promise with its time \
         (`inclusionPromise`, `integratedTime`), or a timestamp"
    )]
    NoTime,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Evidence {
    pub(super) certificate: Certificate,
    tlog_entries: [Entry; 1],
    #[serde(default, skip_serializing_if = "Option::is_none")]
    timestamp_verification_data: Option<Timestamps>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Certificate {
    pub(super) raw_bytes: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Entry {
    /// Left out where it is 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    log_index: Option<String>,
    log_id: LogId,
    kind_version: KindVersion,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    integrated_time: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    inclusion_promise: Option<Promise>,
    inclusion_proof: Proof,
    canonicalized_body: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct LogId {
    key_id: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KindVersion {
    kind: String,
    version: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Promise {
    signed_entry_timestamp: String,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Proof {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    log_index: Option<String>,
    root_hash: String,
    tree_size: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    hashes: Option<Vec<String>>,
    checkpoint: Checkpoint,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Checkpoint {
    envelope: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Timestamps {
    #[serde(default, skip_serializing_if = "Option::is_none", rename = "rfc3161Timestamps")]
    timestamps: Option<Vec<Timestamp>>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Timestamp {
    signed_timestamp: String,
}

/// Tells what is missing of a proof by what it is, where the JSON would only be called unexpected.
pub(super) fn told_apart(material: &Value) -> Result<(), EvidenceError> {
    if material.get("x509CertificateChain").is_some() {
        return Err(EvidenceError::Chain);
    }
    let entries = material.get("tlogEntries").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let [entry] = entries else { return Err(EvidenceError::Entries(entries.len())) };
    if entry.get("inclusionProof").and_then(|proof| proof.get("checkpoint")).is_none() {
        return Err(EvidenceError::NoProof);
    }
    let kind = |name: &str| entry.get("kindVersion").and_then(|kind| kind.get(name)).and_then(Value::as_str);
    let timed = match (kind("kind").unwrap_or_default(), kind("version").unwrap_or_default()) {
        ("dsse", "0.0.1") => entry.get("inclusionPromise").is_some() && entry.get("integratedTime").is_some(),
        // Logs of the second generation say no time.
        ("hashedrekord", "0.0.2") => false,
        (kind, version) => return Err(EvidenceError::Kind(quoted(&format!("{kind} {version}")))),
    };
    let stamps = material.get("timestampVerificationData").and_then(|data| data.get("rfc3161Timestamps"));
    let stamped = stamps.and_then(Value::as_array).is_some_and(|stamps| !stamps.is_empty());
    if timed || stamped { Ok(()) } else { Err(EvidenceError::NoTime) }
}
