//! Owns: the signature of a token, by the keys that a provider publishes (JWS and JWK, RFC 7515, 7517, 7518, 8037).
//! Does not own: fetching keys (`metadata`), what the token says (`id_token`).

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384,
    RSA_PKCS1_2048_8192_SHA512, RSA_PSS_2048_8192_SHA256, RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512,
    RsaParameters, RsaPublicKeyComponents, UnparsedPublicKey, VerificationAlgorithm,
};
use serde::{Deserialize, de::DeserializeOwned};

use super::id_token::TokenError;

/// A public key of a provider.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Key {
    kty: String,
    #[serde(default)]
    kid: Option<String>,
    #[serde(default)]
    alg: Option<String>,
    #[serde(default, rename = "use")]
    purpose: Option<String>,
    #[serde(default)]
    crv: Option<String>,
    #[serde(default)]
    n: Option<String>,
    #[serde(default)]
    e: Option<String>,
    #[serde(default)]
    x: Option<String>,
    #[serde(default)]
    y: Option<String>,
}

/// What a token says of its signature.
#[derive(Debug, Deserialize)]
struct Header {
    alg: String,
    #[serde(default)]
    kid: Option<String>,
    #[serde(default)]
    crit: Option<Vec<String>>,
}

/// A token whose signature has not been checked.
#[derive(Debug)]
pub(super) struct Unchecked<'t> {
    header: Header,
    signed: &'t str,
    claims: &'t str,
    signature: Vec<u8>,
}

/// The algorithms with which a provider may sign. None is symmetric: the host's secret at the provider is no key, and
/// `none` is nothing.
enum Algorithm {
    Rsa(&'static RsaParameters),
    Curve { crv: &'static str, algorithm: &'static dyn VerificationAlgorithm },
    Edwards,
}

impl Algorithm {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "RS256" => Self::Rsa(&RSA_PKCS1_2048_8192_SHA256),
            "RS384" => Self::Rsa(&RSA_PKCS1_2048_8192_SHA384),
            "RS512" => Self::Rsa(&RSA_PKCS1_2048_8192_SHA512),
            "PS256" => Self::Rsa(&RSA_PSS_2048_8192_SHA256),
            "PS384" => Self::Rsa(&RSA_PSS_2048_8192_SHA384),
            "PS512" => Self::Rsa(&RSA_PSS_2048_8192_SHA512),
            "ES256" => Self::Curve { crv: "P-256", algorithm: &ECDSA_P256_SHA256_FIXED },
            "ES384" => Self::Curve { crv: "P-384", algorithm: &ECDSA_P384_SHA384_FIXED },
            "EdDSA" => Self::Edwards,
            _ => return None,
        })
    }
}

fn bytes(text: Option<&String>) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text?).ok()
}

impl Key {
    /// Whether it may be the one that the token is signed with: it is for signatures, of the algorithm that it names, and
    /// has the id that the token asks for.
    fn may_be(&self, header: &Header) -> bool {
        let named = header.kid.is_none() || self.kid == header.kid;
        let signs = self.purpose.as_deref().is_none_or(|purpose| purpose == "sig");
        let fits = self.alg.as_ref().is_none_or(|alg| *alg == header.alg);
        named && signs && fits
    }

    /// The type of the key and the algorithm have to be of one kind.
    fn verifies(&self, algorithm: &Algorithm, signed: &[u8], signature: &[u8]) -> Option<bool> {
        let right = match (algorithm, self.kty.as_str()) {
            (Algorithm::Rsa(parameters), "RSA") => {
                let key = RsaPublicKeyComponents { n: bytes(self.n.as_ref())?, e: bytes(self.e.as_ref())? };
                key.verify(parameters, signed, signature)
            }
            (Algorithm::Curve { crv, algorithm }, "EC") if self.crv.as_deref() == Some(*crv) => {
                let point = [vec![4], bytes(self.x.as_ref())?, bytes(self.y.as_ref())?].concat();
                UnparsedPublicKey::new(*algorithm, point).verify(signed, signature)
            }
            (Algorithm::Edwards, "OKP") if self.crv.as_deref() == Some("Ed25519") => {
                UnparsedPublicKey::new(&ED25519, bytes(self.x.as_ref())?).verify(signed, signature)
            }
            _ => return None,
        };
        Some(right.is_ok())
    }
}

fn part<T: DeserializeOwned>(text: &str) -> Result<T, TokenError> {
    let json = URL_SAFE_NO_PAD.decode(text).map_err(|_| TokenError::NoToken)?;
    serde_json::from_slice(&json).map_err(|_| TokenError::NoToken)
}

impl<'t> Unchecked<'t> {
    pub(super) fn new(token: &'t str) -> Result<Self, TokenError> {
        let (signed, signature) = token.rsplit_once('.').ok_or(TokenError::NoToken)?;
        let (header, claims) = signed.split_once('.').ok_or(TokenError::NoToken)?;
        let header: Header = part(header)?;
        if header.crit.is_some() {
            return Err(TokenError::Critical);
        }
        let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| TokenError::NoToken)?;
        Ok(Self { header, signed, claims, signature })
    }

    /// Whether one of the keys may be the one. If not, the provider may have new ones.
    pub(super) fn has_key_in(&self, keys: &[Key]) -> bool {
        keys.iter().any(|key| key.may_be(&self.header))
    }

    /// What it says, if one of the keys has signed it.
    pub(super) fn checked<T: DeserializeOwned>(&self, keys: &[Key]) -> Result<T, TokenError> {
        let algorithm = Algorithm::named(&self.header.alg).ok_or(TokenError::Algorithm)?;
        let candidates = keys.iter().filter(|key| key.may_be(&self.header));
        let mut tried =
            candidates.filter_map(|key| key.verifies(&algorithm, self.signed.as_bytes(), &self.signature)).peekable();
        if tried.peek().is_none() {
            return Err(TokenError::NoKey);
        }
        if !tried.any(|right| right) {
            return Err(TokenError::Signature);
        }
        part(self.claims)
    }
}
