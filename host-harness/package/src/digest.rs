//! Owns: SHA-256 digests, and comparing bytes with them.
//! Does not own: which bytes are asked for.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// A SHA-256 digest. As text: `sha256:` and 64 lower-case hexadecimal digits, and nothing else is read.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest([u8; 32]);

/// A text that is no digest.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("`{}` is no digest: expected `sha256:` and 64 hexadecimal digits in lower case", harness_contract::text::shown(.0))]
pub struct DigestError(String);

/// Bytes that are not the ones that were named.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the bytes have the digest {found}, expected {expected}: they were changed or mixed up")]
pub struct OtherBytes {
    /// What was asked for.
    pub expected: Digest,
    /// What came.
    pub found: Digest,
}

impl Digest {
    /// The digest of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// From the 32 bytes of a hash.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The 64 hexadecimal digits, without `sha256:`.
    pub fn hex(&self) -> String {
        hex::encode(self.0)
    }

    /// Whether these are the bytes that it names.
    ///
    /// # Errors
    ///
    /// [`OtherBytes`] where they are not.
    pub fn check(&self, bytes: &[u8]) -> Result<(), OtherBytes> {
        let found = Self::of(bytes);
        if found == *self { Ok(()) } else { Err(OtherBytes { expected: *self, found }) }
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256:{}", self.hex())
    }
}

impl FromStr for Digest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, DigestError> {
        let refused = || DigestError(text.chars().take(80).collect());
        let digits = text.strip_prefix("sha256:").ok_or_else(refused)?;
        if digits.bytes().any(|digit| digit.is_ascii_uppercase()) {
            return Err(refused());
        }
        let mut bytes = [0; 32];
        hex::decode_to_slice(digits, &mut bytes).map_err(|_| refused())?;
        Ok(Self(bytes))
    }
}

as_text!(Digest, DigestError);

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_read_in_one_form_only() {
        let digest = Digest::of(b"component");
        assert_eq!(digest.to_string().parse(), Ok(digest));
        let text = digest.to_string();
        for other in [
            text.to_uppercase(),
            text.replace("sha256:", ""),
            text.replace("sha256:", "sha512:"),
            text[..text.len() - 2].to_owned(),
            format!("{text}00"),
            format!(" {text}"),
            "sha256:../../etc".to_owned(),
        ] {
            assert!(other.parse::<Digest>().is_err(), "{other}");
        }
    }

    #[test]
    fn other_bytes_are_told_with_both_digests() {
        let error = Digest::of(b"one").check(b"two").unwrap_err().to_string();
        assert!(error.contains(&Digest::of(b"one").to_string()) && error.contains(&Digest::of(b"two").to_string()));
    }
}
