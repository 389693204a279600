//! Owns: what the configuration says about packages, as the crate of packages takes it: whom to trust, the seal of the lock
//! file, how registries are reached.
//! Does not own: verifying, fetching.

use std::{collections::BTreeSet, fs, io::Read as _, path::Path, sync::Arc};

use anyhow::{Context as _, Result};
use harness_cli::config::{ConfigError, ConfigFile, IdentityConfig};
use harness_egress::credentials::{Vault, VaultKey};
use harness_package::{
    Publisher,
    installed::{Installed, Seal},
    registry::{Client, Logins, Options},
    signature::{Identity, MAX_TRUSTED_ROOT, PublicKey, PublisherRule, TrustPolicy, TrustRules, TrustedRoot},
};

/// The largest file with a public key, in bytes.
const MAX_KEY_FILE: u64 = 16 << 10;

struct HostSeal(Vault);

impl Seal for HostSeal {
    fn sign(&self, purpose: &str, text: &str) -> [u8; 32] {
        self.0.sign(purpose, text)
    }
}

/// The folder of installed channels. Its seal is made with the vault's key, which is made where there is none yet.
pub(crate) fn installed(file: &ConfigFile) -> Result<Installed> {
    let data = file.data_dir();
    super::super::serve::private_dir(&data).with_context(|| data.display().to_string())?;
    let key = file.vault_key().unwrap_or_else(|| VaultKey::File(data.join("vault.key")));
    Ok(Installed::of_data(&data, Arc::new(HostSeal(Vault::open(&key)?))))
}

/// Whom the configuration trusts.
pub(crate) fn policy(file: &ConfigFile) -> Result<TrustPolicy, ConfigError> {
    let packages = &file.config.packages;
    let mut rules = TrustRules::default();
    for (name, publisher) in &packages.publishers {
        let key = |rest: &str| format!("packages.publishers.{name}.{rest}");
        let wrong = |at: &str, error: &dyn std::error::Error| file.value(&key(at), error.to_string());
        let parsed: Publisher = name.parse().map_err(|error| file.value("packages.publishers", format!("{error}")))?;
        let keys = publisher.keys.iter().map(|path| public_key(file, &key("keys"), path)).collect::<Result<_, _>>()?;
        let identities = publisher.identities.iter().map(|identity| self::identity(file, &key("identities"), identity));
        let identities = identities.collect::<Result<_, _>>()?;
        let channels = publisher.channels.iter().map(|pattern| pattern.parse());
        let channels = channels
            .collect::<Result<_, _>>()
            .map_err(|error: harness_package::signature::PolicyError| wrong("channels", &error))?;
        rules.publishers.push(PublisherRule { name: parsed, keys, identities, channels });
    }
    for text in &packages.revoked.components {
        let digest = text.parse().map_err(|error| file.value("packages.revoked.components", format!("{error}")))?;
        rules.revoked_digests.insert(digest);
    }
    for text in &packages.revoked.keys {
        let hint = text.parse().map_err(|error| file.value("packages.revoked.keys", format!("{error}")))?;
        rules.revoked_keys.insert(hint);
    }
    for written in &packages.revoked.identities {
        rules.revoked_identities.insert(identity(file, "packages.revoked.identities", written)?);
    }
    if let Some(path) = &packages.trusted_root {
        let key = "packages.trusted-root";
        let text = small_file(file, key, path, MAX_TRUSTED_ROOT as u64)?;
        let read = TrustedRoot::read(&text);
        let wrong = |error| file.value(key, format!("{}: {error}", file.resolve(path).display()));
        rules.trusted_root = Some(read.map_err(wrong)?);
    }
    TrustPolicy::new(rules).map_err(|error| file.value("packages.publishers", error.to_string()))
}

fn identity(file: &ConfigFile, key: &str, written: &IdentityConfig) -> Result<Identity, ConfigError> {
    Identity::new(&written.issuer, &written.subject).map_err(|error| file.value(key, error.to_string()))
}

/// A file that the configuration names, of at most `max` bytes.
fn small_file(file: &ConfigFile, key: &str, path: &Path, max: u64) -> Result<Vec<u8>, ConfigError> {
    let path = file.resolve(path);
    let wrong = |problem: String| file.value(key, format!("{}: {problem}", path.display()));
    let mut bytes = Vec::new();
    fs::File::open(&path)
        .and_then(|opened| opened.take(max.saturating_add(1)).read_to_end(&mut bytes))
        .map_err(|error| wrong(error.to_string()))?;
    if bytes.len() as u64 > max { Err(wrong(format!("it has more than {max} bytes"))) } else { Ok(bytes) }
}

fn public_key(file: &ConfigFile, key: &str, path: &Path) -> Result<PublicKey, ConfigError> {
    let bytes = small_file(file, key, path, MAX_KEY_FILE)?;
    let wrong = |problem: String| file.value(key, format!("{}: {problem}", file.resolve(path).display()));
    let text = String::from_utf8(bytes).map_err(|_| wrong("it is no text: expected a public key as PEM".to_owned()))?;
    PublicKey::from_pem(&text).map_err(|error| wrong(error.to_string()))
}

/// How registries are reached: these without TLS, with the logins that container tools keep.
pub(crate) fn registries(plain_http: BTreeSet<String>) -> Result<Client> {
    let logins = Logins::of_environment(|name| std::env::var_os(name));
    Ok(Client::new(harness_egress::client_builder()?, Options { plain_http, logins, ..Options::default() })?)
}

/// As the configuration has it.
pub(super) fn client(file: &ConfigFile) -> Result<Client> {
    registries(file.config.packages.plain_http.iter().cloned().collect())
}
