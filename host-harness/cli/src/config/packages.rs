//! Owns: `[packages]`: whose packages may be installed, and from where.
//! Does not own: verifying them (`harness-package`).

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use serde::Deserialize;

/// Unless the configuration says otherwise.
const LOOK_EVERY_HOURS: u32 = 24;

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
    /// How often a running host asks the registries for newer versions of what was installed from them; 0 is never. Nothing
    /// is taken by itself.
    pub look_every_hours: Option<u32>,
}

impl PackagesConfig {
    /// The time between two looks for newer versions; `None`: never.
    pub fn look_every(&self) -> Option<Duration> {
        let hours = self.look_every_hours.unwrap_or(LOOK_EVERY_HOURS);
        (hours > 0).then(|| Duration::from_secs(u64::from(hours) * 3600))
    }
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
