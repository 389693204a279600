//! Owns: the options of a host.
//! Does not own: configuration files, the options of a channel.

use std::{path::PathBuf, time::Duration};

use harness_sandbox::SandboxConfig;

use crate::{
    base::{backlog::Budget, clock::Clock, tasks::AtTask},
    maintenance::Retention,
    store::MediaStore,
};
use harness_egress::{Endpoints, Sizes, credentials::VaultKey};

/// The options of a host.
#[derive(Clone, Debug)]
pub struct HostOptions {
    /// The inbox's file.
    pub inbox: PathBuf,
    /// The sandbox's limits, and the folder for compiled components.
    pub sandbox: SandboxConfig,
    /// Where media files are stored. `None`: in the folder `media` beside the inbox's file.
    pub media: Option<MediaStore>,
    /// The key that seals stored credentials. `None`: the file `vault.key` beside the inbox's file.
    pub vault_key: Option<VaultKey>,
    /// Development only: redirects requests to other addresses.
    pub endpoints: Endpoints,
    /// The time limit of one exchange with a platform, from connecting to the last byte of the answer.
    pub exchange: Duration,
    /// The clock for `exchange`. Separate from `clock`, so that moving the current time times no exchange out.
    pub exchange_clock: Clock,
    /// Hosts in private networks that the host's own calls may go to: `name`, `name:port`, or an address.
    pub private_hosts: Vec<String>,
    /// The host's clock.
    pub clock: Clock,
    /// Backlog bounds of each channel and account.
    pub budget: Budget,
    /// Size limits for input from channels, platforms and clients.
    pub sizes: Sizes,
    /// Retention periods.
    pub retention: Retention,
    /// The file in which every call of a channel is recorded, including what people wrote. `None`: no recording.
    pub record: Option<PathBuf>,
    /// For tests: a hook called at certain points of every worker's tasks.
    pub at_task: Option<AtTask>,
}

/// Default of [`HostOptions::exchange`]. Platforms fetch media while the request waits, for up to 75 s.
const EXCHANGE: Duration = Duration::from_secs(90);

impl HostOptions {
    /// Options of a host that keeps everything in one folder, which must exist.
    pub fn in_folder(folder: impl Into<PathBuf>) -> Self {
        let folder = folder.into();
        Self {
            inbox: folder.join("inbox.sqlite"),
            sandbox: SandboxConfig { cache_dir: Some(folder.join("artifacts")), ..SandboxConfig::default() },
            media: None,
            vault_key: None,
            endpoints: Endpoints::new(),
            exchange: EXCHANGE,
            exchange_clock: Clock::default(),
            private_hosts: Vec::new(),
            clock: Clock::default(),
            budget: Budget::default(),
            sizes: Sizes::default(),
            retention: Retention::default(),
            record: None,
            at_task: None,
        }
    }
}
