//! Owns: what the configuration says about packages, as the crate of packages takes it: whom to trust, the seal of the lock
//! file, how registries are reached.
//! Does not own: verifying, fetching.

use std::{collections::BTreeSet, fs, sync::Arc};

use anyhow::{Context as _, Result};
use harness_cli::config::{ConfigError, ConfigFile};
use harness_egress::credentials::{Vault, VaultKey};
use harness_package::{
    Publisher,
    installed::{Installed, Seal},
    registry::{Client, Logins, Options},
    signature::{PublicKey, PublisherRule, TrustPolicy, TrustRules},
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
        let channels = publisher.channels.iter().map(|pattern| pattern.parse());
        let channels = channels
            .collect::<Result<_, _>>()
            .map_err(|error: harness_package::signature::PolicyError| wrong("channels", &error))?;
        rules.publishers.push(PublisherRule { name: parsed, keys, channels });
    }
    for text in &packages.revoked.components {
        let digest = text.parse().map_err(|error| file.value("packages.revoked.components", format!("{error}")))?;
        rules.revoked_digests.insert(digest);
    }
    for text in &packages.revoked.keys {
        let hint = text.parse().map_err(|error| file.value("packages.revoked.keys", format!("{error}")))?;
        rules.revoked_keys.insert(hint);
    }
    TrustPolicy::new(rules).map_err(|error| file.value("packages.publishers", error.to_string()))
}

fn public_key(file: &ConfigFile, key: &str, path: &std::path::Path) -> Result<PublicKey, ConfigError> {
    let path = file.resolve(path);
    let wrong = |problem: String| file.value(key, format!("{}: {problem}", path.display()));
    let size = fs::metadata(&path).map_err(|error| wrong(error.to_string()))?.len();
    if size > MAX_KEY_FILE {
        return Err(wrong(format!("it has {size} bytes: expected a public key as PEM")));
    }
    let text = fs::read_to_string(&path).map_err(|error| wrong(error.to_string()))?;
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
