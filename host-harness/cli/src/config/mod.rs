//! Owns: the host's configuration file: its shape, its defaults, errors that name file, key and what is accepted.
//! Does not own: secrets, which stand in files or variables.

use std::{
    collections::{BTreeMap, HashMap},
    env, fs, io,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

mod budget;
mod limits;
mod server;
mod telemetry;

pub use budget::BudgetConfig;
use harness_contract::settings::RawSetting;
pub use limits::{LimitsConfig, MOST_CORE_INSTANCES};
use serde::Deserialize;
pub use server::ServerConfig;
pub use telemetry::{TelemetryConfig, TraceTarget};
use url::Url;
use zeroize::Zeroize as _;

use harness_egress::credentials::{Secret, VaultKey};
use harness_engine::Retention;
use harness_server::{AdminToken, Authenticator, TokenFile};

/// In seconds.
const DAY: u64 = 24 * 3600;

/// What editors put before a text: of UTF-8, and of UTF-16 in either order.
const BYTE_ORDER_MARKS: [&[u8]; 3] = [b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff"];

/// The whole file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Where to listen.
    #[serde(default = "default_listen")]
    pub listen: SocketAddr,
    /// The folder for the inbox and the compiled components.
    #[serde(default = "default_data_dir")]
    pub data_dir: PathBuf,
    /// Under which address browsers and platforms reach this host, such as `https://inbox.example`. Needed for
    /// connecting accounts. The address of `listen` unless set.
    #[serde(default)]
    pub public_url: Option<Url>,
    /// How many deliveries of one channel may wait to be translated before its webhooks are answered with "later".
    #[serde(default = "default_backlog")]
    pub max_backlog: u64,
    /// How long is kept what need not be kept.
    #[serde(default)]
    pub retention: RetentionConfig,
    /// Bounds for whoever connects.
    #[serde(default)]
    pub server: ServerConfig,
    /// What one channel and one account may keep waiting.
    #[serde(default)]
    pub budget: BudgetConfig,
    /// How large what is handed in may be.
    #[serde(default)]
    pub limits: LimitsConfig,
    /// Where traces go.
    #[serde(default)]
    pub telemetry: TelemetryConfig,
    /// The HTTP API.
    #[serde(default)]
    pub api: ApiConfig,
    /// Credentials at rest.
    #[serde(default)]
    pub vault: VaultConfig,
    /// The channels, by id.
    #[serde(default)]
    pub channels: BTreeMap<String, ChannelConfig>,
    /// For development alone.
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

/// How long is kept what need not be kept, in days; 0 is for ever.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct RetentionConfig {
    /// Raw deliveries, counted from their arrival, once everything in them is in the inbox.
    pub deliveries_days: u32,
    /// Files that were handed in to be sent and that no reply names.
    pub unused_files_days: u32,
}

impl Default for RetentionConfig {
    fn default() -> Self {
        let days = |age: Option<Duration>| age.map_or(0, |age| u32::try_from(age.as_secs() / DAY).unwrap_or(u32::MAX));
        let Retention { deliveries, unused_files } = Retention::default();
        Self { deliveries_days: days(deliveries), unused_files_days: days(unused_files) }
    }
}

impl From<&RetentionConfig> for Retention {
    fn from(config: &RetentionConfig) -> Self {
        let age = |days: u32| (days > 0).then(|| Duration::from_secs(u64::from(days) * DAY));
        Self { deliveries: age(config.deliveries_days), unused_files: age(config.unused_files_days) }
    }
}

/// The HTTP API.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ApiConfig {
    /// The bearer token that opens everything. Without one, the first start makes it, in the file `admin-token` of
    /// the data folder.
    pub token: Option<SecretSource>,
}

/// Credentials at rest.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct VaultConfig {
    /// Where their key is. Without one, the file `vault.key` in the data folder, which is made at first.
    pub key: Option<KeySource>,
}

/// Where the key is under which credentials rest: 64 hexadecimal digits.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub enum KeySource {
    /// A file that nobody else may read, relative to the configuration file.
    File(PathBuf),
    /// An environment variable.
    Env(String),
    /// A program and its arguments, which prints it.
    Command(Vec<String>),
}

/// A channel and what the operator gives it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ChannelConfig {
    /// The component's file, relative to the configuration file.
    pub component: PathBuf,
    /// What it may do: nothing that is not named.
    #[serde(default)]
    pub grant: GrantConfig,
    /// Values for the manifest's `[settings]` of the scopes `channel` and `both`.
    #[serde(default)]
    pub settings: BTreeMap<String, RawSetting>,
    /// Its own credentials, by slot.
    #[serde(default)]
    pub secrets: BTreeMap<String, SecretSource>,
    /// Credentials that were replaced and are still accepted, by slot.
    #[serde(default)]
    pub previous_secrets: BTreeMap<String, PreviousSecret>,
    /// Its accounts, where they are not connected over the platform's dialog.
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
    /// Hosts from which the files of its messages are downloaded.
    #[serde(default)]
    pub media: Vec<String>,
}

/// An account of a channel.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct AccountConfig {
    /// The platform's id, as its webhooks name it.
    pub id: String,
    /// For people.
    #[serde(default)]
    pub name: Option<String>,
    /// Values for the manifest's `[settings]`.
    #[serde(default)]
    pub settings: BTreeMap<String, RawSetting>,
    /// Its credentials, by slot.
    #[serde(default)]
    pub secrets: BTreeMap<String, SecretSource>,
}

/// For development alone.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct DevelopmentConfig {
    /// Origins and the addresses that stand in for them, such as a simulator.
    #[serde(default)]
    pub endpoints: BTreeMap<String, Url>,
}

/// Where a secret stands.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub enum SecretSource {
    /// A file that holds nothing else and that nobody else can read, relative to the configuration file; a last line
    /// break is dropped.
    File(PathBuf),
    /// An environment variable.
    Env(String),
}

/// A secret that was replaced: webhooks that were signed with it are accepted for a time.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct PreviousSecret {
    /// Where it stands.
    pub secret: SecretSource,
    /// Until when it is accepted, such as `2026-12-31T00:00:00Z`.
    pub until: toml::value::Datetime,
}

/// Why the configuration was refused.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A file cannot be read.
    #[error("{path}: {source}")]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It is not TOML, or a key is unknown, missing or of the wrong type.
    #[error("{path}: {source}")]
    Syntax {
        /// Which file.
        path: PathBuf,
        /// Line, key and accepted values.
        #[source]
        source: toml::de::Error,
    },
    /// A value cannot be used.
    #[error("{path}: `{key}`: {problem}")]
    Value {
        /// Which file.
        path: PathBuf,
        /// Which key.
        key: String,
        /// What is wrong and what is accepted.
        problem: String,
    },
}

/// A configuration with the place where it stands.
#[derive(Clone, Debug)]
pub struct ConfigFile {
    /// Where it was read from.
    pub path: PathBuf,
    /// What it says.
    pub config: Config,
}

impl ConfigFile {
    /// Reads a configuration.
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

    /// The lock of the API. Where the configuration names no token, the machine's own is made at the first start; the
    /// data folder must be there.
    pub fn access(&self) -> Result<Authenticator, ConfigError> {
        let token = match self.api_token()? {
            Some(token) => token,
            None => self.admin_token().read_or_make().map_err(|error| self.value("data-dir", error.to_string()))?,
        };
        Ok(Authenticator::new(Some(&token), Some(self.tokens())))
    }

    /// The token of `[api]`, which opens everything.
    pub fn api_token(&self) -> Result<Option<Secret>, ConfigError> {
        self.config.api.token.as_ref().map(|source| self.secret("api.token", source)).transpose()
    }

    /// The machine's own token, for hosts whose configuration names none.
    pub fn admin_token(&self) -> AdminToken {
        AdminToken::in_folder(&self.data_dir())
    }

    /// The API's named tokens.
    pub fn tokens(&self) -> TokenFile {
        TokenFile::in_folder(&self.data_dir())
    }

    /// The folder for the inbox, as the file means it.
    pub fn data_dir(&self) -> PathBuf {
        self.resolve(&self.config.data_dir)
    }

    /// An error about a key of this file.
    pub fn value(&self, key: &str, problem: impl Into<String>) -> ConfigError {
        ConfigError::Value { path: self.path.clone(), key: key.to_owned(), problem: problem.into() }
    }

    /// A path as the file means it.
    pub fn resolve(&self, path: &Path) -> PathBuf {
        self.path.parent().map_or_else(|| path.to_owned(), |folder| folder.join(path))
    }

    /// Where the key of the vault is, as the file means it.
    pub fn vault_key(&self) -> Option<VaultKey> {
        Some(match self.config.vault.key.as_ref()? {
            KeySource::File(path) => VaultKey::File(self.resolve(path)),
            KeySource::Env(name) => VaultKey::Env(name.clone()),
            KeySource::Command(words) => VaultKey::Command(words.clone()),
        })
    }

    /// Fetches secrets that are accepted until a time, in milliseconds since 1970.
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

    /// Fetches secrets from where they stand. `key` names the table in errors.
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

    /// Fetches one secret.
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
