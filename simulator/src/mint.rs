//! Creates access tokens and authorization codes: random, with the platform's prefixes.
//! What belongs here: creating them. Their meaning is in `state::tokens`.

use std::sync::atomic::{AtomicU64, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::secret::Secret;
use crate::signature::hmac_sha256;

/// The length of user, page and Instagram tokens after the prefix.
const TOKEN_LENGTH: usize = 160;
const CODE_LENGTH: usize = 180;
const APP_TOKEN_LENGTH: usize = 27;

/// A source of secrets. It is keyed with system randomness even when a seed makes ids repeatable: a guessable token
/// would prove nothing.
pub(crate) struct Mint {
    key: Secret,
    count: AtomicU64,
}

impl Mint {
    pub(crate) fn new() -> Result<Self, getrandom::Error> {
        let mut key = String::new();
        for _ in 0..4 {
            key.push_str(&format!("{:016x}", getrandom::u64()?));
        }
        Ok(Self { key: Secret::new(key), count: AtomicU64::new(0) })
    }

    /// A token of the Facebook login: user or page.
    pub(crate) fn facebook_token(&self) -> String {
        self.text("EAA", TOKEN_LENGTH)
    }

    /// A token of the Instagram login.
    pub(crate) fn instagram_token(&self) -> String {
        self.text("IGAA", TOKEN_LENGTH)
    }

    /// An app token: the app's id, a bar, and 27 symbols.
    pub(crate) fn app_token(&self, app_id: &str) -> String {
        self.text(&format!("{app_id}|"), APP_TOKEN_LENGTH)
    }

    /// An authorization code.
    pub(crate) fn code(&self) -> String {
        self.text("AQ", CODE_LENGTH)
    }

    fn text(&self, prefix: &str, length: usize) -> String {
        let mut text = String::new();
        while text.len() < length {
            let count = self.count.fetch_add(1, Ordering::Relaxed);
            text.push_str(&URL_SAFE_NO_PAD.encode(hmac_sha256(&self.key, &count.to_be_bytes())));
        }
        // Like mids, the platform's tokens are alphanumeric.
        let text: String =
            text.chars().map(|symbol| if symbol.is_ascii_alphanumeric() { symbol } else { 'Z' }).collect();
        format!("{prefix}{}", text.get(..length).unwrap_or(&text))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]
    use super::*;

    #[test]
    fn tokens_have_the_platform_s_prefixes_and_are_never_the_same() {
        let mint = Mint::new().unwrap();
        let (first, second) = (mint.facebook_token(), mint.facebook_token());
        assert!(first.starts_with("EAA") && first.len() == 163, "{first}");
        assert_ne!(first, second);
        assert_ne!(Mint::new().unwrap().facebook_token(), first);
        assert!(mint.instagram_token().starts_with("IGAA"));
        assert!(mint.app_token("987").starts_with("987|"));
        assert!(mint.code().chars().all(|symbol| symbol.is_ascii_alphanumeric()));
    }
}
