//! Owns: `[telemetry]`: its keys and what is accepted.
//! Does not own: sending traces.

use std::collections::BTreeMap;

use serde::Deserialize;
use url::Url;

use super::{ConfigError, ConfigFile, SecretSource};
use harness_egress::credentials::Secret;

/// Where traces go. Without an endpoint, nowhere.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct TelemetryConfig {
    /// A collector that takes OTLP over HTTP, such as `http://127.0.0.1:4318`.
    pub otlp_endpoint: Option<Url>,
    /// Headers for the collector, such as a key. They never stand in the file.
    #[serde(default)]
    pub otlp_headers: BTreeMap<String, SecretSource>,
    /// Which part of the traces is sent, from 0 to 1. All unless set.
    pub sample: Option<f64>,
}

/// Where traces go, with everything that sending them needs.
#[derive(Clone, Debug)]
pub struct TraceTarget {
    /// The address for traces.
    pub endpoint: Url,
    /// Headers of each request.
    pub headers: Vec<(http::HeaderName, Secret)>,
    /// Which part is sent.
    pub sample: f64,
}

/// Where a collector takes traces, below its address.
const TRACES: &str = "/v1/traces";

impl ConfigFile {
    /// Where traces go; none unless the configuration names an endpoint.
    pub fn traces(&self) -> Result<Option<TraceTarget>, ConfigError> {
        let config = &self.config.telemetry;
        let Some(mut endpoint) = config.otlp_endpoint.clone() else { return Ok(None) };
        if !matches!(endpoint.scheme(), "http" | "https") || !endpoint.username().is_empty() {
            let problem = "is no address of a collector: expected one such as http://127.0.0.1:4318, with a key in `otlp-headers`";
            return Err(self.value("telemetry.otlp-endpoint", problem));
        }
        if !endpoint.path().ends_with(TRACES) {
            let path = format!("{}{TRACES}", endpoint.path().trim_end_matches('/'));
            endpoint.set_path(&path);
        }
        let sample = config.sample.unwrap_or(1.0);
        if !(0.0..=1.0).contains(&sample) {
            return Err(self.value("telemetry.sample", format!("is {sample}: expected a number from 0 to 1")));
        }
        let header = |(name, source): (&String, &SecretSource)| {
            let key = format!("telemetry.otlp-headers.{name}");
            let parsed = name.parse().map_err(|_| self.value(&key, "is not the name of a header"))?;
            Ok((parsed, self.secret(&key, source)?))
        };
        let headers = config.otlp_headers.iter().map(header).collect::<Result<_, ConfigError>>()?;
        Ok(Some(TraceTarget { endpoint, headers, sample }))
    }
}
