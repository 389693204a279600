//! Owns: ECDSA keys on the curve P-256: making, reading and writing them, signing and verifying bytes.
//! Does not own: where private keys are kept (the caller seals them), whose keys they are (`policy`).

use std::{fmt, str::FromStr};

use ring::{
    agreement::{self, EphemeralPrivateKey, agree_ephemeral},
    rand::SystemRandom,
    signature::{
        ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _, UnparsedPublicKey,
    },
};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{
    pem::{self, PemError},
    quoted,
};
use crate::Digest;

/// What stands before the point in the SubjectPublicKeyInfo of every P-256 key.
const SPKI_HEAD: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce,
    0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];
/// The length of an uncompressed point, in bytes.
const POINT: usize = 65;

/// Why a key is not read, made or used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// No PEM block of the expected kind.
    #[error("the key cannot be read: {0}")]
    Pem(#[from] PemError),
    /// Another kind of key.
    #[error(
        "the key is no ECDSA key on the curve P-256 with an uncompressed point; make one with `openssl genpkey -algorithm EC \
         -pkeyopt ec_paramgen_curve:P-256`"
    )]
    Kind,
    /// Not a private key in PKCS#8.
    #[error("the private key is no PKCS#8 key on the curve P-256 that holds its public key: {0}")]
    Private(ring::error::KeyRejected),
    /// Not a hint.
    #[error("`{0}` is no hint of a key: expected 64 hexadecimal digits in lower case")]
    Hint(String),
    /// The operating system gave no random bytes.
    #[error("the operating system returned no random bytes")]
    Random,
}

/// A signature that does not belong to these bytes and this key.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the signature does not match the bytes")]
pub(super) struct Mismatch;

/// Names a key: the SHA-256 of its SubjectPublicKeyInfo. As text: 64 hexadecimal digits in lower case.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct KeyHint(Digest);

impl KeyHint {
    /// The same hash as a digest, for a statement that names a key.
    pub(super) fn digest(&self) -> Digest {
        self.0
    }
}

impl fmt::Display for KeyHint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.hex())
    }
}

impl FromStr for KeyHint {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let digest = format!("sha256:{text}").parse();
        digest.map(Self).map_err(|_| KeyError::Hint(quoted(text)))
    }
}

as_text!(KeyHint, KeyError);

/// A public key. As text: a PEM block `PUBLIC KEY`.
#[derive(Clone, Copy, Eq, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PublicKey([u8; POINT]);

impl PublicKey {
    /// Reads a SubjectPublicKeyInfo in DER.
    ///
    /// # Errors
    ///
    /// [`KeyError::Kind`] where it is another kind of key, a compressed point, or a point that is not on the curve.
    pub fn from_spki(der: &[u8]) -> Result<Self, KeyError> {
        let point = der.strip_prefix(&SPKI_HEAD).and_then(|point| <[u8; POINT]>::try_from(point).ok());
        let point = point.ok_or(KeyError::Kind)?;
        // Agreeing on a secret is the one operation of the library that checks a point and needs nothing else.
        let secret = EphemeralPrivateKey::generate(&agreement::ECDH_P256, &SystemRandom::new());
        let secret = secret.map_err(|_| KeyError::Random)?;
        let peer = agreement::UnparsedPublicKey::new(&agreement::ECDH_P256, point);
        agree_ephemeral(secret, &peer, |_| ()).map_err(|_| KeyError::Kind)?;
        Ok(Self(point))
    }

    /// Reads a PEM block `PUBLIC KEY`.
    ///
    /// # Errors
    ///
    /// [`KeyError`] where it is none, or another kind of key.
    pub fn from_pem(text: &str) -> Result<Self, KeyError> {
        Self::from_spki(&pem::read("PUBLIC KEY", text)?)
    }

    /// Its SubjectPublicKeyInfo in DER.
    pub fn to_spki(&self) -> Vec<u8> {
        [SPKI_HEAD.as_slice(), &self.0].concat()
    }

    /// Its PEM block, with a line end.
    pub fn to_pem(&self) -> String {
        pem::write("PUBLIC KEY", &self.to_spki())
    }

    /// Its name.
    pub fn hint(&self) -> KeyHint {
        KeyHint(Digest::of(&self.to_spki()))
    }

    /// Whether a signature (ASN.1 DER, over SHA-256) is this key's over these bytes.
    pub(super) fn verify(&self, bytes: &[u8], signature: &[u8]) -> Result<(), Mismatch> {
        let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, self.0);
        key.verify(bytes, signature).map_err(|_| Mismatch)
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", self.hint())
    }
}

impl FromStr for PublicKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        Self::from_pem(text)
    }
}

impl TryFrom<String> for PublicKey {
    type Error = KeyError;

    fn try_from(text: String) -> Result<Self, KeyError> {
        Self::from_pem(&text)
    }
}

impl From<PublicKey> for String {
    fn from(key: PublicKey) -> Self {
        key.to_pem()
    }
}

/// A private key with its public one.
pub struct SigningKey {
    pair: EcdsaKeyPair,
    pkcs8: Zeroizing<Vec<u8>>,
    public: PublicKey,
}

impl SigningKey {
    /// Makes a key.
    ///
    /// # Errors
    ///
    /// [`KeyError::Random`].
    pub fn generate() -> Result<Self, KeyError> {
        let random = SystemRandom::new();
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random);
        let pkcs8 = pkcs8.map_err(|_| KeyError::Random)?;
        Self::from_pkcs8(Zeroizing::new(pkcs8.as_ref().to_vec()))
    }

    /// Reads an unencrypted PKCS#8 key in DER, such as [`Self::to_pkcs8`] returned it.
    ///
    /// # Errors
    ///
    /// [`KeyError::Private`] where it is another kind of key.
    pub fn from_pkcs8(pkcs8: Zeroizing<Vec<u8>>) -> Result<Self, KeyError> {
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &pkcs8, &SystemRandom::new());
        let pair = pair.map_err(KeyError::Private)?;
        let point = <[u8; POINT]>::try_from(pair.public_key().as_ref()).map_err(|_| KeyError::Kind)?;
        Ok(Self { pair, pkcs8, public: PublicKey(point) })
    }

    /// Reads a PEM block `PRIVATE KEY` without a password, as `openssl genpkey` writes it.
    ///
    /// # Errors
    ///
    /// [`KeyError`] where it is none, or another kind of key.
    pub fn from_pem(text: &str) -> Result<Self, KeyError> {
        Self::from_pkcs8(pem::read("PRIVATE KEY", text)?)
    }

    /// The private key in PKCS#8 (DER), unencrypted: for the caller to seal.
    pub fn to_pkcs8(&self) -> &Zeroizing<Vec<u8>> {
        &self.pkcs8
    }

    /// The public key.
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// Signs bytes: ASN.1 DER, over their SHA-256. Each signature of the same bytes is another one.
    pub(super) fn sign(&self, bytes: &[u8]) -> Result<Vec<u8>, KeyError> {
        let signature = self.pair.sign(&SystemRandom::new(), bytes).map_err(|_| KeyError::Random)?;
        Ok(signature.as_ref().to_vec())
    }
}

/// Only the name of the key.
impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.public.hint())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_was_made_is_the_same_when_it_is_read_again() {
        let key = SigningKey::generate().unwrap();
        let again = SigningKey::from_pkcs8(key.to_pkcs8().clone()).unwrap();
        let pem = SigningKey::from_pem(&pem::write("PRIVATE KEY", key.to_pkcs8())).unwrap();
        assert_eq!(again.public(), key.public());
        assert_eq!(pem.public(), key.public());
        let public = PublicKey::from_pem(&key.public().to_pem()).unwrap();
        assert_eq!(public.hint().to_string().parse::<KeyHint>().unwrap(), key.public().hint());
        public.verify(b"bytes", &again.sign(b"bytes").unwrap()).unwrap();
        assert_eq!(public.verify(b"other", &key.sign(b"bytes").unwrap()), Err(Mismatch));
    }

    #[test]
    fn a_public_key_is_a_point_on_the_curve_in_one_spelling() {
        let spki = SigningKey::generate().unwrap().public().to_spki();
        for at in 0..spki.len() {
            let mut other = spki.clone();
            other[at] ^= 1;
            assert!(PublicKey::from_spki(&other).is_err(), "byte {at}");
        }
        assert!(PublicKey::from_spki(&spki[..90]).is_err());
        assert!(PublicKey::from_spki(&[&spki[..], &[0]].concat()).is_err());
        assert!(PublicKey::from_spki(&[&SPKI_HEAD[..], &[0; POINT]].concat()).is_err(), "the point at infinity");
    }

    #[test]
    fn a_private_key_is_neither_shown_nor_quoted() {
        let key = SigningKey::generate().unwrap();
        let pem = pem::write("PRIVATE KEY", key.to_pkcs8());
        assert_eq!(format!("{key:?}"), format!("SigningKey({})", key.public().hint()));
        let broken =
            [pem.replace("PRIVATE", "PUBLIC"), pem.replace("KEY-----\n", "KEY-----\nA"), pem.replace('M', "N")];
        for text in broken {
            let refusal = format!("{0} {0:?}", SigningKey::from_pem(&text).unwrap_err());
            assert!(!pem.lines().skip(1).take(2).any(|line| refusal.contains(&line[4..20])), "{refusal}");
        }
        let public = PublicKey::from_pem(&pem).unwrap_err().to_string();
        assert!(public.contains("private key"), "{public}");
    }
}
