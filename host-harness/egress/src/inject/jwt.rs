//! Owns: JSON Web Tokens (RFC 7519) as derived values: the claims that a channel may set, and signing with a key that
//! it never sees.
//! Does not own: which keys and places are allowed (`derived`, the manifest).

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use harness_contract::{Setting, SettingValue};
use hmac::{Hmac, KeyInit as _, Mac as _};
use ring::{
    rand::SystemRandom,
    signature::{RSA_PKCS1_SHA256, RsaKeyPair},
};
use rustls::pki_types::{PrivatePkcs8KeyDer, pem::PemObject as _};
use serde_json::{Map, Value};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::{credentials::Secret, error::EgressError};

/// Maximum lifetime of a token, in seconds. Each request gets a new one.
const MAX_LIFE: i64 = 24 * 3600;
/// Maximum number of claims, and maximum size of all of them, in bytes.
const MAX_CLAIMS: usize = 32;
const MAX_CLAIM_BYTES: usize = 4096;
/// Parameters that are not claims.
const LIFE: &str = "expires-in";
const KEY_ID: &str = "key-id";

/// The signing algorithm.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Algorithm {
    Hs256,
    Rs256,
}

/// An unsigned token.
pub(crate) struct Jwt {
    algorithm: Algorithm,
    key: Secret,
    /// Header and claims, encoded for signing.
    input: String,
}

impl Jwt {
    /// A token with the claims from the parameters. `now` is in milliseconds since 1970.
    pub(crate) fn new(
        algorithm: Algorithm,
        key: Secret,
        parameters: &[Setting],
        now: u64,
    ) -> Result<Self, EgressError> {
        let invalid = |problem: &str| EgressError::Invalid(format!("a token cannot be made: {problem}"));
        if parameters.len() > MAX_CLAIMS || parameters.iter().map(size).sum::<usize>() > MAX_CLAIM_BYTES {
            return Err(invalid(&format!("it has more than {MAX_CLAIMS} claims, or {MAX_CLAIM_BYTES} bytes of them")));
        }
        let name = match algorithm {
            Algorithm::Hs256 => "HS256",
            Algorithm::Rs256 => "RS256",
        };
        let mut header = Map::from_iter([("alg".to_owned(), name.into()), ("typ".to_owned(), "JWT".into())]);
        let (mut claims, mut life) = (Map::new(), None);
        for Setting { key, value } in parameters {
            match (key.as_str(), value) {
                (LIFE, SettingValue::Number(seconds)) => life = Some(*seconds),
                (LIFE, _) => return Err(invalid("`expires-in` is a number of seconds")),
                (KEY_ID, SettingValue::Text(id)) if algorithm == Algorithm::Rs256 => {
                    header.insert("kid".into(), id.as_str().into());
                }
                (KEY_ID, _) => return Err(invalid("`key-id` is a text, and belongs to `jwt-rs256`")),
                ("iat" | "exp", _) => return Err(invalid("the host sets `iat` and `exp`, by `expires-in`")),
                _ => {
                    if claims.insert(key.clone(), json_of(value)).is_some() {
                        return Err(invalid("it makes a claim twice"));
                    }
                }
            }
        }
        let life = life.filter(|seconds| (1..=MAX_LIFE).contains(seconds));
        let life = life.ok_or_else(|| invalid(&format!("`expires-in` lies between 1 and {MAX_LIFE} seconds")))?;
        let issued = now / 1000;
        claims.insert("iat".into(), issued.into());
        claims.insert("exp".into(), issued.saturating_add_signed(life).into());
        let encoded = |value: Map<String, Value>| BASE64_URL_SAFE_NO_PAD.encode(Value::Object(value).to_string());
        let input = format!("{}.{}", encoded(header), encoded(claims));
        Ok(Self { algorithm, key, input })
    }

    #[cfg(test)]
    pub(crate) fn of(algorithm: Algorithm, key: Secret, input: String) -> Self {
        Self { algorithm, key, input }
    }

    /// Returns the token and its signature. Both must stay hidden from the channel.
    pub(crate) fn sign(self) -> Result<(Zeroizing<String>, Zeroizing<String>), EgressError> {
        let signature = match self.algorithm {
            Algorithm::Hs256 => hs256(self.key.expose(), self.input.as_bytes())?,
            Algorithm::Rs256 => rs256(self.key.expose(), self.input.as_bytes())?,
        };
        let signature = Zeroizing::new(BASE64_URL_SAFE_NO_PAD.encode(signature));
        Ok((Zeroizing::new(format!("{}.{}", self.input, *signature)), signature))
    }
}

fn size(setting: &Setting) -> usize {
    setting.key.len()
        + match &setting.value {
            SettingValue::Text(text) => text.len(),
            SettingValue::Texts(texts) => texts.iter().map(String::len).sum(),
            SettingValue::Number(_) | SettingValue::Flag(_) => 8,
        }
}

fn json_of(value: &SettingValue) -> Value {
    match value {
        SettingValue::Text(text) => text.as_str().into(),
        SettingValue::Number(number) => (*number).into(),
        SettingValue::Flag(flag) => (*flag).into(),
        SettingValue::Texts(texts) => texts.as_slice().into(),
    }
}

fn hs256(key: &[u8], input: &[u8]) -> Result<Vec<u8>, EgressError> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key)
        .map_err(|_| EgressError::Invalid("the key of a token has no length".into()))?;
    mac.update(input);
    Ok(mac.finalize().into_bytes().to_vec())
}

fn rs256(pem: &[u8], input: &[u8]) -> Result<Vec<u8>, EgressError> {
    // Library errors are dropped: they might quote the key.
    let invalid = || {
        EgressError::Invalid(
            "the key of a token is no RSA key of 2048 to 4096 bits in PEM, as `-----BEGIN PRIVATE KEY-----`".into(),
        )
    };
    let der = PrivatePkcs8KeyDer::from_pem_slice(pem).map_err(|_| invalid())?;
    let key = RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()).map_err(|_| invalid())?;
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), input, &mut signature).map_err(|_| invalid())?;
    Ok(signature)
}
