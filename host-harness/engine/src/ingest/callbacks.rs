//! Owns: signed calls of a platform other than webhooks: access was removed, a person's data is to be deleted.
//! Does not own: what they mean (the channel).

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use harness_contract::manifest::{Callback, CallbackAnswer};
use harness_inbox::TakenCallback;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use super::{Ingest, IngestError, verify::signed_by};
use crate::error::Refusal;
use harness_egress::credentials::random;

/// Maximum size of a payload, in bytes.
pub const MAX_CALLBACK: usize = 64 << 10;
/// Maximum age of a callback, in milliseconds. Platforms retry an unanswered callback for hours; anything older counts
/// as a replay.
const MAX_AGE_MS: u64 = 7 * 24 * 3_600_000;
/// How far the platform's clock may be ahead of the host's, in milliseconds.
const MAX_AHEAD_MS: u64 = 3_600_000;

impl Ingest {
    /// Verifies a callback and records it, once. Returns the JSON answer if the platform expects one. A repeated
    /// callback changes nothing and gets the same answer.
    pub(crate) async fn callback(&self, channel: &str, name: &str, form: &[u8]) -> Result<Option<Value>, IngestError> {
        let registered = self.channels.get(channel).map_err(|_| Refusal::UnknownChannel)?;
        let manifest = registered.channel.manifest();
        let recipe = manifest.callbacks.get(name).ok_or(Refusal::UnknownChannel)?;
        let Callback::SignedRequest { field, secrets, answer, issued_at, .. } = recipe;
        let mut values = url::form_urlencoded::parse(form).filter(|(key, _)| key == field);
        let (Some((_, signed)), None) = (values.next(), values.next()) else { return Err(Refusal::NoProof.into()) };
        let (signature, payload) = signed.split_once('.').ok_or(Refusal::NoProof)?;
        let decode = |text: &str| URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).map_err(|_| Refusal::NoProof);
        let signature: [u8; 32] = decode(signature)?.try_into().map_err(|_| Refusal::NoProof)?;
        let body = decode(payload)?;
        let now = self.base.clock.now();
        let proof = signed_by(channel, secrets, &self.secrets, payload.as_bytes(), &signature, now)?;
        if let Some(field) = issued_at
            && !is_of_now(issue_time(&body, field), now)
        {
            return Err(Refusal::NotOfNow.into());
        }
        self.admit(channel)?;
        let code = answer.as_ref().map(|_| random::<12>().map(hex::encode)).transpose()?;
        let verified = proof.delivery(channel, name, body, now);
        let digest = Sha256::digest(payload.as_bytes()).into();
        let new = verified.into_new();
        let bytes = new.delivery.body.len();
        let (base, backlog) = (self.base.clone(), Arc::clone(&self.backlog));
        let (channel_id, name_of, given) = (channel.to_owned(), name.to_owned(), code.clone());
        let record = async move {
            let taken = base.inbox.record_callback(new, name_of, digest, given).await?;
            if matches!(taken, TakenCallback::New) {
                backlog.add(&channel_id, None, bytes);
                base.wake.delivered.notify_one();
            }
            Ok::<_, IngestError>(taken)
        };
        let code = match self.base.begun.whole(record).await? {
            TakenCallback::New => code,
            TakenCallback::Before(code) => code,
            TakenCallback::Elsewhere => return Err(Refusal::TakenElsewhere.into()),
        };
        let (Some(CallbackAnswer { url, code: field }), Some(code)) = (answer, code) else { return Ok(None) };
        let address = self.public_url.address(&["callbacks", channel, name, &code])?;
        let fields = [(url.clone(), Value::from(address.as_str())), (field.clone(), Value::from(code))];
        Ok(Some(Value::Object(Map::from_iter(fields))))
    }
}

/// The time of issue that a payload states, in milliseconds since 1970. The payload has it in seconds.
fn issue_time(body: &[u8], field: &str) -> Option<u64> {
    let payload: Value = serde_json::from_slice(body).ok()?;
    let seconds = match payload.get(field)? {
        Value::String(text) => text.parse().ok()?,
        number => number.as_u64()?,
    };
    seconds.checked_mul(1000)
}

fn is_of_now(issued: Option<u64>, now: u64) -> bool {
    issued.is_some_and(|at| at.saturating_add(MAX_AGE_MS) >= now && at <= now.saturating_add(MAX_AHEAD_MS))
}
