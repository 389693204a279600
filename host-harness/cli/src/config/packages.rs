//! Owns: `[packages]`: whose packages may be installed, and from where.
//! Does not own: verifying them (`harness-package`).

use std::{collections::BTreeMap, path::PathBuf};

use serde::Deserialize;

/// Whose packages may be installed, and from where.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct PackagesConfig {
    /// Registries that are reached without TLS, as `host:port`: such as one on this machine.
    pub plain_http: Vec<String>,
    /// The publishers that are trusted, by name.
    pub publishers: BTreeMap<String, PublisherConfig>,
    /// What is not trusted any more, whoever signed it.
    pub revoked: RevokedConfig,
}

/// A publisher that is trusted.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct PublisherConfig {
    /// Files with the publisher's public keys, as PEM, relative to the configuration file.
    pub keys: Vec<PathBuf>,
    /// The channels that it may publish: ids, or beginnings of ids as `acme-*`.
    pub channels: Vec<String>,
}

/// What is not trusted any more.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct RevokedConfig {
    /// Components, as `sha256:…`.
    pub components: Vec<String>,
    /// Keys, by the hint that `harness verify` prints: hexadecimal SHA-256 of the public key.
    pub keys: Vec<String>,
}
