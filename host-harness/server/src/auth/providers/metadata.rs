//! Owns: what a provider publishes of itself: its endpoints and keys, fetched when needed and kept for a while.
//! Does not own: what is asked of the endpoints (`flow`).

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::http::{HeaderMap, HeaderValue, Method, header};
use bytes::Bytes;
use harness_engine::{DirectCall, DirectLimits, Host};
use serde::{Deserialize, de::DeserializeOwned};
use url::Url;

use super::{ProviderError, ProviderOptions, signature::Key};

/// How long a provider's endpoints and keys are kept.
const FRESH: Duration = Duration::from_secs(3600);
/// How often keys are fetched again for a token with an unknown one.
const AGAIN: Duration = Duration::from_secs(30);
/// The most keys that are kept of one provider.
const MAX_KEYS: usize = 100;
const LIMITS: DirectLimits =
    DirectLimits { answer: 256 << 10, total: Duration::from_secs(10), idle: Duration::from_secs(5) };

/// A provider's description of itself.
#[derive(Debug, Deserialize)]
pub(super) struct Metadata {
    pub(super) issuer: String,
    pub(super) authorization_endpoint: Url,
    pub(super) token_endpoint: Url,
    pub(super) jwks_uri: Url,
    #[serde(default)]
    pub(super) userinfo_endpoint: Option<Url>,
    #[serde(default)]
    pub(super) token_endpoint_auth_methods_supported: Option<Vec<String>>,
    #[serde(default)]
    pub(super) authorization_response_iss_parameter_supported: bool,
}

/// What is known of a provider, and since when.
#[derive(Debug, Default)]
pub(super) struct Known {
    metadata: Mutex<Option<(Duration, Arc<Metadata>)>>,
    keys: Mutex<Option<(Duration, Arc<[Key]>)>>,
}

fn kept<T: ?Sized>(place: &Mutex<Option<(Duration, Arc<T>)>>, now: Duration, fresh: Duration) -> Option<Arc<T>> {
    let kept = place.lock().unwrap_or_else(PoisonError::into_inner);
    kept.as_ref().filter(|(since, _)| now.saturating_sub(*since) < fresh).map(|(_, value)| Arc::clone(value))
}

fn keep<T: ?Sized>(place: &Mutex<Option<(Duration, Arc<T>)>>, now: Duration, value: &Arc<T>) {
    *place.lock().unwrap_or_else(PoisonError::into_inner) = Some((now, Arc::clone(value)));
}

/// Asks a provider, and reads JSON.
pub(super) async fn ask<T: DeserializeOwned>(
    host: &Host,
    at: &'static str,
    method: Method,
    url: Url,
    headers: HeaderMap,
    body: Bytes,
) -> Result<T, ProviderError> {
    let mut headers = headers;
    headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
    let answer = host.direct().call(DirectCall { method, url, headers, body }, LIMITS).await?;
    if !answer.status.is_success() {
        return Err(ProviderError::Status { at, status: answer.status.as_u16() });
    }
    // serde's sentences quote what they stumble over, which may be a token: its place is enough.
    serde_json::from_slice(&answer.body).map_err(|error| {
        let problem = format!("unexpected JSON at line {}, column {}", error.line(), error.column());
        ProviderError::Answer { at, problem }
    })
}

#[derive(Deserialize)]
struct KeySet {
    keys: Vec<serde_json::Value>,
}

impl Known {
    pub(super) async fn metadata(
        &self,
        host: &Host,
        options: &ProviderOptions,
    ) -> Result<Arc<Metadata>, ProviderError> {
        const AT: &str = "when it was asked for its endpoints";
        let now = host.clock().steady();
        if let Some(kept) = kept(&self.metadata, now, FRESH) {
            return Ok(kept);
        }
        let issuer = &options.issuer;
        let url = host.direct().check(&format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/')))?;
        let found: Metadata = ask(host, AT, Method::GET, url, HeaderMap::new(), Bytes::new()).await?;
        if found.issuer != *issuer {
            let problem = "it calls itself another issuer than the configuration does".to_owned();
            return Err(ProviderError::Answer { at: AT, problem });
        }
        // The browser is sent there: as good an address as those that this host calls.
        host.direct().check(found.authorization_endpoint.as_str())?;
        let found = Arc::new(found);
        keep(&self.metadata, now, &found);
        Ok(found)
    }

    /// Its keys. With `again`, newer ones, unless they were fetched just now.
    pub(super) async fn keys(
        &self,
        host: &Host,
        metadata: &Metadata,
        again: bool,
    ) -> Result<Arc<[Key]>, ProviderError> {
        let now = host.clock().steady();
        if let Some(kept) = kept(&self.keys, now, if again { AGAIN } else { FRESH }) {
            return Ok(kept);
        }
        let at = "when it was asked for its keys";
        let set: KeySet = ask(host, at, Method::GET, metadata.jwks_uri.clone(), HeaderMap::new(), Bytes::new()).await?;
        // A key of a kind that is not known here hides none of the others.
        let known = set.keys.into_iter().filter_map(|key| serde_json::from_value(key).ok());
        let keys: Arc<[Key]> = known.take(MAX_KEYS).collect();
        keep(&self.keys, now, &keys);
        Ok(keys)
    }
}
