//! Owns: `[telemetry]`: its keys and accepted values.
//! Does not own: sending traces.

use std::collections::BTreeMap;

use serde::Deserialize;
use url::Url;

use super::{ConfigError, ConfigFile, SecretSource};
use harness_egress::credentials::Secret;

/// Export of traces. Without an endpoint there is none.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct TelemetryConfig {
    /// A collector that accepts OTLP over HTTP, such as `http://127.0.0.1:4318`.
    pub otlp_endpoint: Option<Url>,
    /// Headers for the collector, such as a key. Their values are never in this file.
    #[serde(default)]
    pub otlp_headers: BTreeMap<String, SecretSource>,
    /// The share of traces that is exported, from 0 to 1. Defaults to all.
    pub sample: Option<f64>,
}

/// The target of traces, with everything needed to send them.
#[derive(Clone, Debug)]
pub struct TraceTarget {
    /// The address for traces.
    pub endpoint: Url,
    /// Headers for each request.
    pub headers: Vec<(http::HeaderName, Secret)>,
    /// The share of traces that is exported.
    pub sample: f64,
}

/// The collector's path for traces.
const TRACES: &str = "/v1/traces";

impl ConfigFile {
    /// The target of traces; `None` unless the configuration names an endpoint.
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
