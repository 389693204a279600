//! Owns: webhooks in a manifest: their verification, challenges, and answers.
//! Does not own: other sections (`manifest`), verifying a webhook (the host).

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};

pub use crate::signed_text::{SignedPiece, SignedText, TemplateError};
use crate::syntax::{is_header_name, is_pointer};

/// Maximum webhook body size that a channel may ask for, in bytes.
pub const MAX_BODY_BYTES: usize = 8 << 20;

/// Default maximum webhook body size, in bytes.
pub const USUAL_BODY_BYTES: usize = 1 << 20;

/// Maximum body size of a fixed answer, in bytes.
const MAX_ANSWER_BYTES: usize = 4 << 10;

/// Maximum `tolerance`, in seconds.
const MAX_TOLERANCE: u64 = 86_400;

/// How a channel's webhooks arrive.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Webhook {
    /// Maximum body size, in bytes: by default [`USUAL_BODY_BYTES`], at most [`MAX_BODY_BYTES`].
    #[serde(default = "default_max_body")]
    pub max_body_bytes: usize,
    /// Headers passed to the channel, in lower case.
    #[serde(default)]
    pub headers: Vec<String>,
    /// How a `POST` is verified. Required: without it, the channel does not start.
    pub verification: Verification,
    /// How challenges are answered, if the platform sends any.
    #[serde(default)]
    pub challenge: Option<Challenge>,
    /// The answer to every accepted webhook. Default: status 200 and a short text.
    #[serde(default)]
    pub answer: Option<FixedAnswer>,
}

fn default_max_body() -> usize {
    USUAL_BODY_BYTES
}

/// Schemes for verifying a delivery.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", tag = "scheme")]
pub enum Verification {
    /// An HMAC in a header.
    Hmac(Signature),
    /// An Ed25519 signature in a header. The slots contain the platform's public key in hex.
    Ed25519(Signature),
    /// A shared secret in a header.
    #[serde(rename_all = "kebab-case")]
    SharedSecretHeader {
        /// The header's name, in lower case.
        header: String,
        /// The slots whose secrets are accepted.
        secrets: Vec<String>,
    },
}

/// A signature in a header.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Signature {
    /// The hash of the scheme `hmac`, by default SHA-256. Not used by `ed25519`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub algorithm: Option<HashAlgorithm>,
    /// The header's name, in lower case.
    pub header: String,
    /// The text before the signature, such as `sha256=`.
    #[serde(default)]
    pub prefix: String,
    /// The encoding of the signature.
    #[serde(default)]
    pub encoding: SignatureEncoding,
    /// The signed text, by default the body. The host reads the headers in it, whether or not the channel lists them.
    #[serde(default)]
    pub signs: SignedText,
    /// The time of signing. If set, a captured delivery cannot be replayed later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<SignedTime>,
    /// The slots whose secrets may match. One match is enough.
    pub secrets: Vec<String>,
}

/// Hash algorithms for HMAC.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HashAlgorithm {
    /// SHA-256.
    #[default]
    Sha256,
    /// SHA-1, for platforms that support nothing else.
    Sha1,
}

/// Encodings of a signature.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SignatureEncoding {
    /// Hex, in either case.
    #[default]
    Hex,
    /// Standard base64.
    Base64,
}

/// The time of signing, covered by the signature.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SignedTime {
    /// The header with the time, in seconds since 1970. `signs` must contain it.
    pub header: String,
    /// The allowed difference to the host's clock in either direction, in seconds: by default 300, at most a day.
    #[serde(default = "default_tolerance")]
    pub tolerance: u64,
}

fn default_tolerance() -> u64 {
    300
}

/// Schemes for answering a challenge.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", tag = "scheme")]
pub enum Challenge {
    /// A `GET`: echo one query parameter if another contains the agreed token.
    #[serde(rename_all = "kebab-case")]
    QueryEcho {
        /// Parameters that must have exactly these values.
        #[serde(default)]
        require: BTreeMap<String, String>,
        /// The parameter with the token.
        token: String,
        /// The parameter to echo.
        answer: String,
        /// The slot with the agreed token.
        secret: String,
    },
    /// A verified `POST` with a JSON body: echo a string from it. It is not a delivery.
    #[serde(rename_all = "kebab-case")]
    JsonEcho {
        /// JSON pointers and the strings there that identify a challenge.
        #[serde(rename = "where")]
        when: BTreeMap<String, String>,
        /// The JSON pointer to the string to echo.
        answer: String,
    },
}

/// The answer that a platform expects to every accepted webhook.
#[derive(Clone, Debug, Eq, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct FixedAnswer {
    /// 200 to 299, by default 200.
    #[serde(default = "default_status")]
    pub status: u16,
    /// The media type, by default plain text.
    #[serde(default = "default_content_type")]
    pub content_type: String,
    /// At most 4 KiB, empty by default.
    #[serde(default)]
    pub body: String,
}

fn default_status() -> u16 {
    200
}

fn default_content_type() -> String {
    "text/plain; charset=utf-8".to_owned()
}

impl Verification {
    /// The slots whose secrets may match.
    pub fn secrets(&self) -> &[String] {
        match self {
            Self::Hmac(signature) | Self::Ed25519(signature) => &signature.secrets,
            Self::SharedSecretHeader { secrets, .. } => secrets,
        }
    }

    /// The header with the proof, in lower case.
    pub fn header(&self) -> &str {
        match self {
            Self::Hmac(signature) | Self::Ed25519(signature) => &signature.header,
            Self::SharedSecretHeader { header, .. } => header,
        }
    }

    /// The signature, unless the scheme uses a shared secret.
    pub fn signature(&self) -> Option<&Signature> {
        match self {
            Self::Hmac(signature) | Self::Ed25519(signature) => Some(signature),
            Self::SharedSecretHeader { .. } => None,
        }
    }

    /// All headers required for verification.
    pub fn headers(&self) -> impl Iterator<Item = &str> {
        let signed = self.signature().into_iter().flat_map(|signature| signature.signs.headers());
        std::iter::once(self.header()).chain(signed)
    }
}

impl fmt::Display for Verification {
    /// The scheme, such as "HMAC-SHA256 of `{body}`".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, signature) = match self {
            Self::SharedSecretHeader { .. } => return f.write_str("a shared secret"),
            Self::Ed25519(signature) => ("Ed25519", signature),
            Self::Hmac(signature) => match signature.algorithm.unwrap_or_default() {
                HashAlgorithm::Sha256 => ("HMAC-SHA256", signature),
                HashAlgorithm::Sha1 => ("HMAC-SHA1", signature),
            },
        };
        write!(f, "{scheme} of `{}`", signature.signs.template())
    }
}

impl Webhook {
    /// The slots whose secrets verify webhooks and challenges.
    pub fn secrets(&self) -> impl Iterator<Item = &String> {
        let of_challenge = self.challenge.iter().filter_map(|challenge| match challenge {
            Challenge::QueryEcho { secret, .. } => Some(secret),
            Challenge::JsonEcho { .. } => None,
        });
        self.verification.secrets().iter().chain(of_challenge)
    }

    /// Checks for contradictions. `Err`: the key and the problem.
    pub(crate) fn check(&self) -> Result<(), (&'static str, String)> {
        if self.max_body_bytes == 0 || self.max_body_bytes > MAX_BODY_BYTES {
            return Err(("webhook.max-body-bytes", format!("must lie between 1 and {MAX_BODY_BYTES}")));
        }
        if self.verification.secrets().is_empty() {
            let problem = "names no slot, so no delivery could ever be accepted";
            return Err(("webhook.verification.secrets", problem.into()));
        }
        let mut headers = self.headers.iter().map(String::as_str).chain([self.verification.header()]);
        if let Some(name) = headers.find(|name| !is_header_name(name)) {
            return Err(("webhook", format!("names of headers are lower case, found `{name}`")));
        }
        if let Some(time) = self.verification.signature().and_then(|signature| signature.timestamp.as_ref()) {
            self.check_time(time).map_err(|problem| ("webhook.verification.timestamp", problem))?;
        }
        if matches!(&self.verification, Verification::Ed25519(signature) if signature.algorithm.is_some()) {
            return Err(("webhook.verification.algorithm", "the scheme `ed25519` has no other algorithm".into()));
        }
        if let Some(Challenge::JsonEcho { when, answer }) = &self.challenge {
            check_echo(when, answer).map_err(|problem| ("webhook.challenge", problem))?;
        }
        self.answer.iter().try_for_each(FixedAnswer::check).map_err(|problem| ("webhook.answer", problem))
    }

    fn check_time(&self, time: &SignedTime) -> Result<(), String> {
        let mut signed = self.verification.signature().into_iter().flat_map(|signature| signature.signs.headers());
        if !signed.any(|name| name == time.header) {
            return Err(format!(
                "`signs` has no `{{header:{}}}`: whoever repeats a delivery could write another time",
                time.header
            ));
        }
        if time.tolerance == 0 || time.tolerance > MAX_TOLERANCE {
            return Err(format!("`tolerance` must lie between 1 and {MAX_TOLERANCE} seconds"));
        }
        Ok(())
    }
}

fn check_echo(when: &BTreeMap<String, String>, answer: &String) -> Result<(), String> {
    if when.is_empty() {
        return Err("`where` is empty, so every delivery would be a challenge".into());
    }
    match when.keys().chain([answer]).find(|pointer| !is_pointer(pointer)) {
        Some(pointer) => Err(format!("`{pointer}` is no JSON pointer: it begins with `/`")),
        None => Ok(()),
    }
}

impl FixedAnswer {
    fn check(&self) -> Result<(), String> {
        if !(200..=299).contains(&self.status) {
            return Err(format!("`status` must lie between 200 and 299, found {}", self.status));
        }
        let printable = self.content_type.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic());
        if self.content_type.is_empty() || self.content_type.len() > 128 || !printable {
            return Err("`content-type` must be a media type of at most 128 printable characters".into());
        }
        if self.body.len() > MAX_ANSWER_BYTES {
            return Err(format!("`body` must have at most {MAX_ANSWER_BYTES} bytes, found {}", self.body.len()));
        }
        if [204, 205].contains(&self.status) && !self.body.is_empty() {
            return Err(format!("the status {} has no `body`", self.status));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    fn read(text: &str) -> Result<Webhook, String> {
        let webhook: Webhook = toml::from_str(text).map_err(|error| error.to_string())?;
        webhook.check().map_err(|(key, problem)| format!("{key}: {problem}"))?;
        Ok(webhook)
    }

    fn signed(rest: &str) -> Result<Webhook, String> {
        read(&format!("[verification]\nscheme = 'hmac'\nheader = 'x-signature'\nsecrets = ['s']\n{rest}"))
    }

    const TIMED: &str = "signs = 'v0:{header:x-time}:{body}'\n";

    #[test]
    fn a_signature_needs_a_header_and_secrets_and_has_usual_values_for_the_rest() {
        let webhook = signed("").unwrap();
        let signature = webhook.verification.signature().unwrap();
        assert_eq!((signature.encoding, signature.algorithm), (SignatureEncoding::Hex, None));
        assert_eq!(signature.signs, SignedText::default());
        let all = "algorithm = 'sha1'\nencoding = 'base64'\nprefix = 'v0='\ntimestamp = { header = 'x-time' }\n";
        let webhook = signed(&format!("{TIMED}{all}")).unwrap();
        assert_eq!(webhook.verification.headers().collect::<Vec<_>>(), ["x-signature", "x-time"]);
        let signature = webhook.verification.signature().unwrap();
        assert_eq!(signature.timestamp.as_ref().unwrap().tolerance, 300);
        let ed25519 = "[verification]\nscheme = 'ed25519'\nheader = 'x-signature'\nsecrets = ['key']\n";
        assert!(matches!(read(ed25519).unwrap().verification, Verification::Ed25519(_)));
    }

    #[test]
    fn what_a_webhook_cannot_be_is_refused_by_its_key() {
        let ed25519 = "[verification]\nscheme = 'ed25519'\nheader = 'x'\nsecrets = ['k']\nalgorithm = 'sha256'";
        for (found, words) in [
            (read(ed25519), "has no other algorithm"),
            (read("[verification]\nscheme = 'hmac-sha256'\nheader = 'x'\nsecrets = ['s']"), "hmac-sha256"),
            (read("[verification]\nscheme = 'hmac'\nheader = 'X'\nsecrets = ['s']"), "lower case, found `X`"),
            (read("[verification]\nscheme = 'hmac'\nheader = 'x'\nsecrets = []"), "names no slot"),
            (signed("algorithm = 'md5'"), "md5"),
            (signed("encoding = 'base32'"), "base32"),
            (signed("signs = '{url}'"), "would fit any body"),
            (signed("signs = '{body}{when}'"), "`{when}` is not a placeholder"),
            (signed("timestamp = { header = 'x-time' }"), "`signs` has no `{header:x-time}`"),
            (signed(&format!("{TIMED}timestamp = {{ header = 'x-other' }}")), "no `{header:x-other}`"),
            (signed(&format!("{TIMED}timestamp = {{ header = 'x-time', tolerance = 0 }}")), "between 1 and 86400"),
            (signed(&format!("{TIMED}timestamp = {{ header = 'x-time', tolerance = 86401 }}")), "between 1 and"),
            (signed("hash = 'sha256'"), "unknown field `hash`"),
        ] {
            let problem = found.unwrap_err();
            assert!(problem.contains(words), "{words}: {problem}");
        }
    }

    #[test]
    fn a_challenge_in_a_body_is_told_from_other_deliveries() {
        let challenge = |rest: &str| signed(&format!("[challenge]\nscheme = 'json-echo'\n{rest}"));
        let whole = "where = { '/type' = 'verification' }\nanswer = '/challenge'";
        assert_eq!(challenge(whole).unwrap().secrets().count(), 1);
        for (rest, words) in [
            ("answer = '/challenge'", "missing field `where`"),
            ("where = {}\nanswer = '/challenge'", "every delivery would be a challenge"),
            ("where = { 'type' = 'v' }\nanswer = '/challenge'", "`type` is no JSON pointer"),
            ("where = { '/type' = 'v' }\nanswer = 'challenge'", "`challenge` is no JSON pointer"),
        ] {
            let problem = challenge(rest).unwrap_err();
            assert!(problem.contains(words), "{rest}: {problem}");
        }
    }

    #[test]
    fn a_fixed_answer_is_one_that_a_platform_takes_for_yes() {
        let answer = |rest: &str| signed(&format!("[answer]\n{rest}"));
        let whole = answer("status = 202\ncontent-type = 'text/xml'\nbody = '<Response/>'").unwrap().answer.unwrap();
        assert_eq!((whole.status, whole.content_type.as_str(), whole.body.as_str()), (202, "text/xml", "<Response/>"));
        assert_eq!(answer("").unwrap().answer.unwrap().status, 200);
        assert!(answer("status = 204").is_ok());
        for (rest, words) in [
            ("status = 199", "between 200 and 299"),
            ("status = 302", "between 200 and 299"),
            ("status = 204\nbody = 'x'", "has no `body`"),
            ("content-type = ''", "media type"),
            ("content-type = \"text/xml\\r\\nx-other: 1\"", "media type"),
            (&format!("body = '{}'", "x".repeat(4097)), "at most 4096 bytes, found 4097"),
        ] {
            let problem = answer(rest).unwrap_err();
            assert!(problem.contains(words), "{rest}: {problem}");
        }
    }
}
