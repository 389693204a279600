//! Owns: the host's configuration file: its structure, defaults, and errors that name the file, the key and the
//! accepted values.
//! Does not own: secrets, which are read from files or environment variables.

use std::{
    collections::{BTreeMap, HashMap},
    env, fs, io,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

mod budget;
mod limits;
mod packages;
mod server;
mod sign_in;
mod telemetry;

pub use budget::BudgetConfig;
use harness_contract::settings::RawSetting;
pub use limits::{LimitsConfig, MOST_CORE_INSTANCES};
pub use packages::{IdentityConfig, PackagesConfig, PublisherConfig, RevokedConfig};
use serde::Deserialize;
pub use server::ServerConfig;
pub use sign_in::{ProviderConfig, SignInConfig};
pub use telemetry::{TelemetryConfig, TraceTarget};
use url::Url;
use zeroize::Zeroize as _;

use harness_egress::credentials::{Secret, VaultKey};
use harness_engine::Retention;
use harness_server::{AdminToken, Authenticator, TokenFile};

/// In seconds.
const DAY: u64 = 24 * 3600;

/// Byte-order marks, which some editors add: of UTF-8, and of UTF-16 in either order.
const BYTE_ORDER_MARKS: [&[u8]; 3] = [b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff"];

/// The configuration file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// The address to listen on.
    #[serde(default = "default_listen")]
    pub listen: SocketAddr,
    /// The folder for the inbox and the compiled components.
    #[serde(default = "default_data_dir")]
    pub data_dir: PathBuf,
    /// The public address under which browsers and platforms reach this host, such as `https://inbox.example`. Needed
    /// for connecting accounts. Defaults to the address of `listen`.
    #[serde(default)]
    pub public_url: Option<Url>,
    /// Deliveries of one channel that may wait for translation. Beyond it, its webhooks are answered with "later".
    #[serde(default = "default_backlog")]
    pub max_backlog: u64,
    /// Hosts in private networks that this host's own calls may go to, such as a language model's: `name`, `name:port` or
    /// an address. All others are refused unless they are public.
    #[serde(default)]
    pub private_hosts: Vec<String>,
    /// Retention periods.
    #[serde(default)]
    pub retention: RetentionConfig,
    /// Limits for clients.
    #[serde(default)]
    pub server: ServerConfig,
    /// Backlog bounds of each channel and account.
    #[serde(default)]
    pub budget: BudgetConfig,
    /// Size limits for input from channels, platforms and clients.
    #[serde(default)]
    pub limits: LimitsConfig,
    /// Export of traces.
    #[serde(default)]
    pub telemetry: TelemetryConfig,
    /// The HTTP API.
    #[serde(default)]
    pub api: ApiConfig,
    /// How people sign in.
    #[serde(default)]
    pub sign_in: SignInConfig,
    /// The encryption of stored credentials.
    #[serde(default)]
    pub vault: VaultConfig,
    /// Whose packages may be installed, and from where.
    #[serde(default)]
    pub packages: PackagesConfig,
    /// The channels, by id. Those that are installed need no table, unless they have credentials or settings.
    #[serde(default)]
    pub channels: BTreeMap<String, ChannelConfig>,
    /// For development only.
    #[serde(default)]
    pub development: DevelopmentConfig,
}

fn default_listen() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 8080))
}

fn default_backlog() -> u64 {
    harness_engine::Budget::default().deliveries
}

fn default_data_dir() -> PathBuf {
    "harness-data".into()
}

/// Retention periods, in days; 0 means for ever.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct RetentionConfig {
    /// Raw deliveries whose content is completely in the inbox, counted from their arrival.
    pub deliveries_days: u32,
    /// Uploaded files that no reply refers to.
    pub unused_files_days: u32,
    /// Entries of the change feed.
    pub changes_days: u32,
}

impl Default for RetentionConfig {
    fn default() -> Self {
        let days = |age: Option<Duration>| age.map_or(0, |age| u32::try_from(age.as_secs() / DAY).unwrap_or(u32::MAX));
        let Retention { deliveries, unused_files, changes } = Retention::default();
        Self { deliveries_days: days(deliveries), unused_files_days: days(unused_files), changes_days: days(changes) }
    }
}

impl From<&RetentionConfig> for Retention {
    fn from(config: &RetentionConfig) -> Self {
        let age = |days: u32| (days > 0).then(|| Duration::from_secs(u64::from(days) * DAY));
        Self {
            deliveries: age(config.deliveries_days),
            unused_files: age(config.unused_files_days),
            changes: age(config.changes_days),
        }
    }
}

/// The HTTP API.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ApiConfig {
    /// The bearer token with all scopes. If unset, the first start creates one, in the file `admin-token` of the data
    /// folder.
    pub token: Option<SecretSource>,
}

/// The encryption of stored credentials.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct VaultConfig {
    /// The source of the key. If unset, the file `vault.key` in the data folder, which the first start creates.
    pub key: Option<KeySource>,
}

/// The source of the key that encrypts stored credentials: 64 hexadecimal digits.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub enum KeySource {
    /// A file that no other user may read, relative to the configuration file.
    File(PathBuf),
    /// An environment variable.
    Env(String),
    /// A program and its arguments. The program prints the key.
    Command(Vec<String>),
}

/// A channel and what the operator configures for it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ChannelConfig {
    /// The file of a component that nobody signed, relative to the configuration file. Needs `unsigned-channels` under
    /// `[development]`. If unset, the installed package of this channel.
    #[serde(default)]
    pub component: Option<PathBuf>,
    /// What it may do. Everything not listed is denied. If unset: what was agreed to when it was installed, and nothing for
    /// a file.
    #[serde(default)]
    pub grant: Option<GrantConfig>,
    /// Values for the manifest's `[settings]` of the scopes `channel` and `both`.
    #[serde(default)]
    pub settings: BTreeMap<String, RawSetting>,
    /// Its credentials, by slot.
    #[serde(default)]
    pub secrets: BTreeMap<String, SecretSource>,
    /// Replaced credentials that are still accepted, by slot.
    #[serde(default)]
    pub previous_secrets: BTreeMap<String, PreviousSecret>,
    /// Its accounts, unless they are connected through the platform's dialog.
    #[serde(default)]
    pub accounts: Vec<AccountConfig>,
}

/// What a channel may do.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct GrantConfig {
    /// Hosts that its requests may go to.
    #[serde(default)]
    pub egress: Vec<String>,
    /// Hosts from which the files of its messages may be downloaded.
    #[serde(default)]
    pub media: Vec<String>,
}

/// An account of a channel.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct AccountConfig {
    /// The platform's id, as its webhooks name it.
    pub id: String,
    /// Its name, for people.
    #[serde(default)]
    pub name: Option<String>,
    /// Values for the manifest's `[settings]`.
    #[serde(default)]
    pub settings: BTreeMap<String, RawSetting>,
    /// Its credentials, by slot.
    #[serde(default)]
    pub secrets: BTreeMap<String, SecretSource>,
}

/// For development only.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct DevelopmentConfig {
    /// Origins, and the addresses that replace them, such as a simulator's.
    #[serde(default)]
    pub endpoints: BTreeMap<String, Url>,
    /// Components that nobody signed are loaded, and packages without a signature installed. Shown as a fault wherever the
    /// channel's health is.
    #[serde(default)]
    pub unsigned_channels: bool,
}

/// The source of a secret.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub enum SecretSource {
    /// A file with nothing but the secret that no other user can read, relative to the configuration file. A trailing
    /// line break is ignored.
    File(PathBuf),
    /// An environment variable.
    Env(String),
}

/// A replaced secret. Webhooks signed with it are accepted for a time.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct PreviousSecret {
    /// Its source.
    pub secret: SecretSource,
    /// When it expires, such as `2026-12-31T00:00:00Z`.
    pub until: toml::value::Datetime,
}

/// Why the configuration was rejected.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A file cannot be read.
    #[error("{path}: {source}")]
    Read {
        /// The path.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// The file is not TOML, or a key is unknown, missing or of the wrong type.
    #[error("{path}: {source}")]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Line, key and accepted values.
        #[source]
        source: toml::de::Error,
    },
    /// A value is invalid.
    #[error("{path}: `{key}`: {problem}")]
    Value {
        /// The file.
        path: PathBuf,
        /// The key.
        key: String,
        /// What is wrong and what is accepted.
        problem: String,
    },
}

/// A configuration and its file.
#[derive(Clone, Debug)]
pub struct ConfigFile {
    /// The file.
    pub path: PathBuf,
    /// The content.
    pub config: Config,
}

impl ConfigFile {
    /// Reads a configuration file.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = fs::read_to_string(path).map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
        let config: Config =
            toml::from_str(&text).map_err(|source| ConfigError::Syntax { path: path.to_owned(), source })?;
        let file = Self { path: path.to_owned(), config };
        for origin in file.config.development.endpoints.keys() {
            let sound = Url::parse(origin).is_ok_and(|url| url.origin().ascii_serialization() == *origin);
            if !sound {
                let key = format!("development.endpoints.\"{origin}\"");
                return Err(file.value(&key, "is not an origin such as \"https://api.example.com\""));
            }
        }
        Ok(file)
    }

    /// The API's authenticator. If the configuration names no token, the admin token is created on the first start; the
    /// data folder must exist.
    pub fn access(&self) -> Result<Authenticator, ConfigError> {
        let token = match self.api_token()? {
            Some(token) => token,
            None => self.admin_token().read_or_make().map_err(|error| self.value("data-dir", error.to_string()))?,
        };
        Ok(Authenticator::new(Some(&token), Some(self.tokens())).with_sign_in(self.sign_in()?))
    }

    /// The token of `[api]`, which has all scopes.
    pub fn api_token(&self) -> Result<Option<Secret>, ConfigError> {
        self.config.api.token.as_ref().map(|source| self.secret("api.token", source)).transpose()
    }

    /// The admin token, for hosts whose configuration names none.
    pub fn admin_token(&self) -> AdminToken {
        AdminToken::in_folder(&self.data_dir())
    }

    /// The API's named tokens.
    pub fn tokens(&self) -> TokenFile {
        TokenFile::in_folder(&self.data_dir())
    }

    /// The data folder; relative paths are relative to the configuration file.
    pub fn data_dir(&self) -> PathBuf {
        self.resolve(&self.config.data_dir)
    }

    /// An error about a key of this file.
    pub fn value(&self, key: &str, problem: impl Into<String>) -> ConfigError {
        ConfigError::Value { path: self.path.clone(), key: key.to_owned(), problem: problem.into() }
    }

    /// A path relative to the configuration file.
    pub fn resolve(&self, path: &Path) -> PathBuf {
        self.path.parent().map_or_else(|| path.to_owned(), |folder| folder.join(path))
    }

    /// The source of the vault's key.
    pub fn vault_key(&self) -> Option<VaultKey> {
        Some(match self.config.vault.key.as_ref()? {
            KeySource::File(path) => VaultKey::File(self.resolve(path)),
            KeySource::Env(name) => VaultKey::Env(name.clone()),
            KeySource::Command(words) => VaultKey::Command(words.clone()),
        })
    }

    /// Reads replaced secrets, each with its expiry in milliseconds since 1970.
    pub fn previous_secrets(
        &self,
        key: &str,
        sources: &BTreeMap<String, PreviousSecret>,
    ) -> Result<Vec<(String, Secret, u64)>, ConfigError> {
        let read = |(slot, previous): (&String, &PreviousSecret)| {
            let key = format!("{key}.{slot}");
            let until: jiff::Timestamp = previous.until.to_string().parse().map_err(|_| {
                self.value(&format!("{key}.until"), "is not a time with its zone, such as 2026-12-31T00:00:00Z")
            })?;
            let until = u64::try_from(until.as_millisecond()).unwrap_or(0);
            Ok((slot.clone(), self.secret(&format!("{key}.secret"), &previous.secret)?, until))
        };
        sources.iter().map(read).collect()
    }

    /// Reads secrets from their sources. `key` names the table in errors.
    pub fn secrets(
        &self,
        key: &str,
        sources: &BTreeMap<String, SecretSource>,
    ) -> Result<HashMap<String, Secret>, ConfigError> {
        sources
            .iter()
            .map(|(slot, source)| Ok((slot.clone(), self.secret(&format!("{key}.{slot}"), source)?)))
            .collect()
    }

    /// Reads one secret.
    pub fn secret(&self, key: &str, source: &SecretSource) -> Result<Secret, ConfigError> {
        let mut bytes = match source {
            SecretSource::File(path) => {
                let path = self.resolve(path);
                if let Ok(Some(mode)) = harness_inbox::open_to_others(&path) {
                    let path = path.display();
                    let problem = format!(
                        "{path} can be read by others (mode {mode:o}): run `chmod 600 {path}`, or put it into a folder \
                         that is for this user alone"
                    );
                    return Err(self.value(key, problem));
                }
                fs::read(&path).map_err(|error| self.value(key, format!("{}: {error}", path.display())))?
            }
            SecretSource::Env(name) => env::var(name)
                .map_err(|_| self.value(key, format!("the environment variable {name} is not set")))?
                .into_bytes(),
        };
        if BYTE_ORDER_MARKS.iter().any(|mark| bytes.starts_with(mark)) {
            bytes.zeroize();
            let problem = "begins with a byte-order mark, which some editors add and which is no part of a secret: save \
                           it as UTF-8 without one (`printf %s SECRET > FILE` writes none)";
            return Err(self.value(key, problem));
        }
        let end = bytes.iter().rposition(|byte| !byte.is_ascii_whitespace()).map_or(0, |last| last + 1);
        let secret = Secret::new(bytes.get(..end).unwrap_or_default().to_vec());
        bytes.zeroize();
        if end == 0 {
            return Err(self.value(key, "is empty: an empty secret would accept forgeries"));
        }
        Ok(secret)
    }
}
