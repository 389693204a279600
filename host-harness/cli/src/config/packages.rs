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
    /// A `trusted_root.json` of sigstore, relative to the configuration file: whose certificates and logs count for
    /// publishers that sign as an identity and not with a key.
    pub trusted_root: Option<PathBuf>,
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
    #[serde(default)]
    pub keys: Vec<PathBuf>,
    /// Who may sign for the publisher without a key. Both parts must be those of the certificate, letter by letter.
    #[serde(default)]
    pub identities: Vec<IdentityConfig>,
    /// The channels that it may publish: ids, or beginnings of ids as `acme-*`.
    pub channels: Vec<String>,
}

/// Whom an issuer of identities vouches for.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct IdentityConfig {
    /// The issuer: the https address of an OpenID provider.
    pub issuer: String,
    /// The subject: a mail address, or the address of a build.
    pub subject: String,
}

/// What is not trusted any more.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct RevokedConfig {
    /// Components, as `sha256:…`.
    pub components: Vec<String>,
    /// Keys, by the hint that `harness verify` prints: hexadecimal SHA-256 of the public key.
    pub keys: Vec<String>,
    /// Identities.
    pub identities: Vec<IdentityConfig>,
}
