//! The HMACs of the platform: webhook signatures and `appsecret_proof`.
//! What belongs here: HMACs over bytes. The callers choose the secret.

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::Sha256;

use crate::secret::Secret;

/// `X-Hub-Signature-256`: `sha256=` and 64 lower-case hex digits, HMAC over the raw body bytes
/// (Meta's documentation, webhooks).
pub fn sha256_header(key: &Secret, body: &[u8]) -> String {
    format!("sha256={}", keyed::<Hmac<Sha256>>(key.expose(), body))
}

/// The legacy `X-Hub-Signature`: `sha1=` and 40 lower-case hex digits. Meta still sends it.
pub fn sha1_header(key: &Secret, body: &[u8]) -> String {
    format!("sha1={}", keyed::<Hmac<Sha1>>(key.expose(), body))
}

/// `appsecret_proof`: hex HMAC-SHA256 of the access token under the app secret.
pub fn appsecret_proof(app_secret: &Secret, token: &str) -> String {
    keyed::<Hmac<Sha256>>(app_secret.expose(), token.as_bytes())
}

/// The bytes of an HMAC-SHA256: `signed_request` writes them as base64url.
pub(crate) fn hmac_sha256(key: &Secret, message: &[u8]) -> Vec<u8> {
    hex::decode(keyed::<Hmac<Sha256>>(key.expose(), message)).unwrap_or_default()
}

fn keyed<M: Mac + KeyInit>(key: &str, message: &[u8]) -> String {
    // HMAC accepts keys of any length; the empty result of the other branch matches nothing.
    M::new_from_slice(key.as_bytes())
        .map(|mut mac| {
            mac.update(message);
            hex::encode(mac.finalize().into_bytes())
        })
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_vectors_of_the_two_digests_match() {
        let key = Secret::from("key");
        let text = b"The quick brown fox jumps over the lazy dog";
        assert_eq!(
            sha256_header(&key, text),
            "sha256=f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8"
        );
        assert_eq!(sha1_header(&key, text), "sha1=de7c9b85b8b78aa6bc8a7a36f70a90701c9db4d9");
    }
}
