//! Owns: the manifest `channel.toml`: what a channel is and what it asks for. A manifest is a request.
//! Does not own: the operator's grants.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use crate::{
    egress::EgressRule,
    webhook::{
        Challenge, FixedAnswer, HashAlgorithm, MAX_BODY_BYTES, Signature, SignatureEncoding, SignedPiece, SignedText,
        SignedTime, TemplateError, USUAL_BODY_BYTES, Verification, Webhook,
    },
};
use crate::{
    egress::may_be_set,
    setting_host::SettingHost,
    settings::{SettingScope, SettingSpec, SettingType},
};

/// The custom section of a component that holds its manifest.
pub const MANIFEST_SECTION: &str = "inbox:channel/manifest";

/// A channel's manifest.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Manifest {
    /// The channel's identity.
    pub channel: Identity,
    /// How its webhooks arrive and are verified. `None` if its platform sends no webhooks.
    #[serde(default)]
    pub webhook: Option<Webhook>,
    /// Other addresses that the platform calls, by name: `/callbacks/{channel}/{name}`.
    #[serde(default)]
    pub callbacks: BTreeMap<String, Callback>,
    /// The credentials that its requests use, by slot.
    #[serde(default)]
    pub slots: BTreeMap<String, Slot>,
    /// The destinations of its requests. Everything else is unreachable.
    #[serde(default)]
    pub egress: Vec<EgressRule>,
    /// The hosts from which the host may download media.
    #[serde(default)]
    pub media: MediaHosts,
    /// The ways to connect an account, by login type.
    #[serde(default)]
    pub logins: BTreeMap<String, Login>,
    /// The settings of an account, by key.
    #[serde(default)]
    pub settings: BTreeMap<String, SettingSpec>,
    /// Limits that it requests from the sandbox.
    #[serde(default)]
    pub limits: Limits,
}

/// A channel's identity.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Identity {
    /// Lower-case letters, digits and `-`. Used in webhook URLs and in the inbox.
    pub id: String,
    /// The name shown to people.
    pub name: String,
    /// The component's own version.
    pub version: String,
    /// The version of `inbox:channel` that it implements.
    pub contract: String,
    /// One sentence.
    #[serde(default)]
    pub description: String,
    /// An SPDX expression.
    #[serde(default)]
    pub license: String,
}

/// Schemes for signed calls of the platform other than webhooks.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", tag = "scheme")]
pub enum Callback {
    /// A form field with a signature and a payload, both in unpadded base64url, joined by a dot. The signature is the
    /// HMAC-SHA256 of the encoded payload.
    #[serde(rename_all = "kebab-case")]
    SignedRequest {
        /// The form field.
        field: String,
        /// The slots whose secrets may have signed it. One match is enough.
        secrets: Vec<String>,
        /// The payload's member with the time of issue, in seconds since 1970. If set, callbacks issued long ago are
        /// rejected.
        #[serde(default)]
        issued_at: Option<String>,
        /// What the callback is, shown on the page behind the answer's address.
        description: String,
        /// The fields of the JSON answer, if the platform expects one.
        #[serde(default)]
        answer: Option<CallbackAnswer>,
    },
}

/// The fields of an answer that refers a person to a status page.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct CallbackAnswer {
    /// The field for the address of the page.
    pub url: String,
    /// The field for the person's confirmation code.
    pub code: String,
}

/// Who shares a slot's secret.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SlotScope {
    /// One secret for the channel, such as an app secret.
    App,
    /// One secret per account, such as a token.
    Account,
    /// One secret per connecting of an account, such as the code of a callback. Forgotten afterwards.
    Connect,
}

/// A place where a request may carry a credential.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SlotPlace {
    /// `authorization: <scheme> …`
    Authorization(String),
    /// `authorization: Basic …`, as the password.
    Basic,
    /// The header of this name.
    Header(String),
    /// The query parameter of this name.
    Query(String),
    /// The path placeholder of this name.
    Path(String),
    /// The form field of this name.
    FormField(String),
    /// The value at this JSON pointer in the body.
    Json(String),
    /// The key of a derived value.
    HmacKey,
    /// The message of a derived value.
    HmacMessage,
    /// The key of a `jwt-hs256` token.
    JwtHs256Key,
    /// The key of a `jwt-rs256` token: RSA, PKCS #8, in PEM.
    JwtRs256Key,
    /// The access key id of `aws-sigv4`, which the signature contains.
    AwsAccessKeyId,
    /// The secret key of `aws-sigv4`.
    AwsSecretKey,
}

impl SlotPlace {
    /// Whether a credential there is a key for derived values.
    pub fn is_key(&self) -> bool {
        matches!(self, Self::HmacKey | Self::JwtHs256Key | Self::JwtRs256Key | Self::AwsSecretKey)
    }

    /// Whether a credential there is an input of a derived value, rather than part of a request.
    pub fn is_derived_from(&self) -> bool {
        self.is_key() || matches!(self, Self::HmacMessage | Self::AwsAccessKeyId)
    }
}

/// The `authorization` scheme of signed requests, and the only place of such a signature.
pub const SIGNED_REQUEST: &str = "AWS4-HMAC-SHA256";

/// Whether a text is the scheme of an `authorization` header, which is a token in RFC 9110.
pub fn is_scheme(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    (1..=64).contains(&text.len()) && text.bytes().all(fits)
}

/// A credential that requests may use.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Slot {
    /// Who shares it.
    pub scope: SlotScope,
    /// Where requests may carry it. Empty: nowhere, e.g. for a secret that only verifies.
    #[serde(default)]
    pub allowed_in: Vec<SlotPlace>,
    /// The only hosts that it may be sent to. Empty: every granted host.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// For a key of derived values: the only places for these values. Empty: nowhere.
    #[serde(default)]
    pub derived: Vec<SlotPlace>,
    /// For the message of a derived value: the only pointers that a capture may fill it from. Empty: none.
    #[serde(default)]
    pub captured_from: Vec<String>,
    /// Whether the host generates the secret: 32 random bytes in unpadded base64url, once per channel or account. The
    /// operator may set another.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub generated: bool,
    /// For the person who enters it.
    #[serde(default)]
    pub description: String,
}

/// The hosts that media is downloaded from.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct MediaHosts {
    /// Exact names, or `*.` and a name for all its subdomains.
    #[serde(default)]
    pub hosts: Vec<String>,
}

/// A way to connect an account.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Login {
    /// The name shown to people.
    pub name: String,
    /// The address of the platform's dialog, if it has one.
    #[serde(default)]
    pub authorization_url: Option<String>,
    /// The permissions that the account is asked for.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// Callback parameters that are credentials, each with the slot that stores it. The channel sees the slot's name
    /// instead.
    #[serde(default)]
    pub secret_parameters: BTreeMap<String, String>,
}

/// Limits that a channel requests from the sandbox. The host's own limits apply in any case.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Limits {
    /// Linear memory per call, in bytes.
    #[serde(default)]
    pub memory_bytes: Option<u64>,
    /// Duration of a pure call, in milliseconds.
    #[serde(default)]
    pub deadline_ms: Option<u64>,
}

/// Why a manifest was rejected.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// It is not TOML, or a key is unknown, missing or of the wrong type.
    #[error("{origin}: {source}")]
    Syntax {
        /// The file or component.
        origin: String,
        /// Line, key and accepted values.
        #[source]
        source: toml::de::Error,
    },
    /// A value contradicts a rule or another value.
    #[error("{origin}: `{key}`: {problem}")]
    Value {
        /// The file or component.
        origin: String,
        /// The key.
        key: String,
        /// What is wrong and what is accepted.
        problem: String,
    },
}

impl Manifest {
    /// Parses and checks a manifest. `origin` names it in errors.
    pub fn parse(text: &str, origin: &str) -> Result<Self, ManifestError> {
        let manifest: Self =
            toml::from_str(text).map_err(|source| ManifestError::Syntax { origin: origin.to_owned(), source })?;
        manifest.check().map_err(|(key, problem)| ManifestError::Value { origin: origin.to_owned(), key, problem })?;
        Ok(manifest)
    }

    /// The slots of a scope whose secrets the host generates.
    pub fn generated_slots(&self, scope: SlotScope) -> impl Iterator<Item = &str> {
        let of_scope = self.slots.iter().filter(move |(_, slot)| slot.generated && slot.scope == scope);
        of_scope.map(|(name, _)| name.as_str())
    }

    /// The slots whose secrets verify requests from the platform.
    pub(crate) fn proving_slots(&self) -> impl Iterator<Item = &String> {
        let callbacks = self.callbacks.values().flat_map(|Callback::SignedRequest { secrets, .. }| secrets);
        self.webhook.iter().flat_map(Webhook::secrets).chain(callbacks)
    }

    fn check_host(&self, host: &str) -> Result<(), String> {
        if let Some(SettingHost { key, .. }) = SettingHost::read(host) {
            let of_account = |spec: &SettingSpec| spec.kind == SettingType::Text && spec.scope == SettingScope::Account;
            return match self.settings.get(key) {
                Some(spec) if of_account(spec) => Ok(()),
                _ => Err(format!("`{host}`: `{key}` is not a setting of the type `text` and the scope `account`")),
            };
        }
        if host.is_empty() || host.contains(['*', '/', ':', '@', '{', '}']) || host != host.to_lowercase() {
            return Err(format!(
                "`{host}` is neither an exact lower-case host name, nor `{{setting:KEY}}` alone or before a domain"
            ));
        }
        Ok(())
    }

    fn check(&self) -> Result<(), (String, String)> {
        let fail = |key: &str, problem: String| Err((key.to_owned(), problem));
        let id = &self.channel.id;
        if id.is_empty() || id.len() > 64 || !id.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-')) {
            return fail("channel.id", format!("`{id}` is not 1 to 64 lower-case letters, digits and `-`"));
        }
        let shown = [&self.channel.name, &self.channel.version, &self.channel.description, &self.channel.license];
        if shown.iter().any(|text| text.chars().any(char::is_control)) {
            return fail("channel", "holds control characters, which could write to a terminal".into());
        }
        self.webhook.iter().try_for_each(Webhook::check).map_err(|(key, problem)| (key.to_owned(), problem))?;
        if let Some(secret) = self.proving_slots().find(|slot| !self.slots.contains_key(*slot)) {
            return fail("webhook", format!("the slot `{secret}` is not declared under [slots]"));
        }
        for rule in &self.egress {
            self.check_host(&rule.host).or_else(|problem| fail("egress.host", problem))?;
            if let Some(method) = rule.methods.iter().find(|m| !METHODS.contains(&m.as_str())) {
                return fail("egress.methods", format!("`{method}` is not one of {}", METHODS.join(", ")));
            }
            if let Some(header) = rule.headers.iter().find(|header| !may_be_set(header)) {
                return fail("egress.headers", format!("`{header}` is not a lower-case header that a channel may set"));
            }
        }
        self.check_credentials()?;
        for (id, login) in &self.logins {
            for slot in login.secret_parameters.values() {
                if self.slots.get(slot).is_none_or(|declared| declared.scope != SlotScope::Connect) {
                    let problem = format!("`{slot}` is not a slot of the scope `connect`");
                    return fail(&format!("logins.{id}.secret-parameters"), problem);
                }
            }
        }
        for (key, spec) in &self.settings {
            spec.check().map_err(|problem| (format!("settings.{key}"), problem))?;
        }
        Ok(())
    }
}

const METHODS: [&str; 6] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];
