//! Owns: rejecting a collector in builds without trace export.
//! Does not own: exporting traces (`telemetry.rs`, with the feature `otlp`).

use std::path::Path;

use anyhow::Result;
use harness_cli::config::ConfigFile;
use tracing_subscriber::layer::Identity;

/// Never constructed in this build.
pub(crate) enum Telemetry {}

impl Telemetry {
    /// Rejects a configuration that names a collector, because missing traces would be noticed late.
    pub(crate) fn of(config: &Path) -> Result<Option<Self>> {
        let file = ConfigFile::read(config)?;
        match file.traces()? {
            None => Ok(None),
            Some(_) => {
                let problem = "names a collector, and this program was built without the feature `otlp`: build it with \
                               the feature, or take the key out";
                Err(file.value("telemetry.otlp-endpoint", problem).into())
            }
        }
    }

    pub(crate) fn layer(&self) -> Identity {
        match *self {}
    }

    pub(crate) fn end(self) {
        match self {}
    }
}
