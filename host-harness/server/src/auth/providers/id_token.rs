//! Owns: what an ID token has to say before anybody believes it, and what is taken from it.
//! Does not own: its signature (`signature`).

use serde::{Deserialize, Deserializer};
use subtle::ConstantTimeEq as _;

/// By how much the clocks of a provider and of this host may differ, in seconds.
const LEEWAY: u64 = 60;
/// How long ago a token may have been made, in seconds: it is fetched in the moment in which it is made.
const OLDEST: u64 = 600;
/// The longest subject, in bytes: OpenID Connect allows no longer one.
const LONGEST_SUBJECT: usize = 255;

/// Why a token proves nothing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TokenError {
    #[error("it is no signed token")]
    NoToken,
    #[error("it marks something as critical that this host does not know")]
    Critical,
    #[error("its algorithm is `none`, symmetric, or unknown")]
    Algorithm,
    #[error("none of the provider's keys fits it")]
    NoKey,
    #[error("its signature is wrong")]
    Signature,
    #[error("it is of another issuer")]
    Issuer,
    #[error("it is for another client")]
    Audience,
    #[error("it has expired, or was made long ago")]
    Expired,
    #[error("it was made in the future")]
    Early,
    #[error("it belongs to another sign-in")]
    Nonce,
    #[error("it names no person, or with a subject of more than {LONGEST_SUBJECT} characters")]
    Subject,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

/// What a provider says of a person: in its token, or at its endpoint for that.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Person {
    #[serde(default)]
    pub(super) sub: String,
    #[serde(default)]
    pub(super) email: Option<String>,
    #[serde(default, deserialize_with = "truth")]
    pub(super) email_verified: bool,
    #[serde(default)]
    pub(super) name: Option<String>,
}

/// Some providers write a truth value as text. Whatever else it is, it is not true.
fn truth<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    let value = serde_json::Value::deserialize(deserializer)?;
    Ok(value == serde_json::Value::Bool(true) || value.as_str() == Some("true"))
}

#[derive(Debug, Deserialize)]
pub(super) struct Claims {
    iss: String,
    aud: Audience,
    #[serde(default)]
    azp: Option<String>,
    exp: f64,
    iat: f64,
    #[serde(default)]
    nbf: Option<f64>,
    #[serde(default)]
    nonce: String,
    #[serde(flatten)]
    pub(super) person: Person,
}

/// What the claims are held against.
pub(super) struct Expected<'e> {
    pub(super) issuer: &'e str,
    pub(super) client: &'e str,
    pub(super) nonce: &'e str,
    /// In milliseconds since 1970.
    pub(super) now: u64,
}

/// A time in a token, in whole seconds. What is no time is in the far past.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` saturates, which is meant")]
fn seconds(time: f64) -> u64 {
    time as u64
}

impl Claims {
    pub(super) fn check(self, expected: &Expected<'_>) -> Result<Person, TokenError> {
        if self.iss != expected.issuer {
            return Err(TokenError::Issuer);
        }
        let for_us = match &self.aud {
            Audience::One(one) => one == expected.client,
            // A token for others too has to say that it was made for this client.
            Audience::Several(all) => {
                all.iter().any(|one| one == expected.client) && (all.len() == 1 || self.azp.is_some())
            }
        };
        if !for_us || self.azp.as_ref().is_some_and(|azp| azp != expected.client) {
            return Err(TokenError::Audience);
        }
        let now = expected.now / 1000;
        if seconds(self.exp).saturating_add(LEEWAY) <= now || seconds(self.iat).saturating_add(OLDEST) <= now {
            return Err(TokenError::Expired);
        }
        let early = |time: f64| seconds(time) > now.saturating_add(LEEWAY);
        if early(self.iat) || self.nbf.is_some_and(early) {
            return Err(TokenError::Early);
        }
        if !bool::from(self.nonce.as_bytes().ct_eq(expected.nonce.as_bytes())) {
            return Err(TokenError::Nonce);
        }
        if !(1..=LONGEST_SUBJECT).contains(&self.person.sub.len()) {
            return Err(TokenError::Subject);
        }
        Ok(self.person)
    }
}
