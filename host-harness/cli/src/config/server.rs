//! Owns: `[server]`: its keys, units and accepted values.
//! Does not own: the meaning of the limits (the listener).

use std::time::Duration;

use serde::Deserialize;

use super::{ConfigError, ConfigFile};
use harness_server::Limits;

/// Limits for clients. Unset keys keep their defaults.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ServerConfig {
    /// [`Limits::header_time`], in seconds.
    pub header_seconds: Option<u64>,
    /// [`Limits::max_header_bytes`].
    pub max_header_bytes: Option<usize>,
    /// [`Limits::body_time`], in seconds.
    pub body_seconds: Option<u64>,
    /// [`Limits::idle_time`], in seconds.
    pub idle_seconds: Option<u64>,
    /// [`Limits::max_connections`].
    pub max_connections: Option<usize>,
    /// [`Limits::max_connections_per_address`].
    pub max_connections_per_address: Option<usize>,
    /// [`Limits::max_streams`].
    pub max_streams: Option<usize>,
    /// [`Limits::refused_webhooks_per_minute`].
    pub refused_webhooks_per_minute: Option<u32>,
}

/// The smallest accepted limit, in bytes. Below it, normal requests would be rejected.
const LEAST_HEADER: usize = 1024;

impl ConfigFile {
    /// The limits for clients.
    pub fn limits(&self) -> Result<Limits, ConfigError> {
        let (given, usual) = (&self.config.server, Limits::default());
        let seconds = |key: &str, given: Option<u64>, usual: Duration| match given {
            Some(0) => Err(self.value(&format!("server.{key}"), "is 0: expected at least one second")),
            given => Ok(given.map_or(usual, Duration::from_secs)),
        };
        if given.max_header_bytes.is_some_and(|bytes| bytes < LEAST_HEADER) {
            let problem = format!("is too small for honest requests: expected at least {LEAST_HEADER}");
            return Err(self.value("server.max-header-bytes", problem));
        }
        if given.max_connections == Some(0)
            || given.max_connections_per_address == Some(0)
            || given.refused_webhooks_per_minute == Some(0)
        {
            let keys = "`max-connections`, `max-connections-per-address` and `refused-webhooks-per-minute`";
            return Err(self.value("server", format!("{keys} are at least 1")));
        }
        Ok(Limits {
            header_time: seconds("header-seconds", given.header_seconds, usual.header_time)?,
            max_header_bytes: given.max_header_bytes.unwrap_or(usual.max_header_bytes),
            body_time: seconds("body-seconds", given.body_seconds, usual.body_time)?,
            idle_time: seconds("idle-seconds", given.idle_seconds, usual.idle_time)?,
            max_connections: given.max_connections.unwrap_or(usual.max_connections),
            max_connections_per_address: given.max_connections_per_address.unwrap_or(usual.max_connections_per_address),
            refused_webhooks_per_minute: given.refused_webhooks_per_minute.unwrap_or(usual.refused_webhooks_per_minute),
            max_streams: given.max_streams.unwrap_or(usual.max_streams),
            stall_time: usual.stall_time,
            stop_time: usual.stop_time,
        })
    }
}
