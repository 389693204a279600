//! Calls of a platform that are no webhooks: that access was removed, that somebody's data is to be deleted.
//! Belongs here: the manifest's recipes, and the answers. What they mean is the channel's to say.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use harness_contract::{
    Delivery, DeliverySource,
    manifest::{Callback, CallbackAnswer},
};
use harness_inbox::{ErasureView, InboxError, NewDelivery};
use serde_json::{Map, Value};

use crate::{
    error::HostError,
    host::Host,
    ingress::{self, Refusal},
    vault::random,
};

/// The longest payload, in bytes.
pub(crate) const MAX_CALLBACK: usize = 64 << 10;

impl Host {
    /// Takes a callback: verifies it and makes it durable. Returns the JSON that the platform wants to hear,
    /// where it wants something.
    pub async fn callback(&self, channel: &str, name: &str, form: &[u8]) -> Result<Option<Value>, HostError> {
        let registered = self.channel(channel).map_err(|_| Refusal::UnknownChannel)?;
        let manifest = registered.channel.manifest();
        let recipe = manifest.callbacks.get(name).ok_or(Refusal::UnknownChannel)?;
        let Callback::SignedRequest { field, secrets, answer, .. } = recipe;
        let mut values = url::form_urlencoded::parse(form).filter(|(key, _)| key == field);
        let (Some((_, signed)), None) = (values.next(), values.next()) else { return Err(Refusal::NoProof.into()) };
        let (signature, payload) = signed.split_once('.').ok_or(Refusal::NoProof)?;
        let decode = |text: &str| URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).map_err(|_| Refusal::NoProof);
        let signature: [u8; 32] = decode(signature)?.try_into().map_err(|_| Refusal::NoProof)?;
        let body = decode(payload)?;
        let now = self.shared.clock.now();
        ingress::signed_by(channel, secrets, &self.shared.secrets, payload.as_bytes(), &signature, now)?;
        let delivery = Delivery {
            source: DeliverySource::Callback(name.to_owned()),
            body,
            headers: Vec::new(),
            received_at: now,
            account: None,
        };
        let new = NewDelivery { channel: channel.to_owned(), delivery };
        let Some(CallbackAnswer { url, code }) = answer else {
            self.shared.inbox.record(new).await?;
            return Ok(None);
        };
        let given = hex::encode(random::<12>()?);
        let address = self.shared.address(&["callbacks", channel, name, &given])?;
        let (shared, code_given) = (std::sync::Arc::clone(&self.shared), given.clone());
        let record = async move {
            shared.inbox.record_erasure(new, code_given).await?;
            shared.delivered.notify_one();
            Ok(())
        };
        self.shared.begun.whole(record).await?;
        let fields = [(url.clone(), Value::from(address.as_str())), (code.clone(), Value::from(given))];
        Ok(Some(Value::Object(Map::from_iter(fields))))
    }

    /// How far the request with this code has come.
    pub async fn callback_state(&self, code: &str) -> Result<ErasureView, InboxError> {
        self.shared.inbox.erasure(code).await
    }
}
