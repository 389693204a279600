//! Owns: how long things are kept, in the API's JSON.
//! Does not own: removing them.

use harness_engine::Periods;
use harness_inbox::Kept;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{RetentionTag, organisation::given};

/// How long what need not be kept is kept, of the whole host.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Retention {
    object: RetentionTag,
    /// What platforms sent, word for word, once all of it is in the inbox.
    deliveries: Period,
    /// What arrived for accounts that are not connected.
    parked_deliveries: Period,
    /// Uploaded files that no reply refers to.
    unused_files: Period,
    /// Entries of the change feed.
    changes: Period,
}

/// How long something is kept.
#[derive(Clone, Copy, Debug, Default, Serialize, ToSchema)]
pub(crate) struct Period {
    /// The period that counts, in days; null for ever.
    days: Option<u64>,
    /// What the configuration says, in days; null for ever.
    configured_days: Option<u64>,
    /// Whether somebody set it, so that the configuration does not count.
    is_set: bool,
}

impl From<Periods> for Retention {
    fn from(periods: Periods) -> Self {
        let of = |what: Kept| {
            let days = |age: std::time::Duration| age.as_secs().div_ceil(24 * 3600);
            let period = periods.all().iter().find(|period| period.what == what);
            period.map_or_else(Period::default, |period| Period {
                days: period.age().map(days),
                configured_days: period.configured.map(days),
                is_set: period.set.is_some(),
            })
        };
        Self {
            object: RetentionTag::Tag,
            deliveries: of(Kept::Deliveries),
            parked_deliveries: of(Kept::Parked),
            unused_files: of(Kept::UnusedFiles),
            changes: of(Kept::Changes),
        }
    }
}

/// Other periods. What is left out stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChangeRetention {
    /// Days; 0 for ever, null as the configuration says.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<u32>, maximum = 36500)]
    deliveries: Option<Option<u32>>,
    /// Days; 0 for ever, null as the configuration says.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<u32>, maximum = 36500)]
    parked_deliveries: Option<Option<u32>>,
    /// Days; 0 for ever, null as the configuration says.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<u32>, maximum = 36500)]
    unused_files: Option<Option<u32>>,
    /// Days; 0 for ever, null as the configuration says.
    #[serde(default, deserialize_with = "given")]
    #[schema(value_type = Option<u32>, maximum = 36500)]
    changes: Option<Option<u32>>,
}

impl ChangeRetention {
    /// What is to be set; the name of a field with too many days otherwise.
    pub(crate) fn periods(self) -> Result<Vec<(Kept, Option<u32>)>, &'static str> {
        let fields = [
            (Kept::Deliveries, self.deliveries),
            (Kept::Parked, self.parked_deliveries),
            (Kept::UnusedFiles, self.unused_files),
            (Kept::Changes, self.changes),
        ];
        let given = fields.into_iter().filter_map(|(what, days)| Some((what, days?)));
        given
            .map(|(what, days)| match days {
                Some(days) if days > Kept::MOST_DAYS => Err(what.name()),
                days => Ok((what, days)),
            })
            .collect()
    }
}
