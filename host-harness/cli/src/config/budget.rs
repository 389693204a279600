//! Owns: `[budget]`: its keys, units and accepted values.
//! Does not own: the meaning of the bounds (the engine's backlog).

use std::time::Duration;

use serde::Deserialize;

use super::{ConfigError, ConfigFile, DAY};
use harness_engine::Budget;

/// Backlog bounds. Unset keys keep their defaults.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct BudgetConfig {
    /// [`Budget::account_deliveries`].
    pub account_deliveries: Option<u64>,
    /// [`Budget::unapplied_bytes`], in MiB.
    pub unapplied_mib: Option<u64>,
    /// [`Budget::parked_per_account`].
    pub parked_per_account: Option<u64>,
    /// [`Budget::parked_per_channel`].
    pub parked_per_channel: Option<u64>,
    /// [`Budget::parked`], in days; 0 means for ever.
    pub parked_days: Option<u32>,
    /// [`Budget::archive_items`].
    pub archive_items_per_hour: Option<u64>,
    /// [`Budget::archive_bytes`], in MiB.
    pub archive_mib_per_hour: Option<u64>,
}

impl ConfigFile {
    /// Backlog bounds of each channel and account.
    pub fn budget(&self) -> Result<Budget, ConfigError> {
        let (given, usual) = (&self.config.budget, Budget::default());
        let mib = |given: Option<u64>, usual: u64| given.map_or(usual, |mib| mib.saturating_mul(1 << 20));
        let budget = Budget {
            deliveries: self.config.max_backlog,
            account_deliveries: given.account_deliveries.unwrap_or(usual.account_deliveries),
            unapplied_bytes: mib(given.unapplied_mib, usual.unapplied_bytes),
            parked_per_account: given.parked_per_account.unwrap_or(usual.parked_per_account),
            parked_per_channel: given.parked_per_channel.unwrap_or(usual.parked_per_channel),
            parked: match given.parked_days {
                None => usual.parked,
                Some(0) => None,
                Some(days) => Some(Duration::from_secs(u64::from(days) * DAY)),
            },
            archive_items: given.archive_items_per_hour.unwrap_or(usual.archive_items),
            archive_bytes: mib(given.archive_mib_per_hour, usual.archive_bytes),
        };
        for (key, value) in [
            ("max-backlog", budget.deliveries),
            ("budget.account-deliveries", budget.account_deliveries),
            ("budget.unapplied-mib", budget.unapplied_bytes),
        ] {
            if value == 0 {
                return Err(self.value(key, "is 0: every webhook would be refused"));
            }
        }
        Ok(budget)
    }
}
