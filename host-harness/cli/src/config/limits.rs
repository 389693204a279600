//! Owns: `[limits]`: its keys, units and accepted values.
//! Does not own: their meaning (egress, the sandbox).

use serde::Deserialize;

use super::{ConfigError, ConfigFile};
use harness_egress::{MIB, Sizes};
use harness_sandbox::ComponentBounds;

/// Size limits, in MiB, and limits of components. Unset keys keep their defaults.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct LimitsConfig {
    /// [`Sizes::answer`].
    pub answer_mib: Option<u64>,
    /// [`Sizes::request`].
    pub request_mib: Option<u64>,
    /// [`Sizes::file`].
    pub file_mib: Option<u64>,
    /// [`Sizes::request_files`].
    pub request_files_mib: Option<u64>,
    /// [`Sizes::memory`].
    pub memory_mib: Option<u64>,
    /// [`ComponentBounds::core_instances`].
    pub core_instances: Option<u64>,
}

/// The largest accepted limit for core modules of a component: the default limit for instances of any kind.
pub const MOST_CORE_INSTANCES: u64 = 256;

impl ConfigFile {
    /// Limits of a component's structure.
    pub fn component_bounds(&self) -> Result<ComponentBounds, ConfigError> {
        let usual = ComponentBounds::default();
        let core_instances = self.config.limits.core_instances.unwrap_or(usual.core_instances);
        if !(1..=MOST_CORE_INSTANCES).contains(&core_instances) {
            let problem = format!("is {core_instances}: expected from 1 to {MOST_CORE_INSTANCES}");
            return Err(self.value("limits.core-instances", problem));
        }
        Ok(ComponentBounds { core_instances, ..usual })
    }

    /// Size limits for input from channels, platforms and clients.
    pub fn sizes(&self) -> Result<Sizes, ConfigError> {
        let (given, usual, most) = (&self.config.limits, Sizes::default(), Sizes::MOST);
        let bytes = |key: &str, given: Option<u64>, usual: u64, most: u64| match given {
            None => Ok(usual),
            Some(mib) if (1..=most / MIB).contains(&mib) => Ok(mib * MIB),
            Some(mib) => {
                let problem = format!("is {mib}: expected from 1 to {} (MiB)", most / MIB);
                Err(self.value(&format!("limits.{key}"), problem))
            }
        };
        let sizes = Sizes {
            answer: bytes("answer-mib", given.answer_mib, usual.answer, most.answer)?,
            request: bytes("request-mib", given.request_mib, usual.request, most.request)?,
            file: bytes("file-mib", given.file_mib, usual.file, most.file)?,
            request_files: bytes(
                "request-files-mib",
                given.request_files_mib,
                usual.request_files,
                most.request_files,
            )?,
            memory: bytes("memory-mib", given.memory_mib, usual.memory, most.memory)?,
        };
        let least = sizes.least_memory();
        if sizes.memory < least {
            let problem = format!(
                "is {}: expected at least {} with requests of {} MiB and answers of {} MiB, since webhooks have half of \
                 it and a request is kept twice while it leaves; or lower `request-mib`",
                sizes.memory / MIB,
                least / MIB,
                sizes.request / MIB,
                sizes.answer / MIB
            );
            return Err(self.value("limits.memory-mib", problem));
        }
        Ok(sizes)
    }
}
