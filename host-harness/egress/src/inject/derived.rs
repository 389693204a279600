//! Owns: values derived from credentials: the schemes, their inputs, and where the results may be injected.
//! Does not own: computing a token or a signature (`jwt`, `sigv4`).

use harness_contract::{
    Derivation,
    manifest::{SIGNED_REQUEST, SlotPlace},
};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::{
    Source, Sources,
    jwt::{Algorithm, Jwt},
    place_name,
    sigv4::Signer,
    unknown,
};
use crate::{credentials::declared_slot, error::EgressError};

impl Sources<'_> {
    /// The value of a derivation, if the manifest allows its slots for the scheme and the value at this place.
    pub(super) fn derived(&self, derivation: &Derivation, place: &SlotPlace) -> Result<Source, EgressError> {
        let Derivation { scheme, slots, parameters } = derivation;
        let takes = |what: &str| Err(EgressError::Invalid(format!("`{scheme}` takes {what}")));
        let slots: Vec<&str> = slots.iter().map(String::as_str).collect();
        match (scheme.as_str(), slots.as_slice()) {
            ("hmac-sha256-hex", [key, message]) if parameters.is_empty() => {
                self.may_stand(key, place)?;
                let key = self.slot(key, &SlotPlace::HmacKey)?;
                let message = self.slot(message, &SlotPlace::HmacMessage)?;
                let mut mac = Hmac::<Sha256>::new_from_slice(key.expose())
                    .map_err(|_| EgressError::Invalid("the key of a derived credential has no length".into()))?;
                mac.update(message.expose());
                Ok(Source::Text(Zeroizing::new(hex::encode(mac.finalize().into_bytes()))))
            }
            ("hmac-sha256-hex", _) => takes("two slots, key and message, and no parameters"),
            ("jwt-hs256", [key]) => {
                self.may_stand(key, place)?;
                let key = self.slot(key, &SlotPlace::JwtHs256Key)?;
                Ok(Source::Token(Jwt::new(Algorithm::Hs256, key, parameters, self.now)?))
            }
            ("jwt-rs256", [key]) => {
                self.may_stand(key, place)?;
                let key = self.slot(key, &SlotPlace::JwtRs256Key)?;
                Ok(Source::Token(Jwt::new(Algorithm::Rs256, key, parameters, self.now)?))
            }
            ("jwt-hs256" | "jwt-rs256", _) => takes("one slot, the key"),
            ("aws-sigv4", [key_id, key]) => {
                if !matches!(place, SlotPlace::Authorization(scheme) if scheme == SIGNED_REQUEST) {
                    return Err(EgressError::Invalid(format!(
                        "`aws-sigv4` goes into the authorization header, with the scheme `{SIGNED_REQUEST}`"
                    )));
                }
                self.may_stand(key, place)?;
                let key_id = self.slot(key_id, &SlotPlace::AwsAccessKeyId)?;
                let key = self.slot(key, &SlotPlace::AwsSecretKey)?;
                Ok(Source::Signature(Signer::new(&key_id, key, parameters, self.now)?))
            }
            ("aws-sigv4", _) => takes("two slots, the access key's id and the secret key"),
            _ => Err(unknown(&format!("the scheme `{scheme}` of a derived value"))),
        }
    }

    /// Checks that the manifest allows values derived with this key at a place. In a place that a person can read, a
    /// derived value would be a signature for anyone who asks.
    fn may_stand(&self, key: &str, place: &SlotPlace) -> Result<(), EgressError> {
        let declared = self.slots.get(declared_slot(key));
        if declared.is_some_and(|declared| declared.derived.contains(place)) {
            return Ok(());
        }
        Err(EgressError::SlotNotAllowed {
            slot: "derived value".to_owned(),
            place: place_name(place),
            host: self.rule.host.clone(),
        })
    }
}
