//! Owns: the manifest `channel.toml`: what a channel is and what it asks for. A manifest is a request.
//! Does not own: what the operator granted.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use crate::{
    egress::EgressRule,
    webhook::{
        Challenge, FixedAnswer, HashAlgorithm, MAX_BODY_BYTES, Signature, SignatureEncoding, SignedPiece, SignedText,
        SignedTime, TemplateError, USUAL_BODY_BYTES, Verification, Webhook,
    },
};
use crate::{egress::may_be_set, settings::SettingSpec};

/// The custom section of a component that holds its manifest.
pub const MANIFEST_SECTION: &str = "inbox:channel/manifest";

/// What a channel says about itself.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Manifest {
    /// Who it is.
    pub channel: Identity,
    /// How its webhooks come in, and are told from forgeries. None where its platform calls no address.
    #[serde(default)]
    pub webhook: Option<Webhook>,
    /// Other addresses that the platform calls, by name: `/callbacks/{channel}/{name}`.
    #[serde(default)]
    pub callbacks: BTreeMap<String, Callback>,
    /// The credentials that its requests name, by slot.
    #[serde(default)]
    pub slots: BTreeMap<String, Slot>,
    /// Where its requests go. What is not listed cannot be reached.
    #[serde(default)]
    pub egress: Vec<EgressRule>,
    /// From where the host may download what its events name.
    #[serde(default)]
    pub media: MediaHosts,
    /// The ways in which an account can be connected, by login type.
    #[serde(default)]
    pub logins: BTreeMap<String, Login>,
    /// The settings of an account, by key.
    #[serde(default)]
    pub settings: BTreeMap<String, SettingSpec>,
    /// What it asks of the sandbox.
    #[serde(default)]
    pub limits: Limits,
}

/// Who a channel is.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Identity {
    /// Lower-case letters, digits and `-`; stands in webhook URLs and in the inbox.
    pub id: String,
    /// For people.
    pub name: String,
    /// The component's own version.
    pub version: String,
    /// The version of `inbox:channel` that it implements.
    pub contract: String,
    /// One sentence.
    #[serde(default)]
    pub description: String,
    /// SPDX.
    #[serde(default)]
    pub license: String,
}

/// The schemes for calls of the platform that are no webhooks.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", tag = "scheme")]
pub enum Callback {
    /// A form field that holds a signature and a payload, both base64 for URLs without padding, joined by a
    /// dot; the signature is HMAC-SHA256 over the payload as it is written.
    #[serde(rename_all = "kebab-case")]
    SignedRequest {
        /// The form field.
        field: String,
        /// Every slot whose secret may have signed it; one match is enough.
        secrets: Vec<String>,
        /// The member of the payload that says when it was issued, in seconds since 1970. With it one that was
        /// issued long ago is refused.
        #[serde(default)]
        issued_at: Option<String>,
        /// What it is, for the page behind the address that is answered with.
        description: String,
        /// The fields of the JSON answer, where the platform wants one.
        #[serde(default)]
        answer: Option<CallbackAnswer>,
    },
}

/// The fields of an answer with which the platform sends a person to a page that shows the state.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct CallbackAnswer {
    /// The field for the page's address.
    pub url: String,
    /// The field for the code by which the person can ask.
    pub code: String,
}

/// Whose secret a slot holds.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SlotScope {
    /// One for the channel, such as an app secret.
    App,
    /// One for each account, such as a token.
    Account,
    /// One for each connecting of an account, forgotten afterwards, such as the code of a callback.
    Connect,
}

/// A place of a request in which a credential may stand.
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
    /// The placeholder of this name in the path.
    Path(String),
    /// The form field of this name.
    FormField(String),
    /// The JSON pointer into the body.
    Json(String),
    /// As the key of a derived value.
    HmacKey,
    /// As the message of a derived value.
    HmacMessage,
    /// As the key of a token of `jwt-hs256`.
    JwtHs256Key,
    /// As the key of a token of `jwt-rs256`: RSA, PKCS #8, in PEM.
    JwtRs256Key,
    /// As the access key's id of `aws-sigv4`, which the signature names.
    AwsAccessKeyId,
    /// As the secret key of `aws-sigv4`.
    AwsSecretKey,
}

impl SlotPlace {
    /// Whether values are derived with a credential there.
    pub fn is_key(&self) -> bool {
        matches!(self, Self::HmacKey | Self::JwtHs256Key | Self::JwtRs256Key | Self::AwsSecretKey)
    }

    /// Whether it is a part of a derived value, and no place of a request.
    pub fn is_derived_from(&self) -> bool {
        self.is_key() || matches!(self, Self::HmacMessage | Self::AwsAccessKeyId)
    }
}

/// The only scheme of an `authorization` header that carries the signature of a request.
pub const SIGNED_REQUEST: &str = "AWS4-HMAC-SHA256";

/// Whether a text is the scheme of an `authorization` header: a token of RFC 9110.
pub fn is_scheme(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    (1..=64).contains(&text.len()) && text.bytes().all(fits)
}

/// A credential that requests may name.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Slot {
    /// Whose it is.
    pub scope: SlotScope,
    /// Where requests may carry it. Nowhere, unless named: what only verifies never leaves.
    #[serde(default)]
    pub allowed_in: Vec<SlotPlace>,
    /// The only hosts that requests may carry it to. Empty: every host that was granted.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// As the key of derived values: the only places where they may stand. Empty: nowhere.
    #[serde(default)]
    pub derived: Vec<SlotPlace>,
    /// The only pointers from which a capture may fill it, where it is the message of a derived value. Empty: none.
    #[serde(default)]
    pub captured_from: Vec<String>,
    /// For the person who fills it.
    #[serde(default)]
    pub description: String,
}

/// From where media is downloaded.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct MediaHosts {
    /// Exact names, or `*.` before a name for every name below it.
    #[serde(default)]
    pub hosts: Vec<String>,
}

/// A way of connecting an account.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Login {
    /// For people.
    pub name: String,
    /// The platform's dialog, where there is one.
    #[serde(default)]
    pub authorization_url: Option<String>,
    /// What the account is asked to permit.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// Parameters of the callback that are credentials, each with the slot that takes it: the channel sees the
    /// slot's name in its place.
    #[serde(default)]
    pub secret_parameters: BTreeMap<String, String>,
}

/// What a channel asks of the sandbox; the host's own limits apply in any case.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Limits {
    /// Linear memory of one call, in bytes.
    #[serde(default)]
    pub memory_bytes: Option<u64>,
    /// Time of one pure call, in milliseconds.
    #[serde(default)]
    pub deadline_ms: Option<u64>,
}

/// Why a manifest was refused.
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
    /// Reads and checks a manifest. `origin` names it in errors.
    pub fn parse(text: &str, origin: &str) -> Result<Self, ManifestError> {
        let manifest: Self =
            toml::from_str(text).map_err(|source| ManifestError::Syntax { origin: origin.to_owned(), source })?;
        manifest.check().map_err(|(key, problem)| ManifestError::Value { origin: origin.to_owned(), key, problem })?;
        Ok(manifest)
    }

    /// The slots whose secrets tell what is genuine of what the platform sends.
    pub(crate) fn proving_slots(&self) -> impl Iterator<Item = &String> {
        let callbacks = self.callbacks.values().flat_map(|Callback::SignedRequest { secrets, .. }| secrets);
        self.webhook.iter().flat_map(Webhook::secrets).chain(callbacks)
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
            if rule.host.is_empty() || rule.host.contains(['*', '/', ':', '@']) || rule.host != rule.host.to_lowercase()
            {
                return fail("egress.host", format!("`{}` is not an exact lower-case host name", rule.host));
            }
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
