//! Owns: saying that this program was built without what sends traces.
//! Does not own: sending them (`telemetry.rs`, with the feature `otlp`).

use std::path::Path;

use anyhow::Result;
use harness_cli::config::ConfigFile;
use tracing_subscriber::layer::Identity;

/// There is none.
pub(crate) enum Telemetry {}

impl Telemetry {
    /// Refuses a configuration that names a collector: traces that nobody sends would be missed late.
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
