//! Owns: how a host is set up.
//! Does not own: reading a configuration file, what a channel is given.

use std::{path::PathBuf, time::Duration};

use harness_sandbox::SandboxConfig;

use crate::{
    base::{backlog::Budget, clock::Clock, tasks::AtTask},
    maintenance::Retention,
    store::MediaStore,
};
use harness_egress::{Endpoints, Sizes, credentials::VaultKey};

/// How a host is set up.
#[derive(Clone, Debug)]
pub struct HostOptions {
    /// The inbox's file.
    pub inbox: PathBuf,
    /// The bounds of the sandbox, and where compiled components are kept.
    pub sandbox: SandboxConfig,
    /// Where the bytes of media lie. None: the folder `media` beside the inbox's file.
    pub media: Option<MediaStore>,
    /// Where the key is under which credentials rest. None: the file `vault.key` beside the inbox's file.
    pub vault_key: Option<VaultKey>,
    /// Development only: where requests really go.
    pub endpoints: Endpoints,
    /// How long one exchange with a platform may take, from the connection to the last byte of the answer.
    pub exchange: Duration,
    /// The clock by which `exchange` passes: one of its own, so that no exchange ends because the present is moved.
    pub exchange_clock: Clock,
    /// The clock.
    pub clock: Clock,
    /// What each channel and each account may keep waiting here.
    pub budget: Budget,
    /// How large what channels, platforms and clients hand in may be.
    pub sizes: Sizes,
    /// How long is kept what need not be kept.
    pub retention: Retention,
    /// Where every call of a channel is written down, with what people wrote. None: nowhere.
    pub record: Option<PathBuf>,
    /// For tests: what is called when a task of a worker begins.
    pub at_task: Option<AtTask>,
}

/// [`HostOptions::exchange`] unless set. Platforms fetch media while the request waits, for up to 75 s.
const EXCHANGE: Duration = Duration::from_secs(90);

impl HostOptions {
    /// A host that keeps everything in one folder, which must exist.
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
            clock: Clock::default(),
            budget: Budget::default(),
            sizes: Sizes::default(),
            retention: Retention::default(),
            record: None,
            at_task: None,
        }
    }
}
