//! Owns: signing what is told, as the Standard Webhooks specification says (symmetric, version 1).
//! Does not own: secrets at rest, sending.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use harness_egress::credentials::{Secret, VaultError, random};
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::{HeaderMap, HeaderValue, header};
use sha2::Sha256;
use zeroize::Zeroizing;

/// Begins a secret's text form.
const PREFIX: &str = "whsec_";
/// The specification asks for 24 to 64 bytes.
const SECRET_BYTES: usize = 32;

/// A new secret, in the text form that is given to the product.
pub(crate) fn new_secret() -> Result<Secret, VaultError> {
    let bytes = Zeroizing::new(random::<SECRET_BYTES>()?);
    let mut text = PREFIX.as_bytes().to_vec();
    let encoded = Zeroizing::new(STANDARD.encode(bytes.as_slice()));
    text.extend_from_slice(encoded.as_bytes());
    Ok(Secret::new(text))
}

/// The headers of a message with this id and body. `None` if the secret or the id are not usable, which none made here
/// is.
pub(crate) fn headers(secret: &Secret, id: &str, seconds: u64, body: &[u8]) -> Option<HeaderMap> {
    let encoded = secret.expose().strip_prefix(PREFIX.as_bytes())?;
    let key = Zeroizing::new(STANDARD.decode(encoded).ok()?);
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).ok()?;
    mac.update(format!("{id}.{seconds}.").as_bytes());
    mac.update(body);
    let signature = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::USER_AGENT, HeaderValue::from_static("harness-webhooks/1"));
    headers.insert("webhook-id", HeaderValue::from_str(id).ok()?);
    headers.insert("webhook-timestamp", HeaderValue::from(seconds));
    headers.insert("webhook-signature", HeaderValue::from_str(&signature).ok()?);
    Some(headers)
}

#[cfg(test)]
#[allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_that_of_the_specification() {
        // The example of the Standard Webhooks libraries.
        let secret = Secret::new(b"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_vec());
        let headers = headers(&secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, br#"{"test": 2432232314}"#);
        let headers = headers.unwrap();
        assert_eq!(headers["webhook-signature"], "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        assert_eq!(headers["webhook-timestamp"], "1614265330");
    }

    #[test]
    fn secrets_have_the_form_of_the_specification_and_differ() {
        let (one, other) = (new_secret().unwrap(), new_secret().unwrap());
        assert_ne!(one.expose(), other.expose());
        let text = std::str::from_utf8(one.expose()).unwrap();
        assert_eq!(STANDARD.decode(text.strip_prefix(PREFIX).unwrap()).unwrap().len(), SECRET_BYTES);
        assert!(headers(&one, "id", 1, b"").is_some());
        assert!(headers(&Secret::new(b"another".to_vec()), "id", 1, b"").is_none());
    }
}
